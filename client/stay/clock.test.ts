import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LONGEST_TIMER, systemClock } from "./clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("what is to happen in more days than a timer can count does not happen at once", () => {
  const task = vi.fn();
  systemClock.after(30 * 86_400_000, task);
  vi.advanceTimersByTime(LONGEST_TIMER - 1);
  expect(task).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(task).toHaveBeenCalledOnce();
});
