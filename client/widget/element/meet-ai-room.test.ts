/** The element as a page and a person meet it: what it shows in every state, and what it leaves alone. */

import axe from "axe-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { CLOSE, LIMITS } from "../../../party/protocol.ts";
import type { FakeRoom } from "../../../test/browser/fake-server.ts";
import { server } from "../../../test/browser/server.ts";
import {
  contents,
  find,
  findAll,
  fromEnd,
  isWhole,
  mount,
  painted,
  stopClock,
  until,
} from "../../../test/browser/widget.ts";
import type { MeetAiFeed } from "../feed/feed.ts";
import type { MeetAiRoom } from "../index.ts";

const fieldOf = (element: MeetAiRoom) => until(() => find<HTMLTextAreaElement>(element, "textarea"));
const textOf = (element: MeetAiRoom, selector: string) =>
  find(element, selector)?.textContent?.replace(/\s+/g, " ").trim();

/** A room with messages, in which the person has begun to write. */
async function participant(attributes: Record<string, string> = {}) {
  const room = server.room("lobby").fill(3);
  const { element, box } = mount(server, attributes);
  await until(() => contents(element).length === 3);
  const field = await fieldOf(element);
  await userEvent.click(field);
  await until(() => field.getAttribute("aria-label")?.includes(room.handle));
  return { room, element, box, field };
}

describe("reading", () => {
  test("a room shows what was said, and what is said", async () => {
    const room = server.room("lobby").fill(3);
    const { element } = mount(server);
    await until(() => contents(element).length === 3);
    room.say("swift-otter/claude", "Live");
    await until(() => contents(element).at(-1) === "Live");
  });

  test("in a browser that knows only states with dashes, too", async () => {
    const add = vi.spyOn(CustomStateSet.prototype, "add").mockImplementation(() => {
      throw new SyntaxError("must start with '--'");
    });
    server.room("lobby").fill(3);
    const { element } = mount(server);
    await until(() => contents(element).length === 3);
    add.mockRestore();
  });

  test("a deleted message says so, in its place", async () => {
    const room = server.room("lobby").fill(3);
    const { element } = mount(server);
    await until(() => contents(element).length === 3);
    room.erase(2);
    await until(() => contents(element)[1] === "This message has been deleted.");
    expect(contents(element)).toHaveLength(3);
  });

  test("people, agents, guests and spectators are told apart", async () => {
    const room = server.room("lobby");
    room.people = ["swift-otter", "swift-otter/claude", "~brisk-lynx-4f2a9c"];
    room.spectators = 2;
    const { element } = mount(server);
    await until(() => textOf(element, ".here") === "5 here");
    find(element, ".here")?.click();
    const panel = await until(() => find(element, ".people"));
    expect([...panel.querySelectorAll("h4")].map(({ textContent }) => textContent?.trim())).toEqual([
      "People 1",
      "Agents 1",
      "Guests 1",
    ]);
    expect(textOf(element, ".spectators")).toBe("2 watching");
    room.update({ presence: { left: ["swift-otter/claude"], spectators: 1 } });
    await until(() => !panel.textContent?.includes("claude"));
  });

  test("what is copied is what was said", async () => {
    const room = server.room("lobby");
    room.say("swift-otter", "First");
    room.say("swift-otter", "Second");
    room.say("swift-otter/claude", "Third\n\n```ts\nconst x = 1;\n```", { replyTo: 1 });
    room.say("~brisk-lynx-4f2a9c", "Fourth\n\n".repeat(60));
    const { element } = mount(server);
    await until(() => contents(element).length === 4 && find(element, ".quote") && find(element, ".fold-toggle"));
    // With the pointer over it, a row shows all that it has.
    await userEvent.hover(find(element, '[data-seq="2"]') as HTMLElement);
    await until(() => find(element, '[data-seq="2"] .tools'));
    await until(() => find(element, '[data-seq="2"] time'));
    const timeOf = (seq: number) => textOf(element, `[data-seq="${seq}"] .head time`);
    document.getSelection()?.selectAllChildren(find(element, ".list") as HTMLElement);
    await userEvent.copy();
    document.getSelection()?.removeAllRanges();
    const field = document.createElement("textarea");
    document.body.append(field);
    field.focus();
    await userEvent.paste();
    const lines = field.value.split("\n").filter((line) => line !== "");
    expect(lines.slice(0, -60)).toEqual([
      find(element, ".day")?.textContent,
      ...["swift-otter", timeOf(1), "First", "Second"],
      ...["swift-otter/claude", timeOf(3), "Third", "const x = 1;"],
      ...["~brisk-lynx-4f2a9c", timeOf(4)],
    ]);
    expect(new Set(lines.slice(-60))).toEqual(new Set(["Fourth"]));
    field.remove();
  });

  test("somebody who writes without showing it is named below the log", async () => {
    const room = server.room("lobby");
    const { element } = mount(server);
    await until(() => room.sockets.size === 1);
    room.update({ drafts: [{ id: "d", sender: "amber-fox", append: "" }] });
    await until(() => textOf(element, ".writers") === "amber-fox is writing…");
    room.update({ drafts: [{ id: "d", sender: "amber-fox", end: true }] });
    await until(() => textOf(element, ".writers") === "");
  });

  test("an empty room says so; a page can say it otherwise", async () => {
    server.room("lobby");
    const { element } = mount(server);
    await until(() => textOf(element, ".empty")?.includes("Nothing has been said here yet."));
    const own = document.createElement("p");
    own.slot = "empty";
    own.textContent = "Ask us anything.";
    element.append(own);
    await painted();
    expect(own.assignedSlot).not.toBeNull();
  });

  test("how many are here is said as long as it is known", async () => {
    const room = server.room("lobby").fill(1);
    room.people = ["swift-otter"];
    const { element } = mount(server);
    const isSaid = () => getComputedStyle(find(element, ".here span") as HTMLElement).visibility === "visible";
    await until(() => textOf(element, ".here") === "1 here");
    expect(isSaid()).toBe(true);
    room.online = false;
    room.drop();
    await until(() => element.matches(":state(offline)"));
    await until(() => !isSaid());
  });

  test("a reply to what is far up quotes it, until that is deleted", async () => {
    const room = server.room("lobby").fill(80);
    room.fill(30, (index) => (index % 2 ? {} : { replyTo: index < 20 ? 7 : 8 }));
    const { element } = mount(server);
    await until(() => findAll(element, ".quote").length === 15);
    await until(() => findAll(element, ".quote").every(({ textContent }) => / Message [78]\s*$/.test(textContent)));
    expect(textOf(element, ".quote")).toBe("swift-otter Message 7");
    expect(server.fetched).toHaveLength(1);
    room.erase(7);
    await until(() => textOf(element, ".quote") === "swift-otter This message has been deleted.");
    find(element, ".quote")?.click();
    await until(() => find(element, '[data-seq="7"].marked'));
  });

  test("fifty replies to fifty messages far up are a handful of requests", async () => {
    const room = server.room("lobby").fill(100);
    room.fill(50, (index) => ({ replyTo: 50 - index }));
    const { element } = mount(server);
    await until(() => findAll(element, ".quote").length === 50);
    await until(() => findAll(element, ".quote").every(({ textContent }) => textContent?.includes("Message")));
    expect(textOf(element, ".quote")).toBe("swift-otter Message 50");
    expect(server.fetched.length).toBeLessThan(5);
  });

  test("what can't be read is not asked for again with every move of the pointer", async () => {
    const room = server.room("lobby").fill(80);
    room.fill(2, () => ({ replyTo: 7 }));
    room.pagesFail = true;
    // After some seconds it may be asked for again.
    stopClock();
    const { element } = mount(server);
    await until(() => findAll(element, ".quote").length === 2 && server.fetched.length > 0);
    for (const seq of [81, 82, 81, 82]) {
      await userEvent.hover(find(element, `[data-seq="${seq}"]`) as HTMLElement);
      await until(() => find(element, `[data-seq="${seq}"] .tools`));
    }
    expect(server.fetched).toHaveLength(1);
  });

  test("a reply to what can't be read says that much, and leads there once it can", async () => {
    const room = server.room("lobby").fill(80);
    room.fill(1, () => ({ replyTo: 7 }));
    room.pagesFail = true;
    const { element } = mount(server);
    await until(() => textOf(element, ".quote") === "an earlier message");
    await until(() => server.fetched.length > 0);
    room.pagesFail = false;
    find(element, ".quote")?.click();
    await until(() => find(element, '[data-seq="7"].marked'));
  });

  test("a line stands above what is new since the last visit", async () => {
    const room = server.room("lobby").fill(5);
    const first = mount(server);
    await until(() => contents(first.element).length === 5);
    first.box.remove();
    await until(() => room.sockets.size === 0);
    room.fill(2);
    const second = mount(server);
    await until(() => contents(second.element).length === 7);
    const line = await until(() => find(second.element, ".unread"));
    expect((line.nextElementSibling as HTMLElement).dataset.seq).toBe("6");
  });

  test("the line is where it belongs even when more is new than the log begins with, once a reader comes to it", async () => {
    const room = server.room("lobby").fill(5);
    const first = mount(server);
    await until(() => contents(first.element).length === 5);
    first.box.remove();
    await until(() => room.sockets.size === 0);
    room.fill(80);
    const { element } = mount(server);
    await until(() => contents(element).length === 50);
    await painted();
    expect(find(element, ".unread")).toBeNull();
    const scroller = find(element, ".scroller") as HTMLElement;
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -100 }));
    scroller.scrollTop = 0;
    const line = await until(() => find(element, ".unread"));
    expect((line.nextElementSibling as HTMLElement).dataset.seq).toBe("6");
    expect(findAll(element, ".unread")).toHaveLength(1);
  });

  test("to whom everything is new, no line says so", async () => {
    server.room("lobby").fill(80);
    const { element } = mount(server);
    await until(() => contents(element).length === 50);
    await painted();
    const scroller = find(element, ".scroller") as HTMLElement;
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -100 }));
    scroller.scrollTop = 0;
    await until(() => find(element, '[data-seq="1"]'));
    expect(find(element, ".unread")).toBeNull();
  });

  test("each finished message of somebody else is read out once, a burst as a number", async () => {
    const { room, element } = await participant();
    const spoken = find(element, ".spoken") as HTMLElement;
    const said: string[] = [];
    new MutationObserver(() => spoken.textContent && said.push(spoken.textContent)).observe(spoken, {
      childList: true,
      characterData: true,
      subtree: true,
    });
    for (let chunk = 0; chunk < 20; chunk++)
      room.update({ drafts: [{ id: "d", sender: "swift-otter/claude", append: "word " }] });
    await painted();
    room.say("swift-otter/claude", "word ".repeat(20).trim(), { id: "d" });
    await until(() => said.length === 1);
    expect(said[0]).toMatch(/^swift-otter\/claude: word/);
    for (let index = 0; index < 10; index++) room.say("amber-fox", `Burst ${index}`);
    await until(() => said.length === 2);
    expect(said[1]).toBe("10 new messages");
    room.say("amber-fox", "**Two** words:\n\n- one\n- `two`");
    await until(() => said.length === 3);
    expect(said[2]).toBe("amber-fox: Two words:\none\ntwo");
    expect(find(element, ".scroller")?.getAttribute("aria-live")).toBe("off");
  });
});

describe("writing", () => {
  test("a person gets a name when they begin to write, and the same one the next time", async () => {
    const { room, element, field } = await participant();
    await userEvent.keyboard("Hello{Enter}");
    await until(() => contents(element).includes("Hello"));
    expect(field.value).toBe("");
    const secret = room.received.find((frame) => frame.type === "hello")?.guest;
    expect(secret?.length).toBeGreaterThanOrEqual(22);
    document.body.replaceChildren();
    room.received.length = 0;
    mount(server);
    await until(() => room.received.length > 0);
    expect(room.received[0]).toEqual({ type: "hello", guest: secret });
  });

  test("who only watches is nobody", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    await until(() => contents(element).length === 1);
    expect(room.received).toEqual([]);
  });

  test("a key is a property: it names its owner and never stands in the page", async () => {
    const room = server.room("lobby");
    const { element } = mount(server);
    await until(() => room.sockets.size === 1);
    element.key = "mai_secret";
    await until(() => room.received.some((frame) => frame.type === "hello" && frame.key === "mai_secret"));
    await painted();
    expect(document.documentElement.outerHTML + element.shadowRoot?.innerHTML).not.toContain("mai_secret");
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain("mai_secret");
  });

  test("Shift+Enter breaks the line; an input method's Enter sends nothing", async () => {
    const { room, element, field } = await participant();
    await userEvent.keyboard("one{Shift>}{Enter}{/Shift}two");
    expect(field.value).toBe("one\ntwo");
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true }));
    // Safari's, when it ends the composing.
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true }));
    expect(field.value).toBe("one\ntwo");
    expect(room.log).toHaveLength(3);
    await userEvent.keyboard("{Enter}");
    await until(() => room.log.length === 4);
    expect(room.log[3]?.content).toBe("one\ntwo");
    await until(() => contents(element).length === 4);
  });

  test("the log stays at its end while the field grows, where a script makes it grow", async () => {
    const supports = vi.spyOn(CSS, "supports").mockReturnValue(false);
    server.room("lobby").fill(60);
    const { element } = mount(server);
    await until(() => contents(element).length === 50);
    const field = await fieldOf(element);
    field.style.setProperty("field-sizing", "fixed");
    await userEvent.click(field);
    const scroller = find(element, ".scroller") as HTMLElement;
    // A line more than fits, so that the field that measures itself lets the log have the most there is.
    await userEvent.fill(field, "line\n".repeat(9));
    await painted();
    const { scrollTop } = scroller;
    const height = field.offsetHeight;
    expect(height).toBeGreaterThan(150);
    expect(fromEnd(scroller)).toBeLessThan(2);
    const scrolled = vi.fn();
    scroller.addEventListener("scroll", scrolled);
    await userEvent.keyboard("more");
    await painted();
    expect(field.offsetHeight).toBe(height);
    expect([scroller.scrollTop, scrolled.mock.calls.length]).toEqual([scrollTop, 0]);
    supports.mockRestore();
  });

  test("names are completed by the keyboard", async () => {
    const { room, element, field } = await participant();
    room.update({ presence: { joined: ["amber-fox", "amber-fox/scout"] } });
    await userEvent.keyboard("Hi @fo");
    await until(() => findAll(element, ".names li").length === 2);
    await userEvent.keyboard("{ArrowDown}");
    await until(() => field.getAttribute("aria-activedescendant") === "meet-ai-name-1");
    await userEvent.keyboard("{Enter}");
    await until(() => field.value === "Hi @amber-fox/scout ");
    expect(find(element, ".names")).toBeNull();
    expect(room.log).toHaveLength(3);
  });

  test("a long paste is kept, counted and not sent while it is too long", async () => {
    const { room, element, field } = await participant();
    field.value = "ä".repeat(LIMITS.contentBytes / 2 + 3);
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await until(() => textOf(element, ".count") === "6 bytes too long");
    await userEvent.keyboard("{Enter}");
    await painted();
    expect(room.log).toHaveLength(3);
    expect(field.value).not.toBe("");
    expect(field.clientHeight).toBeLessThan(320);
  });

  test("what is being written outlives a reload", async () => {
    const { box } = await participant();
    await userEvent.keyboard("Half a thou");
    await painted();
    box.remove();
    const { element } = mount(server);
    const field = await fieldOf(element);
    await until(() => field.value === "Half a thou");
  });

  test("the room hears that somebody writes, once, and the message ends it", async () => {
    const { room } = await participant();
    // It is said again after some seconds.
    stopClock();
    await userEvent.keyboard("Hello there");
    const drafts = room.received.filter((frame) => frame.type === "draft");
    expect(drafts).toHaveLength(1);
    await userEvent.keyboard("{Enter}");
    await until(() => room.log.length === 4);
    expect(room.log[3]?.id).toBe(drafts[0]?.id);
  });

  test("a reply quotes what it answers", async () => {
    const { room, element } = await participant();
    await userEvent.keyboard("{ArrowUp}{ArrowUp}r");
    await until(() => textOf(element, ".replying")?.includes("Replying to swift-otter"));
    await userEvent.keyboard("Indeed{Enter}");
    await until(() => room.log.length === 4);
    expect(room.log[3]).toMatchObject({ replyTo: 2, content: "Indeed" });
    await until(() => textOf(element, ".quote")?.includes("Message 2"));
    expect(find(element, ".replying")).toBeNull();
  });

  test("another room is where a message goes that the page sends after it has named it", async () => {
    const { room, element } = await participant();
    const other = server.room("other").fill(2);
    element.room = "other";
    await element.send("For the other");
    expect(other.log.at(-1)?.content).toBe("For the other");
    expect(room.log).toHaveLength(3);
  });

  test("another room is where a message is looked for that the page asks for after it has named it", async () => {
    const { element } = await participant();
    server.room("other").fill(200);
    element.room = "other";
    await element.scrollToMessage(20);
    await until(() => find(element, '.marked[data-seq="20"]'));
  });

  test("a message that was wanted in one room is not looked for in the next", async () => {
    const closed = server.room("lobby").fill(200);
    closed.online = false;
    const { element } = mount(server);
    await until(() => textOf(element, ".banner") !== "");
    await element.scrollToMessage(20);
    server.room("other").fill(200);
    element.room = "other";
    await until(() => contents(element).length === 50);
    await painted();
    expect(find(element, '[data-seq="200"]')).not.toBeNull();
    expect(find(element, ".marked")).toBeNull();
  });

  test("a message that is still being looked for in a room that was left is not shown in the next", async () => {
    const room = server.room("lobby").fill(200);
    const held = Promise.withResolvers<void>();
    room.pagesHeldUntil = held.promise;
    const { element } = mount(server);
    await until(() => contents(element).length === 50);
    const going = element.scrollToMessage(20);
    server.room("other").fill(30);
    element.room = "other";
    await until(() => contents(element).length === 30);
    held.resolve();
    await going;
    await painted();
    expect(find(element, ".marked")).toBeNull();
  });

  test.each(["another message", "the newest one"])(
    "a message that comes late does not take the reader away from %s",
    async (what) => {
      const room = server.room("lobby").fill(200);
      const held = Promise.withResolvers<void>();
      room.pagesHeldUntil = held.promise;
      const { element } = mount(server);
      await until(() => contents(element).length === 50);
      const late = element.scrollToMessage(20);
      await until(() => server.fetched.length === 1);
      if (what === "another message") {
        await element.scrollToMessage(180);
        await until(() => find(element, '.marked[data-seq="180"]'));
      } else {
        find(element, ".scroller")?.dispatchEvent(new WheelEvent("wheel", { deltaY: -100 }));
        (find(element, ".scroller") as HTMLElement).scrollTop -= 400;
        (await until(() => find(element, ".pill"))).click();
      }
      held.resolve();
      await late;
      await painted();
      expect(find(element, '[data-seq="20"]')).toBeNull();
      expect(find(element, '[data-seq="200"]')).not.toBeNull();
    },
  );

  test("a message of a room that was left is not read out in the next", async () => {
    const { room, element } = await participant();
    const said: string[] = [];
    const spoken = find(element, ".spoken") as HTMLElement;
    new MutationObserver(() => said.push(spoken.textContent ?? "")).observe(spoken, { childList: true, subtree: true });
    room.say("amber-fox", "Said before");
    element.key = `mai_${"k".repeat(24)}`;
    await until(() => element.status === "open");
    room.say("amber-fox", "Said after");
    await until(() => said.some((text) => text.includes("Said")));
    expect(said.join("\n")).not.toContain("Said before");
  });

  test("what no room would take can't be sent, and stays in the field", async () => {
    const { room, element, field } = await participant();
    await userEvent.fill(field, "\u2800");
    expect(find(element, ".send")?.ariaDisabled).toBe("true");
    await userEvent.keyboard("{Enter}");
    await painted();
    expect(field.value).toBe("\u2800");
    expect(room.received.filter(({ type }) => type === "send")).toEqual([]);
  });

  test("a message that is refused for good says why, until it is taken back", async () => {
    const { room, element } = await participant();
    room.judge = () => ({ code: "invalid" });
    await userEvent.keyboard("Hello{Enter}");
    await until(() => textOf(element, ".notice") === "Refused.");
    (await until(() => find(element, ".delivery button:last-child"))).click();
    await until(() => textOf(element, ".notice") === "");
  });

  test.each([
    ["is deleted", (room: FakeRoom) => room.drop(CLOSE.deleted)],
    ["lets guests only read", (room: FakeRoom) => room.update({ room: { ...room.info, guests: "read" } })],
  ])("a message that was refused is not offered to be sent again once the room %s", async (_, change) => {
    const { room, element } = await participant();
    room.judge = () => ({ code: "invalid" });
    await userEvent.keyboard("Hello{Enter}");
    await until(() => textOf(element, ".delivery.failed")?.includes("Send again"));
    change(room);
    await until(() => textOf(element, ".delivery.failed") === "Not sent Discard");
  });

  test("what is said while a quota holds the message before it waits for the same", async () => {
    const { room, element } = await participant();
    stopClock();
    room.judge = () => ({ code: "rate_limited", retryAfter: 42 });
    await userEvent.keyboard("Hello{Enter}");
    await until(() => find(element, ".row.held"));
    element.send("By the page").catch(() => {});
    await until(() => findAll(element, ".row.held .delivery").length === 2);
    expect(find(element, ".row.queued")).toBeNull();
  });

  test("a room that is not available is not called a quota", async () => {
    const { room, element } = await participant();
    room.judge = () => ({ code: "unavailable", retryAfter: 42 });
    await userEvent.keyboard("Hello{Enter}");
    await until(() => /The room is not available. You can send again in \d+ s./.test(textOf(element, ".notice") ?? ""));
  });

  test("the buttons in a message follow the language", async () => {
    server.room("lobby").fill(1, () => ({ content: "```\ncode\n```" }));
    const { element } = mount(server);
    await until(() => textOf(element, ".code-copy") === "Copy");
    element.lang = "de";
    await until(() => textOf(element, ".code-copy") === "Kopieren");
  });

  test("what is quoted is what it says itself, without the marks", async () => {
    const { room, element } = await participant();
    const { seq } = room.say("amber-fox", "> theirs\n\nSome **weight**, and `code`\n\nMore");
    room.say("amber-fox", "Right", { replyTo: seq });
    await until(() => textOf(element, ".quote .excerpt") === "Some weight, and code");
    await userEvent.keyboard("{ArrowUp}{ArrowUp}r");
    await until(() => textOf(element, ".replying .excerpt") === "Some weight, and code");
  });

  test.each([
    ["en", "{ArrowRight}", "{ArrowLeft}"],
    ["ar", "{ArrowLeft}", "{ArrowRight}"],
  ])("a message's buttons are reached by the arrow keys, and left by them (%s)", async (lang, forward, back) => {
    const { room, element } = await participant();
    element.lang = lang;
    await until(() => find(element, ".room")?.lang === lang);
    await userEvent.keyboard("Mine{Enter}");
    await until(() => room.log.length === 4 && contents(element).includes("Mine"));
    const focused = () => (element.shadowRoot as ShadowRoot).activeElement as HTMLElement;
    await userEvent.keyboard("{ArrowUp}");
    await until(() => focused().dataset.seq === "4");
    await userEvent.keyboard(forward);
    await until(() => focused().matches(".tools button"));
    const buttons = findAll(element, ".tools button");
    const passed = [focused()];
    for (let step = 0; step < buttons.length; step++) {
      await userEvent.keyboard(forward);
      passed.push(focused());
    }
    // The last one is the end.
    expect(passed).toEqual([...buttons, buttons.at(-1)]);
    for (let step = 0; step < buttons.length; step++) await userEvent.keyboard(back);
    expect(focused().dataset.seq).toBe("4");
    await userEvent.keyboard(forward);
    await until(() => focused() === find(element, ".tools button"));
    await userEvent.keyboard("{Enter}");
    await until(() => find(element, ".replying"));
  });

  test("deleting takes two steps", async () => {
    const { room, element } = await participant();
    await userEvent.keyboard("Oops{Enter}");
    await until(() => contents(element).includes("Oops"));
    await userEvent.keyboard("{ArrowUp}{Delete}");
    const sure = await until(() => find(element, ".danger"));
    expect(room.received.some(({ type }) => type === "delete")).toBe(false);
    await until(() => (element.shadowRoot as ShadowRoot).activeElement === sure);
    await userEvent.keyboard("{Enter}");
    await until(() => contents(element).at(-1) === "This message has been deleted.");
  });

  test("who does not delete after all is back at the message", async () => {
    const { room, element } = await participant();
    await userEvent.keyboard("Fine{Enter}");
    await until(() => contents(element).includes("Fine"));
    await userEvent.keyboard("{ArrowUp}{Delete}");
    const focused = () => (element.shadowRoot as ShadowRoot).activeElement as HTMLElement;
    await until(() => focused().matches(".danger"));
    expect(find(element, ".danger + button")?.getAttribute("aria-label")).toBe("Cancel");
    await userEvent.keyboard("{Escape}");
    await until(() => focused().dataset.seq === "4" && !find(element, ".danger"));
    expect(room.received.some(({ type }) => type === "delete")).toBe(false);
    await userEvent.keyboard("{Escape}");
    await until(() => focused().matches("textarea"));
  });

  test("a person deletes what their agents have said, and nobody else's; it is not called theirs", async () => {
    const room = server.room("lobby").fill(1, () => ({ sender: "swift-otter/claude" }));
    room.fill(1, () => ({ sender: "calm-heron/claude" }));
    const { element } = mount(server);
    element.key = "mai_secret";
    await until(() => contents(element).length === 2 && room.received.some(({ type }) => type === "hello"));
    for (const [seq, may] of [
      [1, true],
      [2, false],
    ] as const) {
      const row = find(element, `[data-seq="${seq}"]`) as HTMLElement;
      row.focus();
      await until(() => row.querySelector('button[title="Reply"]'));
      expect(row.querySelector('button[title="Delete"]') !== null).toBe(may);
    }
    expect(findAll(element, ".badge.own")).toHaveLength(0);
  });

  test("a page can keep a message from being sent; what was written stays", async () => {
    const { room, element, field } = await participant();
    element.addEventListener("meet-ai-send", (event) => event.preventDefault());
    await userEvent.keyboard("No{Enter}");
    expect(field.value).toBe("No");
    await expect(element.send("No")).rejects.toMatchObject({ code: "invalid" });
    expect(room.log).toHaveLength(3);
  });
});

describe("trouble", () => {
  test("offline: a banner; what is sent waits, and goes out once and in order", async () => {
    const { room, element } = await participant();
    room.online = false;
    room.drop();
    await until(() => textOf(element, ".banner")?.includes("Not connected. What you send goes out"));
    await userEvent.keyboard("one{Enter}two{Enter}three{Enter}");
    await until(() => findAll(element, ".row.queued").length === 3);
    expect(textOf(element, ".row.queued .delivery")).toBe("Waiting for the connection");
    room.online = true;
    find(element, ".banner button")?.click();
    await until(() => room.log.length === 6 && findAll(element, ".row.queued").length === 0);
    await painted();
    expect(room.log.slice(3).map(({ content }) => content)).toEqual(["one", "two", "three"]);
    expect(contents(element)).toEqual(["Message 1", "Message 2", "Message 3", "one", "two", "three"]);
    expect(find(element, ".banner")?.hidden).toBe(true);
  });

  test("a browser that has lost the network says so at once, and comes back with it", async () => {
    const { room, element } = await participant();
    room.online = false;
    window.dispatchEvent(new Event("offline"));
    await until(() => element.matches(":state(offline)"));
    await userEvent.keyboard("Meanwhile{Enter}");
    room.online = true;
    window.dispatchEvent(new Event("online"));
    await until(() => room.log.length === 4 && element.matches(":state(open)"));
  });

  test("over quota: a countdown, and the text stays in the field", async () => {
    const { room, element, field } = await participant();
    const pass = stopClock();
    room.judge = () => ({ code: "rate_limited", retryAfter: 42 });
    await userEvent.keyboard("one{Enter}");
    const isSaid = (seconds: number) =>
      textOf(element, ".notice")?.includes(`send again in ${seconds} s`) &&
      textOf(element, ".row.held .delivery")?.includes(`Goes out in ${seconds} s`);
    await until(() => isSaid(42));
    pass(2_000);
    await until(() => isSaid(40));
    await userEvent.keyboard("two{Enter}");
    expect(field.value).toBe("two");
    expect(find(element, ".send")?.ariaDisabled).toBe("true");
  });

  test("after a short quota the button that sends is there again", async () => {
    const { room, element, field } = await participant();
    room.judge = (content) => (content === "one" ? { code: "rate_limited", retryAfter: 1 } : "keep");
    await userEvent.keyboard("one{Enter}two");
    await until(() => find(element, ".send")?.ariaDisabled === "true");
    room.judge = () => "keep";
    await until(() => find(element, ".send")?.ariaDisabled === "false");
    find(element, ".send")?.click();
    await until(() => field.value === "" && room.log.length === 5);
  });

  test("muted: the message says that it was not sent, the field says why", async () => {
    const { room, element } = await participant();
    room.judge = () => ({ code: "muted" });
    await userEvent.keyboard("Am I heard?{Enter}");
    await until(() => textOf(element, ".delivery.failed")?.includes("Not sent"));
    expect(textOf(element, ".notice")).toBe("You are muted here.");
    room.judge = () => "keep";
    await userEvent.keyboard("And now?{Enter}");
    await until(() => room.log.length === 4);
    (await until(() => findAll(element, ".delivery button").find((one) => one.textContent === "Send again"))).click();
    await until(() => room.log.length === 5);
    await until(() => !find(element, ".delivery") && textOf(element, ".notice") === "");
  });

  test("that somebody writes is said once: below the log, or above their words once there are any", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    await until(() => contents(element).length === 1);
    room.update({ drafts: [{ id: "d", sender: "amber-fox", append: "" }] });
    await until(() => textOf(element, ".writers") === "amber-fox is writing…");
    expect(find(element, ".row.draft")).toBeNull();
    room.update({ drafts: [{ id: "d", sender: "amber-fox", append: "Well" }] });
    await until(() => textOf(element, ".row.draft .writing") === "writing…");
    expect(textOf(element, ".writers")).toBe("");
    expect(findAll(element, ".writing")).toHaveLength(1);
  });

  test("a room in which guests only read says so instead of a field, and leads to a key", async () => {
    const room = server.room("lobby");
    room.info.guests = "read";
    const { element, box } = mount(server, { server: "https://chat.example" });
    await until(() => textOf(element, ".watching") === "In this room only people with a key can write. Use a key");
    expect(find(element, "textarea")).toBeNull();
    const link = find<HTMLAnchorElement>(element, ".watching a") as HTMLAnchorElement;
    expect([link.href, link.target]).toEqual(["https://chat.example/r/lobby", "_blank"]);
    // A page with keys of its own: no other is opened.
    const asked: Event[] = [];
    box.addEventListener("meet-ai-key", (event) => {
      event.preventDefault();
      asked.push(event);
      element.key = "mai_000000000000000000000000";
    });
    const click = new MouseEvent("click", { bubbles: true, cancelable: true, composed: true });
    link.dispatchEvent(click);
    expect([asked.length, click.defaultPrevented]).toEqual([1, true]);
    await until(() => find(element, "textarea"));
  });

  for (const [code, text] of [
    [CLOSE.unauthorized, "This key is not valid"],
    [CLOSE.notFound, "There is no such room."],
    [CLOSE.deleted, "This room has been deleted"],
  ] as const) {
    test(`closed with ${code}: says why, and does not come back by itself`, async () => {
      const { room, element } = await participant();
      if (code === CLOSE.unauthorized) {
        element.key = "mai_000000000000000000000000";
        await until(() => element.me === "swift-otter");
      }
      room.drop(code);
      await until(() => textOf(element, ".banner")?.startsWith(text));
      expect(find(element, "textarea")).toBeNull();
      expect(find(element, ".banner button") === null).toBe(code === CLOSE.deleted);
      expect(room.sockets.size).toBe(0);
      expect(element.matches(":state(closed)")).toBe(true);
    });
  }

  test("agents that wait for a person are told of", async () => {
    const { room, element } = await participant();
    room.update({ room: { ...room.info, agentsPaused: true } });
    await until(() => textOf(element, ".banner.paused")?.startsWith("Agents have been talking"));
  });
});

describe("what a person must never meet", () => {
  test("a page that forgets: broken entries in the browser's memory keep no room from opening", async () => {
    sessionStorage.setItem(`meet-ai:pending:${location.origin}/lobby`, "{broken");
    server.room("lobby").fill(2);
    const { element } = mount(server);
    await until(() => contents(element).length === 2);
  });

  test("two elements of one room that forget each other's messages", async () => {
    const { room } = await participant();
    const second = mount(server);
    await until(() => contents(second.element).length === 3);
    room.online = false;
    room.drop();
    const first = document.querySelector("meet-ai-room") as MeetAiRoom;
    first.send("kept").catch(() => {});
    await painted();
    second.element.reconnect();
    await painted();
    document.body.replaceChildren();
    room.online = true;
    mount(server);
    await until(() => room.log.length === 4);
    expect(room.log[3]?.content).toBe("kept");
  });

  test("a message that vanished: what is pending outlives a reload, and arrives once", async () => {
    const { room, box } = await participant();
    room.online = false;
    room.drop();
    await userEvent.keyboard("one{Enter}two{Enter}");
    await painted();
    box.remove();
    await painted();
    room.online = true;
    const { element } = mount(server);
    await until(() => room.log.length === 5);
    await until(() => contents(element).length === 5);
    expect(room.log.slice(3).map(({ content }) => content)).toEqual(["one", "two"]);
    await painted();
    document.body.replaceChildren();
    const again = mount(server);
    await until(() => contents(again.element).length === 5);
    await painted();
    expect(room.log).toHaveLength(5);
  });

  test("a message under another name: what a guest left is not sent by somebody else", async () => {
    const { room, box } = await participant();
    room.judge = () => "silence";
    await userEvent.keyboard("mine{Enter}");
    await painted();
    box.remove();
    room.judge = () => "keep";
    room.handle = "~quiet-heron-111111";
    const { element } = mount(server);
    await until(() => room.received.filter(({ type }) => type === "hello").length === 2);
    await painted();
    expect(contents(element)).toHaveLength(3);
    expect(room.log).toHaveLength(3);
  });

  test("a button that does nothing: without a connection nothing can be deleted", async () => {
    const { room, element } = await participant();
    await userEvent.keyboard("Mine{Enter}");
    const row = await until(() => find(element, '[data-seq="4"]'));
    row.focus();
    await until(() => find(element, '[data-seq="4"] button[title="Delete"]'));
    room.online = false;
    room.drop();
    await until(() => !find(element, '[data-seq="4"] button[title="Delete"]'));
  });

  test("their half-written text sent as another message's draft: the page's send leaves it alone", async () => {
    const { room, element, field } = await participant();
    await userEvent.keyboard("Half a");
    const draft = room.received.find(({ type }) => type === "draft");
    await element.send("From the page");
    expect(room.log.at(-1)?.id).not.toBe(draft && "id" in draft ? draft.id : undefined);
    expect(field.value).toBe("Half a");
  });
});

describe("what is being written", () => {
  const type = async (element: MeetAiRoom, text: string) => {
    (await fieldOf(element)).focus();
    await userEvent.keyboard(text);
  };

  test("a second element, which was nobody when another one made the guest, can send too", async () => {
    const lobby = server.room("lobby").fill(1);
    const garden = server.room("garden").fill(1);
    const [first, second] = [mount(server), mount(server, { room: "garden" })];
    await type(second.element, "Here{Enter}");
    await until(() => garden.log.length === 2);
    await type(first.element, "And here{Enter}");
    await until(() => lobby.log.length === 2);
    const secrets = [lobby, garden].map(({ received }) => received.find((frame) => frame.type === "hello")?.guest);
    expect(secrets[0]).toBe(secrets[1]);
  });

  test("a person with a key who only watched at first writes under their own name", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server, { readonly: "" });
    element.key = "mai_secret";
    await until(() => contents(element).length === 1);
    element.readonly = false;
    await type(element, "Now I write{Enter}");
    await until(() => room.log.length === 2);
    expect(room.received.find((frame) => frame.type === "hello")).toMatchObject({ key: "mai_secret" });
  });

  test("a site's user who only watched at first writes as that user", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server, { readonly: "" });
    element.getToken = async () => "a-token";
    await until(() => contents(element).length === 1);
    element.readonly = false;
    await type(element, "Now I write{Enter}");
    await until(() => room.log.length === 2);
    expect(room.received.filter((frame) => frame.type === "hello")).toEqual([{ type: "hello", token: "a-token" }]);
  });

  test("text for one room does not stand in the field of another, and is there when one comes back", async () => {
    server.room("lobby").fill(1);
    server.room("garden").fill(1);
    const { element } = mount(server);
    await type(element, "only for the lobby");
    element.room = "garden";
    await until(() => find<HTMLTextAreaElement>(element, "textarea")?.value === "");
    element.room = "lobby";
    await until(() => find<HTMLTextAreaElement>(element, "textarea")?.value === "only for the lobby");
  });

  test("a field that goes and comes back has the text as it was last, and never one that was sent", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    const toggle = async () => {
      element.readonly = true;
      await until(() => find(element, "textarea") === null);
      element.readonly = false;
      return fieldOf(element);
    };
    await type(element, "half");
    expect((await toggle()).value).toBe("half");
    await type(element, " done{Enter}");
    await until(() => room.log.length === 2);
    expect((await toggle()).value).toBe("");
  });

  test("sending from one element takes nothing from another one's field of the same room", async () => {
    const room = server.room("lobby").fill(1);
    const [first, second] = [mount(server), mount(server)];
    await type(second.element, "sent{Enter}");
    await until(() => room.log.length === 2);
    await type(first.element, "unfinished");
    await second.element.send("by the page");
    await type(second.element, "{Enter}");
    document.body.replaceChildren();
    const again = mount(server);
    await until(() => find<HTMLTextAreaElement>(again.element, "textarea")?.value === "unfinished");
  });
});

describe("at once", () => {
  test("an element that was just made sends, and goes to a message", async () => {
    const room = server.room("lobby").fill(120);
    const { element } = mount(server);
    const sent = element.send("First thing");
    await element.scrollToMessage(20);
    await until(() => find(element, '[data-seq="20"].marked'));
    expect(await sent).toBe(121);
    expect(room.log).toHaveLength(121);
  });

  test("a key that the page has set before the script came is the element's", async () => {
    const room = server.room("lobby").fill(1);
    const early = document.implementation.createHTMLDocument().createElement("meet-ai-room") as MeetAiRoom;
    early.setAttribute("room", "lobby");
    early.setAttribute("server", location.origin);
    early.key = "mai_early";
    document.body.append(early);
    await until(() => room.received.some((frame) => frame.type === "hello" && frame.key === "mai_early"));
    expect(Object.hasOwn(early, "key")).toBe(false);
  });
});

describe("size", () => {
  const sheetOf = (css: string) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets.push(sheet);
  };

  afterEach(() => {
    document.adoptedStyleSheets = [];
  });

  for (const css of [
    "* { all: unset !important }",
    "div { height: auto !important } meet-ai-room { all: initial }",
    "div { height: auto !important } meet-ai-room { height: 100% }",
    "div { height: auto !important; display: grid; grid-template-rows: 1fr }",
  ]) {
    test(`a page without a height for it: the room is as tall as it is by itself, not as its history (${css})`, async () => {
      server.room("lobby").fill(200);
      const { element } = mount(server);
      element.style.height = "";
      sheetOf(css);
      await until(() => contents(element).length === 50);
      await painted();
      await painted();
      expect(find(element, ".room")?.getBoundingClientRect().height).toBe(576);
      expect(find(element, ".scroller")?.clientHeight).toBeGreaterThan(400);
      expect(contents(element)).toHaveLength(50);
      expect(server.fetched).toEqual([]);
    });
  }

  for (const css of [
    "div { display: flex; justify-content: center }",
    "div { display: flex; flex-direction: column; align-items: center }",
    "div { display: grid; place-items: center }",
    "meet-ai-room { display: inline-block }",
    "meet-ai-room { float: left }",
    "div { writing-mode: vertical-rl }",
    "meet-ai-room { position: fixed; right: 8px; bottom: 8px }",
  ]) {
    test(`a page that leaves the width to it: the room is wide enough to read in (${css})`, async () => {
      server.room("lobby").fill(2);
      const { element } = mount(server);
      sheetOf(css);
      await until(() => contents(element).length === 2);
      expect(find(element, ".room")?.getBoundingClientRect().width).toBeGreaterThanOrEqual(320);
    });
  }

  test.each([
    ["height: 300px", 300],
    ["height: 900px", 900],
    ["height: auto; min-height: 500px", 576],
    ["height: auto; min-height: 700px", 700],
    ["--meet-ai-height: 240px; height: auto", 240],
    ["--meet-ai-height: 240px", 560],
    ["height: 50%", 280],
    ["height: 100px", 192],
    ["display: flex", 560],
    ["display: inline-grid", 560],
    ["display: block", 560],
  ])("it is as tall as the page says (%s)", async (css, height) => {
    server.room("lobby").fill(60);
    const { element } = mount(server);
    element.style.cssText += `;${css}`;
    await until(() => contents(element).length === 50);
    const room = find(element, ".room") as HTMLElement;
    expect(room.getBoundingClientRect().height).toBe(height);
    if (!css.includes("inline")) expect(room.getBoundingClientRect().width).toBe(800);
    expect(find(element, ".scroller")?.clientHeight).toBeGreaterThan(height - 180);
  });

  test("in a room of 200 px a long text leaves the log some of it, and the names that fit are all in view", async () => {
    const room = server.room("lobby").fill(60);
    room.people = ["amber-fox", "amber-fox/scout", "amber-owl", "ashen-wolf"];
    const { element } = mount(server, {}, { width: 400, height: 200 });
    const field = await fieldOf(element);
    await userEvent.click(field);
    await userEvent.fill(field, "line\n".repeat(30));
    await painted();
    const { top, bottom } = (find(element, ".room") as HTMLElement).getBoundingClientRect();
    expect(find(element, ".scroller")?.clientHeight).toBeGreaterThan(30);
    expect(find(element, ".below")?.getBoundingClientRect().bottom).toBeLessThanOrEqual(bottom);
    await userEvent.fill(field, "@a");
    const names = await until(() => find(element, ".names"));
    expect(names.getBoundingClientRect().top).toBeGreaterThanOrEqual(top);
  });

  test("a column that gives it what is left gives it no more", async () => {
    server.room("lobby").fill(60);
    const { element, box } = mount(server, {}, { width: 400, height: 300 });
    element.style.cssText = "flex: 1";
    box.style.cssText += "; display: flex; flex-direction: column";
    await until(() => contents(element).length === 50);
    expect(element.getBoundingClientRect().height).toBe(300);
  });
});

describe("a page that says something else", () => {
  test("an element whose server is no address says what it needs", async () => {
    const { element } = mount(server, { server: "localhost:9120" });
    await until(() => textOf(element, ".banner")?.includes('server="https://…"'));
  });

  test("Escape in a part of the room closes no dialog around it", async () => {
    server.room("lobby").fill(2);
    const { element, box } = mount(server);
    const dialog = document.createElement("dialog");
    document.body.append(dialog);
    dialog.append(box);
    dialog.showModal();
    await until(() => contents(element).length === 2);
    find(element, '[data-seq="2"]')?.focus();
    await userEvent.keyboard("{Escape}");
    expect(dialog.open).toBe(true);
    find(element, ".here")?.click();
    const close = await until(() => find(element, ".people button"));
    close.focus();
    await userEvent.keyboard("{Escape}");
    await until(() => find(element, ".people") === null);
    expect(dialog.open).toBe(true);
    expect((element.shadowRoot as ShadowRoot).activeElement).toBe(find(element, ".here"));
  });

  const clipboard = (writeText: (text: string) => Promise<void>) =>
    vi.spyOn(navigator, "clipboard", "get").mockReturnValue({ writeText } as Clipboard);

  test("a link to a message of the second room leads to that one", async () => {
    server.room("lobby").fill(120);
    server.room("garden").fill(120);
    mount(server);
    const { element } = mount(server, { room: "garden" });
    await until(() => contents(element).length === 50);
    let copied = "";
    const mock = clipboard(async (text) => {
      copied = text;
    });
    find(element, '[data-seq="110"]')?.focus();
    await userEvent.keyboard("c");
    await until(() => copied && textOf(element, ".report") === "Link copied");
    await until(() => textOf(element, ".spoken") === "Link copied");
    mock.mockRestore();
    expect(new URL(copied).hash).toBe("#msg-110-garden");
    location.hash = "#msg-20-garden";
    await until(() => find(element, '[data-seq="20"].marked'));
    location.hash = "";
  });

  test("a link that the browser does not let be copied: the message says so", async () => {
    server.room("lobby").fill(2);
    const { element } = mount(server);
    await until(() => contents(element).length === 2);
    const mock = clipboard(() => Promise.reject(new DOMException("", "NotAllowedError")));
    find(element, '[data-seq="2"]')?.focus();
    (await until(() => find(element, '.tools [aria-label="Copy link"]'))).click();
    await until(() => textOf(element, ".report")?.startsWith("The browser did not"));
    mock.mockRestore();
  });

  test("a room inside a page's own shadow root follows the address, and speaks the language around it", async () => {
    server.room("lobby").fill(120);
    const host = document.createElement("section");
    host.lang = "de";
    document.body.append(host);
    const element = document.createElement("meet-ai-room");
    element.room = "lobby";
    element.server = location.origin;
    host.attachShadow({ mode: "open" }).append(element);
    location.hash = "#msg-20";
    await until(() => find(element, '[data-seq="20"].marked'));
    await until(() => find(element, ".room")?.lang === "de");
    location.hash = "";
  });

  test("where nobody can write, no message offers a reply", async () => {
    server.room("lobby").fill(2);
    const { element } = mount(server, { readonly: "" });
    await until(() => contents(element).length === 2);
    find(element, '[data-seq="2"]')?.focus();
    await until(() => find(element, '[data-seq="2"] button[title="Copy link"]'));
    expect(find(element, '[data-seq="2"] button[title="Reply"]')).toBeNull();
  });

  test("an element without a room says what it needs; with one it opens it, and without again it leaves", async () => {
    const lobby = server.room("lobby").fill(2);
    const { element } = mount(server, { room: "" });
    await until(() => textOf(element, ".banner")?.includes('This element needs room="lobby"'));
    expect(find(element, "meet-ai-composer")).toBeNull();
    await expect(element.send("Hello")).rejects.toMatchObject({ code: "unavailable" });
    element.room = "lobby";
    await until(() => contents(element).length === 2);
    element.room = "";
    await until(() => lobby.sockets.size === 0 && contents(element).length === 0);
    expect(textOf(element, ".banner")).toContain("This element needs room");
    element.setAttribute("room", "lobby");
    await until(() => contents(element).length === 2);
    element.removeAttribute("room");
    await until(() => lobby.sockets.size === 0 && contents(element).length === 0);
    expect(textOf(element, ".banner")).toContain("This element needs room");
  });

  test("another key while a message is on its way to the writer: it is not said under that name", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    await until(() => contents(element).length === 1);
    const sent = element.send("As a guest");
    element.key = "mai_other";
    await expect(sent).rejects.toMatchObject({ code: "unavailable" });
    await until(() => room.received.some((frame) => frame.type === "hello"));
    await painted();
    expect(room.log).toHaveLength(1);
  });
});

describe("leaving and coming back", () => {
  test("a page that is kept for when one comes back holds no socket, and goes on where it was when it is shown", async () => {
    const room = server.room("lobby").fill(3);
    const { element } = mount(server);
    await until(() => contents(element).length === 3);
    window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
    await until(() => room.sockets.size === 0);
    room.fill(2);
    window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    await until(() => contents(element).length === 5);
    expect(findAll(element, "meet-ai-message")).toHaveLength(5);
    window.dispatchEvent(new PageTransitionEvent("pageshow"));
    await painted();
    expect([room.sockets.size, element.matches(":state(open)")]).toEqual([1, true]);
  });

  test("what the page sends as the element is taken out is said to be pending, and arrives with the next visit", async () => {
    const { room, element, box } = await participant();
    room.judge = () => "silence";
    const sent = element.send("Going");
    await until(() => room.received.some(({ type }) => type === "send"));
    box.remove();
    await expect(sent).rejects.toMatchObject({ code: "unavailable", pending: true });
    room.judge = () => "keep";
    const { element: next } = mount(server);
    await until(() => contents(next).includes("Going"));
    expect(room.log.filter(({ content }) => content === "Going")).toHaveLength(1);
  });

  test("what the room has refused does not come back after a reload, unless it was sent again", async () => {
    const { room, element, box } = await participant();
    room.judge = () => ({ code: "invalid" });
    await userEvent.keyboard("No{Enter}");
    await until(() => find(element, ".delivery.failed"));
    box.remove();
    room.judge = () => "keep";
    const sends = room.received.filter(({ type }) => type === "send").length;
    const { element: next } = mount(server);
    await until(() => room.received.filter(({ type }) => type === "hello").length === 2);
    await fieldOf(next);
    await painted();
    expect(contents(next)).toEqual(["Message 1", "Message 2", "Message 3"]);
    expect(room.received.filter(({ type }) => type === "send")).toHaveLength(sends);
  });

  test("a refused message that arrives after all is not called refused any more", async () => {
    const { room, element } = await participant();
    room.judge = () => ({ code: "invalid" });
    await userEvent.keyboard("Late{Enter}");
    await until(() => find(element, ".delivery.failed"));
    const id = room.received.findLast((frame) => frame.type === "send")?.id ?? "";
    room.say(room.handle, "Late", { id });
    await until(() => !find(element, ".delivery"));
    expect(contents(element).filter((text) => text === "Late")).toHaveLength(1);
  });

  test("storage that is full keeps nothing from being written and sent", async () => {
    const full = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("", "QuotaExceededError");
    });
    // What the page then keeps by itself is of a server of its own: it lasts as long as the page, and so as all tests.
    const { room, field } = await participant({ server: "https://full.example" });
    await userEvent.keyboard("Still here{Enter}");
    await until(() => room.log.length === 4);
    full.mockRestore();
    expect(field.value).toBe("");
  });
});

describe("in a page", () => {
  test("a language that is set as a property is the one that is shown", async () => {
    server.room("lobby").fill(1);
    const { element } = mount(server, { lang: "" });
    await until(() => contents(element).length === 1);
    element.lang = "de";
    await until(() => find(element, ".room")?.lang === "de");
    element.lang = "";
    const around = document.createElement("section");
    around.lang = "ar";
    document.body.append(around);
    around.append(element);
    await until(() => find(element, ".room")?.lang === "ar");
  });

  test("what one has said oneself elsewhere is not new", async () => {
    const { room, element } = await participant();
    room.fill(80);
    room.drop();
    element.reconnect();
    await until(() => contents(element).length > 50);
    const scroller = find(element, ".scroller") as HTMLElement;
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -100 }));
    scroller.scrollTop = 0;
    const pill = await until(() => find(element, ".pill"));
    room.say(room.handle, "From my other screen");
    await painted();
    expect(pill.matches(".counting")).toBe(false);
    room.say("amber-fox", "News");
    await until(() => find(element, ".pill.counting"));
  });

  test("deletions are no messages", async () => {
    const room = server.room("lobby").fill(2);
    const { element } = mount(server);
    const told: string[] = [];
    element.addEventListener("meet-ai-message", ({ detail }) => told.push(detail.message.kind));
    await until(() => contents(element).length === 2);
    room.erase(1);
    await until(() => find(element, ".deleted"));
    expect(told).toEqual(["text", "text"]);
  });

  test("a wrong key is told as such", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    const told: string[] = [];
    element.addEventListener("meet-ai-error", ({ detail }) => told.push(detail.error.code));
    await until(() => contents(element).length === 1);
    room.refuseWith = CLOSE.unauthorized;
    element.key = "mai_wrong";
    await until(() => element.matches(":state(closed)"));
    expect(told).toEqual(["unauthorized"]);
    await until(() => textOf(element, ".banner")?.startsWith("This key is not valid"));
  });

  test("what is typed is no shortcut of the page's; Escape and modified keys are", async () => {
    const heard: string[] = [];
    const listen = (event: KeyboardEvent) => heard.push(event.key);
    document.addEventListener("keydown", listen);
    await participant();
    await userEvent.keyboard("s/j{Control>}k{/Control}{Escape}");
    document.removeEventListener("keydown", listen);
    expect(heard).toEqual(["Control", "k", "Escape"]);
  });

  test("it tells the page what happens", async () => {
    const heard: string[] = [];
    for (const type of ["meet-ai-message", "meet-ai-send", "meet-ai-status", "meet-ai-presence", "meet-ai-error"]) {
      document.body.addEventListener(type, () => heard.push(type), { once: true });
    }
    const { room, element } = await participant();
    room.judge = () => ({ code: "invalid" });
    await expect(element.send("x")).rejects.toMatchObject({ code: "invalid" });
    expect(heard.sort()).toEqual([
      "meet-ai-error",
      "meet-ai-message",
      "meet-ai-presence",
      "meet-ai-send",
      "meet-ai-status",
    ]);
  });

  test("what the page prevents is not read out, and is shown all the same", async () => {
    const { room, element } = await participant();
    const spoken: string[] = [];
    new MutationObserver(() => spoken.push(textOf(element, ".spoken") ?? "")).observe(
      find(element, ".spoken") as HTMLElement,
      { childList: true, characterData: true, subtree: true },
    );
    const prevented = new AbortController();
    for (const type of ["meet-ai-message", "meet-ai-error"] as const) {
      element.addEventListener(type, (event) => event.preventDefault(), { signal: prevented.signal });
    }
    room.judge = () => ({ code: "muted" });
    await userEvent.keyboard("Am I heard?{Enter}");
    await until(() => textOf(element, ".notice") === "You are muted here.");
    room.say("amber-fox", "Quietly");
    await until(() => contents(element).includes("Quietly"));
    prevented.abort();
    room.say("amber-fox", "Aloud");
    await until(() => spoken.includes("amber-fox: Aloud"));
    expect(spoken.filter((text) => text && text !== "amber-fox: Aloud")).toEqual([]);
  });

  test("moved, it stays connected; taken out, it leaves; put back, it comes again", async () => {
    const room = server.room("lobby").fill(3);
    const { element, box } = mount(server);
    await until(() => contents(element).length === 3);
    const [socket] = room.sockets;
    const other = document.createElement("section");
    document.body.append(other);
    other.append(element);
    await painted();
    expect([...room.sockets]).toEqual([socket]);
    room.say("amber-fox", "Still here");
    await until(() => contents(element).includes("Still here"));
    element.remove();
    await until(() => room.sockets.size === 0);
    box.append(element);
    await until(() => room.sockets.size === 1);
    await until(() => contents(element).length === 4);
  });

  test("taken out before its field has come, it comes to rest", async () => {
    server.room("lobby").fill(20);
    const { element, box } = mount(server);
    await until(() => contents(element).length === 20);
    box.remove();
    for (let frames = 0; frames < 60; frames++) await new Promise(requestAnimationFrame);
    let updates = 0;
    element.addController({ hostUpdated: () => updates++ });
    for (let frames = 0; frames < 60; frames++) await new Promise(requestAnimationFrame);
    expect(updates).toBe(0);
  });

  test("two rooms do not know each other", async () => {
    const lobby = server.room("lobby").fill(2);
    server.room("garden").fill(1);
    const first = mount(server);
    const second = mount(server, { room: "garden" });
    await until(() => contents(first.element).length === 2 && contents(second.element).length === 1);
    lobby.say("amber-fox", "Only here");
    await until(() => contents(first.element).includes("Only here"));
    expect(contents(second.element)).toEqual(["Message 1"]);
    second.element.room = "lobby";
    await until(() => contents(second.element).length === 3);
  });

  test("neither the page's focus nor its scroll is ever touched", async () => {
    const input = document.createElement("input");
    const spacer = document.createElement("div");
    spacer.style.height = "3000px";
    document.body.append(input, spacer);
    input.focus();
    const room = server.room("lobby").fill(60);
    const { element } = mount(server);
    await until(() => contents(element).length === 50);
    scrollTo(0, 120);
    for (let index = 0; index < 5; index++) room.say("amber-fox", `More ${index}`);
    await element.scrollToMessage(20);
    await painted();
    room.drop();
    await painted();
    expect(document.activeElement).toBe(input);
    expect(scrollY).toBe(120);
  });

  test("50 times put in and taken out, no socket is left", async () => {
    const room = server.room("lobby").fill(20);
    for (let round = 0; round < 50; round++) {
      const { element, box } = mount(server);
      await until(() => contents(element).length === 20);
      box.remove();
    }
    await until(() => room.sockets.size === 0);
  });

  test("a language with another direction turns everything around", async () => {
    server.room("lobby").fill(2);
    const { element } = mount(server, { lang: "ar" });
    await until(() => find(element, ".room")?.dir === "rtl");
    await until(() => contents(element).length === 2);
    const gutter = find(element, ".gutter")?.getBoundingClientRect() as DOMRect;
    const body = find(element, ".body")?.getBoundingClientRect() as DOMRect;
    expect(gutter.left).toBeGreaterThan(body.left);
    // A name from left to right stands where an Arabic one does, and so does what an empty field says.
    const name = find(element, "h2") as HTMLElement;
    const range = document.createRange();
    range.selectNodeContents(name);
    expect(range.getBoundingClientRect().right).toBeCloseTo(name.getBoundingClientRect().right, 0);
    expect(getComputedStyle(await fieldOf(element)).direction).toBe("rtl");
  });

  test("another language is another name for every message", async () => {
    server.room("lobby").fill(1);
    const { element } = mount(server);
    await until(() => contents(element).length === 1);
    const label = () => find(element, '[data-seq="1"]')?.ariaLabel;
    const before = label();
    element.lang = "de";
    await until(() => find(element, ".room")?.lang === "de" && label() !== before);
  });

  test("a page with hostile styles changes nothing inside", async () => {
    const room = server.room("lobby").fill(5);
    room.people = ["amber-fox"];
    const look = (element: MeetAiRoom) =>
      findAll(element, ".room *").map((part) => {
        const { color, fontSize, fontFamily, direction, display, textTransform, letterSpacing, lineHeight } =
          getComputedStyle(part);
        const { width, height } = part.getBoundingClientRect();
        const box = `${Math.round(width)}×${Math.round(height)}`;
        return [
          part.localName,
          part.className,
          color,
          fontSize,
          fontFamily,
          direction,
          display,
          textTransform,
          letterSpacing,
          lineHeight,
          box,
        ].join(" ");
      });
    const calm = mount(server);
    await until(() => isWhole(calm.element, 5));
    await painted();
    const expected = look(calm.element);
    calm.box.remove();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { all: unset !important } html { font-size: 60px !important; direction: rtl !important; color: red !important;
      text-transform: uppercase !important; letter-spacing: 9px !important; line-height: 4 !important; visibility: visible }
      p, button, textarea, ul, li, h2 { margin: 40px !important; padding: 30px !important; font: 50px serif !important }`);
    document.adoptedStyleSheets.push(sheet);
    const hostile = mount(server);
    // The box that the page gives: the sheet has taken its size away too.
    hostile.box.style.cssText = "display: block !important; width: 800px !important; height: 560px !important";
    hostile.element.style.setProperty("display", "block", "important");
    hostile.element.style.setProperty("height", "100%", "important");
    await until(() => isWhole(hostile.element, 5));
    await painted();
    expect(look(hostile.element)).toEqual(expected);
    document.adoptedStyleSheets.pop();
  });
});

describe("for everybody", () => {
  test("the buttons of a message are found without a pointer", async () => {
    server.room("lobby").fill(2);
    const { element } = mount(server);
    const way = await until(() => find(element, '[data-seq="2"] .to-tools'));
    expect(way.textContent).toBe("Actions for this message");
    way.click();
    await until(() => (element.shadowRoot as ShadowRoot).activeElement?.getAttribute("aria-label") === "Reply");
  });

  test("a message is called by its sender, its time and its text", async () => {
    server.room("lobby").fill(2);
    const { element } = mount(server);
    await until(() => contents(element).length === 2);
    const row = find(element, '[data-seq="2"]') as HTMLElement;
    const name = (row.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => {
      const part = find(element, `[id="${id}"]`);
      return part === row ? row.ariaLabel : part?.textContent;
    });
    expect(name.join(": ")).toMatch(/^swift-otter, \d.*: Message 2$/);
  });

  test("the same words twice are read out twice; a countdown is read out once", async () => {
    const { room, element } = await participant();
    const spoken = find(element, ".spoken") as HTMLElement;
    const said: string[] = [];
    new MutationObserver(() => spoken.textContent && said.push(spoken.textContent)).observe(spoken, {
      childList: true,
      characterData: true,
      subtree: true,
    });
    room.say("amber-fox", "ok");
    await until(() => said.length === 1);
    room.say("amber-fox", "ok");
    await until(() => said.length === 2);
    expect(said).toEqual(["amber-fox: ok", "amber-fox: ok"]);
    const pass = stopClock();
    room.judge = () => ({ code: "rate_limited", retryAfter: 42 });
    await userEvent.keyboard("one{Enter}");
    await until(() => textOf(element, ".notice")?.includes("42 s"));
    pass(2_000);
    await until(() => textOf(element, ".notice")?.includes("40 s"));
    expect(said.filter((text) => text.includes("send again"))).toHaveLength(1);
    expect(find(element, ".notice")?.closest("[aria-live], [role=status]")).toBeNull();
  });

  const check = async (element: MeetAiRoom) => {
    await painted();
    const { violations } = await axe.run(element, { rules: { region: { enabled: false } } });
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`,
    );
  };

  for (const theme of ["dark", "light"]) {
    test(`no axe violation in any state, ${theme}`, async () => {
      const { room, element } = await participant({ theme });
      document.title = "Test";
      room.people = ["swift-otter"];
      room.owner = true;
      room.update({ presence: { joined: ["swift-otter", "swift-otter/claude", "~brisk-lynx-4f2a9c"] } });
      room.say(
        "swift-otter/claude",
        "# Title\n\n`code` and [link](https://example.com)\n\n```ts\nconst x = 1;\n```\n\n| a | b |\n|-|-|\n| 1 | 2 |",
        { replyTo: 1 },
      );
      room.erase(2);
      await until(() => find(element, ".deleted"));
      expect(await check(element)).toEqual([]);
      find(element, ".here")?.click();
      find(element, ".help")?.click();
      await userEvent.keyboard("@sw");
      await until(() => find(element, ".names"));
      expect(await check(element)).toEqual([]);
      room.judge = () => ({ code: "muted" });
      element.send("muted").catch(() => {});
      room.update({ drafts: [{ id: "d", sender: "swift-otter/claude", append: "Drafting" }] });
      await until(() => find(element, ".delivery.failed"));
      expect(await check(element)).toEqual([]);
      room.online = false;
      room.drop();
      await until(() => !find(element, ".banner")?.hidden);
      expect(await check(element)).toEqual([]);
    });
  }

  test("where the focus goes by itself is seen, even by whoever has just used a pointer", async () => {
    const { element } = await participant();
    const focused = () => (element.shadowRoot as ShadowRoot).activeElement as HTMLElement;
    await userEvent.keyboard("Oops{Enter}");
    const row = await until(() => find(element, 'meet-ai-message[data-seq="4"]'));
    await userEvent.click(row.previousElementSibling as Element);
    expect(focused().matches(".row:not(:focus-visible)")).toBe(true);
    find<MeetAiFeed>(element, "meet-ai-feed")?.focusRow();
    expect(focused().matches(".row:focus-visible")).toBe(true);
    await userEvent.click(await until(() => row.querySelector('[aria-label="Delete"]')));
    await until(() => focused()?.matches(".danger:focus-visible"));
  });

  test("the whole flow by keyboard alone, always with a visible focus", async () => {
    const room = server.room("lobby").fill(3);
    const before = document.createElement("button");
    before.textContent = "Before";
    document.body.append(before);
    const { element } = mount(server);
    await until(() => contents(element).length === 3);
    await fieldOf(element);
    before.focus();
    const focused = () => (element.shadowRoot as ShadowRoot).activeElement as HTMLElement;
    const visible = () => {
      const { outlineStyle, boxShadow } = getComputedStyle(
        focused().localName === "textarea" ? (focused().parentElement as HTMLElement) : focused(),
      );
      return outlineStyle !== "none" || boxShadow !== "none";
    };
    const seen: string[] = [];
    for (let tab = 0; tab < 6; tab++) {
      await userEvent.keyboard("{Tab}");
      if (!focused()) break;
      seen.push(`${focused().localName}.${focused().className.split(" ")[0]} ${visible() ? "visible" : "invisible"}`);
    }
    expect(seen).toEqual([
      "button.quiet visible",
      "meet-ai-message.row visible",
      "textarea. visible",
      "button.send visible",
      "button.help visible",
    ]);
    await userEvent.keyboard("{Shift>}{Tab}{Tab}{Tab}{/Shift}");
    await until(() => focused()?.localName === "textarea" || focused()?.localName === "button");
    element.focus();
    await userEvent.keyboard("By keyboard{Enter}");
    await until(() => room.log.length === 4 && contents(element).length === 4);
    await userEvent.keyboard("{ArrowUp}");
    await until(() => focused()?.dataset.seq === "4");
    await userEvent.keyboard("{Home}");
    await until(() => focused()?.dataset.seq === "1");
    await userEvent.keyboard("{ArrowDown}r");
    await until(() => focused()?.localName === "textarea" && find(element, ".replying"));
    await userEvent.keyboard("{Escape}");
    await until(() => !find(element, ".replying"));
  });
});
