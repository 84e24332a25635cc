import { expect, it, vi } from "vitest";
import { FURTHEST, Scheduler } from "./scheduler.ts";

/** An alarm at noon, 0 ms, with the times that were set. */
function atNoon(pending?: number) {
  const set: number[] = [];
  const clock = { now: 0 };
  const alarm = new Scheduler({
    room: () => "lobby",
    now: () => clock.now,
    set: async (at) => void set.push(at),
  });
  alarm.resume(pending ?? null);
  return { alarm, set, clock };
}

it("is set to the earliest time that anyone asked for, and writes no row for a later one", () => {
  const { alarm, set } = atNoon();
  alarm.within(10_000);
  alarm.within(20_000);
  alarm.within(10_000);
  alarm.within(500);
  expect(set).toEqual([10_000, 500]);
});

it("knows the one that survived a sleep", () => {
  const { alarm, set } = atNoon(4_000);
  alarm.within(10_000);
  expect(set).toEqual([]);
  alarm.within(1_000);
  expect(set).toEqual([1_000]);
});

it("can be set anew when it has rung", () => {
  const { alarm, set, clock } = atNoon();
  alarm.within(1_000);
  clock.now = 1_000;
  alarm.within(5_000);
  expect(set).toEqual([1_000]);
  alarm.rung();
  alarm.within(5_000);
  expect(set).toEqual([1_000, 6_000]);
});

it("is set within a year, also for what is due centuries later: the runtime refuses such a time", () => {
  const { alarm, set, clock } = atNoon();
  alarm.within(8_000 * FURTHEST);
  expect(set).toEqual([FURTHEST]);
  clock.now = FURTHEST;
  alarm.rung();
  alarm.within(7_999 * FURTHEST);
  expect(set).toEqual([FURTHEST, 2 * FURTHEST]);
});

it("is asked for again when it could not be set: an alarm is never lost for good", async () => {
  let isFull = true;
  const set = vi.fn(async () => {
    if (isFull) throw new Error("disk is full");
  });
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const alarm = new Scheduler({ room: () => "lobby", now: () => 0, set });
  alarm.within(1_000);
  await expect.poll(() => warn.mock.calls).toEqual([[expect.stringContaining('"room":"lobby"')]]);
  isFull = false;
  alarm.within(2_000);
  expect(set).toHaveBeenLastCalledWith(2_000);
  alarm.within(3_000);
  expect(set).toHaveBeenCalledTimes(2);
  warn.mockRestore();
});

it("does not rely on an alarm that should have rung long ago: the runtime drops one that failed too often", () => {
  const { alarm, set, clock } = atNoon();
  alarm.within(1_000);
  clock.now = 121_000;
  alarm.within(1_000);
  expect(set).toEqual([1_000]);
  clock.now = 200_000;
  alarm.within(1_000);
  expect(set).toEqual([1_000, 201_000]);
});
