import { describe, expect, it } from "vitest";
import { databaseLimit, untilMidnight } from "./database-limit.ts";

describe("a limit of D1's", () => {
  it.each([
    ["D1_ERROR: Exceeded maximum DB size.", "full"],
    ["D1_ERROR: Exceeded maximum DB size: SQLITE_FULL", "full"],
    ["D1_ERROR: Your account has exceeded D1's maximum account storage limit, please contact Cloudflare.", "full"],
    ["D1_ERROR: database or disk is full: SQLITE_FULL", "full"],
    [
      "D1_ERROR: Your account has exceeded D1's free tier daily row write limit. Upgrade to a paid plan or wait until tomorrow (midnight UTC) to continue.",
      "day",
    ],
    ["Your account has exceeded D1's free tier daily row read limit.", "day"],
    ["D1_ERROR: Network connection lost.", undefined],
    ["D1_ERROR: D1 DB is overloaded. Requests queued for too long.", undefined],
    ["D1_ERROR: database is locked: SQLITE_BUSY", undefined],
    ["D1_ERROR: too big", undefined],
    ["D1 did not answer within 30000 ms.", undefined],
  ])("%s is %s", (message, limit) => {
    expect(databaseLimit(new Error(message))).toBe(limit);
    expect(databaseLimit(message)).toBe(limit);
  });

  it("of the day ends at midnight, UTC", () => {
    expect(untilMidnight(Date.parse("2026-11-24T23:59:59.000Z"))).toBe(1_000);
    expect(untilMidnight(Date.parse("2026-11-24T00:00:00.000Z"))).toBe(24 * 60 * 60_000);
  });
});
