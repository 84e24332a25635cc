import { expect, it, vi } from "vitest";
import { LINES_A_MINUTE, LogBound } from "./log-bound.ts";
import { logEvent } from "./operator-log.ts";

const NOON = Date.UTC(2026, 10, 26, 12);

it("lets a hundred lines of an event pass in a minute, and says what it leaves out", () => {
  const bound = new LogBound();
  const passed = Array.from({ length: 150 }, () => bound.admit("archive.resumed", NOON));
  expect(passed.filter((line) => line !== undefined)).toHaveLength(LINES_A_MINUTE);
  expect(passed[LINES_A_MINUTE - 1]).toEqual({ lastOfMinute: true });
  expect(bound.admit("archive.batch_failed", NOON)).toEqual({});
  expect(bound.admit("archive.resumed", NOON + 59_999)).toBeUndefined();
  expect(bound.admit("archive.resumed", NOON + 60_000)).toEqual({ leftOut: 51 });
  expect(bound.admit("archive.resumed", NOON + 60_001)).toEqual({});
});

it("does not wait for a clock that was set back", () => {
  const bound = new LogBound();
  for (let count = 0; count < 101; count++) bound.admit("archive.resumed", NOON + 5 * 3_600_000);
  expect(bound.admit("archive.resumed", NOON)).toEqual({ leftOut: 1 });
});

it("leaves out no failure that somebody was told the id of", () => {
  const bound = new LogBound();
  for (let count = 0; count < 1_000; count++) expect(bound.admit("request.failed", NOON)).toEqual({});
});

it("is what every event goes through", () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  for (let count = 0; count < 2 * LINES_A_MINUTE; count++) logEvent("archive.set_back", { room: `room-${count}` });
  expect(warn).toHaveBeenCalledTimes(LINES_A_MINUTE);
  expect(JSON.parse(String(warn.mock.lastCall))).toMatchObject({ room: "room-99", lastOfMinute: true });
  warn.mockRestore();
});
