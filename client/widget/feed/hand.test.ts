/**
 * Whoever moves the log upwards leaves the newest end, whatever they move it with and however fast an agent streams;
 * whoever comes back to the end follows again.
 *
 * A piece of a draft comes with each step of a hand, so that there is hardly a frame in which only the hand moves.
 */

import { afterEach, describe, expect, test } from "vitest";
import { cdp } from "vitest/browser";
import type { FakeRoom } from "../../../test/browser/fake-server.ts";
import { server } from "../../../test/browser/server.ts";
import {
  atRest,
  find,
  findAll,
  fromEnd,
  isWhole,
  mount,
  painted,
  pointOf,
  until,
} from "../../../test/browser/widget.ts";
import type { MeetAiRoom } from "../index.ts";

let isDown = false;

/** `timestamp`: seconds since 1970; without one, when the browser gets it. */
async function touch(
  type: "touchStart" | "touchMove" | "touchEnd" | "touchCancel",
  touchPoints: { x: number; y: number }[],
  timestamp?: number,
) {
  isDown = touchPoints.length > 0;
  await cdp().send("Input.dispatchTouchEvent", { type, touchPoints, ...(timestamp && { timestamp }) });
}

afterEach(async () => {
  // No finger of a test that failed is left on the screen.
  if (isDown) await touch("touchCancel", []);
  await cdp().send("Emulation.setTouchEmulationEnabled", { enabled: false });
});

interface Streamed {
  readonly lobby: FakeRoom;
  readonly element: MeetAiRoom;
  readonly scroller: HTMLElement;
  /** In the view, and no hand of these tests moves it out. */
  readonly row: HTMLElement;
  /** The first answer to a question. */
  readonly button?: HTMLElement;
}

/** A reader at the newest end, and an agent that writes. */
async function streamed({ isAsked = false } = {}): Promise<Streamed> {
  const lobby = server.room("lobby").fill(isAsked ? 59 : 60);
  if (isAsked) lobby.ask("swift-otter/claude", "Deploy?", ["Yes", "No"], { guests: true });
  const { element } = mount(server, {}, { width: 400, height: 560 });
  await until(() => isWhole(element, 50));
  const scroller = find(element, ".scroller") as HTMLElement;
  const row = findAll(element, "meet-ai-message").at(-4) as HTMLElement;
  await piece(lobby);
  await until(() => find(element, ".draft"));
  await painted();
  expect(fromEnd(scroller)).toBeLessThan(2);
  return { lobby, element, scroller, row };
}

/** The same, with a question above what the agent writes. */
async function asked() {
  const seen = await streamed({ isAsked: true });
  return { ...seen, button: await until(() => find(seen.element, ".options button")) };
}

/** The next line of what the agent writes, as it is painted. */
async function piece(lobby: FakeRoom): Promise<void> {
  lobby.update({ drafts: [{ id: "d", sender: "swift-otter/claude", append: "- One more line\n" }] });
  await painted();
}

const topOf = (row: HTMLElement) => row.getBoundingClientRect().top;

/** Pieces come, and nothing moves. */
async function expectToStay(lobby: FakeRoom, element: MeetAiRoom, row: HTMLElement): Promise<void> {
  expect(find(element, ".pill")).not.toBeNull();
  const top = topOf(row);
  let worst = 0;
  for (let count = 0; count < 6; count++) {
    await piece(lobby);
    worst = Math.max(worst, Math.abs(topOf(row) - top));
  }
  expect(worst).toBeLessThanOrEqual(1);
}

/** Pieces come, until the newest is in view, and stays there. */
async function expectToFollow(lobby: FakeRoom, element: MeetAiRoom, scroller: HTMLElement): Promise<void> {
  for (let count = 0; find(element, ".pill") && count < 100; count++) await piece(lobby);
  expect(find(element, ".pill")).toBeNull();
  for (let count = 0; count < 3; count++) {
    await piece(lobby);
    expect(fromEnd(scroller)).toBeLessThan(2);
  }
}

describe("a finger", () => {
  async function finger(element: MeetAiRoom, start?: { x: number; y: number }) {
    await cdp().send("Emulation.setTouchEmulationEnabled", { enabled: true });
    const scroller = find(element, ".scroller") as HTMLElement;
    const middle = pointOf(scroller);
    // Beside the pill, which is in the middle.
    let { x, y } = start ?? { x: middle.x / 2, y: middle.y };
    let felt = false;
    const feel = () => {
      felt = true;
    };
    scroller.addEventListener("touchstart", feel, { passive: true });
    return {
      /** For a while the browser may give what is touched to the page before. */
      down: async () => {
        for (felt = false; !felt; await painted()) {
          if (isDown) await touch("touchEnd", []);
          await touch("touchStart", [{ x, y }]);
        }
      },
      lift: () => touch("touchEnd", []),
      move: (by: number) => {
        y += by;
        return touch("touchMove", [{ x, y }]);
      },
      /** Moves and lifts while it moves: as fast as the events say, however fast they come. */
      fling: async (by: number) => {
        const start = Date.now() / 1000;
        for (let step = 1; step <= 4; step++) {
          y += by / 4;
          await touch("touchMove", [{ x, y }], start + step * 0.01);
        }
        await touch("touchEnd", [], start + 0.05);
      },
    };
  }

  test.each([
    ["a long way", 12, false],
    ["hardly at all", 2, false],
    ["hardly at all, by a button in it", 2, true],
  ])(
    "that drags the log %s, while an agent streams, takes it along; lifted, it leaves it there",
    async (_way, steps, byButton) => {
      const { lobby, element, row, button } = await (byButton ? asked() : streamed());
      const { down, move, lift } = await finger(element, button && pointOf(button));
      await down();
      // What it takes for a touch to be a drag is not scrolled.
      await move(20);
      await until(() => find(element, ".pill"));
      const before = topOf(row);
      let last = before;
      for (let step = 0; step < steps; step++) {
        await move(15);
        await piece(lobby);
        expect(topOf(row)).toBeGreaterThanOrEqual(last - 1);
        last = topOf(row);
      }
      expect(Math.abs(last - before - steps * 15)).toBeLessThanOrEqual(1);
      await expectToStay(lobby, element, row);
      await lift();
      await expectToStay(lobby, element, row);
    },
  );

  test("that trembles near the end is not pulled to it", async () => {
    const { lobby, element, scroller, row } = await streamed();
    const { down, move, lift } = await finger(element);
    await down();
    for (const by of [30, 30, -2]) {
      await move(by);
      await painted();
    }
    expect(fromEnd(scroller)).toBeLessThan(70);
    await expectToStay(lobby, element, row);
    await lift();
    await expectToStay(lobby, element, row);
  });

  test("that flings the log upwards: it comes to rest where it would, and stays there", async () => {
    const { lobby, element, scroller, row } = await streamed();
    const { down, fling } = await finger(element);
    await down();
    const before = topOf(row);
    await fling(100);
    let last = topOf(row);
    await atRest(scroller, async () => {
      await piece(lobby);
      expect(topOf(row)).toBeGreaterThanOrEqual(last - 1);
      last = topOf(row);
    });
    expect(last - before).toBeGreaterThan(100);
    await expectToStay(lobby, element, row);
  });

  test("that brings the log back to its end: what comes is in view again", async () => {
    const { lobby, element, scroller } = await streamed();
    const { down, move, lift } = await finger(element);
    await down();
    for (let step = 0; step < 8; step++) {
      await move(20);
      await painted();
    }
    await until(() => find(element, ".pill"));
    for (let step = 0; step < 12; step++) {
      await move(-30);
      await painted();
    }
    await until(() => !find(element, ".pill"));
    await lift();
    await expectToFollow(lobby, element, scroller);
  });

  test("that flings the log back to its end during a stream: what comes is in view again", async () => {
    const { lobby, element, scroller } = await streamed();
    const { down, move, lift, fling } = await finger(element);
    await down();
    for (let step = 0; step < 8; step++) {
      await move(20);
      await piece(lobby);
    }
    await lift();
    await until(() => find(element, ".pill"));
    await down();
    // The finger alone does not reach it.
    expect(fromEnd(scroller)).toBeGreaterThan(300);
    await fling(-200);
    await expectToFollow(lobby, element, scroller);
  });
});

describe("a key", () => {
  /** Down and up again. */
  async function strike(key: string, windowsVirtualKeyCode: number, modifiers = 0) {
    const stroke = { key, code: key === " " ? "Space" : key, windowsVirtualKeyCode, modifiers };
    await cdp().send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...stroke });
    if (key === " ") await cdp().send("Input.dispatchKeyEvent", { type: "char", text: " ", ...stroke });
    await cdp().send("Input.dispatchKeyEvent", { type: "keyUp", ...stroke });
  }

  test.each([
    ["ArrowUp on the log itself", "ArrowUp", 38],
    ["PageUp on the log itself", "PageUp", 33],
    ["Home on the log itself", "Home", 36],
    ["Shift and the space bar on the log itself", " ", 32, 8],
    ["ArrowUp on a button in it", "ArrowUp", 38],
  ] as const)("%s, during a stream, leaves the end", async (name, key, code, modifiers?: number) => {
    const { lobby, element, scroller, row, button } = await (name.includes("button") ? asked() : streamed());
    scroller.tabIndex = 0;
    (button ?? scroller).focus({ preventScroll: true });
    const before = topOf(row);
    await strike(key, code, modifiers);
    // A piece that comes before the browser has begun to move the list is followed.
    await until(() => topOf(row) > before);
    await atRest(scroller, () => piece(lobby));
    expect(topOf(row)).toBeGreaterThan(before + 20);
    await expectToStay(lobby, element, row);
  });

  test("End on the log itself, during a stream, is back at it", async () => {
    const { lobby, element, scroller } = await streamed();
    scroller.tabIndex = 0;
    scroller.focus({ preventScroll: true });
    await strike("PageUp", 33);
    await until(() => find(element, ".pill"));
    await atRest(scroller, () => piece(lobby));
    await strike("End", 35);
    await piece(lobby);
    await until(() => !find(element, ".pill"));
    await expectToFollow(lobby, element, scroller);
  });
});

test("a field that measures itself, as it does where a browser can't size it, takes nobody from the end", async () => {
  const { lobby, element, scroller } = await streamed();
  const field = await until(() => find<HTMLTextAreaElement>(element, "textarea"));
  const box = field.parentElement as HTMLElement;
  box.style.cssText = "flex: none; height: 90px";
  scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: 1 }));
  await piece(lobby);
  expect(fromEnd(scroller)).toBeLessThan(2);
  const top = scroller.scrollTop;
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true, composed: true }));
  box.style.height = "50px";
  expect(fromEnd(scroller)).toBeLessThan(2);
  expect(scroller.scrollTop).toBeLessThan(top - 30);
  box.style.height = "90px";
  await painted();
  await expectToFollow(lobby, element, scroller);
});

describe("a mouse", () => {
  // Browsers under test have no scrollbars, and not every one scrolls by its middle button. All that the page hears of
  // either is a button that goes down, and then the list moves, a little at a time.
  test.each([
    ["that drags the scrollbar", "left", ["mousePressed"]],
    ["whose middle button has started the browser's own scrolling", "middle", ["mousePressed", "mouseReleased"]],
  ] as const)("%s, slowly and during a stream, leaves the end, and comes back to it", async (_name, button, events) => {
    const { lobby, element, scroller, row } = await streamed();
    const press = (type: "mousePressed" | "mouseReleased") =>
      cdp().send("Input.dispatchMouseEvent", { type, ...pointOf(scroller), button, clickCount: 1 });
    for (const type of events) await press(type);
    const before = topOf(row);
    for (let step = 0; step < 8; step++) {
      scroller.scrollTop -= 3;
      await piece(lobby);
    }
    expect(Math.abs(topOf(row) - before - 24)).toBeLessThanOrEqual(1);
    await expectToStay(lobby, element, row);
    scroller.scrollTop = scroller.scrollHeight;
    await expectToFollow(lobby, element, scroller);
    await press("mouseReleased");
  });
});
