import { describe, expect, it, vi } from "vitest";
import { Batch, windowFor } from "./batch.ts";

/** A batch whose clock, timer and flushes a test moves by hand. */
function byHand(audience = 100) {
  const flushes: number[][] = [];
  const timers: { delay: number; run: () => void }[] = [];
  const clock = { now: 0 };
  let end: ((error?: Error) => void) | undefined;
  const batch = new Batch<number>({
    now: () => clock.now,
    schedule: (delay, run) => void timers.push({ delay, run }),
    audience: () => audience,
    flush: (entries) => {
      flushes.push(entries);
      return new Promise((resolve, reject) => {
        end = (error) => (error ? reject(error) : resolve());
      });
    },
  });
  return {
    batch,
    flushes,
    timers,
    clock,
    /** Ends the flush that is under way. */
    async finish(error?: Error) {
      end?.(error);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

it("sends the first after a quiet moment at once", () => {
  const { batch, flushes, timers } = byHand();
  batch.add(1);
  expect(flushes).toEqual([[1]]);
  expect(timers).toEqual([]);
});

it("never lets a lone message wait, however fast one comes after the other's answer", async () => {
  const { batch, flushes, timers, finish } = byHand(30_000);
  for (let entry = 1; entry <= 3; entry++) {
    batch.add(entry);
    await finish();
  }
  expect(flushes).toEqual([[1], [2], [3]]);
  expect(timers).toEqual([]);
});

it("has one flush under way at a time, and what comes meanwhile goes into the next, in its order (promise 2)", async () => {
  const { batch, flushes, finish } = byHand();
  for (const entry of [1, 2, 3, 4]) batch.add(entry);
  expect(flushes).toEqual([[1]]);
  await finish();
  expect(flushes).toEqual([[1], [2, 3, 4]]);
});

it("after a flush of several, gathers for a window that begins with the first that waits", async () => {
  const { batch, flushes, timers, clock, finish } = byHand(1_000);
  for (const entry of [1, 2, 3]) batch.add(entry);
  await finish();
  await finish();
  clock.now = 100;
  batch.add(4);
  batch.add(5);
  expect(flushes).toHaveLength(2);
  expect(timers.map(({ delay }) => delay)).toEqual([windowFor(1_000)]);
  timers[0]?.run();
  expect(flushes.at(-1)).toEqual([4, 5]);
});

it("is quiet again when nobody has written for a while", async () => {
  const { batch, flushes, timers, clock, finish } = byHand(1_000);
  for (const entry of [1, 2, 3]) batch.add(entry);
  await finish();
  await finish();
  clock.now = 1_000;
  batch.add(4);
  expect(flushes.at(-1)).toEqual([4]);
  expect(timers).toEqual([]);
});

it("flushes for what rides along, with nothing gathered", async () => {
  const { batch, flushes, finish } = byHand();
  batch.wake();
  batch.wake();
  expect(flushes).toEqual([[]]);
  await finish();
  expect(flushes).toEqual([[], []]);
  await finish();
  expect(flushes).toHaveLength(2);
});

it("goes on after a flush that failed: nobody waits for ever", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const { batch, flushes, finish } = byHand();
  batch.add(1);
  batch.add(2);
  await finish(new Error("of the flush"));
  expect(flushes).toEqual([[1], [2]]);
  await finish();
  batch.add(3);
  expect(flushes.at(-1)).toEqual([3]);
  expect(log).toHaveBeenCalledOnce();
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
