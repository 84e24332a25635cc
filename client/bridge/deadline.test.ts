import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Deadline } from "./deadline.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("comes after its time, without that for which it was held", async () => {
  const over = vi.fn();
  const deadline = new Deadline(1_000, over);
  await vi.advanceTimersByTimeAsync(900);
  const [one, two] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
  const held = deadline.hold(one.promise);
  const other = deadline.hold(two.promise);
  await vi.advanceTimersByTimeAsync(60_000);
  one.resolve("allowed");
  expect(await held).toBe("allowed");
  await vi.advanceTimersByTimeAsync(60_000);
  two.resolve();
  await other;
  await vi.advanceTimersByTimeAsync(99);
  expect(over).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2);
  expect(over).toHaveBeenCalledOnce();
});

it("does not come when it is cancelled, also while it is held", async () => {
  const over = vi.fn();
  const deadline = new Deadline(1_000, over);
  const work = Promise.withResolvers<void>();
  const held = deadline.hold(work.promise);
  deadline.cancel();
  work.resolve();
  await held;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(over).not.toHaveBeenCalled();
});
