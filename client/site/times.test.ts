import { describe, expect, it } from "vitest";
import { ago, timeLeft } from "./times.ts";

const now = Date.parse("2026-11-24T12:00:00.000Z");

describe("ago", () => {
  it.each([
    ["2026-11-24T12:00:00.000Z", "just now"],
    ["2026-11-24T11:59:01.000Z", "just now"],
    ["2026-11-24T11:59:00.000Z", "1 minute ago"],
    ["2026-11-24T09:30:00.000Z", "2 hours ago"],
    ["2026-11-23T11:00:00.000Z", "yesterday"],
    ["2026-08-20T12:00:00.000Z", "3 months ago"],
    ["2024-11-01T12:00:00.000Z", "2 years ago"],
  ])("says of %s: %s", (time, words) => {
    expect(ago(time, now)).toBe(words);
  });

  it("says just now of a time ahead, as of a clock that is a little off", () => {
    expect(ago("2026-11-24T12:00:05.000Z", now)).toBe("just now");
  });
});

it.each([
  ["2026-11-24T11:59:00.000Z", "1 minute left"],
  ["2026-11-24T12:00:20.000Z", "1 minute left"],
  ["2026-11-24T12:10:00.000Z", "10 minutes left"],
  ["2026-11-24T13:00:00.000Z", "60 minutes left"],
  ["2026-11-24T14:01:00.000Z", "2 hours left"],
  ["2026-11-27T12:00:00.000Z", "3 days left"],
  ["2027-11-24T12:00:00.000Z", "365 days left"],
])("until %s there are %s", (time, words) => {
  expect(timeLeft(time, now)).toBe(words);
});
