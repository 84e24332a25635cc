import { expect, it } from "vitest";
import { answer, ask, erasure, openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, TestStorage, text } from "../../test/unit/sqlite.ts";
import type { RoomLog } from "../log/room-log.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

/** A log of 250 messages that D1 has. */
function copiedLog(disk = new TestStorage()): RoomLog {
  const log = startedLog(disk);
  log.append(
    Array.from({ length: 250 }, (_, index) => text(index % 2 === 0 ? "anna" : "bob", `m${index + 1}`)),
    NOON,
  );
  log.dirty.beginFlight().end([1, 101, 201], log.dirty.parts());
  log.markCopied(250, NOON);
  return log;
}

const marks = (log: RoomLog) => ({ packs: log.dirty.packs(99, 0), parts: log.dirty.parts() });

it("what changes an older message marks its pack, in the same transaction, over a restart", () => {
  const disk = new TestStorage();
  const log = copiedLog(disk);
  expect(marks(log)).toEqual({ packs: [], parts: [] });
  log.append([deletion("anna", 105)], NOON);
  log.append([erasure("bob", 99)], NOON);
  while (log.eraseStep());
  expect(marks(openLog(disk))).toEqual({ packs: [1, 101], parts: ["pairs"] });
  disk.refuse("full");
  expect(() => log.append([deletion("anna", 205), text("anna", "last", "full")], NOON)).toThrow("full");
  expect(marks(log).packs).toEqual([1, 101]);
});

it("an ask that opens or ends marks the open asks", () => {
  const log = copiedLog();
  const [opened] = log.append([ask("a")], NOON);
  expect(marks(log).parts).toEqual(["asks"]);
  log.dirty.beginFlight().end([], ["asks"]);
  log.append([answer(opened?.seq ?? 0)], NOON);
  expect(marks(log).parts).toEqual(["asks"]);
});

it("a copy takes back no mark that was made while it was on its way", () => {
  const log = copiedLog();
  log.append([deletion("anna", 1), deletion("anna", 105)], NOON);
  log.dirty.markPart("members");
  log.dirty.markPart("invites");
  const flight = log.dirty.beginFlight();
  log.append([deletion("anna", 3)], NOON);
  log.dirty.markPart("members");
  flight.end([1, 101], ["members", "invites"]);
  expect(marks(log)).toEqual({ packs: [1], parts: ["members"] });
});

it("a copy that was given up, and then answers, takes back nothing", () => {
  const log = copiedLog();
  log.append([deletion("anna", 1)], NOON);
  const first = log.dirty.beginFlight();
  const second = log.dirty.beginFlight();
  first.end([1], []);
  expect(marks(log).packs).toEqual([1]);
  second.end([1], []);
  expect(marks(log).packs).toEqual([]);
});

it("a pack that D1 refuses is left alone until its time, or until it changes", () => {
  const log = copiedLog();
  log.append([deletion("anna", 1)], NOON);
  log.dirty.refuse(1, NOON, "too big");
  expect(log.dirty.refused()).toEqual([{ first: 1, reason: "too big" }]);
  expect([log.dirty.packs(9, NOON), log.dirty.packs(9, NOON + 1)]).toEqual([[], [1]]);
  log.append([deletion("anna", 3)], NOON);
  expect([log.dirty.packs(9, NOON), log.dirty.refused()]).toEqual([[1], []]);
});
