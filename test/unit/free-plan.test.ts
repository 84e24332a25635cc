/** The arithmetic behind what docs/self-hosting.md says of the free plan. */

import { describe, expect, it } from "vitest";
import { carried, DAILY_LIMITS, demandOf, messagesInDatabase, plus, times } from "../../bench/meter/free-plan.ts";
import { between, emptyTally, type Usage } from "../../bench/meter/usage.ts";
import { Wakefulness } from "../../bench/meter/wakefulness.ts";

const nothing: Usage = { ...emptyTally(), unmetered: [] };

describe("the free plan", () => {
  it("bills twenty frames as one request to an object, and a call, an upgrade and an alarm as one each", () => {
    const usage: Usage = {
      ...nothing,
      room: { ...nothing.room, calls: 3, alarms: 2, frames: 40 },
      limiter: { ...nothing.limiter, calls: 5 },
    };
    expect(demandOf(usage)["object requests"]).toBe(3 + 2 + 2 + 5);
  });

  it("adds up the rows and the seconds of rooms and Limiters, and keeps D1's apart", () => {
    const usage: Usage = {
      ...nothing,
      workerRequests: 1,
      room: { ...nothing.room, rowsRead: 10, rowsWritten: 2, rowsRemoved: 1, awake: 3 },
      limiter: { ...nothing.limiter, rowsRead: 5, rowsWritten: 1, awake: 4 },
      d1: { transactions: 1, rowsRead: 7, rowsWritten: 8, bytes: 9 },
    };
    expect(demandOf(usage)).toEqual({
      "Worker requests": 1,
      "object requests": 0,
      "rows written in objects": 3,
      "rows read in objects": 15,
      "rows written in D1": 8,
      "rows read in D1": 7,
      "awake seconds": 7,
    });
  });

  it("allows one object that is always awake, and not two", () => {
    const allDay = { ...demandOf(nothing), "awake seconds": 86_400 };
    const { count, endsFirst } = carried(allDay);
    expect({ whole: Math.floor(count), endsFirst }).toEqual({ whole: 1, endsFirst: "awake seconds" });
  });

  it("names the limit that ends first and how many it carries", () => {
    const poll = { ...demandOf(nothing), "Worker requests": 1, "object requests": 2, "rows read in objects": 1_000 };
    expect(carried(poll)).toEqual({ count: 5_000, endsFirst: "rows read in objects" });
    expect(carried({ ...poll, "rows read in objects": 50 })).toEqual({ count: 50_000, endsFirst: "object requests" });
  });

  it("carries any number of what uses nothing", () => {
    expect(carried(demandOf(nothing)).count).toBe(Number.POSITIVE_INFINITY);
  });

  it("multiplies and adds demands limit by limit", () => {
    const one = { ...demandOf(nothing), "Worker requests": 2, "awake seconds": 0.5 };
    const sum = plus(times(one, 3), one);
    expect([sum["Worker requests"], sum["awake seconds"], sum["rows read in D1"]]).toEqual([8, 2, 0]);
    expect(Object.keys(sum)).toEqual(Object.keys(DAILY_LIMITS));
  });

  it("fills 500 MB with two and a half million messages of 200 bytes", () => {
    expect(messagesInDatabase(200)).toBe(2_500_000);
  });
});

describe("two readings of the meter", () => {
  it("differ by what was used between them", () => {
    const [before, after] = [emptyTally(), emptyTally()];
    before.room.rowsRead = 4;
    after.room.rowsRead = 10;
    after.workerRequests = 2;
    after.d1.rowsWritten = 3;
    const used = between({ ...before, unmetered: [] }, { ...after, unmetered: ["D1 raw"] });
    expect([used.room.rowsRead, used.workerRequests, used.d1.rowsWritten, used.limiter.calls]).toEqual([6, 2, 3, 0]);
    expect(used.unmetered).toEqual(["D1 raw"]);
  });
});

describe("an object", () => {
  it("is awake as long as it has one reason or more, and each counts once", () => {
    let now = 0;
    const object = new Wakefulness(() => now);
    const endEvent = object.begin();
    now = 10;
    const endTimer = object.begin();
    now = 15;
    endEvent();
    endEvent();
    now = 40;
    expect(object.total).toBe(40);
    endTimer();
    now = 100;
    expect(object.total).toBe(40);
    object.begin()();
    expect(object.total).toBe(40);
    object.begin();
    now = 103;
    expect(object.total).toBe(43);
  });
});
