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
  const loaded: string[] = [];
  const part = lazily(load, (found) => loaded.push(found));
  const [first, second] = [part(), part()];
  await vi.advanceTimersByTimeAsync(4_999);
  expect(load).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(load).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await Promise.all([first, second, part()])).toEqual(["part", "part", "part"]);
  expect(load).toHaveBeenCalledTimes(3);
  expect(loaded).toEqual(["part"]);
});

test("a browser that is online again does not wait, and no wait is longer than a minute", async () => {
  const load = vi.fn<() => Promise<string>>().mockRejectedValue(0);
  void lazily(load)();
  await vi.advanceTimersByTimeAsync(0);
  dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
  expect(load).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  const { length } = load.mock.calls;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(load).toHaveBeenCalledTimes(length + 1);
});

test("what waits leaves no timer and no listener behind, whichever of them ends it", async () => {
  const listeners = new Set<unknown>();
  const add = vi
    .spyOn(globalThis, "addEventListener")
    .mockImplementation((_, listener) => void listeners.add(listener));
  const remove = vi
    .spyOn(globalThis, "removeEventListener")
    .mockImplementation((_, listener) => void listeners.delete(listener));
  void lazily(() => Promise.reject(0))();
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  expect([listeners.size, vi.getTimerCount()]).toEqual([1, 1]);
  for (const listener of listeners) (listener as () => void)();
  await vi.advanceTimersByTimeAsync(0);
  expect([listeners.size, vi.getTimerCount()]).toEqual([1, 1]);
  add.mockRestore();
  remove.mockRestore();
});

test("what Chromium has failed to load it never asks for again under the same address", async () => {
  vi.useRealTimers();
  const address = `${location.origin}/not-there-${Math.random()}.js`;
  const asked: string[] = [];
  const observer = new PerformanceObserver((list) => asked.push(...list.getEntries().map(({ name }) => name)));
  observer.observe({ type: "resource" });
  void lazily(() => import(/* @vite-ignore */ address))();
  for (const tries of [1, 2]) {
    await expect.poll(() => asked.filter((name) => name.startsWith(address))).toHaveLength(tries);
    dispatchEvent(new Event("online"));
  }
  expect(asked.filter((name) => name.startsWith(address))).toEqual([address, `${address}?1`]);
  observer.disconnect();
});

test("a bundler's own loader, whose errors name an address too, is asked again", async () => {
  const refused = Object.assign(new Error(`Loading chunk 5 failed. (error: ${location.origin}/chunk-5.js)`), {
    name: "ChunkLoadError",
  });
  const load = vi.fn<() => Promise<string>>().mockRejectedValueOnce(refused).mockResolvedValue("part");
  const part = lazily(load)();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await part).toBe("part");
  expect(load).toHaveBeenCalledTimes(2);
});
