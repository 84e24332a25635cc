import { beforeEach, describe, expect, it, vi } from "vitest";
import { linesOf } from "../../test/logged.ts";
import { TestD1 } from "../../test/unit/sqlite.ts";
import { FREE_PLAN, nearestLimit, worthTelling } from "./daily-limits.ts";
import { DatabaseGauge, shareOf, sizeWarning, warn } from "./fullness.ts";
import { addUsage, usageByDay } from "./usage-table.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const DAY = 24 * 60 * 60_000;
const LIMIT = 500_000_000;

let db: TestD1;
beforeEach(() => {
  db = new TestD1();
});

describe("a database that is nearly full", () => {
  /** How often an isolate with this gauge tells the log of so many answers at `now`. */
  async function tells(gauge: DatabaseGauge, bytes: number, now: number, answers = 5): Promise<number> {
    const log = vi.spyOn(console, "warn").mockReturnValue();
    for (let answer = 0; answer < answers; answer++) {
      if (gauge.note(bytes, LIMIT, now)) await warn(db, "warned_of_size", sizeWarning({ bytes, limit: LIMIT }), now);
    }
    const told = log.mock.calls.length;
    log.mockRestore();
    return told;
  }

  it("is told of once a day, from 80 % on, whichever isolates see it", async () => {
    const isolates = [new DatabaseGauge(), new DatabaseGauge(), new DatabaseGauge()];
    const perDay: number[] = [];
    for (const [day, part] of [0.5, 0.79, 0.8, 0.99].entries()) {
      let told = 0;
      for (const gauge of isolates) told += await tells(gauge, part * LIMIT, NOON + day * DAY);
      perDay.push(told);
    }
    expect(perDay).toEqual([0, 0, 1, 1]);
  });

  it("costs a row a day and an isolate, and none below", async () => {
    const asked = vi.spyOn(db, "query");
    const gauge = new DatabaseGauge();
    await tells(gauge, 0.7 * LIMIT, NOON, 100);
    expect(asked).toHaveBeenCalledTimes(0);
    await tells(gauge, 0.9 * LIMIT, NOON, 100);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("is told of by each isolate when D1 takes no note any more", async () => {
    db.trouble = "full";
    expect(await tells(new DatabaseGauge(), LIMIT, NOON)).toBe(1);
    expect(await tells(new DatabaseGauge(), LIMIT, NOON)).toBe(1);
  });

  it("has no part where there is no limit", () => {
    expect([shareOf({ bytes: 5, limit: undefined }), shareOf({ bytes: 5, limit: 10 })]).toEqual([undefined, 0.5]);
    expect(new DatabaseGauge().note(1e15, undefined, NOON)).toBe(false);
  });
});

describe("the limits of a day", () => {
  const nothing = { workerRequests: 0, objectRequests: 0, objectMs: 0, objectRowsWritten: 0, socketsOpened: 0 };
  const usage = { day: "2026-11-24", ...nothing, databaseRowsRead: 1_000_000, databaseRowsWritten: 79_999 };

  it("are told of from 80 % of the nearest on", () => {
    expect(nearestLimit(usage)).toEqual({ words: "rows written in D1", share: 0.79999 });
    expect(worthTelling(usage)).toBe(undefined);
    expect(worthTelling({ ...usage, databaseRowsWritten: 80_000 })).toEqual({
      words: "rows written in D1",
      share: 0.8,
    });
    expect(worthTelling({ ...usage, objectMs: FREE_PLAN.objectMs })).toMatchObject({ share: 1 });
    expect(worthTelling(undefined)).toBe(undefined);
  });

  it("are told of apart from the size, each once a day", async () => {
    const log = vi.spyOn(console, "warn").mockReturnValue();
    for (const time of ["first", "second"]) {
      await warn(db, "warned_of_size", { time }, NOON);
      await warn(db, "warned_of_day", { time }, NOON);
    }
    expect(linesOf(log)).toMatchObject([
      { event: "database.nearly_full", time: "first" },
      { event: "database.day_nearly_used", time: "first" },
    ]);
    log.mockRestore();
    const gauge = new DatabaseGauge();
    expect([gauge.noteDay(NOON), gauge.noteDay(NOON + 1), gauge.noteDay(NOON + DAY)]).toEqual([true, false, true]);
  });
});

describe("the usage of a day", () => {
  it("is added up, and a warning takes nothing from it", async () => {
    await addUsage(db, { workerRequests: 100, databaseRowsRead: 5_000 }, NOON);
    await warn(db, "warned_of_size", {}, NOON);
    await addUsage(db, { workerRequests: 200, objectMs: 100_000 }, NOON + 1);
    expect(await addUsage(db, { objectRequests: 100 }, NOON + DAY)).toMatchObject({ objectRequests: 100 });
    const nothing = { objectRowsWritten: 0, databaseRowsWritten: 0, socketsOpened: 0 };
    expect(await usageByDay(db, 7)).toEqual([
      { day: "2026-11-25", workerRequests: 0, objectRequests: 100, objectMs: 0, databaseRowsRead: 0, ...nothing },
      {
        day: "2026-11-24",
        workerRequests: 300,
        objectRequests: 0,
        objectMs: 100_000,
        databaseRowsRead: 5_000,
        ...nothing,
      },
    ]);
    expect(await usageByDay(db, 1)).toHaveLength(1);
  });
});
