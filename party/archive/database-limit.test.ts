import { describe, expect, it } from "vitest";
import { databaseLimit, isDatabaseAway, untilMidnight } from "./database-limit.ts";

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

describe("D1", () => {
  it.each([
    ["D1_ERROR: Network connection lost.", true],
    ["D1_ERROR: D1 DB is overloaded. Requests queued for too long.", true],
    ["D1_ERROR: Failed to get session commit token: internal error; reference = 3qd7d7fl2gnemsov3d1v380l", true],
    ["D1_ERROR: database is locked: SQLITE_BUSY", true],
    ["D1_EXEC_ERROR: Error in line 1: SELECT 1: Network connection lost.", true],
    ["D1 did not answer within 5000 ms.", true],
    ["D1_ERROR: no such table: api_keys: SQLITE_ERROR", false],
    ["D1_ERROR: UNIQUE constraint failed: api_keys.handle: SQLITE_CONSTRAINT", false],
    ['D1_ERROR: near "FORM": syntax error at offset 9: SQLITE_ERROR', false],
    ["D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'", false],
    ["The room's D1_ERROR: is told by somebody else", false],
    ["Cannot read properties of undefined (reading 'id')", false],
  ])("that says “%s” is away: %s", (message, isAway) => {
    expect(isDatabaseAway(new Error(message))).toBe(isAway);
  });
});
