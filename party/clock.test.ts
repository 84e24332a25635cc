import { expect, it } from "vitest";
import { ageOf } from "./clock.ts";

it("is what has passed, and more than anything for a time that is still to come", () => {
  expect([ageOf(1_000, 1_000), ageOf(1_000, 4_000)]).toEqual([0, 3_000]);
  expect(ageOf(1_001, 1_000)).toBe(Number.POSITIVE_INFINITY);
  expect(ageOf(Number.NEGATIVE_INFINITY, 1_000)).toBe(Number.POSITIVE_INFINITY);
});
