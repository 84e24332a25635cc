import { describe, expect, it } from "vitest";
import { configurationOf, InvalidVariable } from "./configuration.ts";

const usual = {
  GUEST_MESSAGES_PER_MINUTE: "5",
  KEY_MESSAGES_PER_MINUTE: "60",
  ROOMS_PER_DAY: "5",
  KEYS_PER_DAY: "10",
  ROTATIONS_PER_DAY: "10",
  SOCKETS_PER_ADDRESS: "500",
  LOOKUPS_PER_MINUTE: "600",
  SCANS_PER_MINUTE: "120",
  ARCHIVE_DELAY_MS: "10000",
  COPIES_PER_SECOND: "100",
  DATABASE_LIMIT_MB: "500",
  ROOM_LIMIT_MB: "0",
  DAILY_LIMITS: "true",
  HSTS_INCLUDE_SUBDOMAINS: "false",
};

/** The line that `variables` are refused with. */
function refusalOf(variables: object): string {
  try {
    configurationOf(variables);
  } catch (error) {
    if (error instanceof InvalidVariable) return error.message;
    throw error;
  }
  throw new Error("The variables were accepted.");
}

describe("a configuration", () => {
  it("has every variable as a number or a choice", () => {
    expect(configurationOf(usual)).toEqual({
      guestMessagesPerMinute: 5,
      keyMessagesPerMinute: 60,
      roomsPerDay: 5,
      keysPerDay: 10,
      rotationsPerDay: 10,
      sitesPerDay: 5,
      siteUsersPerDay: 1_000,
      siteRoomsPerDay: 100,
      publicOrigin: undefined,
      socketsPerAddress: 500,
      lookupsPerMinute: 600,
      scansPerMinute: 120,
      archiveDelay: 10_000,
      copiesPerSecond: 100,
      keepDays: 0,
      databaseBytes: 500_000_000,
      roomBytes: undefined,
      dailyLimits: true,
      reservedHandles: [],
      lobbyRules: { slow: 0, hold: "nobody", links: "anyone" },
      hstsIncludesSubdomains: false,
      logRequests: false,
      operatorSecret: undefined,
    });
  });

  it("takes the lobby's rules, and no others than there are", () => {
    const lobby = { LOBBY_SLOW: "5", LOBBY_HOLD: "newcomers", LOBBY_LINKS: "members" };
    expect(configurationOf({ ...usual, ...lobby }).lobbyRules).toEqual({
      slow: 5,
      hold: "newcomers",
      links: "members",
    });
    for (const wrong of [{ LOBBY_SLOW: "3601" }, { LOBBY_HOLD: "all" }, { LOBBY_LINKS: "" }]) {
      const [name = ""] = Object.keys(wrong);
      expect(refusalOf({ ...usual, ...wrong })).toMatch(new RegExp(`^${name} must be`));
    }
  });

  it("takes a secret of the operator's that is long enough, and never says one in a refusal", () => {
    const OPERATOR_SECRET = "a-secret-that-nobody-guesses";
    expect(configurationOf({ ...usual, OPERATOR_SECRET })).toMatchObject({ operatorSecret: OPERATOR_SECRET });
    for (const secret of [
      "",
      "hunter2",
      "a secret with spaces in it",
      "ein-geheimnis-mit-ä-darin",
      "x".repeat(40),
      "abc".repeat(10),
    ]) {
      const refusal = refusalOf({ ...usual, OPERATOR_SECRET: secret });
      expect(refusal).toMatch(/^OPERATOR_SECRET must have 22 or more characters/);
      if (secret !== "") expect(refusal).not.toContain(secret);
    }
  });

  it("may forbid what is counted, by a quota of 0", () => {
    expect(configurationOf({ ...usual, GUEST_MESSAGES_PER_MINUTE: "0" })).toMatchObject({ guestMessagesPerMinute: 0 });
  });

  it("keeps messages for ever unless it says for how many days, and at most for a hundred years", () => {
    const keepDays = (KEEP_DAYS: unknown) => configurationOf({ ...usual, KEEP_DAYS }).keepDays;
    expect([keepDays(undefined), keepDays("0"), keepDays("30"), keepDays("36500")]).toEqual([0, 0, 30, 36_500]);
    for (const wrong of ["", "-1", "1.5", "36501", "week", 30, null]) {
      expect(refusalOf({ ...usual, KEEP_DAYS: wrong })).toBe(
        `KEEP_DAYS must be a whole number from 0 to 36500, not ${JSON.stringify(wrong)}.`,
      );
    }
  });

  it("takes words that no handle may have, and refuses what is none", () => {
    const reserved = (RESERVED_HANDLES: unknown) => configurationOf({ ...usual, RESERVED_HANDLES }).reservedHandles;
    expect(reserved(" acme, big-corp\n7seas ")).toEqual(["acme", "big-corp", "7seas"]);
    expect(reserved("")).toEqual([]);
    expect(refusalOf({ ...usual, RESERVED_HANDLES: "acme, Big Corp" })).toBe(
      'RESERVED_HANDLES must have words of a-z, 0-9 and hyphens, with commas between them, not "Big".',
    );
    expect(refusalOf({ ...usual, RESERVED_HANDLES: 7 })).toMatch(/^RESERVED_HANDLES must have words/);
  });

  it("takes the origin to which sites sign, and refuses what is none", () => {
    const origin = (PUBLIC_URL: unknown) => configurationOf({ ...usual, PUBLIC_URL }).publicOrigin;
    expect([origin(undefined), origin("")]).toEqual([undefined, undefined]);
    expect(origin("https://chat.example.com/")).toBe("https://chat.example.com");
    expect(origin("http://localhost:8787")).toBe("http://localhost:8787");
    for (const wrong of ["chat.example.com", "https://chat.example.com/rooms", "ftp://chat.example.com", 7]) {
      expect(refusalOf({ ...usual, PUBLIC_URL: wrong })).toBe(
        `PUBLIC_URL must be an address such as https://chat.example.com, not ${JSON.stringify(wrong)}.`,
      );
    }
  });

  it("is read once for one environment", () => {
    expect(configurationOf(usual)).toBe(configurationOf(usual));
  });

  it.each([
    "many",
    "",
    " ",
    "-1",
    "+5",
    "1.5",
    "1e3",
    "0x10",
    "5 ",
    "Infinity",
    "NaN",
    "1000000001",
    "12345678901",
    5,
    null,
  ])("refuses %j as a number, with one line that names the variable and its value", (value) => {
    expect(refusalOf({ ...usual, GUEST_MESSAGES_PER_MINUTE: value })).toBe(
      `GUEST_MESSAGES_PER_MINUTE must be a whole number from 0 to 1000000000, not ${JSON.stringify(value)}.`,
    );
  });

  it.each(Object.keys(usual))("refuses to do without %s", (name) => {
    expect(refusalOf({ ...usual, [name]: undefined })).toMatch(new RegExp(`^${name} must be .+, not missing\\.$`));
  });

  it("refuses limits under which nobody could read", () => {
    for (const name of ["SOCKETS_PER_ADDRESS", "LOOKUPS_PER_MINUTE", "SCANS_PER_MINUTE"]) {
      expect(refusalOf({ ...usual, [name]: "0" })).toContain(`${name} must be a whole number from 1`);
    }
  });

  it("refuses a choice that is neither true nor false", () => {
    expect(refusalOf({ ...usual, HSTS_INCLUDE_SUBDOMAINS: "yes" })).toBe(
      'HSTS_INCLUDE_SUBDOMAINS must be "true" or "false", not "yes".',
    );
  });
});
