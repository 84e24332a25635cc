import { beforeEach, expect, it, vi } from "vitest";
import { DatabaseHold } from "./database-hold.ts";
import type { Hold } from "./hold.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const HOUR = 3_600_000;

let now: number;
let store: { hold?: Hold };
const said: string[] = [];

beforeEach(() => {
  [now, store] = [NOON, {}];
  said.length = 0;
  vi.spyOn(console, "warn").mockImplementation((line) => void said.push(String(line)));
});

const open = () =>
  new DatabaseHold({
    ...{ room: "lobby", now: () => now, stored: () => ({ bytes: 1_000, limit: 2_000 }) },
    holds: { load: () => store.hold, save: (hold) => Object.assign(store, { hold }) },
  });

it("a limit of D1's is kept over a restart, told once, and over when D1 takes something", () => {
  const hold = open();
  expect([hold.isThere, hold.left, hold.report(10)]).toEqual([false, 0, null]);
  hold.begin("full", 5, "Exceeded maximum DB size.");
  for (const each of [hold, open()]) {
    expect([each.isThere, each.left > 5 * 60_000, each.left <= 15 * 60_000]).toEqual([true, true, true]);
    expect(each.report(10)).toMatchObject({ limit: "full", placesLeft: 10 });
  }
  now += HOUR;
  const woken = open();
  expect([woken.isThere, woken.left]).toEqual([true, 0]);
  woken.begin("full", 6, "Exceeded maximum DB size.");
  expect(woken.report(10)?.since).toBe(new Date(NOON).toISOString());
  expect(said.filter((line) => line.includes("archive.database_full"))).toHaveLength(1);
  woken.end(0);
  expect([woken.isThere, open().isThere]).toEqual([false, false]);
});

it("D1 is asked again at once when the clock was set back, by which it would be left alone for hours", () => {
  const hold = open();
  hold.begin("day", 5, "daily row write limit");
  now -= 5 * HOUR;
  expect([hold.left, open().left]).toEqual([0, 0]);
});
