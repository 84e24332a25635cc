/** What a reader sees must not move unless they move it. */

import { afterEach, describe, expect, test, vi } from "vitest";
import { cdp, userEvent } from "vitest/browser";
import { server } from "../../../test/browser/server.ts";
import {
  atRest,
  contents,
  find,
  findAll,
  fromEnd,
  isWhole,
  mount,
  painted,
  pointOf,
  turnWheel,
  until,
} from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

const scrollerOf = (element: MeetAiRoom) => find(element, ".scroller") as HTMLElement;
const rowOf = (element: MeetAiRoom, seq: number) => find(element, `meet-ai-message[data-seq="${seq}"]`);

/** Where a row stands in the view, px. */
const offsetOf = (element: MeetAiRoom, seq: number) =>
  (rowOf(element, seq)?.getBoundingClientRect().top ?? Number.NaN) - scrollerOf(element).getBoundingClientRect().top;

/** The first row that is wholly in view. */
function firstInView(element: MeetAiRoom): number {
  const { top } = scrollerOf(element).getBoundingClientRect();
  const row = findAll(element, "meet-ai-message").find((candidate) => candidate.getBoundingClientRect().top >= top);
  return Number(row?.dataset.seq);
}

const wheel = (element: MeetAiRoom, deltaY: number) => turnWheel(scrollerOf(element), deltaY);

async function room(count: number) {
  const lobby = server.room("lobby").fill(count);
  const { element } = mount(server);
  await until(() => isWhole(element, Math.min(count, 50)));
  await painted();
  return { lobby, element, scroller: scrollerOf(element) };
}

describe("at the newest end", () => {
  test("a room opens at its newest message and stays there", async () => {
    const { lobby, element, scroller } = await room(60);
    expect(fromEnd(scroller)).toBeLessThan(2);
    lobby.say("amber-fox", "A long one.\n\n".repeat(20));
    await until(() => rowOf(element, 61));
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("it stays there when the view or a message changes its height", async () => {
    const { element, scroller } = await room(60);
    (element.parentElement as HTMLElement).style.height = "300px";
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
    (rowOf(element, 58) as HTMLElement).style.paddingBottom = "400px";
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("what is in view is there first, the view full of it, and then the rest", async () => {
    server.room("lobby").fill(50);
    const { element } = mount(server);
    const first = await until(() => findAll(element, "meet-ai-message").length);
    expect(first).toBeLessThan(50);
    const heights = findAll(element, "meet-ai-message").map((row) => row.getBoundingClientRect().height);
    expect(heights.reduce((sum, height) => sum + height, 0)).toBeGreaterThanOrEqual(scrollerOf(element).clientHeight);
    await until(() => contents(element).length === 50);
    await painted();
    expect(fromEnd(scrollerOf(element))).toBeLessThan(2);
  });

  test("a room that opens where nobody can see it is complete, and at its newest message when it is shown", async () => {
    const lobby = server.room("lobby").fill(50);
    const { element, box } = mount(server);
    box.style.display = "none";
    await until(() => contents(element).length === 50);
    lobby.say("amber-fox", "One more.");
    await until(() => contents(element).length === 51);
    box.style.display = "block";
    await painted();
    expect(fromEnd(scrollerOf(element))).toBeLessThan(2);
  });

  test("opening a room does not load older messages by itself", async () => {
    await room(60);
    expect(server.fetched).toEqual([]);
  });

  test("one notch of the wheel upwards during a stream is enough to stay, and the pill counts what comes", async () => {
    const { lobby, element, scroller } = await room(60);
    await wheel(element, -40);
    await until(() => find(element, ".pill"));
    await painted();
    const top = scroller.scrollTop;
    const seq = firstInView(element);
    const offset = offsetOf(element, seq);
    const moved: number[] = [];
    const counts: (string | undefined)[] = [];
    for (let index = 0; index < 7; index++) {
      for (let word = 0; word < 10; word++) {
        lobby.update({ drafts: [{ id: "d", sender: "swift-otter/claude", append: `- word ${word}\n` }] });
        await painted();
        moved.push(Math.abs(offsetOf(element, seq) - offset), Math.abs(scroller.scrollTop - top));
      }
      lobby.say("amber-fox", `Streamed ${index}`);
      await painted();
      moved.push(Math.abs(offsetOf(element, seq) - offset), Math.abs(scroller.scrollTop - top));
      counts.push(find(element, ".pill")?.textContent?.trim());
    }
    expect(Math.max(...moved)).toBeLessThanOrEqual(1);
    expect(fromEnd(scroller)).toBeGreaterThan(1000);
    expect(counts).toEqual(["1 new message", ...Array.from({ length: 6 }, (_, index) => `${index + 2} new messages`)]);
  });

  test("the pill leads back, and is gone then", async () => {
    const { lobby, element, scroller } = await room(60);
    await wheel(element, -400);
    await until(() => find(element, ".pill"));
    lobby.say("amber-fox", "New");
    (await until(() => find(element, ".pill.counting"))).click();
    await until(() => !find(element, ".pill"));
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("another room opens at its end, wherever the reader has been, in a page that asks for sizes meanwhile", async () => {
    server.room("lobby").fill(120);
    const other = server.room("other").fill(80);
    const { element } = mount(server, {}, { width: 600, height: 560 });
    const scroller = await until(() => find(element, ".scroller"));
    for (const type of ["meet-ai-presence", "meet-ai-status"] as const) {
      element.addEventListener(type, () => scroller.scrollHeight);
    }
    await until(() => contents(element).length === 50);
    await turnWheel(scroller, -100);
    await atRest(scroller);
    await turnWheel(scroller, 300);
    await atRest(scroller);
    element.room = "other";
    await until(() => contents(element).at(-1) === other.log.at(-1)?.content && contents(element).length === 50);
    await atRest(scroller);
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("End, from message to message, is back at the newest end: what comes is in view again", async () => {
    const { lobby, element, scroller } = await room(60);
    const press = (key: string) =>
      (element.shadowRoot as ShadowRoot).activeElement?.dispatchEvent(
        new KeyboardEvent("keydown", { key, bubbles: true, composed: true }),
      );
    element.renderRoot.querySelector("meet-ai-feed")?.focusRow();
    for (let step = 0; step < 20; step++) press("ArrowUp");
    await until(() => find(element, ".pill"));
    press("End");
    await until(() => !find(element, ".pill"));
    lobby.say("amber-fox", "New");
    await until(() => rowOf(element, 61));
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("zooming by wheel, and a code block that scrolls by itself, let nobody go", async () => {
    const { lobby, element, scroller } = await room(60);
    lobby.say("amber-fox", `\`\`\`\n${"line\n".repeat(200)}\`\`\``);
    const code = await until(() => find(element, "pre"));
    await painted();
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -100, ctrlKey: true, bubbles: true, composed: true }));
    code.style.overflow = "auto";
    code.style.maxHeight = "100px";
    code.scrollTop = 50;
    code.dispatchEvent(new WheelEvent("wheel", { deltaY: -10, bubbles: true, composed: true }));
    await painted();
    expect(find(element, ".pill")).toBeNull();
  });
});

describe("text that is selected", () => {
  afterEach(() => document.getSelection()?.removeAllRanges());

  /** Selects all that a message says. */
  function select(element: MeetAiRoom, seq: number): void {
    const range = document.createRange();
    range.selectNodeContents(rowOf(element, seq)?.querySelector(".content") as HTMLElement);
    document.getSelection()?.removeAllRanges();
    document.getSelection()?.addRange(range);
  }

  const pillOf = (element: MeetAiRoom) => find(element, ".pill")?.textContent?.trim();

  test("holds still while messages come below, and the pill counts them from the first one on", async () => {
    const { lobby, element, scroller } = await room(60);
    select(element, 58);
    await painted();
    expect(find(element, ".pill")).toBeNull();
    const top = scroller.scrollTop;
    for (const count of ["1 new message", "2 new messages"]) {
      lobby.say("amber-fox", "New");
      await until(() => pillOf(element) === count);
      await painted();
      expect(scroller.scrollTop).toBe(top);
    }
    expect(find(element, ".unread")?.nextElementSibling).toBe(rowOf(element, 61));
  });

  test("holds still in a browser that wants the shadow roots themselves, too", async () => {
    const ranges = Selection.prototype.getComposedRanges;
    const old = vi.spyOn(Selection.prototype, "getComposedRanges").mockImplementation(function (
      this: Selection,
      ...shadowRoots: unknown[]
    ) {
      if (!shadowRoots.every((root) => root instanceof ShadowRoot)) throw new TypeError("not a ShadowRoot");
      return ranges.call(this, { shadowRoots });
    });
    const { lobby, element, scroller } = await room(60);
    select(element, 58);
    const top = scroller.scrollTop;
    lobby.say("amber-fox", "New");
    await until(() => rowOf(element, 61));
    await painted();
    expect(scroller.scrollTop).toBe(top);
    old.mockRestore();
  });

  test("holds still while a message is being written, which the pill tells of when it has left the view", async () => {
    const { lobby, element, scroller } = await room(60);
    const write = async (append: string) => {
      lobby.update({ drafts: [{ id: "d", sender: "swift-otter/claude", append }] });
      await painted();
    };
    await write("It begins.");
    await until(() => find(element, ".draft"));
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
    select(element, 58);
    const top = scroller.scrollTop;
    for (let line = 0; line < 8; line++) await write("\n\nIt goes on.");
    expect(pillOf(element)).toBe("");
    expect(scroller.scrollTop).toBe(top);
    lobby.say("swift-otter/claude", `It begins.${"\n\nIt goes on.".repeat(8)}`, { id: "d" });
    await until(() => pillOf(element) === "1 new message");
  });

  test("holds still under a pointer that is still down", async () => {
    const { lobby, element, scroller } = await room(60);
    const text = rowOf(element, 58)?.querySelector(".content") as HTMLElement;
    const { x, y } = pointOf(text);
    const start = x - text.clientWidth / 2;
    const mouse = (type: "mousePressed" | "mouseMoved" | "mouseReleased", fromStart: number) =>
      cdp().send("Input.dispatchMouseEvent", {
        type,
        x: start + fromStart,
        y,
        button: "left",
        buttons: 1,
        clickCount: 1,
      });
    await mouse("mousePressed", 2);
    await mouse("mouseMoved", 40);
    await until(() => String(document.getSelection()) !== "");
    const top = scroller.scrollTop;
    lobby.say("amber-fox", "New");
    await until(() => pillOf(element) === "1 new message");
    await painted();
    expect(scroller.scrollTop).toBe(top);
    await mouse("mouseReleased", 40);
  });

  test("is let go of by whoever goes to the newest message, and does not hold them there", async () => {
    const { lobby, element, scroller } = await room(60);
    select(element, 58);
    lobby.say("amber-fox", "New");
    (await until(() => find(element, ".pill.counting"))).click();
    await until(() => !find(element, ".pill"));
    expect(fromEnd(scroller)).toBeLessThan(2);
    lobby.say("amber-fox", "Newer");
    await until(() => rowOf(element, 62));
    await painted();
    expect(find(element, ".pill")).toBeNull();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("and is not any more, lets its reader follow again from the end", async () => {
    const { lobby, element, scroller } = await room(60);
    select(element, 58);
    lobby.say("amber-fox", "New");
    await until(() => find(element, ".pill"));
    document.getSelection()?.removeAllRanges();
    await wheel(element, 400);
    await until(() => !find(element, ".pill"));
    lobby.say("amber-fox", "Newer");
    await until(() => rowOf(element, 62));
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("is no reason to stop following for what puts nothing below it: a deletion, or an own message that was shown already", async () => {
    const { lobby, element, scroller } = await room(60);
    const field = await until(() => find<HTMLTextAreaElement>(element, "textarea"));
    lobby.judge = () => "silence";
    await userEvent.click(field);
    await userEvent.keyboard("Mine{Enter}");
    await until(() => find(element, ".row.sent"));
    await painted();
    select(element, 58);
    const sent = lobby.received.find(({ type }) => type === "send") as { id: string };
    lobby.say(lobby.handle, "Mine", { id: sent.id });
    await until(() => rowOf(element, 61));
    lobby.erase(57);
    await until(() => rowOf(element, 57)?.querySelector(".deleted"));
    await painted();
    expect(find(element, ".pill")).toBeNull();
    document.getSelection()?.removeAllRanges();
    lobby.say("amber-fox", "New");
    await until(() => rowOf(element, 63));
    await painted();
    expect(find(element, ".pill")).toBeNull();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("holds in a view that becomes lower, and follows again in one that shows the end once more", async () => {
    const { element, scroller } = await room(60);
    const box = element.parentElement as HTMLElement;
    select(element, 58);
    box.style.height = "300px";
    await until(() => find(element, ".pill"));
    box.style.height = "560px";
    await until(() => !find(element, ".pill"));
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("in a list that nobody can see holds nothing: it is at its newest message when it is shown again", async () => {
    const { lobby, element, scroller } = await room(60);
    const box = element.parentElement as HTMLElement;
    select(element, 58);
    box.style.display = "none";
    await painted();
    lobby.say("amber-fox", "New\n\n".repeat(6));
    await until(() => rowOf(element, 61));
    box.style.display = "block";
    await painted();
    expect(find(element, ".pill")).toBeNull();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("in the field, or in a log with room below, holds nobody", async () => {
    const { lobby, element, scroller } = await room(3);
    select(element, 2);
    lobby.say("amber-fox", "New");
    await until(() => rowOf(element, 4));
    await painted();
    expect(find(element, ".pill")).toBeNull();
    document.getSelection()?.removeAllRanges();
    for (let seq = 5; seq < 40; seq++) lobby.say("amber-fox", "New");
    const field = await until(() => find<HTMLTextAreaElement>(element, "textarea"));
    field.focus();
    field.value = "To be said";
    field.select();
    lobby.say("amber-fox", "Newest");
    await until(() => rowOf(element, 40));
    await painted();
    expect(find(element, ".pill")).toBeNull();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });
});

describe("a long message", () => {
  test("unfolds for its reader to read on, and folds under their pointer", async () => {
    const { lobby, element, scroller } = await room(30);
    lobby.say("amber-fox", "A long one.\n\n".repeat(200));
    const toggle = await until(() => find(element, ".fold-toggle"));
    await painted();
    const top = offsetOf(element, 31);
    toggle.click();
    await painted();
    expect(offsetOf(element, 31)).toBeCloseTo(top, 0);
    expect(fromEnd(scroller)).toBeGreaterThan(1000);
    scroller.scrollTop += toggle.getBoundingClientRect().top - scroller.getBoundingClientRect().bottom + 60;
    await painted();
    const place = toggle.getBoundingClientRect().top;
    toggle.click();
    await painted();
    expect(Math.abs(toggle.getBoundingClientRect().top - place)).toBeLessThanOrEqual(1);
  });
});

describe("older messages", () => {
  /** Scrolls to a place, lets the page of older messages come, and says how far the row that was seen has moved. */
  async function shiftAfterLoading(element: MeetAiRoom, scroller: HTMLElement, top: number): Promise<number> {
    await wheel(element, -10);
    await until(() => find(element, ".pill"));
    const before = findAll(element, "meet-ai-message").length;
    scroller.scrollTop = top;
    const seq = firstInView(element);
    const offset = offsetOf(element, seq);
    await until(() => findAll(element, "meet-ai-message").length > before);
    await painted();
    return Math.abs(offsetOf(element, seq) - offset);
  }

  test("come in without a jump at the very top", async () => {
    const { element, scroller } = await room(300);
    expect(await shiftAfterLoading(element, scroller, 0)).toBeLessThanOrEqual(1);
    expect(findAll(element, "meet-ai-message").length).toBeGreaterThanOrEqual(100);
  });

  test("come in without a jump in the middle of the list", async () => {
    const { element, scroller } = await room(300);
    expect(await shiftAfterLoading(element, scroller, 500)).toBeLessThanOrEqual(1);
  });

  test("whose height comes late push nothing away", async () => {
    const { element, scroller } = await room(300);
    await shiftAfterLoading(element, scroller, 300);
    const seq = firstInView(element);
    const offset = offsetOf(element, seq);
    for (const row of findAll(element, "meet-ai-message").slice(0, 30)) row.style.paddingBottom = "23px";
    await painted();
    expect(Math.abs(offsetOf(element, seq) - offset)).toBeLessThanOrEqual(1);
  });

  test("that change their heights again and again, by fractions of a px, never add up to a shift", async () => {
    const { element, scroller } = await room(300);
    await shiftAfterLoading(element, scroller, 300);
    const seq = firstInView(element);
    const offset = offsetOf(element, seq);
    const above = findAll(element, "meet-ai-message")[0] as HTMLElement;
    let worst = 0;
    for (let change = 1; change <= 30; change++) {
      above.style.paddingBottom = `${change * 1.4}px`;
      await painted();
      worst = Math.max(worst, Math.abs(offsetOf(element, seq) - offset));
    }
    expect(worst).toBeLessThanOrEqual(1);
  });

  test("that become shorter pull nothing along, even near the newest end", async () => {
    const { element, scroller } = await room(60);
    const above = findAll(element, "meet-ai-message")[0] as HTMLElement;
    above.style.paddingBottom = "400px";
    await painted();
    await wheel(element, -100);
    await until(() => find(element, ".pill"));
    await until(() => fromEnd(scroller) > 90);
    await painted();
    const seq = firstInView(element);
    const offset = offsetOf(element, seq);
    above.style.paddingBottom = "";
    await painted();
    expect(Math.abs(offsetOf(element, seq) - offset)).toBeLessThanOrEqual(1);
  });

  test("are loaded up to the start of the room, which says so", async () => {
    const { element, scroller } = await room(120);
    await wheel(element, -10);
    await until(() => find(element, ".pill"));
    await until(() => {
      scroller.scrollTop = 0;
      return rowOf(element, 1);
    });
    expect(find(element, ".edge")?.textContent).toContain("begins");
  });

  test("that can't be loaded are asked for again by a button", async () => {
    const { lobby, element, scroller } = await room(120);
    lobby.pagesFail = true;
    await wheel(element, -10);
    await until(() => find(element, ".pill"));
    scroller.scrollTop = 0;
    const again = await until(() => find(element, ".edge button"));
    lobby.pagesFail = false;
    again.click();
    await until(() => findAll(element, "meet-ai-message").length === 100);
  });

  test("ten thousand of them: never more than 500 rows, and the way back is one click", async () => {
    const { element, scroller } = await room(10_000);
    await wheel(element, -10);
    await until(() => find(element, ".pill"));
    let most = 0;
    await until(() => {
      scroller.scrollTop = 0;
      const rows = findAll(element, "meet-ai-message").length;
      most = Math.max(most, rows);
      return rowOf(element, 9_201);
    });
    expect(most).toBeLessThanOrEqual(500);
    find(element, ".pill")?.click();
    await until(() => rowOf(element, 10_000));
    await painted();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });
});

describe("a message that is linked to", () => {
  test("is loaded, shown in the upper half and marked; what is newer loads on the way down", async () => {
    const { element, scroller } = await room(1_000);
    await element.scrollToMessage(300);
    const row = await until(() => find(element, ".marked"));
    expect(row.dataset.seq).toBe("300");
    expect(offsetOf(element, 300)).toBeGreaterThan(0);
    expect(offsetOf(element, 300)).toBeLessThan(scroller.clientHeight / 2);
    await until(() => {
      scroller.scrollTop = scroller.scrollHeight;
      return rowOf(element, 400);
    });
  });

  test("is followed by the page's address", async () => {
    server.room("lobby").fill(1_000);
    location.hash = "#msg-42";
    const { element } = mount(server);
    const row = await until(() => find(element, ".marked"));
    expect(row.dataset.seq).toBe("42");
    history.replaceState(null, "", location.pathname + location.search);
  });

  test("that is none, or is not there, leaves everything as it is", async () => {
    const { lobby, element, scroller } = await room(60);
    lobby.erase(58);
    await until(() => find(element, ".deleted"));
    await element.scrollToMessage(61);
    await element.scrollToMessage(999);
    await painted();
    expect(find(element, ".pill")).toBeNull();
    expect(fromEnd(scroller)).toBeLessThan(2);
  });

  test("a reply leads to what it answers", async () => {
    const { lobby, element } = await room(60);
    lobby.say("amber-fox", "As you said", { replyTo: 20 });
    const quote = await until(() => find(element, ".quote"));
    expect(quote.textContent).toContain("Message 20");
    quote.click();
    await until(() => find(element, ".marked")?.dataset.seq === "20");
  });
});

test("days and runs are told apart", async () => {
  server.room("lobby").fill(4, (index) => ({
    createdAt: new Date(2026, 10, index < 2 ? 20 : 21, 12, 0, index).toISOString(),
    sender: index === 3 ? "swift-otter/claude" : "swift-otter",
  }));
  const { element } = mount(server);
  await until(() => contents(element).length === 4);
  expect(findAll(element, ".day").map(({ textContent }) => textContent?.trim())).toEqual([
    "Friday, November 20, 2026",
    "Saturday, November 21, 2026",
  ]);
  expect(findAll(element, "meet-ai-message").map((row) => row.classList.contains("leads"))).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

test("a draft streams in place: finished paragraphs keep their nodes and the selection, and become the message", async () => {
  const { lobby, element } = await room(10);
  const draft = (append: string) => lobby.update({ drafts: [{ id: "d1", sender: "swift-otter/claude", append }] });
  draft("The first paragraph.\n\nThe sec");
  const row = await until(() => find(element, "meet-ai-message.draft"));
  const first = await until(() => row.querySelector(".content p"));
  const range = document.createRange();
  range.selectNodeContents(first);
  document.getSelection()?.addRange(range);
  let text = "The first paragraph.\n\nThe sec";
  for (let chunk = 0; chunk < 500; chunk++) {
    const append = chunk % 25 === 0 ? `\n\nParagraph ${chunk} ` : `word${chunk} `;
    text += append;
    draft(append);
    if (chunk % 50 === 0) await painted();
  }
  await painted();
  expect(row.querySelector(".content p")).toBe(first);
  expect(document.getSelection()?.toString()).toBe("The first paragraph.");
  lobby.say("swift-otter/claude", text.trim(), { id: "d1" });
  await until(() => !find(element, "meet-ai-message.draft"));
  expect(rowOf(element, 11)).toBe(row);
  expect(row.querySelector(".content p")).toBe(first);
  expect(document.getSelection()?.toString()).toBe("The first paragraph.");
  document.getSelection()?.removeAllRanges();
});
