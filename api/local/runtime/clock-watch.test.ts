import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LOOKED_EVERY, TOLERATED, watchClock } from "./clock-watch.ts";

const HOUR = 3_600_000;

const steps: number[] = [];
let handled = Promise.withResolvers<void>();
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  steps.length = 0;
  handled = Promise.withResolvers();
  stop = watchClock((by) => {
    steps.push(by);
    return handled.promise;
  });
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

/** The time of day is another from now on; the time that the process has run is not. */
async function setClock(by: number): Promise<void> {
  vi.setSystemTime(Date.now() + by);
  await vi.advanceTimersByTimeAsync(LOOKED_EVERY);
}

it("tells of a clock that was set back, each time once", async () => {
  await setClock(-5 * HOUR);
  expect(steps).toEqual([5 * HOUR]);
  handled.resolve();
  await vi.advanceTimersByTimeAsync(10 * LOOKED_EVERY);
  expect(steps).toEqual([5 * HOUR]);
  await setClock(-HOUR);
  expect(steps).toEqual([5 * HOUR, HOUR]);
});

it("says nothing of time that passes, of a clock that is set ahead, and of a small step back", async () => {
  await vi.advanceTimersByTimeAsync(HOUR);
  await setClock(5 * HOUR);
  await setClock(-TOLERATED);
  expect(steps).toEqual([]);
});

it("tells of what happens meanwhile when the step before is dealt with", async () => {
  await setClock(-HOUR);
  await setClock(-2 * HOUR);
  expect(steps).toEqual([HOUR]);
  handled.resolve();
  await vi.advanceTimersByTimeAsync(LOOKED_EVERY);
  expect(steps).toEqual([HOUR, 2 * HOUR]);
});

it("stops when it is told to", async () => {
  stop();
  await setClock(-HOUR);
  expect(steps).toEqual([]);
});
