import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lazily } from "./lazy.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a part that did not load is tried again, less and less often, until it is there for everybody who waits", async () => {
  const load = vi
    .fn<() => Promise<string>>()
    .mockRejectedValueOnce(0)
    .mockRejectedValueOnce(0)
    .mockResolvedValue("part");
  const part = lazily(load);
  const [first, second] = [part(), part()];
  await vi.advanceTimersByTimeAsync(4_999);
  expect(load).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(load).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await Promise.all([first, second, part()])).toEqual(["part", "part", "part"]);
  expect(load).toHaveBeenCalledTimes(3);
});
