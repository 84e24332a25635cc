/** The card of a question to people: who sees which buttons, what a press does, and what becomes of it. */

import axe from "axe-core";
import type { LitElement } from "lit";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import type { Ask } from "../../../party/protocol.ts";
import type { FakeRoom } from "../../../test/browser/fake-server.ts";
import { server } from "../../../test/browser/server.ts";
import { contents, find, findAll, fromEnd, mount, painted, until } from "../../../test/browser/widget.ts";
import { MESSAGE_INJECTIONS } from "../../../test/injections.ts";
import type { MeetAiAskEvent, MeetAiRoom } from "../index.ts";

const KEY = "mai_000000000000000000000000";
const AGENT = "amber-fox/claude";
const OPTIONS = ["Yes", "No"];

type Attributes = Readonly<Record<string, string>>;
interface Visit {
  readonly key?: string | undefined;
  readonly attributes?: Attributes;
  readonly size?: { width: number; height: number };
}

/** A person in a room: with a key, or with `key: undefined` a guest, once they have a name. */
async function roomOf({ key = KEY, attributes = {}, size }: Visit & { key?: string } = {}) {
  const room = server.room("lobby").fill(1, () => ({ content: "Hello" }));
  const { element, box } = mount(server, attributes, size);
  element.key = key;
  await until(() => contents(element).length === 1 && element.me);
  return { room, element, box };
}

/** A guest who has said something before, so that the room knows them. */
async function guestIn() {
  const room = server.room("lobby").fill(1, () => ({ content: "Hello" }));
  const { element } = mount(server);
  await until(() => contents(element).length === 1);
  await element.send("Me, too");
  await until(() => contents(element).length === 2 && element.me);
  return { room, element };
}

const card = (element: MeetAiRoom) => until(() => find(element, "meet-ai-ask .ask"));
const buttons = (element: MeetAiRoom) => findAll(element, ".options button");
const labels = (element: MeetAiRoom) => findAll(element, ".options > *").map(({ textContent }) => textContent);
const text = (element: MeetAiRoom, part: string) =>
  find(element, `meet-ai-ask ${part}`)?.textContent?.replace(/\s+/g, " ").trim();
const spoken = (element: MeetAiRoom) => find(element, ".spoken")?.textContent ?? "";
/** Until the question has been read out: what is said at the same moment takes the place of what was to be said. */
const heard = (element: MeetAiRoom) => until(() => spoken(element).includes("Deploy now?"));
const focused = (element: MeetAiRoom) => (element.shadowRoot as ShadowRoot).activeElement as HTMLElement | null;
const press = async (element: MeetAiRoom, label: string) =>
  userEvent.click(await until(() => buttons(element).find(({ textContent }) => textContent === label)));
const answers = (room: FakeRoom) =>
  room.received.flatMap((frame) => (frame.type === "send" ? (frame.answer ?? []) : []));
const lastId = (room: FakeRoom) => (room.received.findLast((frame) => frame.type === "send") as { id: string }).id;

const ask = (room: FakeRoom, more: Partial<Ask> = {}, question = "Deploy **now**?") =>
  room.ask(AGENT, question, OPTIONS, more);

describe("who may answer", () => {
  test("sees the question in Markdown, a button for each answer, who is asked and for how long", async () => {
    const { room, element } = await roomOf();
    ask(room);
    await card(element);
    expect(find(element, "meet-ai-message:last-child strong")?.textContent).toBe("now");
    expect(labels(element)).toEqual(OPTIONS);
    expect(buttons(element)).toHaveLength(2);
    expect(text(element, ".terms")).toBe("People with a key can answer · 3 hours left");
    expect(find(element, "[role=group]")?.getAttribute("aria-label")).toBe("Answers");
  });

  test("answers with one press, and everybody sees who has decided what, and when", async () => {
    const { room, element } = await roomOf();
    ask(room);
    await card(element);
    await press(element, "No");
    await until(() => find(element, ".decided"));
    expect(answers(room)).toEqual([{ target: 2, option: "no" }]);
    expect(room.received.findLast(({ type }) => type === "send")).not.toHaveProperty("content");
    expect(text(element, ".decided")).toMatch(/^Decided: No · swift-otter · \d+:\d\d [AP]M$/);
    expect(buttons(element)).toEqual([]);
    // The log has it as what it also is: a reply.
    expect(contents(element)).toEqual(["Hello", "Deploy now?", "No"]);
    expect(find(element, ".quote")?.textContent).toContain("Deploy now?");
  });

  test("sees their answer below, though the card has become smaller before it came", async () => {
    const { room, element } = await roomOf({ size: { width: 340, height: 360 } });
    room.ask(AGENT, "Deploy **now**?", ["Deploy", "Not now", "Ask me in the evening"]);
    await card(element);
    const scroller = find(element, ".scroller") as HTMLElement;
    await until(() => scroller.scrollTop > 0 && fromEnd(scroller) < 2);
    await press(element, "Deploy");
    await until(() => contents(element).length === 3 && find(element, ".decided"));
    await painted();
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
    expect(find(element, ".pill")).toBeNull();
  });

  test("sees the answer of somebody else below, with the focus on a button of their own", async () => {
    const { room, element } = await roomOf({ size: { width: 340, height: 360 } });
    room.ask(AGENT, "Deploy **now**?", ["Deploy", "Not now", "Ask me in the evening"]);
    await card(element);
    const scroller = find(element, ".scroller") as HTMLElement;
    await until(() => scroller.scrollTop > 0 && fromEnd(scroller) < 2);
    buttons(element)[0]?.focus({ preventScroll: true });
    await userEvent.keyboard("{Tab}");
    expect(focused(element)?.textContent).toBe("Not now");
    room.answer("calm-crane", { target: 2, option: "deploy" });
    await until(() => contents(element).length === 3 && find(element, ".decided"));
    await painted();
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
    expect(find(element, ".pill")).toBeNull();
  });

  test("sees at once what they have pressed, and can't press again before the room has answered", async () => {
    const { room, element } = await roomOf();
    room.judge = () => "silence";
    ask(room);
    await card(element);
    await press(element, "Yes");
    await until(() => find(element, "button[aria-pressed=true]")?.textContent === "Yes");
    expect(buttons(element).map((button) => button.getAttribute("aria-disabled"))).toEqual(["true", "true"]);
    expect(text(element, ".terms")).toMatch(/^Sending…/);
    buttons(element)[1]?.click();
    await painted();
    expect(answers(room)).toHaveLength(1);
    // It stands nowhere else.
    expect(contents(element)).toEqual(["Hello", "Deploy now?"]);
  });

  test("answers without a connection, as soon as there is one", async () => {
    const { room, element } = await roomOf();
    ask(room);
    await card(element);
    room.online = false;
    room.drop();
    await until(() => element.status === "offline");
    await press(element, "Yes");
    await until(() => text(element, ".terms")?.startsWith("Waiting for the connection"));
    room.online = true;
    element.reconnect();
    await until(() => find(element, ".decided"));
    expect(text(element, ".decided")).toMatch(/^Decided: Yes · swift-otter/);
  });

  test("in slow mode answers all the same, and is not slowed down by that", async () => {
    const { room, element } = await roomOf();
    room.info.slow = 60;
    room.update({ room: room.info });
    ask(room);
    await card(element);
    await press(element, "Yes");
    await until(() => find(element, ".decided"));
    expect(find(element, ".notice")?.textContent ?? "").toBe("");
  });
});

test("the name of who has decided is shown as soon as it is known", async () => {
  const { room, element } = await roomOf();
  ask(room);
  room.answer("anna@acme", { target: 2, option: "yes" });
  await until(() => text(element, ".decided")?.includes("anna · acme"));
  room.names = { "anna@acme": "Anna Lind" };
  room.update({});
  await until(() => text(element, ".decided")?.includes("Anna Lind"));
});

test("what an agent streams meanwhile is nothing to show a card anew for", async () => {
  // How long there is left is shown anew by an interval.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const { room, element } = await roomOf();
  ask(room);
  await card(element);
  room.update({ drafts: [{ id: "d", sender: AGENT, append: "One" }] });
  await until(() => find(element, ".draft"));
  let updates = 0;
  find<LitElement>(element, "meet-ai-ask")?.addController({ hostUpdated: () => updates++ });
  for (let piece = 0; piece < 5; piece++) {
    room.update({ drafts: [{ id: "d", sender: AGENT, append: " more" }] });
    await painted();
  }
  expect(find(element, ".draft")?.textContent).toContain("One more more");
  expect(updates).toBe(0);
});

describe("when somebody was faster", () => {
  async function beaten() {
    const { room, element } = await roomOf();
    room.judge = () => "silence";
    ask(room);
    await card(element);
    await heard(element);
    await press(element, "Yes");
    await until(() => find(element, "button[aria-pressed=true]"));
    const refuse = () =>
      room.broadcast({
        type: "error",
        code: "conflict",
        message: "It is answered.",
        about: "send",
        id: lastId(room),
        seq: 3,
      });
    return { room, element, refuse };
  }

  test.each(["log", "refusal"])("the answer that stands is shown, and said once; the %s comes first", async (first) => {
    const { room, element, refuse } = await beaten();
    // Nothing else is said: what comes soon after takes its place.
    element.addEventListener("meet-ai-message", (event) => event.preventDefault());
    const said: string[] = [];
    new MutationObserver(() => said.push(spoken(element))).observe(find(element, ".spoken") as HTMLElement, {
      childList: true,
      characterData: true,
      subtree: true,
    });
    if (first === "refusal") refuse();
    room.answer("calm-crane", { target: 2, option: "no" });
    if (first === "log") refuse();
    await until(() => find(element, ".decided ~ .decided"));
    expect(findAll(element, ".decided").map(({ textContent }) => textContent?.replace(/\s+/g, " ").trim())).toEqual([
      "calm-crane was faster: No",
      expect.stringMatching(/^Decided: No · calm-crane/),
    ]);
    await until(() => said.some((line) => line.includes("calm-crane was faster: No")));
    await until(() => find(element, "meet-ai-message:last-child .content")?.textContent === "No");
    expect(said.filter((line) => line.includes("was faster"))).toHaveLength(1);
    // Nothing of one's own is left in the log or below the field.
    expect(find(element, ".delivery")).toBeNull();
    expect(find(element, ".notice")?.textContent ?? "").toBe("");
  });

  test("the focus, which was on a button, goes to the message", async () => {
    const { room, element, refuse } = await beaten();
    expect(focused(element)?.textContent).toBe("Yes");
    room.answer("calm-crane", { target: 2, option: "no" });
    refuse();
    await until(() => focused(element)?.dataset.seq === "2");
  });

  test("and stays where the page puts it meanwhile", async () => {
    const { room, element, refuse } = await beaten();
    const field = document.body.appendChild(document.createElement("input"));
    find<LitElement>(element, "meet-ai-ask")?.addController({
      hostUpdated: () => find(element, ".decided") && field.focus(),
    });
    room.answer("calm-crane", { target: 2, option: "no" });
    refuse();
    await until(() => document.activeElement === field);
    await painted();
    expect(document.activeElement).toBe(field);
    field.remove();
  });
});

describe("an answer that the room does not take", () => {
  test.each([
    ["en", { code: "muted" }, "You are muted here."],
    ["en", { code: "invalid" }, "Refused."],
    ["de", { code: "invalid" }, "Der Raum hat die Nachricht nicht angenommen."],
  ] as const)("says why, in %s, and can be pressed again: %j", async (lang, refusal, reason) => {
    const { room, element } = await roomOf({ attributes: { lang } });
    await until(() => find(element, ".room")?.lang === lang);
    room.judge = () => refusal;
    ask(room);
    await card(element);
    await heard(element);
    await press(element, "Yes");
    await until(() => text(element, ".failed") === reason);
    await until(() => spoken(element).includes(reason));
    expect(find(element, ".delivery")).toBeNull();
    room.judge = () => "keep";
    await press(element, "No");
    await until(() => find(element, ".decided"));
    expect(answers(room).map(({ option }) => option)).toEqual(["yes", "no"]);
    expect(find(element, ".failed")).toBeNull();
  });
});

describe("who may not answer sees no button", () => {
  test.each([
    ["a guest", {}, "People with a key can answer · 3 hours left Use a key"],
    [
      "a guest, where others are named",
      { from: ["calm-crane", "anna@acme"] },
      "calm-crane or anna · acme can answer · 3 hours left",
    ],
  ])("%s", async (_, more, terms) => {
    const { room, element } = await guestIn();
    ask(room, more);
    await card(element);
    expect(labels(element)).toEqual(OPTIONS);
    expect(buttons(element)).toEqual([]);
    expect(text(element, ".terms")?.replace(/[\u2068\u2069]/g, "")).toBe(terms);
  });

  test("a spectator, who has the way to a key", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    await until(() => contents(element).length === 1);
    ask(room);
    await card(element);
    expect(buttons(element)).toEqual([]);
    const asked = new Promise<void>((resolve) => {
      element.addEventListener("meet-ai-key", (event) => {
        event.preventDefault();
        resolve();
      });
    });
    find(element, ".terms a")?.click();
    await asked;
    expect(find<HTMLAnchorElement>(element, ".terms a")?.href).toMatch(/\/r\/lobby$/);
  });

  test("a reader of a members' room", async () => {
    const room = server.room("lobby").fill(1);
    room.info.access = "members";
    room.role = "reader";
    ask(room);
    const { element } = mount(server);
    element.key = KEY;
    await until(() => element.me);
    await card(element);
    expect(buttons(element)).toEqual([]);
    expect(find(element, ".terms a")).toBeNull();
  });

  test("who asks, and in an element that only reads", async () => {
    const { room, element } = await roomOf();
    room.ask("swift-otter", "Mine?", OPTIONS);
    await card(element);
    expect(buttons(element)).toEqual([]);
    element.readonly = true;
    ask(room);
    await until(() => findAll(element, "meet-ai-ask .ask").length === 2);
    expect(buttons(element)).toEqual([]);
  });

  test("who is not named; who is named does", async () => {
    const { room, element } = await roomOf();
    ask(room, { from: ["calm-crane"] });
    await card(element);
    expect(buttons(element)).toEqual([]);
    ask(room, { from: ["calm-crane", "swift-otter"] });
    await until(() => buttons(element).length === 2);
  });
});

describe("a question that guests may answer", () => {
  test("is answered by one who has no name yet, and gets one so", async () => {
    const room = server.room("lobby").fill(1);
    const { element } = mount(server);
    await until(() => contents(element).length === 1);
    ask(room, { guests: true });
    await card(element);
    expect(text(element, ".terms")).toBe("Anyone can answer · 3 hours left");
    await press(element, "Yes");
    await until(() => find(element, ".decided"));
    expect(text(element, ".decided")).toMatch(/^Decided: Yes · ~brisk-lynx-4f2a9c/);
  });
});

describe("a question that is over", () => {
  test("because nobody answered in time says so, and says it to who could have", async () => {
    const { room, element } = await roomOf();
    ask(room);
    await card(element);
    await heard(element);
    room.expire(2);
    await until(() => text(element, ".decided") === "Nobody answered in time.");
    await until(() => spoken(element) === "Nobody answered in time.");
    expect(buttons(element)).toEqual([]);
    expect(contents(element)).toEqual(["Hello", "Deploy now?"]);
  });

  test("because it was deleted is a deleted message", async () => {
    const { room, element } = await roomOf();
    ask(room);
    await card(element);
    room.erase(2);
    await until(() => !find(element, "meet-ai-ask"));
    expect(contents(element)[1]).toBe("This message has been deleted.");
  });

  test("before one came shows what was decided, and leads to the answer", async () => {
    const room = server.room("lobby");
    ask(room);
    room.answer("calm-crane", { target: 1, option: "yes" });
    ask(room, {}, "And this?");
    room.expire(3);
    const { element } = mount(server);
    await until(() => findAll(element, "meet-ai-ask .decided").length === 2);
    expect(findAll(element, ".decided").map(({ textContent }) => textContent?.replace(/\s+/g, " ").trim())).toEqual([
      expect.stringMatching(/^Decided: Yes · calm-crane · \d/),
      "Nobody answered in time.",
    ]);
    find(element, ".decided button")?.click();
    await until(() => find(element, ".marked")?.dataset.seq === "2");
  });

  test("and decided by somebody who was erased since names nobody", async () => {
    const { room, element } = await roomOf();
    ask(room);
    await card(element);
    room.answer("calm-crane", { target: 2, option: "yes" });
    await until(() => find(element, ".decided"));
    room.say("swift-otter", "", { kind: "erasure", erased: "calm-crane", upTo: 3 });
    await until(() => text(element, ".decided")?.startsWith("Decided: Yes · somebody"));
  });
});

describe("a screen reader", () => {
  test("hears a question once, with its answers", async () => {
    const { room, element } = await roomOf();
    ask(room);
    await until(() => spoken(element) === `${AGENT} asks: Deploy now? Yes, No`);
    expect(find(element, ".spoken")?.getAttribute("role")).toBe("status");
  });

  test("is led to the newest question that waits by A in the log, and by the button above the field", async () => {
    const { room, element } = await roomOf();
    ask(room, {}, "First?");
    ask(room, {}, "Second?");
    ask(room, { from: ["calm-crane"] }, "For others?");
    await until(() => buttons(element).length === 4);
    find(element, '[data-seq="1"]')?.focus();
    await userEvent.keyboard("a");
    await until(() => focused(element)?.closest<HTMLElement>("meet-ai-message")?.dataset.seq === "3");
    expect(focused(element)?.textContent).toBe("Yes");
    await userEvent.keyboard("{Enter}");
    await until(() => buttons(element).length === 2);
    const waiting = await until(() => find(element, ".waiting"));
    expect(waiting.textContent).toBe("A question for you");
    await userEvent.click(waiting);
    await until(() => focused(element)?.closest<HTMLElement>("meet-ai-message")?.dataset.seq === "2");
    await userEvent.keyboard(" ");
    await until(() => !find(element, ".waiting"));
  });

  test("who is not asked is led nowhere", async () => {
    const { room, element } = await roomOf();
    ask(room, { from: ["calm-crane"] });
    await card(element);
    find(element, '[data-seq="1"]')?.focus();
    await userEvent.keyboard("a");
    await painted();
    expect(focused(element)?.dataset.seq).toBe("1");
    expect(find(element, ".waiting")).toBeNull();
  });
});

test("the page hears how many answers are wanted, and when none is any more", async () => {
  const { room, element } = await roomOf();
  const heard: number[] = [];
  element.addEventListener("meet-ai-ask", ({ detail }: MeetAiAskEvent) => heard.push(detail.wanted));
  ask(room);
  await until(() => heard.length === 1);
  ask(room, {}, "And this?");
  await until(() => heard.length === 2);
  room.expire(2);
  await until(() => heard.length === 3);
  await card(element);
  await press(element, "Yes");
  await until(() => heard.at(-1) === 0);
  expect(heard).toEqual([1, 2, 1, 0]);
});

test("labels are text", async () => {
  const { room, element } = await roomOf();
  const options = MESSAGE_INJECTIONS.slice(0, 6).map((label, index) => ({ id: `o${index}`, label }));
  room.ask(AGENT, "Which?", options);
  await until(() => buttons(element).length === 6);
  expect(labels(element)).toEqual(options.map(({ label }) => label));
  expect(findAll(element, ".options :not(button)")).toEqual([]);
});

describe.each(["light", "dark"])("in the %s theme", (theme) => {
  test("axe finds nothing in any state", async () => {
    const { room, element } = await roomOf({ attributes: { theme } });
    room.judge = (content) => (content === "No" ? { code: "muted" } : content === "Later" ? "silence" : "keep");
    ask(room);
    room.answer("calm-crane", { target: 2, option: "yes" });
    ask(room);
    room.expire(4);
    ask(room, { from: ["calm-crane"] });
    for (let asks = 0; asks < 3; asks++) room.ask(AGENT, "Which one?", ["Yes", "No", "Later"]);
    await until(() => buttons(element).length === 9);
    buttons(element)[4]?.click();
    await until(() => find(element, ".failed"));
    buttons(element)[8]?.click();
    await until(() => find(element, "button[aria-pressed=true]"));
    const { violations, incomplete } = await axe.run(element, { rules: { region: { enabled: false } } });
    expect(violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} ${target}`))).toEqual([]);
    expect(incomplete.filter(({ id }) => id !== "color-contrast").map(({ id }) => id)).toEqual([]);
  });
});

test.each([
  ["320 px", { width: 320, height: 480 }, "en"],
  ["320 px from right to left", { width: 320, height: 480 }, "ar"],
])("nothing is wider than a room of %s", async (_, size, lang) => {
  const { room, element } = await roomOf({ attributes: { lang }, size });
  room.ask(AGENT, "Which one?", [
    { id: "a", label: "w".repeat(80) },
    { id: "b", label: "Several words that are together as long as a label can be, which is eighty lett" },
  ]);
  await until(() => buttons(element).length === 2);
  const scroller = find(element, ".scroller") as HTMLElement;
  expect(scroller.scrollWidth).toBe(scroller.clientWidth);
  const { left, right } = (find(element, ".ask") as HTMLElement).getBoundingClientRect();
  for (const button of buttons(element)) {
    const box = button.getBoundingClientRect();
    expect(box.left).toBeGreaterThanOrEqual(left);
    expect(box.right).toBeLessThanOrEqual(right);
  }
});

test("a question from a server that knows no asks is its text", async () => {
  const { room, element } = await roomOf();
  room.say(AGENT, "Deploy?");
  await until(() => contents(element).length === 2);
  expect(find(element, "meet-ai-ask")).toBeNull();
  expect(find(element, ".waiting")).toBeNull();
});
