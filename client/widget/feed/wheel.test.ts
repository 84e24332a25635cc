/**
 * Older messages come in while the reader's wheel turns: what they see moves by what the wheel moves, and by nothing
 * else.
 *
 * A wheel event that comes through the DevTools protocol is not animated: each moves the content by its own delta, in
 * one step. So at every frame the rows that the reader began with have moved by a whole number of deltas, however many
 * of them the browser has handled by then; and in the end by all of them. Neither depends on when anything happens.
 */

import { afterEach, describe, expect, test, vi } from "vitest";
import { cdp } from "vitest/browser";
import { server } from "../../../test/browser/server.ts";
import { atRest, find, findAll, isWhole, mount, painted, turnWheel, until } from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

afterEach(() => void vi.restoreAllMocks());

/** Px that the browser moves for one event: of a wheel's notch, and of fingers that move slowly on a touchpad. */
const WHEELS = { wheel: 53, touchpad: 7 } as const;
/** Where the reader begins, px: far enough from the start for whatever they turn. */
const START = 4000;
const FARTHEST = 3000;
/** Events that the browser may have before it: else a busy machine shows all frames before the wheel moves anything. */
const AHEAD = 3;
/** Frames in which both the wheel and the list have moved something, after which the test has seen enough. */
const ENOUGH = 5;

const scrollerOf = (element: MeetAiRoom) => find(element, ".scroller") as HTMLElement;
const rowsOf = (element: MeetAiRoom) => findAll(element, "meet-ai-message");

/** Where a row stands in the view, px. */
const offsetOf = (element: MeetAiRoom, row: Element) =>
  row.getBoundingClientRect().top - scrollerOf(element).getBoundingClientRect().top;

/** Several lines of Markdown, which takes another height than its text as it is. */
const markdown = (index: number) =>
  `# Title ${index}\n\n- one\n- two\n\n\`\`\`ts\nconst x = ${index};\nconst y = 2;\n\`\`\`\n\nA last paragraph.`;

/** A reader in the middle of a long list, who has been at its start: the page before it is asked for, and held. */
async function reader() {
  server.rooms.clear();
  const lobby = server.room("lobby").fill(400, (index) => ({ content: markdown(index) }));
  let release = () => {};
  lobby.pagesHeldUntil = new Promise((resolve) => {
    release = resolve;
  });
  server.fetched.length = 0;
  const { element, box } = mount(server);
  const scroller = await until(() => find(element, ".scroller"));
  await until(() => isWhole(element, 50));
  await painted();
  scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));
  // Near the start and not at it: there, what the wheel turns before the browser has caught up would come to nothing.
  scroller.scrollTop = 700;
  await until(() => server.fetched.length === 1);
  // For a while the browser may give what the wheel turns to the list that has had it last, which is gone.
  for (const top = scroller.scrollTop; scroller.scrollTop === top; await painted()) await turn(scroller, 1);
  await atRest(scroller);
  scroller.scrollTop = START;
  await atRest(scroller);
  expect(scroller.scrollTop).toBe(START);
  const view = scroller.getBoundingClientRect();
  const row = rowsOf(element).find((candidate) => candidate.getBoundingClientRect().top >= view.top) as HTMLElement;
  const wheel = { turned: 0 };
  const count = ({ deltaY }: WheelEvent) => {
    wheel.turned -= deltaY;
  };
  scroller.addEventListener("wheel", count, { passive: true });
  return { element, box, scroller, row, wheel, start: offsetOf(element, row), release };
}

/** Turns the wheel upwards by `delta` px. */
const turn = (scroller: HTMLElement, delta: number) => turnWheel(scroller, -delta);

/**
 * What `look` sees in the next frame, as it is painted: after what has changed since the last one is laid out, and after
 * whoever observes sizes has done what they do about it. A task between two frames would see what nobody ever sees.
 */
async function asPainted<Seen>(look: () => Seen): Promise<Seen> {
  await new Promise(requestAnimationFrame);
  const probe = document.createElement("div");
  probe.style.cssText = "position: fixed; inline-size: 0; block-size: 0";
  document.body.append(probe);
  return new Promise((resolve) => {
    const observer = new ResizeObserver(() => {
      // It is called for having begun to observe, in this same frame and after the observers that began before it.
      observer.disconnect();
      probe.remove();
      resolve(look());
    });
    observer.observe(probe);
  });
}

/** The first row in view and where it stands, px. */
function placeOf(element: MeetAiRoom) {
  const { top } = scrollerOf(element).getBoundingClientRect();
  const row = rowsOf(element).find((candidate) => candidate.getBoundingClientRect().bottom > top) as HTMLElement;
  return { seq: row.dataset.seq, offset: offsetOf(element, row) };
}

/** How rows that have come in change their heights afterwards. */
interface Lateness {
  /** Before they come. */
  readonly prepare?: () => void;
  /** Between two frames, as a task of the page's would, as long as it takes. */
  readonly change?: (arrived: readonly HTMLElement[], frame: number) => void;
}

const LATENESSES: Record<string, Lateness> = {
  "laid out at once": {},
  "rendered late, one by one": { prepare: renderOneByOne },
  "growing late, one by one": {
    change: (arrived, frame) => {
      (arrived[frame % arrived.length] as HTMLElement).style.paddingBottom = `${17.3 + (frame % 3) * 10.4}px`;
    },
  },
  "growing and shrinking late, all at once": {
    change: (arrived, frame) => {
      for (const row of arrived) row.style.paddingBottom = frame % 2 === 0 ? "31px" : "";
    },
  },
};

/** No slice has time for more than one message. */
function renderOneByOne(): void {
  let now = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => {
    now += 100;
    return now;
  });
}

/** Turns the wheel, an event a frame, until the page has come in and has done all that it does late. */
async function turnWhileLoading(
  { element, scroller, row, wheel, start, release }: Awaited<ReturnType<typeof reader>>,
  delta: number,
  { prepare, change }: Lateness,
) {
  const before = new Set(rowsOf(element));
  const sent: Promise<void>[] = [];
  let strayed = 0;
  let coincided = 0;
  let previous = { moved: 0, height: scroller.scrollHeight };
  prepare?.();
  for (let frame = 0, since = 0; since < 10 || (change && coincided < ENOUGH); frame++) {
    // Even then something has been seen, if less.
    if ((sent.length + 1) * delta > FARTHEST) break;
    sent.push(turn(scroller, delta));
    await sent.at(-AHEAD);
    const now = await asPainted(() => ({ moved: offsetOf(element, row) - start, height: scroller.scrollHeight }));
    const whole = Math.round(now.moved / delta) * delta;
    const nearest = Math.min(sent.length * delta, Math.max(whole, previous.moved));
    strayed = Math.max(strayed, Math.abs(now.moved - nearest));
    if (now.height !== previous.height && now.moved > previous.moved + 1) coincided++;
    previous = now;
    if (now.moved > 3 * delta) release();
    const arrived = rowsOf(element).filter((candidate) => !before.has(candidate));
    if (arrived.length === 0 || find(element, ".unrendered")) continue;
    since++;
    // In a task of its own, so that the browser tells of what the wheel has moved since when the heights are others already.
    await new Promise((resolve) => setTimeout(resolve));
    change?.(arrived, frame);
  }
  await Promise.all(sent);
  await atRest(scroller);
  return { turned: wheel.turned, strayed, coincided, moved: offsetOf(element, row) - start };
}

describe.each(Object.entries(WHEELS))("while a %s turns, %d px at a time", (_wheel, delta) => {
  test.each(Object.entries(LATENESSES))("older messages move nothing: %s", async (_name, late) => {
    const loaded = await reader();
    const { turned, strayed, coincided, moved } = await turnWhileLoading(loaded, delta, late);
    expect(rowsOf(loaded.element)).toHaveLength(100);
    if (late.change) expect(coincided).toBeGreaterThan(0);
    expect(strayed).toBeLessThanOrEqual(1);
    expect(Math.abs(moved - turned)).toBeLessThanOrEqual(1);
    const place = placeOf(loaded.element);
    loaded.box.remove();
    vi.restoreAllMocks();

    // The same wheel where nothing comes in.
    const control = await reader();
    for (let left = turned; left > 0; left -= delta) await turn(control.scroller, delta);
    await atRest(control.scroller);
    expect(control.wheel.turned).toBe(turned);
    expect(rowsOf(control.element)).toHaveLength(50);
    const expected = placeOf(control.element);
    expect(place.seq).toBe(expected.seq);
    expect(Math.abs(place.offset - expected.offset)).toBeLessThanOrEqual(1);
  });
});

/** What a browser scrolls smoothly by itself goes on from where it is, and as far as it would have gone. */
test("a scroll that is under way goes on as far as it would have, whatever comes in meanwhile", async () => {
  const scroll = async (loading: boolean) => {
    const { element, box, scroller, row, start, release } = await reader();
    row.focus({ preventScroll: true });
    const before = rowsOf(element).length;
    const key = { key: "PageUp", code: "PageUp", windowsVirtualKeyCode: 33 };
    await cdp().send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...key });
    await until(() => offsetOf(element, row) > start);
    const moving = offsetOf(element, row) - start;
    if (loading) release();
    await cdp().send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
    if (loading) await until(() => rowsOf(element).length > before);
    await atRest(scroller);
    const moved = offsetOf(element, row) - start;
    box.remove();
    return { moving, moved };
  };
  const alone = await scroll(false);
  const together = await scroll(true);
  expect(Math.abs(together.moved - alone.moved)).toBeLessThanOrEqual(1);
});
