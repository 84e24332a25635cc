import { describe, expect, it } from "vitest";
import { ago } from "./times.ts";

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
