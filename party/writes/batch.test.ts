import { describe, expect, it, vi } from "vitest";
import { Batch, windowFor } from "./batch.ts";

/** A batch whose clock and timer a test moves by hand. */
function byHand(audience = 100) {
  const flushes: (readonly number[])[] = [];
  const timers: { delay: number; run: () => void }[] = [];
  const clock = { now: 0 };
  let during: (() => void) | undefined;
  const batch = new Batch<number>({
    room: () => "lobby",
    now: () => clock.now,
    schedule: (delay, run) => void timers.push({ delay, run }),
    audience: () => audience,
    flush: (items) => {
      flushes.push(items);
      const work = during;
      during = undefined;
      work?.();
    },
  });
  /** Lets `work` happen in the middle of the next flush. */
  const inNextFlush = (work: () => void) => {
    during = work;
  };
  return { batch, flushes, timers, clock, inNextFlush };
}

it("sends the first after a quiet moment at once", () => {
  const { batch, flushes, timers } = byHand();
  batch.add("ann", [1]);
  expect(flushes).toEqual([[1]]);
  expect(timers).toEqual([]);
});

it("never lets a lone author wait, however fast one message comes after the other's answer", () => {
  const { batch, flushes, timers } = byHand(30_000);
  for (const item of [1, 2, 3]) batch.add("ann", [item]);
  expect(flushes).toEqual([[1], [2], [3]]);
  expect(timers).toEqual([]);
});

it("takes another author within a window of the last flush for a crowd, and gathers", () => {
  const { batch, flushes, timers, clock } = byHand(1_000);
  batch.add("ann", [1]);
  clock.now = windowFor(1_000);
  batch.add("ben", [2]);
  batch.add("ann", [3]);
  expect(flushes).toEqual([[1]]);
  expect(timers.map(({ delay }) => delay)).toEqual([windowFor(1_000)]);
  timers[0]?.run();
  expect(flushes).toEqual([[1], [2, 3]]);
});

it("takes two who answer each other slower than that for no crowd", () => {
  const { batch, flushes, timers, clock } = byHand();
  batch.add("ann", [1]);
  clock.now = windowFor(100) + 1;
  batch.add("ben", [2]);
  expect(flushes).toEqual([[1], [2]]);
  expect(timers).toEqual([]);
});

it("after several at once, gathers for a window that begins with the first that waits", () => {
  const { batch, flushes, timers, clock } = byHand(1_000);
  batch.add("ann", [1, 2, 3]);
  timers.shift()?.run();
  clock.now = 100;
  batch.add("ann", [4]);
  batch.add("ann", [5]);
  expect(flushes).toEqual([[1, 2, 3]]);
  expect(timers.map(({ delay }) => delay)).toEqual([windowFor(1_000)]);
  timers[0]?.run();
  expect(flushes.at(-1)).toEqual([4, 5]);
});

it("is quiet again when nobody has written for a while", () => {
  const { batch, flushes, timers, clock } = byHand(1_000);
  batch.add("ann", [1, 2, 3]);
  timers.shift()?.run();
  clock.now = 1_000;
  batch.add("ann", [4]);
  expect(flushes.at(-1)).toEqual([4]);
  expect(timers).toEqual([]);
});

it("flushes for what rides along, with nothing gathered; in the middle of a flush a little later", () => {
  const { batch, flushes, timers, inNextFlush } = byHand();
  inNextFlush(() => batch.wake());
  batch.wake();
  expect(flushes).toEqual([[]]);
  timers.shift()?.run();
  expect(flushes).toEqual([[], []]);
  expect(timers).toEqual([]);
});

it("takes what comes in the middle of a flush into the next, in its order (promise 2)", () => {
  const { batch, flushes, timers, inNextFlush } = byHand();
  inNextFlush(() => {
    batch.add("ann", [2]);
    batch.add("ben", [3]);
  });
  batch.add("ann", [1]);
  timers.shift()?.run();
  expect(flushes).toEqual([[1], [2, 3]]);
});

it("goes on after a flush that failed: nobody waits for ever", () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const { batch, flushes, inNextFlush } = byHand();
  inNextFlush(() => {
    throw new Error("of the flush");
  });
  batch.add("ann", [1]);
  batch.add("ann", [2]);
  expect(flushes).toEqual([[1], [2]]);
  expect(log.mock.calls).toEqual([[expect.stringContaining('"room":"lobby"')]]);
  log.mockRestore();
});

describe("the window", () => {
  it.each([
    [0, 2],
    [100, 4],
    [500, 12],
    [2_000, 42],
    [30_000, 50],
  ])("before %d sockets is %d ms", (sockets, ms) => {
    expect(windowFor(sockets)).toBe(ms);
  });
});
