import { expect, it } from "vitest";
import { DraftQuota } from "./draft-quota.ts";

const NOON = 1_800_000_000_000;

it("lets a principal begin so many drafts in any minute, and no other pay for it", () => {
  const quota = new DraftQuota();
  for (let begun = 0; begun < 5; begun++)
    expect(quota.begin("address:192.0.2.1", 5, NOON + begun * 1_000)).toBeUndefined();
  expect(quota.begin("address:192.0.2.1", 5, NOON + 30_000)).toMatchObject({ fault: "rate_limited", retryAfter: 30 });
  expect(quota.begin("key:1", 60, NOON + 30_000)).toBeUndefined();
  expect(quota.begin("address:192.0.2.1", 5, NOON + 60_000)).toBeUndefined();
  expect(quota.begin("address:192.0.2.1", 5, NOON + 60_000)).toMatchObject({ retryAfter: 1 });
});

it("goes on counting those who count when many come, and lets the others go", () => {
  const quota = new DraftQuota();
  for (let other = 0; other < 999; other++) quota.begin(`key:old-${other}`, 60, NOON);
  quota.begin("address:192.0.2.1", 1, NOON + 59_000);
  for (let other = 0; other < 50; other++) quota.begin(`key:new-${other}`, 60, NOON + 60_001);
  expect(quota.begin("address:192.0.2.1", 1, NOON + 61_000)).toMatchObject({ fault: "rate_limited" });
  expect(quota.begin("key:old-0", 1, NOON + 61_000)).toBeUndefined();
});
