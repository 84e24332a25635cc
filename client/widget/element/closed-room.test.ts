/** A room that the server's operator has closed: what is seen and heard of that, live and by who comes, and what is not offered. */

import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import type { FakeRoom } from "../../../test/browser/fake-server.ts";
import { server } from "../../../test/browser/server.ts";
import { contents, find, findAll, mount, until } from "../../../test/browser/widget.ts";
import type { MeetAiAskEvent, MeetAiRoom } from "../index.ts";

const KEY = "mai_000000000000000000000000";
const CLOSED = "This room was closed by the operator of this server. Nobody can write.";

/** A person in a room with one message by somebody else. */
async function personIn(attributes: Record<string, string> = {}, before: (room: FakeRoom) => void = () => {}) {
  const room = server.room("lobby").fill(1, () => ({ sender: "amber-fox", content: "Hello" }));
  before(room);
  const { element } = mount(server, attributes);
  element.key = KEY;
  await until(() => contents(element).length === 1 && element.me);
  return { room, element };
}

/** The operator closes the room, or opens it again. */
function close(room: FakeRoom, isClosed = true): void {
  const { closed: _, ...open } = room.info;
  Object.assign(room, { info: isClosed ? { ...open, closed: true } : open });
  room.update({ room: room.info });
}

const watching = (element: MeetAiRoom) => find(element, ".watching")?.textContent?.trim();
const spoken = (element: MeetAiRoom) => find(element, ".spoken")?.textContent;
const field = (element: MeetAiRoom) => find<HTMLTextAreaElement>(element, "textarea");

describe("who is there when it is closed", () => {
  test("reads why in place of the field, and finds what they had begun when it is open again", async () => {
    const { room, element } = await personIn();
    await userEvent.type(await until(() => field(element)), "Half a thought");
    close(room);
    await until(() => watching(element) === CLOSED);
    expect(field(element)).toBeNull();
    await until(() => spoken(element) === CLOSED);
    close(room, false);
    await until(() => field(element)?.value === "Half a thought");
    expect(watching(element)).toBeUndefined();
    await until(() => spoken(element) === "This room is open again.");
    await userEvent.type(field(element) as HTMLTextAreaElement, "{Enter}");
    await until(() => contents(element).includes("Half a thought"));
  });

  test("is offered no reply, and no answer to a question; what they may delete, they may", async () => {
    const { room, element } = await personIn();
    const wanted: number[] = [];
    element.addEventListener("meet-ai-ask", (event) => wanted.push((event as MeetAiAskEvent).detail.wanted));
    room.ask("amber-fox/claude", "Deploy?", ["Yes", "No"]);
    room.say("swift-otter", "Mine");
    await until(() => findAll(element, ".options button").length === 2 && wanted.at(-1) === 1);
    close(room);
    await until(() => findAll(element, ".options button").length === 0 && wanted.at(-1) === 0);
    expect(find(element, ".waiting")).toBeNull();
    expect(findAll(element, ".options > *").map(({ textContent }) => textContent)).toEqual(["Yes", "No"]);
    await userEvent.hover(findAll(element, "meet-ai-message").at(-1) as HTMLElement);
    const names = () => findAll(element, "meet-ai-message-tools button").map(({ title }) => title);
    await until(() => names().length > 0);
    expect(names()).toEqual(["Copy link", "Delete"]);
  });

  test("sees of what was on its way that it was not taken, and can't send it again before the room is open", async () => {
    const { room, element } = await personIn();
    room.judge = () => ({ code: "read_only" });
    await userEvent.type(await until(() => field(element)), "Too late{Enter}");
    await until(() => find(element, ".delivery.failed"));
    close(room);
    await until(() => watching(element) === CLOSED);
    const offered = () => findAll(element, ".delivery button").map(({ textContent }) => textContent?.trim());
    await until(() => offered().join() === "Discard");
    room.judge = () => "keep";
    close(room, false);
    await until(() => offered().join() === "Send again,Discard");
    // What was refused then is no longer said of the next.
    expect(find(element, ".notice")?.textContent).not.toContain("people with a key");
    findAll(element, ".delivery button")[0]?.click();
    await until(() => contents(element).join() === "Hello,Too late" && !find(element, ".delivery"));
  });
});

describe("who comes to a closed room", () => {
  test.each([
    ["en", CLOSED],
    ["de", "Dieser Raum wurde vom Betreiber des Servers geschlossen. Niemand kann schreiben."],
    ["ar", "أغلق مشغّل الخادم هذه الغرفة. لا يمكن لأحد أن يكتب."],
  ])("reads so in %s, and the messages", async (lang, words) => {
    const { element } = await personIn({ lang }, ({ info }) => Object.assign(info, { closed: true }));
    await until(() => watching(element) === words);
    expect([field(element), contents(element)]).toEqual([null, ["Hello"]]);
    expect(spoken(element)).toBe("");
  });

  test("without a key reads so, too, and is led to no key, which would not help", async () => {
    const room = server.room("lobby").fill(1);
    Object.assign(room.info, { closed: true, guests: "read" });
    const { element } = mount(server);
    await until(() => watching(element) === CLOSED);
    room.ask("amber-fox/claude", "Deploy?", ["Yes", "No"]);
    await until(() => find(element, "meet-ai-ask .terms"));
    expect(find(element, "a[target]")).toBeNull();
  });

  test("as its owner reads so, too", async () => {
    const { element } = await personIn({}, (room) => {
      Object.assign(room.info, { closed: true });
      room.owner = true;
    });
    await until(() => watching(element) === CLOSED);
  });

  test("after another room is told nothing of a change", async () => {
    const { element } = await personIn();
    const other = server.room("other").fill(1);
    Object.assign(other.info, { closed: true });
    element.room = "other";
    await until(() => watching(element) === CLOSED);
    expect(spoken(element)).toBe("");
  });

  test.each(["light", "dark"])("axe finds nothing in it, %s", async (theme) => {
    const { element } = await personIn({ theme }, ({ info }) => Object.assign(info, { closed: true }));
    await until(() => watching(element) === CLOSED);
    const { violations } = await axe.run(element, { rules: { region: { enabled: false } } });
    expect(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))).toEqual([]);
  });
});

test("the page's own send is refused, and says why", async () => {
  const { room, element } = await personIn({}, ({ info }) => Object.assign(info, { closed: true }));
  room.judge = () => ({ code: "read_only" });
  await until(() => watching(element) === CLOSED);
  await expect(element.send("Hello?")).rejects.toMatchObject({ code: "read_only" });
});
