import { describe, expect, it } from "vitest";
import { dateAndTime } from "../times.ts";
import { archiveWords } from "./archive-words.ts";

const SINCE = "2026-11-24T12:00:00.000Z";
const UNTIL = "2026-12-03T10:00:00.000Z";
const hold = { since: SINCE, nextTry: SINCE, placesLeft: 12_345, lastsUntil: UNTIL };

describe("what an owner is told of the archive", () => {
  it("is nothing while all is well", () => {
    expect(archiveWords({ hold: null, databaseShare: null, dayShare: null })).toBe("");
  });

  it("is how full the database is, from where it is worth saying", () => {
    expect(archiveWords({ hold: null, databaseShare: 0.8399, dayShare: null })).toMatch(
      /^The server's database is 83 % full\. /,
    );
  });

  it("is how much of the day is used", () => {
    expect(archiveWords({ hold: null, databaseShare: null, dayShare: 0.85 })).toMatch(
      /^The server has used about 85 % of/,
    );
    expect(archiveWords({ hold: null, databaseShare: 0.9, dayShare: 0.85 })).toMatch(/90 % full\. .* about 85 % of/);
  });

  it("is since when it is full, how long the room lasts, and when it goes on", () => {
    expect(archiveWords({ hold: { ...hold, limit: "full" }, databaseShare: 1, dayShare: 0.9 })).toBe(
      `The server's database is full, since ${dateAndTime(SINCE)}. Nothing is lost: this room keeps new messages by itself. ` +
        `It has room for about 12,345 more messages, at this pace until ${dateAndTime(UNTIL)}. ` +
        "It goes on by itself when the server's operator has made room.",
    );
    const day = archiveWords({
      hold: { ...hold, limit: "day", lastsUntil: null },
      databaseShare: null,
      dayShare: null,
    });
    expect(day).toContain("for about 12,345 more messages. It goes on by itself after 00:00 UTC.");
    const disk = archiveWords({
      hold: { ...hold, limit: "full", placesLeft: null },
      databaseShare: null,
      dayShare: null,
    });
    expect(disk).toContain("by itself. It goes on by itself when");
  });
});
