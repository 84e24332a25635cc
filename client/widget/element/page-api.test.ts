/** What a page reads from the element and gives to it. */

import { describe, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import type { Message } from "../../../party/protocol.ts";
import { server } from "../../../test/browser/server.ts";
import { contents, find, mount, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";
import { strings as de } from "../strings/de.ts";

const textOf = (element: MeetAiRoom, selector: string) =>
  find(element, selector)?.textContent?.replace(/\s+/g, " ").trim();

/** Makes the page look hidden, or shown again. */
function show(isVisible: boolean): void {
  Object.defineProperty(document, "visibilityState", {
    configurable: true,
    get: () => (isVisible ? "visible" : "hidden"),
  });
  document.dispatchEvent(new Event("visibilitychange"));
}

describe("a page reads", () => {
  test("the messages, the people, the status and its person's name, as they are", async () => {
    const room = server.room("lobby").fill(2);
    room.people = ["swift-otter"];
    const { element } = mount(server);
    expect([element.status, element.messages, element.people, element.me]).toEqual(["connecting", [], [], undefined]);
    await until(() => contents(element).length === 2);
    expect(element.status).toBe("open");
    expect(element.messages).toEqual(room.log);
    expect(element.people).toEqual(["swift-otter"]);
    const said = room.say("amber-fox", "News");
    expect(element.messages.at(-1)).toEqual(said);
    await element.send("Mine");
    expect(element.me).toBe(room.handle);
    element.remove();
    await until(() => element.messages.length === 0);
  });

  test("nothing that it could change under the element's feet", async () => {
    const room = server.room("lobby").fill(2);
    const { element } = mount(server);
    await until(() => contents(element).length === 2);
    const { messages, people } = element;
    expect(() => (messages as Message[]).pop()).toThrow(TypeError);
    expect(() => Object.assign(messages[0] as Message, { content: "Forged" })).toThrow(TypeError);
    expect(() => (people as string[]).push("nobody")).toThrow(TypeError);
    let told: Message | undefined;
    element.addEventListener("meet-ai-message", ({ detail }) => {
      told = detail.message;
    });
    room.say("amber-fox", "News");
    expect(() => Object.assign(told as Message, { content: "Forged" })).toThrow(TypeError);
    expect(() => Object.assign(element, { status: "closed" })).toThrow(TypeError);
  });

  test("the same array as long as nothing has changed", async () => {
    const room = server.room("lobby").fill(2);
    const { element } = mount(server);
    await until(() => contents(element).length === 2);
    const { messages } = element;
    room.update({ presence: { spectators: 7 } });
    expect(element.messages).toBe(messages);
    room.erase(1);
    expect(element.messages).not.toBe(messages);
    expect(element.messages[0]).toMatchObject({ deleted: true, content: "" });
  });
});

describe("unread messages", () => {
  test("are counted while nobody looks, and told whenever their number changes", async () => {
    const room = server.room("lobby").fill(2);
    const { element } = mount(server);
    const told: number[] = [];
    element.addEventListener("meet-ai-unread", ({ detail }) => told.push(detail.unread));
    await until(() => contents(element).length === 2);
    room.say("amber-fox", "Seen");
    expect(element.unread).toBe(0);
    show(false);
    room.say("amber-fox", "One");
    room.say("amber-fox", "Two");
    expect(element.unread).toBe(2);
    show(true);
    expect(element.unread).toBe(0);
    expect(told).toEqual([1, 2, 0]);
  });

  test("of a room that the element leaves are none of the next one", async () => {
    const room = server.room("lobby").fill(2);
    server.room("other").fill(1);
    const { element } = mount(server);
    const told: number[] = [];
    element.addEventListener("meet-ai-unread", ({ detail }) => told.push(detail.unread));
    await until(() => contents(element).length === 2);
    show(false);
    room.say("amber-fox", "One");
    element.room = "other";
    await until(() => element.messages.length === 1);
    show(true);
    expect(told).toEqual([1, 0]);
  });
});

test("a page that leaves the room for a message hears of no other of it, and nothing of it counts in the next", async () => {
  const room = server.room("lobby").fill(2);
  const { element } = mount(server);
  await until(() => contents(element).length === 2);
  show(false);
  const heard: string[] = [];
  element.addEventListener("meet-ai-message", ({ detail: { message, history } }) => {
    if (history) return;
    heard.push(message.content);
    element.key = `mai_${"k".repeat(24)}`;
  });
  room.sayAll([{ content: "Leave!" }, { content: "Still there?" }, { content: "No?" }]);
  const { unread } = element;
  await until(() => element.status === "open");
  show(true);
  expect([heard, unread]).toEqual([["Leave!"], 0]);
});

describe("texts of the page's own", () => {
  test("stand in place of those of the language, in every part, and in the next language too", async () => {
    server.room("lobby").fill(0);
    const { element } = mount(server);
    element.strings = {
      empty: "Ask away.",
      compose: "Your question",
      people: (count) => `${count} in the shop`,
    };
    await until(() => textOf(element, ".empty p") === "Ask away.");
    await until(() => find<HTMLTextAreaElement>(element, "textarea")?.placeholder === "Your question");
    expect(textOf(element, ".here")).toBe("0 in the shop");
    element.lang = "de";
    await until(() => textOf(element, ".empty p:last-child") === de.emptyHint);
    expect(textOf(element, ".empty p")).toBe("Ask away.");
    element.strings = undefined;
    await until(() => textOf(element, ".empty p") === de.empty);
  });

  test.each([
    ["emptyHnt", "Say something.", /no string "emptyHnt"/],
    ["newMessages", "Many", /no string "newMessages"/],
    ["empty", () => "", /no function "empty"/],
  ])("of which %s is not one are refused, and change nothing", async (name, text, reason) => {
    server.room("lobby").fill(0);
    const { element } = mount(server);
    await until(() => textOf(element, ".empty p"));
    let refusal: unknown;
    try {
      element.strings = { emptyHint: "Another.", [name]: text } as MeetAiRoom["strings"];
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: "invalid", message: expect.stringMatching(reason) });
    await element.updateComplete;
    expect(textOf(element, ".empty p:last-child")).toBe("Say the first word.");
    expect(element.strings).toBeUndefined();
  });
});

describe("the theme", () => {
  const schemeOf = (element: MeetAiRoom) => getComputedStyle(find(element, ".room") as HTMLElement).colorScheme;

  test("is the page's, unless the page says another", async () => {
    server.room("lobby").fill(1);
    const { element, box } = mount(server);
    await until(() => contents(element).length === 1);
    for (const scheme of ["dark", "light"]) {
      box.style.colorScheme = scheme;
      expect(schemeOf(element)).toBe(scheme);
    }
    for (const theme of ["dark", "light"] as const) {
      element.theme = theme;
      await element.updateComplete;
      expect(schemeOf(element)).toBe(theme);
    }
  });
});

test("a system clock that is set back does not make a short quota long", async () => {
  const room = server.room("lobby").fill(1);
  // The quota is used up until the clock has been set back, however long that takes here.
  let isUsedUp = true;
  room.judge = (content) => (content === "one" && isUsedUp ? { code: "rate_limited", retryAfter: 2 } : "keep");
  const { element } = mount(server);
  const field = await until(() => find<HTMLTextAreaElement>(element, "textarea"));
  await userEvent.click(field);
  await userEvent.keyboard("one{Enter}");
  await until(() => find(element, ".delivery"));
  const real = Date.now;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => real() - 3_600_000);
  isUsedUp = false;
  try {
    await userEvent.keyboard("two");
    let longest = 0;
    await until(() => {
      longest = Math.max(longest, Number(/Goes out in (\d+) s/.exec(textOf(element, ".delivery") ?? "")?.[1] ?? 0));
      return find(element, ".send")?.getAttribute("aria-disabled") === "false";
    });
    expect(longest).toBeLessThanOrEqual(2);
  } finally {
    clock.mockRestore();
  }
});
