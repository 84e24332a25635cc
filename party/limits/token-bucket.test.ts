import { expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

it("patience lasts for so many at once, and for so many a second after that", () => {
  const patience = new TokenBucket(3, 2, 0);
  expect([0, 0, 0, 0].map((now) => patience.spend(now))).toEqual([true, true, true, false]);
  expect([400, 600, 601].map((now) => patience.spend(now))).toEqual([false, true, false]);
  expect([9_000, 9_000, 9_000, 9_000].map((now) => patience.spend(now))).toEqual([true, true, true, false]);
});

it("patience is never more than it was at first, and a clock that goes back does not add to it", () => {
  const patience = new TokenBucket(2, 1, 10_000);
  expect([5_000, 5_000, 5_000].map((now) => patience.spend(now))).toEqual([true, true, false]);
  expect([90_000, 90_000, 90_000].map((now) => patience.spend(now))).toEqual([true, true, false]);
});

it("takes back what was spent, and never holds more than at first for it", () => {
  const bucket = new TokenBucket(2, 1, 0);
  expect([bucket.spend(0), bucket.spend(0), bucket.spend(0)]).toEqual([true, true, false]);
  bucket.giveBack();
  expect([bucket.spend(0), bucket.spend(0)]).toEqual([true, false]);
  for (let count = 0; count < 5; count++) bucket.giveBack();
  expect([bucket.spend(0), bucket.spend(0), bucket.spend(0)]).toEqual([true, true, false]);
});
