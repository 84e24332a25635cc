import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeServer } from "../../../test/browser/fake-server.ts";
import { find, findAll, mount, painted, until } from "../../../test/browser/widget.ts";

let server: FakeServer;
beforeEach(() => {
  // No guest of an earlier test.
  localStorage.clear();
  server = new FakeServer().install();
});
afterEach(() => {
  document.body.replaceChildren();
  server.uninstall();
});

const SENDERS = ["anna@acme", "swift-otter", "swift-otter/claude", "~brisk-lynx-4f2a9c", "anna@before"];

describe("a site's user", () => {
  it("is shown by the site's name for them, and always with the site", async () => {
    const room = server.room("lobby").fill(2, (index) => ({ sender: index === 0 ? "anna@acme" : "bob@acme" }));
    room.names = { "anna@acme": "Anna Lind" };
    const { element } = mount(server);
    const senders = await until(() => {
      const found = findAll(element, ".sender");
      return found.length === 2 && found[0]?.querySelector(".site") && found;
    });
    expect(senders.map(({ textContent }) => textContent)).toEqual(["Anna Lind · acme", "bob · acme"]);
    expect(senders[0]?.querySelector("bdi")?.title).toBe("anna@acme");
  });

  it("is not to be mistaken for anybody else, whatever the site calls them", async () => {
    const room = server.room("lobby").fill(SENDERS.length, (index) => ({ sender: SENDERS[index] as string }));
    room.names = { "anna@acme": "swift-otter" };
    const { element } = mount(server);
    await until(() => findAll(element, ".sender .site").length > 0);
    const texts = findAll(element, ".sender").map(({ textContent }) => textContent);
    expect(texts).toEqual([
      "swift-otter · acme",
      "swift-otter",
      "swift-otter/claude",
      "~brisk-lynx-4f2a9c",
      "anna@before",
    ]);
    const shapes = findAll(element, ".gutter .avatar").map((avatar) => {
      const { borderRadius, clipPath, borderStyle, boxShadow } = getComputedStyle(avatar);
      return [borderRadius, clipPath, borderStyle, boxShadow].join(" ");
    });
    // The last is a person of the previous server.
    expect(new Set(shapes.slice(0, 4)).size).toBe(4);
    expect(shapes[4]).toBe(shapes[1]);
  });

  it("has a name of any direction, which moves nothing around it", async () => {
    const room = server.room("lobby").fill(1, () => ({ sender: "anna@acme" }));
    room.names = { "anna@acme": "אנה לינד" };
    const { element } = mount(server);
    const site = await until(() => find(element, ".sender .site"));
    await painted();
    const name = site.previousElementSibling as HTMLElement;
    expect(name.textContent).toBe("אנה לינד");
    expect(name.getBoundingClientRect().right).toBeLessThanOrEqual(site.getBoundingClientRect().left + 1);
  });

  it("is among the people, and has another name as soon as the site says so", async () => {
    const room = server.room("lobby").fill(1, () => ({ sender: "anna@acme" }));
    room.names = { "anna@acme": "Anna Lind" };
    room.people = ["anna@acme", "swift-otter"];
    const { element } = mount(server);
    await until(() => find(element, ".sender .site"));
    element.showsPeople = true;
    const listed = await until(() => {
      const found = findAll(element, ".people .who bdi:first-of-type .site");
      return found.length > 0 && findAll(element, ".people li");
    });
    expect(listed.map(({ textContent }) => textContent?.replace(/\s+/g, " ").trim())).toEqual([
      expect.stringContaining("Anna Lind · acme"),
      expect.stringContaining("swift-otter"),
    ]);
    room.names = { "anna@acme": "Anna Berg" };
    room.say("anna@acme", "Married");
    await until(() => find(element, ".sender")?.textContent === "Anna Berg · acme");
  });
});

describe("a site's user in a line of text", () => {
  it("is named as above a message: who writes, who is answered, who is being answered, who is writing", async () => {
    const room = server.room("lobby").fill(2, (index) => ({ sender: "anna@acme", ...(index === 1 && { replyTo: 1 }) }));
    room.names = { "anna@acme": "Anna Lind", "bob@acme": "Bob" };
    room.handle = "bob@acme";
    const { element } = mount(server);
    element.getToken = async () => "token";
    await until(() => find(element, ".quoted")?.textContent === "Anna Lind · acme");
    await until(() => find<HTMLTextAreaElement>(element, "textarea")?.placeholder === "Write as Bob · acme");
    room.update({ drafts: [{ id: "a", sender: "anna@acme", append: "" }] });
    await until(() => find(element, ".writers")?.textContent === "Anna Lind · acme is writing…");
    find(element, `[data-seq="1"]`)?.focus();
    const reply = await until(() => findAll(element, ".tools button").find(({ title }) => title === "Reply"));
    reply.click();
    await until(() => find(element, ".replying span")?.textContent === "Replying to Anna Lind · acme");
  });
});

describe("a site's user whom somebody moderates", () => {
  it("is named so in the question, in what waits, in what was done, and to a screen reader", async () => {
    const room = server.room("lobby").fill(1, () => ({ sender: "anna@acme" }));
    room.names = { "anna@acme": "Anna Lind" };
    Object.assign(room, { owner: true, key: "mai_000000000000000000000000", people: ["anna@acme"] });
    room.mutes.set("anna@acme", null);
    room.deeds.push({ id: 1, at: new Date().toISOString(), by: "swift-otter", deed: "mute", target: "anna@acme" });
    const { element } = mount(server);
    element.key = room.key;
    const NAME = "Anna Lind · acme";
    await until(() => find(element, "meet-ai-message")?.ariaLabel?.startsWith(`${NAME}, `));
    find(element, `[data-seq="1"]`)?.focus();
    (await until(() => find(element, `.tools [title="Mute ${NAME}"]`))).click();
    await until(() => find(element, "meet-ai-mute")?.textContent?.includes(`${NAME} is muted.`));
    room.hold("anna@acme", "May I?");
    (await until(() => find(element, ".waiting"))).click();
    const shown = await until(() => {
      const found = findAll(element, "meet-ai-moderation bdi").map(({ textContent }) => textContent);
      return found.length === 4 && found;
    });
    expect(shown).toEqual([NAME, NAME, "swift-otter", NAME]);
    for (const name of [`Approve: ${NAME}`, `Unmute: ${NAME}`])
      expect(find(element, `[aria-label="${name}"]`)).not.toBeNull();
    find(element, ".people [title=Moderation]")?.click();
    await until(() => find(element, `.people [title="Mute ${NAME}"]`));
  });
});

describe("getToken", () => {
  it("is asked at each connect, and lets nobody become a guest", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    let asked = 0;
    element.getToken = async () => `token-${++asked}`;
    await until(() => room.received.some((frame) => frame.type === "hello"));
    element.reconnect();
    await until(() => room.received.filter((frame) => frame.type === "hello").length === 2);
    expect(room.received.filter((frame) => frame.type === "hello")).toEqual([
      { type: "hello", token: "token-1" },
      { type: "hello", token: "token-2" },
    ]);
  });

  it("of a page that renders anew is asked the next time, and connects nobody again", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    element.getToken = async () => "first";
    await until(() => element.me !== undefined);
    element.getToken = async () => "second";
    await element.updateComplete;
    await painted();
    expect(room.received.filter((frame) => frame.type === "hello")).toHaveLength(1);
    element.reconnect();
    await until(() => room.received.filter((frame) => frame.type === "hello").length === 2);
    expect(room.received.findLast((frame) => frame.type === "hello")).toMatchObject({ token: "second" });
  });

  it("that is taken away leaves a reader who may become a guest", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    element.getToken = async () => "first";
    await until(() => element.me !== undefined);
    element.getToken = undefined;
    await until(() => element.me === undefined && element.status === "open");
    expect(room.received.filter((frame) => frame.type === "hello")).toHaveLength(1);
  });
});
