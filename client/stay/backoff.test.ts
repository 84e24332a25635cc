import { expect, test } from "vitest";
import { backoff } from "./backoff.ts";

test("waits grow from 3 s to 15 s at most, and are never under half a second", () => {
  const longest = [0, 1, 5, 50].map((failures) => Math.round(backoff(failures, 1)));
  expect(longest).toEqual([3_000, 3_900, 11_139, 15_000]);
  expect([0, 1, 5, 50].map((failures) => backoff(failures, 0))).toEqual([500, 500, 500, 500]);
});

test("every wait is spread, not only the first", () => {
  expect([0, 3, 50].map((failures) => backoff(failures, 0.9) - backoff(failures, 0.1) > 1_900)).toEqual([
    true,
    true,
    true,
  ]);
});
