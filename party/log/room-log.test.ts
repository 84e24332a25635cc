import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, seqs, TestStorage, text } from "../../test/unit/sqlite.ts";
import { RECENT } from "./recent-ids.ts";
import type { RoomLog } from "./room-log.ts";
import { toMessage, type Unplaced } from "./stored-message.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const many = (count: number, from = 1): Unplaced[] => {
  return Array.from({ length: count }, (_, index) => text("swift-otter", `m${from + index}`));
};

describe("the order (promise 2)", () => {
  it("gives 1, 2, 3 … without a gap, over batches and restarts", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    expect(seqs(log.append(many(3), NOON))).toEqual([1, 2, 3]);
    expect(seqs(log.append(many(2, 4), NOON))).toEqual([4, 5]);
    const reopened = openLog(storage);
    expect(seqs(reopened.append(many(1, 6), NOON))).toEqual([6]);
    expect(seqs(reopened.after(0, 10))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(reopened.epoch).toBe(log.epoch);
  });

  it("never lets the time go back, whatever the clock does, over restarts too", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    const clock = [NOON, NOON - 5_000, NOON + 1, NOON];
    const times = clock.flatMap((now, index) => log.append(many(1, index), now).map(({ at }) => at));
    expect(times).toEqual([NOON, NOON, NOON + 1, NOON + 1]);
    expect(openLog(storage).append(many(1, 9), NOON - 60_000)[0]?.at).toBe(NOON + 1);
  });

  it("places a batch wholly or not at all, and gives its numbers to the next", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(many(1), NOON);
    storage.refuse("too much");
    const batch = [text("swift-otter", "a"), text("swift-otter", "b", "too much"), text("swift-otter", "c")];
    expect(() => log.append(batch, NOON + 9)).toThrow("full");
    expect(log.head).toBe(1);
    expect(log.find("swift-otter", "a")).toBeUndefined();
    expect(seqs(log.append([text("swift-otter", "a")], NOON))).toEqual([2]);
    expect(seqs(openLog(storage).after(0, 10))).toEqual([1, 2]);
  });
});

describe("starting", () => {
  it("leaves no trace of a look", () => {
    const storage = new TestStorage();
    expect(openLog(storage).started).toBe(false);
    expect(storage.sql.exec("SELECT name FROM sqlite_master").toArray()).toEqual([]);
  });

  it("goes on behind what D1 has, in a new epoch, with the retries of those messages recognised", () => {
    const first = startedLog();
    const kept = first.append(many(5), NOON);
    const rebuilt = openLog(new TestStorage());
    rebuilt.start({ messages: kept.slice(2) });
    expect(rebuilt.epoch).not.toBe(first.epoch);
    expect([rebuilt.head, rebuilt.copied, rebuilt.oldest, rebuilt.isWhole]).toEqual([5, 5, 3, false]);
    expect(rebuilt.find("swift-otter", "m4")?.seq).toBe(4);
    expect(seqs(rebuilt.append(many(1, 6), NOON - 1))).toEqual([6]);
    expect(rebuilt.get(6)?.at).toBe(NOON);
  });

  it("knows after a restart what it knew before, whatever is here of the log", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    const empty = openLog(storage);
    expect([empty.started, empty.head, empty.oldest, empty.copied, empty.isWhole]).toEqual([true, 0, 1, 0, true]);
    log.append(many(3), NOON);
    log.markCopied(2, NOON);
    const reopened = openLog(storage);
    expect([reopened.head, reopened.oldest, reopened.copied, reopened.revision]).toEqual([3, 1, 2, NOON]);
  });

  it("gives no seq again that was given, also where D1 has lost the newest messages", () => {
    const storage = new TestStorage();
    const kept = startedLog().append(many(5), NOON);
    openLog(storage).start({ messages: kept, head: 9 });
    openLog(storage).copyAgain(NOON);
    expect(seqs(openLog(storage).append(many(1, 10), NOON))).toEqual([10]);
  });

  it("of which nothing was kept is none", () => {
    const storage = new TestStorage();
    const log = openLog(storage);
    const kept = startedLog().append(many(2), NOON);
    storage.sql.exec("CREATE TABLE checkpoint (in_the_way)");
    expect(() => log.start({ messages: kept })).toThrow("already exists");
    expect([log.started, openLog(storage).started]).toEqual([false, false]);
    storage.sql.exec("DROP TABLE checkpoint");
    log.start({ messages: kept });
    expect([log.head, openLog(storage).head]).toEqual([2, 2]);
  });
});

describe("recognising a retry (promise 3)", () => {
  it("finds a message by its sender and id, and nobody else's", () => {
    const log = startedLog();
    log.append([text("swift-otter", "a"), text("swift-otter/claude", "b")], NOON);
    expect(log.find("swift-otter", "a")?.seq).toBe(1);
    expect(log.find("swift-otter/claude", "b")?.seq).toBe(2);
    expect(log.find("swift-otter", "b")).toBeUndefined();
    expect(log.find("swift-otter/claude", "a")).toBeUndefined();
  });
});

describe("retries after an outage of D1 and a restart (promise 3)", () => {
  function isEachFoundOnce(log: RoomLog): void {
    for (let seq = Math.max(1, log.head - RECENT + 1); seq <= log.head; seq++) {
      const found = log.find("swift-otter", `m${seq}`)?.seq;
      if (found !== seq) throw new Error(`m${seq} of ${log.head} is found as ${found}`);
    }
  }

  it.each([300, RECENT, RECENT + 300])("are recognised when D1 has %d and 7,000 more came", (copied) => {
    const storage = new TestStorage();
    let log = startedLog(storage);
    log.append(many(copied), NOON);
    log.markCopied(copied, NOON);
    for (let batch = 0; batch < 70; batch++) log.append(many(100, log.head + 1), NOON);
    log = openLog(storage);
    isEachFoundOnce(log);
    // What is written down from then on is right, too.
    for (let restart = 0; restart < 2; restart++) {
      log.append(many(300, log.head + 1), NOON);
      log.markCopied(log.head, NOON);
      log = openLog(storage);
      isEachFoundOnce(log);
    }
  });

  it("cost a wake few rows, however long D1 is away", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    for (let batch = 0; batch < 300; batch++) log.append(many(31, log.head + 1), NOON);
    const reopened = openLog(storage);
    const rows = storage.countRows(() => {
      reopened.find("swift-otter", "m1");
      expect(reopened.agentRun).toBe(0);
    });
    expect(rows).toBeLessThan(2 * 300);
  });

  it("are not confused by a batch that was not kept", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(many(3), NOON);
    storage.refuse("too much");
    expect(() => log.append([...many(2, 4), text("swift-otter", "m6", "too much")], NOON)).toThrow("full");
    for (const id of ["m4", "m5", "m6"]) expect(log.find("swift-otter", id)).toBeUndefined();
    log.append([text("a-b", "x"), ...many(1, 5)], NOON);
    expect(["m3", "m4", "m5"].map((id) => log.find("swift-otter", id)?.seq)).toEqual([3, undefined, 5]);
    expect(log.find("a-b", "x")?.seq).toBe(4);
  });

  it("are recognised in a room that was rebuilt from a D1 that had refused some", () => {
    const first = startedLog();
    first.append(many(20), NOON);
    const kept = first.after(0, 20).filter(({ seq }) => seq !== 13 && seq !== 3);
    const storage = new TestStorage();
    openLog(storage).start({ messages: kept });
    const log = openLog(storage);
    log.append(many(1, 21), NOON);
    expect(["m2", "m4", "m13", "m14", "m21"].map((id) => log.find("swift-otter", id)?.seq)).toEqual([
      2,
      4,
      undefined,
      14,
      21,
    ]);
    expect(seqs(log.before(22, 10))).toEqual([11, 12, 14, 15, 16, 17, 18, 19, 20, 21]);
    expect(seqs(log.after(1, 4))).toEqual([2, 4, 5, 6]);
  });
});

describe("the run of agents' messages", () => {
  const says = (...senders: string[]): Unplaced[] => senders.map((sender, index) => text(sender, `${NOON}-${index}`));

  it("is how many texts by agents came since the last by anyone else, over restarts, deletions left out", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    const seen = [
      says("a-b/c", "a-b/c"),
      says("a-b"),
      says("a-b/c", "d-e/f"),
      [deletion("a-b", 1)],
      says("d-e/f"),
      says("~g-h-000000"),
      says("a-b/c"),
    ].map((batch) => {
      log.append(batch, NOON);
      return [log.agentRun, openLog(storage).agentRun];
    });
    expect(seen).toEqual([2, 0, 2, 2, 3, 0, 1].map((run) => [run, run]));
  });

  it("is counted to 1,000, over restarts", () => {
    const storage = new TestStorage();
    let log = startedLog(storage);
    for (let run = 100; run <= 1_200; run += 100) {
      log.append(says(...Array<string>(100).fill("a-b/c")), NOON);
      log = openLog(storage);
      expect(log.agentRun).toBe(Math.min(1_000, run));
    }
    log.append(says("a-b"), NOON);
    expect(openLog(storage).agentRun).toBe(0);
  });

  it("is what it was when a batch is not kept", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(says("a-b/c"), NOON);
    storage.refuse("too much");
    expect(() => log.append([text("a-b", "1", "too much")], NOON)).toThrow("full");
    expect(log.agentRun).toBe(1);
  });
});

describe("what it writes", () => {
  it("is one row for a text of somebody who has written before", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(many(1), NOON);
    expect(storage.countWritten(() => log.append(many(1, 2), NOON))).toBe(1);
    const woken = openLog(storage);
    expect(storage.countWritten(() => woken.append(many(1, 3), NOON))).toBe(1);
    expect(storage.countWritten(() => woken.append([text("new-one", "1")], NOON))).toBe(2);
  });
});

describe("a deletion", () => {
  it("empties its target in the same transaction, and both keep their places", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append([text("a-b", "1", "secret"), text("a-b", "2")], NOON);
    log.append([deletion("a-b", 1)], NOON);
    const reopened = openLog(storage);
    expect(reopened.after(0, 9).map(toMessage)).toMatchObject([
      { seq: 1, kind: "text", content: "", deleted: true },
      { seq: 2, kind: "text", content: "a-b says 2" },
      { seq: 3, kind: "deletion", target: 1, content: "" },
    ]);
    expect(reopened.deletionOf(1)?.seq).toBe(3);
    expect(reopened.deletionOf(2)).toBeUndefined();
  });

  it("is the first one, is found by its message, and has its pack copied again", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append(many(150), NOON);
    log.append([deletion("swift-otter", 3), deletion("a-b", 3)], NOON);
    log.append([deletion("swift-otter", 120)], NOON);
    for (const each of [log, openLog(storage)]) {
      expect([3, 120, 5].map((seq) => each.deletionOf(seq)?.seq)).toEqual([151, 153, undefined]);
      expect(each.dirty.packs(9, 0)).toEqual([1, 101]);
    }
  });

  it("leaves the target as it was when it is not kept itself", () => {
    const storage = new TestStorage();
    const log = startedLog(storage);
    log.append([text("a-b", "1", "still here")], NOON);
    storage.refuse("too much");
    expect(() => log.append([deletion("a-b", 1), text("a-b", "2", "too much")], NOON)).toThrow();
    expect(log.get(1)?.content).toBe("still here");
    expect(log.deletionOf(1)).toBeUndefined();
  });
});

it("reads back what was written, for any batches and any restarts", () => {
  const message = fc.record({
    id: fc.stringMatching(/^[a-z]{1,3}$/),
    sender: fc.constantFrom("a-b", "a-b/c", "~d-e-000000"),
    content: fc.string({ unit: "grapheme", minLength: 1 }).filter((content) => !content.includes("\0")),
  });
  const batches = fc.array(fc.array(message, { minLength: 1, maxLength: 5 }), { maxLength: 8 });
  fc.assert(
    fc.property(batches, fc.boolean(), (all, restarts) => {
      const storage = new TestStorage();
      let log = startedLog(storage);
      for (const batch of all) {
        log.append(
          batch.map((each) => ({ ...each, kind: "text", ref: null })),
          NOON,
        );
        if (restarts) log = openLog(storage);
      }
      const expected = all
        .flat()
        .map((each, index) => ({ ...each, seq: index + 1, kind: "text", ref: null, at: NOON }));
      expect(log.after(0, 1_000)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});
