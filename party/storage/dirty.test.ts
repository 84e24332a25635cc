/** What is marked is copied, and what changes while it is copied is copied again. */

import { beforeEach, describe, expect, it } from "vitest";
import { openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, TestStorage, text } from "../../test/unit/sqlite.ts";
import { type Dirty, markPart } from "./dirty.ts";
import { RoomStorage } from "./room-storage.ts";

let disk: TestStorage;
let dirty: Dirty;
beforeEach(() => {
  disk = new TestStorage();
  dirty = startedLog(disk).dirty;
});

it("is not marked where there is no log, and leaves no trace there", () => {
  const empty = new TestStorage();
  const storage = new RoomStorage(empty);
  markPart(storage, "members");
  storage.dirty.markPack(7);
  expect(empty.sql.exec("SELECT name FROM sqlite_master").toArray()).toEqual([]);
});

it("is a pack for all of its messages, and each part once, over restarts", () => {
  dirty.markPacks([1, 100, 101, 950]);
  for (const part of ["held", "room", "held"] as const) dirty.markPart(part);
  for (const each of [dirty, openLog(disk).dirty]) {
    expect([each.packs(9, 0), each.packs(2, 0), each.parts()]).toEqual([
      [1, 101, 901],
      [1, 101],
      ["held", "room"],
    ]);
  }
});

it("costs no row when it is marked already", () => {
  dirty.markPack(7);
  dirty.markPart("held");
  expect(disk.countWritten(() => dirty.markPack(8))).toBe(0);
  expect(disk.countWritten(() => dirty.markPart("held"))).toBe(0);
});

describe("a copy", () => {
  it("takes what it has copied off, but for what was marked since it began", () => {
    dirty.markPacks([1, 101, 201]);
    dirty.markPart("held");
    dirty.markPart("asks");
    const flight = dirty.beginFlight();
    dirty.markPack(150);
    dirty.markPart("asks");
    flight.end([1, 101], ["held", "asks"]);
    expect([dirty.packs(9, 0), dirty.parts()]).toEqual([[101, 201], ["asks"]]);
    flight.end([101, 201], ["asks"]);
    expect(dirty.packs(9, 0)).toEqual([101, 201]);
  });

  it("that never ended takes nothing off when it ends after the next has begun", () => {
    dirty.markPack(1);
    const late = dirty.beginFlight();
    const next = dirty.beginFlight();
    dirty.markPack(1);
    late.end([1], []);
    expect(dirty.packs(9, 0)).toEqual([1]);
    next.end([1], []);
    expect(dirty.packs(9, 0)).toEqual([1]);
  });

  it("sees that a message is deleted while its pack is under way for the first time", () => {
    const log = startedLog(new TestStorage());
    log.append([text("a-b", "1", "secret")], 0);
    const flight = log.dirty.beginFlight();
    log.append([deletion("a-b", 1)], 0);
    flight.end([1], []);
    log.markCopied(1, 1);
    expect(log.dirty.packs(9, 0)).toEqual([1]);
  });
});

describe("a pack that D1 has refused", () => {
  it("is tried again after a time, or when it has changed", () => {
    dirty.markPack(1);
    dirty.refuse(1, 1_000, "too big");
    dirty.refuse(101, 2_000, "too odd");
    expect([dirty.packs(9, 1_000), dirty.packs(9, 1_001), dirty.packs(9, 9_999)]).toEqual([[], [1], [1, 101]]);
    expect(openLog(disk).dirty.refused()).toEqual([
      { first: 1, reason: "too big" },
      { first: 101, reason: "too odd" },
    ]);
    dirty.markPack(150);
    expect([dirty.packs(9, 0), dirty.refused()]).toEqual([[101], [{ first: 1, reason: "too big" }]]);
  });

  it("is refused no more once it is copied", () => {
    dirty.refuse(1, 1_000, "too big");
    dirty.beginFlight().end([1], []);
    expect([dirty.refused(), dirty.packs(9, 9_999)]).toEqual([[], []]);
  });
});
