import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { READ_WITHIN, streamOf } from "./export-stream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Pages without an end, which know how many were asked for and whether they were let go. */
function endless() {
  const seen = { asked: 0, isReturned: false, ended: 0 };
  async function* pages() {
    try {
      for (;;) yield `page ${++seen.asked}\n`;
    } finally {
      seen.isReturned = true;
    }
  }
  return { seen, stream: streamOf(pages(), () => seen.ended++) };
}

test("an export reads no page before the one before it is taken", async () => {
  const { seen, stream } = endless();
  const reader = stream.getReader();
  await reader.read();
  await reader.read();
  expect(seen).toEqual({ asked: 2, isReturned: false, ended: 0 });
});

test("an export that is not read any more ends, and lets go of what it has", async () => {
  const { seen, stream } = endless();
  const reader = stream.getReader();
  await reader.read();
  await vi.advanceTimersByTimeAsync(READ_WITHIN - 1);
  expect(seen.ended).toBe(0);
  await reader.read();
  await vi.advanceTimersByTimeAsync(READ_WITHIN);
  expect(seen).toEqual({ asked: 2, isReturned: true, ended: 1 });
  await expect(reader.read()).rejects.toThrow("Nobody has read this for 60 s.");
});

test("an export whose reader goes ends once, and no timer is left", async () => {
  const { seen, stream } = endless();
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  expect(seen).toMatchObject({ isReturned: true, ended: 1 });
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(READ_WITHIN);
  expect(seen.ended).toBe(1);
});

test("an export that fails ends, and the reader hears of it", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  let ended = 0;
  // biome-ignore lint/correctness/useYield: it fails before its first page.
  const failing = async function* (): AsyncGenerator<string> {
    throw new Error("away");
  };
  const reader = streamOf(failing(), () => ended++).getReader();
  await expect(reader.read()).rejects.toThrow("away");
  expect(ended).toBe(1);
});
