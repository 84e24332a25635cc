import { describe, expect, it } from "vitest";
import { FIRST_EPOCH, FIRST_NOON, type FirstLog, firstDump, writeFirstLog } from "../../test/fixtures/first-log.ts";
import { writeSecondLog } from "../../test/fixtures/second-log.ts";
import { openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, seqs, TestStorage, text } from "../../test/unit/sqlite.ts";
import { PARTS } from "../storage/dirty.ts";
import { RECENT } from "./recent-ids.ts";
import type { RoomLog } from "./room-log.ts";

const USUAL: FirstLog = { head: 7_300, oldest: 1, archived: 7_300, parked: [], deletions: {}, dump: null };

function migrated(log: Partial<FirstLog>) {
  const storage = new TestStorage();
  writeFirstLog(storage.sql, { ...USUAL, ...log });
  return { storage, log: openLog(storage) };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** The packs that D1 is to be given again. */
const marked = (log: RoomLog) => log.dirty.packs(99, Number.POSITIVE_INFINITY);

describe("a log of the first form", () => {
  it("goes on as it was: the same epoch, order and messages", () => {
    const { storage, log } = migrated({ head: 20, archived: 11, deletions: { 15: 3 } });
    const seen = (of: RoomLog) => [of.started, of.epoch, of.head, of.oldest, of.lastAt, of.agentRun];
    expect(seen(log)).toEqual([true, FIRST_EPOCH, 20, 1, FIRST_NOON + 20, 0]);
    expect(seen(openLog(storage))).toEqual(seen(log));
    expect(seqs(log.after(0, 99))).toEqual(range(1, 20));
    expect(log.get(7)).toMatchObject({ id: "m7", content: "line 7", at: FIRST_NOON + 7 });
    expect([log.deletionOf(3)?.seq, log.get(3)?.content]).toEqual([15, ""]);
    expect(seqs(log.append([text("a-b", "next"), deletion("a-b", 20)], FIRST_NOON))).toEqual([21, 22]);
    expect(openLog(storage).get(20)?.content).toBe("");
  });

  it("is copied to D1 as a whole, where messages were rows", () => {
    const { log } = migrated({ head: 20, archived: 11 });
    expect([log.copied, log.dirty.parts().toSorted(), log.writers.untold(9)]).toEqual([
      0,
      PARTS.toSorted(),
      ["swift-otter"],
    ]);
  });

  it("with a lag and a dump that has the pairs under wrong seqs recognises every retry once (promise 3)", () => {
    // As the first version wrote it: 300 archived, then 7,000 more with D1 away, a restart, and the archive's next mark.
    const { log } = migrated({ archived: 1_300, dump: firstDump(301, 7_300 - RECENT + 1, RECENT) });
    for (let seq = 7_300 - RECENT + 1; seq <= 7_300; seq++) {
      const found = log.find("swift-otter", `m${seq}`)?.seq;
      if (found !== seq) throw new Error(`m${seq} is found as ${found}`);
    }
  });

  it("of which older messages are in D1 alone waits for these, and keeps what D1 had refused of them", () => {
    const { storage, log } = migrated({ oldest: 1_000, parked: [17, 5_000] });
    for (const of of [log, openLog(storage)]) {
      expect([of.oldest, of.isWhole, marked(of)]).toEqual([1_000, false, [1, 4_901]]);
      expect([of.get(17)?.content, of.get(18), of.get(5_000)?.content]).toEqual(["line 17", undefined, "line 5000"]);
      expect(seqs(of.before(1_001, 9))).toEqual([1_000]);
    }
    const older = range(1, 999).filter((seq) => seq !== 17);
    const message = (seq: number) => ({ ...text("swift-otter", `m${seq}`, "from D1"), seq, at: FIRST_NOON + seq });
    log.fill(older.map(message), 1);
    expect([log.isWhole, seqs(log.after(0, 9_999))]).toEqual([true, range(1, 7_300)]);
    expect([log.get(16)?.content, log.get(17)?.content]).toEqual(["from D1", "line 17"]);
  });

  it("of which D1 had refused everything goes on behind it", () => {
    const { log } = migrated({ head: 2, archived: 2, parked: [1, 2] });
    expect([log.head, log.oldest, log.lastAt, seqs(log.after(0, 9))]).toEqual([2, 1, FIRST_NOON + 2, [1, 2]]);
  });

  it("that was empty is so still", () => {
    const { storage, log } = migrated({ head: 0, archived: 0 });
    expect([log.started, log.head, log.oldest, log.isWhole]).toEqual([true, 0, 1, true]);
    expect(seqs(log.append([text("a-b", "1")], FIRST_NOON))).toEqual([1]);
    expect(openLog(storage).head).toBe(1);
  });

  it("stays one when migrating it fails", () => {
    const storage = new TestStorage();
    writeFirstLog(storage.sql, { ...USUAL, head: 3, archived: 3 });
    storage.sql.exec("CREATE TABLE writers (in_the_way)");
    expect(() => openLog(storage)).toThrow("writers already exists");
    storage.sql.exec("DROP TABLE writers");
    expect(seqs(openLog(storage).after(0, 9))).toEqual([1, 2, 3]);
  });
});

describe("a log of the second form", () => {
  it("goes on as it was, and is copied to D1 as a whole", () => {
    const storage = new TestStorage();
    writeSecondLog(storage.sql, { head: 20, archived: 11, parked: [4] });
    for (const log of [openLog(storage), openLog(storage)]) {
      expect([log.epoch, log.head, log.copied, log.agentRun, marked(log)]).toEqual([FIRST_EPOCH, 20, 0, 0, [1]]);
      expect(seqs(log.after(0, 99))).toEqual(range(1, 20));
    }
    expect(seqs(openLog(storage).append([text("a-b", "next")], FIRST_NOON))).toEqual([21]);
    expect(openLog(storage).head).toBe(21);
  });

  it("stays one when migrating it fails", () => {
    const storage = new TestStorage();
    writeSecondLog(storage.sql, { head: 3, archived: 3, parked: [] });
    storage.sql.exec("CREATE TABLE writers (in_the_way)");
    expect(() => openLog(storage)).toThrow("writers already exists");
    storage.sql.exec("DROP TABLE writers");
    expect([openLog(storage).head, openLog(storage).first]).toEqual([3, 1]);
  });
});

it("a log of the third form begins with its first message, and is copied from where D1 has it", () => {
  const storage = new TestStorage();
  writeSecondLog(storage.sql, { head: 20, archived: 11, parked: [] });
  storage.sql.exec("ALTER TABLE log ADD COLUMN unpacked INTEGER NOT NULL DEFAULT 0");
  storage.sql.exec("UPDATE log SET version = 3");
  for (let opened = 0; opened < 2; opened++) {
    const log = openLog(storage);
    expect([log.first, log.head, log.copied, marked(log)]).toEqual([1, 20, 11, []]);
  }
  const log = openLog(storage);
  log.hideBelow(15);
  expect(log.removeGone()).toBe(false);
  expect(seqs(openLog(storage).after(14, 99))).toEqual(range(15, 20));
  expect(openLog(storage).first).toBe(15);
});

it("a log of a later version is not touched", () => {
  const storage = new TestStorage();
  startedLog(storage);
  storage.sql.exec("UPDATE schema SET version = 8 WHERE part = 'log'");
  expect(() => openLog(storage)).toThrow("This room's log has version 8, and this server knows version 7.");
});
