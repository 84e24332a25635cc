import { describe, expect, it } from "vitest";
import { FIRST_EPOCH, FIRST_NOON, type FirstLog, firstDump, writeFirstLog } from "../../test/fixtures/first-log.ts";
import { writeSecondLog } from "../../test/fixtures/second-log.ts";
import { deletion, RoomStorage, seqs, text } from "../../test/unit/sqlite.ts";
import { Journal } from "./journal.ts";
import { RECENT } from "./recent-ids.ts";

const USUAL: FirstLog = { head: 7_300, oldest: 1, archived: 7_300, parked: [], deletions: {}, dump: null };

function migrated(log: Partial<FirstLog>) {
  const storage = new RoomStorage();
  writeFirstLog(storage.sql, { ...USUAL, ...log });
  return { storage, journal: new Journal(storage) };
}

describe("a log of the first form", () => {
  it("goes on as it was: the same epoch, order and messages, with nothing copied", () => {
    const { storage, journal } = migrated({ head: 20, archived: 11, deletions: { 15: 3 } });
    const seen = (of: Journal) => [of.started, of.epoch, of.head, of.oldest, of.archived, of.lastAt, of.agentRun];
    expect(seen(journal)).toEqual([true, FIRST_EPOCH, 20, 1, 11, FIRST_NOON + 20, 0]);
    expect(seen(new Journal(storage))).toEqual(seen(journal));
    expect([journal.unpacked, new Journal(storage).unpacked]).toEqual([true, true]);
    expect(seqs(journal.after(0, 99))).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(journal.get(7)).toMatchObject({ id: "m7", content: "line 7", at: FIRST_NOON + 7 });
    expect([journal.deletionOf(3)?.seq, journal.get(3)?.content]).toEqual([15, ""]);
    expect(seqs(journal.append([text("a-b", "next"), deletion("a-b", 20)], FIRST_NOON))).toEqual([21, 22]);
    expect(new Journal(storage).get(20)?.content).toBe("");
  });

  it("with a lag and a dump that has the pairs under wrong seqs recognises every retry once (promise 3)", () => {
    // As the first version wrote it: 300 archived, then 7,000 more with D1 away, a restart, and the archive's next mark.
    const { journal } = migrated({ archived: 1_300, dump: firstDump(301, 7_300 - RECENT + 1, RECENT) });
    for (let seq = 7_300 - RECENT + 1; seq <= 7_300; seq++) {
      const found = journal.find("swift-otter", `m${seq}`)?.seq;
      if (found !== seq) throw new Error(`m${seq} is found as ${found}`);
    }
    expect([journal.archived, seqs(journal.after(journal.archived, 2))]).toEqual([1_300, [1_301, 1_302]]);
  });

  it("keeps what D1 had refused, alone or not", () => {
    const { storage, journal } = migrated({ oldest: 1_000, parked: [17, 5_000] });
    for (const of of [journal, new Journal(storage)]) {
      expect(of.parked()).toEqual([17, 5_000].map((seq) => ({ seq, reason: "too big" })));
      expect([of.oldest, of.get(17)?.content, of.get(18), of.get(5_000)?.content]).toEqual([
        1_000,
        "line 17",
        undefined,
        "line 5000",
      ]);
      expect(seqs(of.before(1_001, 9))).toEqual([17, 1_000]);
    }
  });

  it("of which D1 had refused everything goes on behind it", () => {
    const { journal } = migrated({ head: 2, archived: 2, parked: [1, 2] });
    expect([journal.head, journal.oldest, journal.lastAt]).toEqual([2, 1, FIRST_NOON + 2]);
  });

  it("that was empty is so still", () => {
    const { storage, journal } = migrated({ head: 0, archived: 0 });
    expect([journal.started, journal.head, journal.oldest]).toEqual([true, 0, 1]);
    expect(seqs(journal.append([text("a-b", "1")], FIRST_NOON))).toEqual([1]);
    expect(new Journal(storage).head).toBe(1);
  });

  it("becomes one segment, which goes as a whole when it is old enough", () => {
    const { storage, journal } = migrated({ head: 9_000, archived: 9_000 });
    while (journal.head < 15_000) {
      const id = (index: number) => `m${journal.head + index + 1}`;
      journal.append(
        Array.from({ length: 500 }, (_, index) => text("swift-otter", id(index))),
        FIRST_NOON,
      );
    }
    journal.markArchived(journal.head);
    expect(journal.prune()).toBe(9_000);
    expect([journal.oldest, new Journal(storage).oldest]).toEqual([9_001, 9_001]);
  });

  it("stays one when migrating it fails", () => {
    const storage = new RoomStorage();
    writeFirstLog(storage.sql, { ...USUAL, head: 3, archived: 3 });
    storage.sql.exec("CREATE TABLE checkpoint (in_the_way)");
    expect(() => new Journal(storage)).toThrow("checkpoint already exists");
    storage.sql.exec("DROP TABLE checkpoint");
    expect(seqs(new Journal(storage).after(0, 9))).toEqual([1, 2, 3]);
  });
});

describe("a log of the second form", () => {
  it("goes on as it was, and may have messages in D1 that are not packed", () => {
    const storage = new RoomStorage();
    writeSecondLog(storage.sql, { head: 20, archived: 11, parked: [4] });
    for (const journal of [new Journal(storage), new Journal(storage)]) {
      expect([journal.epoch, journal.head, journal.archived, journal.agentRun]).toEqual([FIRST_EPOCH, 20, 11, 0]);
      expect(journal.unpacked).toBe(true);
      expect(journal.parked()).toEqual([{ seq: 4, reason: "too big" }]);
      expect(seqs(journal.after(0, 99))).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    }
    const journal = new Journal(storage);
    journal.setUnpacked(false);
    expect(seqs(journal.append([text("a-b", "next")], FIRST_NOON))).toEqual([21]);
    expect([new Journal(storage).unpacked, new Journal(storage).head]).toEqual([false, 21]);
  });

  it("stays one when migrating it fails", () => {
    const storage = new RoomStorage();
    writeSecondLog(storage.sql, { head: 3, archived: 3, parked: [] });
    storage.sql.exec("CREATE TRIGGER full BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    expect(() => new Journal(storage)).toThrow("disk is full");
    storage.sql.exec("DROP TRIGGER full");
    expect([new Journal(storage).head, new Journal(storage).unpacked]).toEqual([3, true]);
  });
});

it("a log of the third form begins with its first message, and lets old ones go from then on", () => {
  const storage = new RoomStorage();
  writeSecondLog(storage.sql, { head: 20, archived: 11, parked: [] });
  storage.sql.exec("ALTER TABLE log ADD COLUMN unpacked INTEGER NOT NULL DEFAULT 0");
  storage.sql.exec("UPDATE log SET version = 3");
  for (let opened = 0; opened < 2; opened++) {
    const journal = new Journal(storage);
    expect([journal.first, journal.head, journal.archived, journal.unpacked]).toEqual([1, 20, 11, false]);
  }
  const journal = new Journal(storage);
  journal.hideBelow(15);
  expect(journal.removeGone()).toBe(false);
  expect(seqs(new Journal(storage).after(14, 99))).toEqual([15, 16, 17, 18, 19, 20]);
  expect(new Journal(storage).first).toBe(15);
});

it("a log of a later version is not touched", () => {
  const storage = new RoomStorage();
  new Journal(storage).start({ messages: [] });
  storage.sql.exec("UPDATE log SET version = 7");
  expect(() => new Journal(storage)).toThrow("The room's log has version 7, and this server knows version 6.");
});
