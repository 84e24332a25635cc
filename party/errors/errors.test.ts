import { beforeEach, describe, expect, it } from "vitest";
import { TestD1 } from "../../test/unit/sqlite.ts";
import { addErrors, errorsSince, INCIDENTS_KEPT, newestIncidents } from "./error-table.ts";
import { ErrorTally, INCIDENTS_AT_ONCE, type Incident } from "./error-tally.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const incident = (number: number): Incident => ({
  id: `incident-${number}`,
  at: NOON + number,
  code: "unavailable",
  what: "A request failed",
  place: "GET /api/rooms/lobby",
});

describe("the errors of an isolate", () => {
  it("are written at once, and then together every five minutes", () => {
    const tally = new ErrorTally();
    expect(tally.takeIfDue(NOON)).toBe(undefined);
    tally.count("muted");
    expect(tally.takeIfDue(NOON)).toEqual({ counts: new Map([["muted", 1]]), incidents: [] });
    for (let said = 0; said < 1_000; said++) tally.count("rate_limited");
    expect(tally.takeIfDue(NOON + 5 * MINUTE - 1)).toBe(undefined);
    expect(tally.takeIfDue(NOON + 5 * MINUTE)?.counts).toEqual(new Map([["rate_limited", 1_000]]));
    expect(tally.takeIfDue(NOON + DAY)).toBe(undefined);
  });

  it("are written also when the clock was set back since the last time", () => {
    const tally = new ErrorTally();
    tally.count("muted");
    tally.take(NOON);
    tally.count("muted");
    expect(tally.takeIfDue(NOON - DAY)?.counts).toEqual(new Map([["muted", 1]]));
  });

  it("have few incidents, the newest, and count all of them", () => {
    const tally = new ErrorTally();
    for (let number = 0; number < 50; number++) tally.note(incident(number));
    const taken = tally.take(NOON);
    expect(taken?.counts).toEqual(new Map([["unavailable", 50]]));
    expect(taken?.incidents.map(({ id }) => id)).toEqual(
      Array.from({ length: INCIDENTS_AT_ONCE }, (_, index) => `incident-${50 - INCIDENTS_AT_ONCE + index}`),
    );
  });

  it("are taken back when they could not be written, before what came since", () => {
    const tally = new ErrorTally();
    tally.note(incident(1));
    const taken = tally.take(NOON);
    tally.note(incident(2));
    if (taken) tally.giveBack(taken);
    expect(tally.take(NOON)).toEqual({ counts: new Map([["unavailable", 2]]), incidents: [incident(1), incident(2)] });
  });

  it("do not have messages that wait for a moderator among them", () => {
    const tally = new ErrorTally();
    tally.count("held");
    expect(tally.take(NOON)).toBe(undefined);
  });
});

describe("the errors in D1", () => {
  let db: TestD1;
  beforeEach(() => {
    db = new TestD1();
  });

  const some = (code: "muted" | "unavailable", times: number, incidents: readonly Incident[] = []) => ({
    counts: new Map([[code, times]]),
    incidents,
  });

  it("are added up by day and code", async () => {
    await addErrors(db, some("muted", 2), NOON);
    await addErrors(db, some("muted", 3), NOON);
    await addErrors(db, some("unavailable", 1), NOON);
    await addErrors(db, some("muted", 7), NOON + DAY);
    expect(await errorsSince(db, "2026-11-24")).toEqual([
      { day: "2026-11-25", code: "muted", count: 7 },
      { day: "2026-11-24", code: "muted", count: 5 },
      { day: "2026-11-24", code: "unavailable", count: 1 },
    ]);
    expect(await errorsSince(db, "2026-11-25")).toHaveLength(1);
  });

  it("are forgotten after a month, and all but the latest incidents", async () => {
    for (let number = 0; number < INCIDENTS_KEPT + 25; number++) {
      await addErrors(db, some("unavailable", 1, [incident(number)]), NOON);
    }
    const kept = await newestIncidents(db, 1_000);
    expect(kept).toHaveLength(INCIDENTS_KEPT);
    expect(kept[0]).toEqual({ ...incident(INCIDENTS_KEPT + 24), at: "2026-11-24T12:00:00.124Z" });
    await addErrors(db, some("muted", 1), NOON + 31 * DAY);
    expect(await errorsSince(db, "2026-01-01")).toEqual([{ day: "2026-12-25", code: "muted", count: 1 }]);
  });
});
