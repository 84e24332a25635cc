import { expect, it } from "vitest";
import { PrincipalQuota } from "./principal-quota.ts";

const NOON = 1_800_000_000_000;

it("lets a principal have so many in any minute, and no other pay for it", () => {
  const quota = new PrincipalQuota("drafts");
  for (let begun = 0; begun < 5; begun++)
    expect(quota.take("address:192.0.2.1", 5, NOON + begun * 1_000)).toBeUndefined();
  expect(quota.take("address:192.0.2.1", 5, NOON + 30_000)).toEqual({
    fault: "rate_limited",
    message: "At most 5 drafts in 60 seconds.",
    retryAfter: 30,
  });
  expect(quota.take("person:1", 60, NOON + 30_000)).toBeUndefined();
  expect(quota.take("address:192.0.2.1", 5, NOON + 60_000)).toBeUndefined();
  expect(quota.take("address:192.0.2.1", 5, NOON + 60_000)).toMatchObject({ retryAfter: 1 });
});

it("goes on counting those that are busy when many come", () => {
  const quota = new PrincipalQuota("drafts");
  quota.take("address:192.0.2.1", 1, NOON);
  for (let other = 0; other < 30_000; other++) {
    quota.take(`person:${other}`, 60, NOON + 1);
    if (other % 5_000 === 0) {
      expect(quota.take("address:192.0.2.1", 1, NOON + 2)).toMatchObject({ fault: "rate_limited" });
    }
  }
});
