import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { deletion, RoomStorage, seqs, text } from "../../test/unit/sqlite.ts";
import { Closed } from "./closed.ts";
import { Journal, KEPT, KEPT_AT_MOST, toMessage, type Unplaced } from "./journal.ts";
import { RECENT } from "./recent-ids.ts";
import { SEGMENT } from "./segments.ts";
import { TAIL_MESSAGES } from "./tail.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

function started(storage = new RoomStorage()): Journal {
  const journal = new Journal(storage);
  journal.start({ messages: [] });
  return journal;
}

const range = (from: number, to: number): number[] => {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
};

const many = (count: number, from = 1): Unplaced[] => {
  return Array.from({ length: count }, (_, index) => text("swift-otter", `m${from + index}`));
};

describe("the order (promise 2)", () => {
  it("gives 1, 2, 3 … without a gap, over batches and restarts", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    expect(seqs(journal.append(many(3), NOON))).toEqual([1, 2, 3]);
    expect(seqs(journal.append(many(2, 4), NOON))).toEqual([4, 5]);
    const reopened = new Journal(storage);
    expect(seqs(reopened.append(many(1, 6), NOON))).toEqual([6]);
    expect(seqs(reopened.after(0, 10))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(reopened.epoch).toBe(journal.epoch);
  });

  it("never lets the time go back, whatever the clock does, over restarts too", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    const clock = [NOON, NOON - 5_000, NOON + 1, NOON];
    const times = clock.flatMap((now, index) => journal.append(many(1, index), now).map(({ at }) => at));
    expect(times).toEqual([NOON, NOON, NOON + 1, NOON + 1]);
    expect(new Journal(storage).append(many(1, 9), NOON - 60_000)[0]?.at).toBe(NOON + 1);
  });

  it("places a batch wholly or not at all, and gives its numbers to the next", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append(many(1), NOON);
    storage.refuse("too much");
    const batch = [text("swift-otter", "a"), text("swift-otter", "b", "too much"), text("swift-otter", "c")];
    expect(() => journal.append(batch, NOON + 9)).toThrow("full");
    expect(journal.head).toBe(1);
    expect(journal.find("swift-otter", "a")).toBeUndefined();
    expect(seqs(journal.append([text("swift-otter", "a")], NOON))).toEqual([2]);
    expect(seqs(new Journal(storage).after(0, 10))).toEqual([1, 2]);
  });
});

it("a batch that begins a segment and is not kept begins none: the next one does (promise 6)", () => {
  const storage = new RoomStorage();
  const journal = started(storage);
  journal.append(many(SEGMENT - 1), NOON);
  const batch = many(2, SEGMENT);
  // As a disk that turns out to be full with the last write.
  const commit = storage.transaction.bind(storage);
  vi.spyOn(storage, "transaction").mockImplementationOnce((work) =>
    commit(() => {
      work();
      throw new Error("database or disk is full");
    }),
  );
  expect(() => journal.append(batch, NOON)).toThrow("full");
  expect(seqs(journal.append(batch, NOON))).toEqual([SEGMENT, SEGMENT + 1]);
  expect(seqs(new Journal(storage).after(SEGMENT - 2, 10))).toEqual([SEGMENT - 1, SEGMENT, SEGMENT + 1]);
});

describe("starting", () => {
  it("leaves no trace of a look", () => {
    const storage = new RoomStorage();
    expect(new Journal(storage).started).toBe(false);
    expect(storage.sql.exec("SELECT name FROM sqlite_master").toArray()).toEqual([]);
  });

  it("goes on behind what D1 has, in a new epoch, with the retries of those messages recognised", () => {
    const first = started();
    const kept = first.append(many(5), NOON);
    const storage = new RoomStorage();
    const journal = started(storage);
    const rebuilt = new Journal(new RoomStorage());
    rebuilt.start({ messages: kept.slice(2) });
    expect(rebuilt.epoch).not.toBe(first.epoch);
    expect([rebuilt.head, rebuilt.archived, rebuilt.oldest]).toEqual([5, 5, 3]);
    expect(rebuilt.find("swift-otter", "m4")?.seq).toBe(4);
    expect(seqs(rebuilt.append(many(1, 6), NOON - 1))).toEqual([6]);
    expect(rebuilt.get(6)?.at).toBe(NOON);
    expect([journal.head, journal.oldest]).toEqual([0, 1]);
  });

  it("knows after a restart what it knew before, whatever is here of the log", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    const empty = new Journal(storage);
    expect([empty.started, empty.head, empty.oldest, empty.archived]).toEqual([true, 0, 1, 0]);
    journal.append(many(3), NOON);
    journal.markArchived(2);
    const reopened = new Journal(storage);
    expect([reopened.head, reopened.oldest, reopened.archived]).toEqual([3, 1, 2]);
  });
});

describe("recognising a retry (promise 3)", () => {
  it("finds a message by its sender and id, and nobody else's", () => {
    const journal = started();
    journal.append([text("swift-otter", "a"), text("swift-otter/claude", "b")], NOON);
    expect(journal.find("swift-otter", "a")?.seq).toBe(1);
    expect(journal.find("swift-otter/claude", "b")?.seq).toBe(2);
    expect(journal.find("swift-otter", "b")).toBeUndefined();
    expect(journal.find("swift-otter/claude", "a")).toBeUndefined();
  });

  it(`knows the newest ${RECENT} after a restart, also when they were pruned from here`, () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append(many(KEPT + 5_000), NOON);
    journal.markArchived(journal.head);
    expect(journal.prune()).toBe(SEGMENT);
    journal.append(many(10, journal.head + 1), NOON);
    const reopened = new Journal(storage);
    const { head } = reopened;
    for (let seq = head - RECENT + 1; seq <= head; seq++) {
      if (reopened.find("swift-otter", `m${seq}`)?.seq !== seq) throw new Error(`${seq} of ${head} is forgotten`);
    }
  });
});

describe("retries after an outage of D1 and a restart (promise 3)", () => {
  function isEachFoundOnce(journal: Journal): void {
    for (let seq = Math.max(1, journal.head - RECENT + 1); seq <= journal.head; seq++) {
      const found = journal.find("swift-otter", `m${seq}`)?.seq;
      if (found !== seq) throw new Error(`m${seq} of ${journal.head} is found as ${found}`);
    }
  }

  it.each([300, RECENT, RECENT + 300])("are recognised when D1 has %d and 7,000 more came", (archived) => {
    const storage = new RoomStorage();
    let journal = started(storage);
    journal.append(many(archived), NOON);
    journal.markArchived(archived);
    for (let batch = 0; batch < 70; batch++) journal.append(many(100, journal.head + 1), NOON);
    journal = new Journal(storage);
    isEachFoundOnce(journal);
    // What is written down from then on is right, too.
    for (let restart = 0; restart < 2; restart++) {
      journal.append(many(300, journal.head + 1), NOON);
      journal.markArchived(journal.head);
      journal = new Journal(storage);
      isEachFoundOnce(journal);
    }
  });

  it("cost a wake few rows, however long D1 is away", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    for (let batch = 0; batch < 300; batch++) journal.append(many(31, journal.head + 1), NOON);
    const reopened = new Journal(storage);
    const rows = storage.countRows(() => {
      reopened.find("swift-otter", "m1");
      expect(reopened.agentRun).toBe(0);
    });
    expect(rows).toBeLessThan(2 * 300);
  });

  it("are not confused by a batch that was not kept", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append(many(3), NOON);
    storage.refuse("too much");
    expect(() => journal.append([...many(2, 4), text("swift-otter", "m6", "too much")], NOON)).toThrow("full");
    for (const id of ["m4", "m5", "m6"]) expect(journal.find("swift-otter", id)).toBeUndefined();
    journal.append([text("a-b", "x"), ...many(1, 5)], NOON);
    expect(["m3", "m4", "m5"].map((id) => journal.find("swift-otter", id)?.seq)).toEqual([3, undefined, 5]);
    expect(journal.find("a-b", "x")?.seq).toBe(4);
  });

  it("are recognised in a room that was rebuilt with few messages and many pairs", () => {
    const first = started();
    first.append(many(5_000), NOON);
    const storage = new RoomStorage();
    new Journal(storage).start({ messages: first.after(4_800, 200), pairs: first.after(904, RECENT) });
    for (let restart = 0; restart < 2; restart++) {
      const journal = new Journal(storage);
      expect([journal.oldest, journal.find("swift-otter", "m4801")?.seq]).toEqual([4_801, 4_801]);
      expect(journal.find("swift-otter", "m905")).toBeUndefined();
      expect(["m905", "m4800", "m904", "m4801"].map((id) => journal.nominatedInD1("swift-otter", id))).toEqual([
        [905],
        [4_800],
        [],
        [],
      ]);
      journal.append(many(1, journal.head + 1), NOON);
    }
  });

  it("are recognised in a room that was rebuilt from a D1 that had refused some", () => {
    const first = started();
    first.append(many(20), NOON);
    const kept = first.after(0, 20).filter(({ seq }) => seq !== 13 && seq !== 3);
    const storage = new RoomStorage();
    new Journal(storage).start({ messages: kept.slice(8), pairs: kept });
    const journal = new Journal(storage);
    journal.append(many(1, 21), NOON);
    expect(["m2", "m4", "m12", "m14", "m21"].map((id) => journal.find("swift-otter", id)?.seq)).toEqual([
      undefined,
      undefined,
      12,
      14,
      21,
    ]);
    expect(journal.nominatedInD1("swift-otter", "m4")).toEqual([4]);
    expect(seqs(journal.before(22, 50))).toEqual([10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21]);
  });
});

describe("the run of agents' messages", () => {
  const says = (...senders: string[]): Unplaced[] => senders.map((sender, index) => text(sender, `${NOON}-${index}`));

  it("is how many texts by agents came since the last by anyone else, over restarts, deletions left out", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    const seen = [
      says("a-b/c", "a-b/c"),
      says("a-b"),
      says("a-b/c", "d-e/f"),
      [deletion("a-b", 1)],
      says("d-e/f"),
      says("~g-h-000000"),
      says("a-b/c"),
    ].map((batch) => {
      journal.append(batch, NOON);
      return [journal.agentRun, new Journal(storage).agentRun];
    });
    expect(seen).toEqual([2, 0, 2, 2, 3, 0, 1].map((run) => [run, run]));
  });

  it("is written down with the archive's mark and with the checkpoint, and counted to 1,000", () => {
    const storage = new RoomStorage();
    let journal = started(storage);
    for (let run = 100; run <= 1_200; run += 100) {
      journal.append(says(...Array<string>(100).fill("a-b/c")), NOON);
      if (run % 300 === 0) journal.markArchived(journal.head);
      journal = new Journal(storage);
      expect(journal.agentRun).toBe(Math.min(1_000, run));
    }
    journal.append(says("a-b"), NOON);
    expect(new Journal(storage).agentRun).toBe(0);
  });

  it("is what it was when a batch is not kept", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append(says("a-b/c"), NOON);
    storage.refuse("too much");
    expect(() => journal.append([text("a-b", "1", "too much")], NOON)).toThrow("full");
    expect(journal.agentRun).toBe(1);
  });
});

describe("the newest messages", () => {
  it("are read from storage once, and then from memory", () => {
    const storage = new RoomStorage();
    const before = started(storage);
    for (let batch = 0; batch < 10; batch++) before.append(many(50, before.head + 1), NOON);
    const journal = new Journal(storage);
    expect(storage.countRows(() => void journal.before(501, 50))).toBe(50);
    const rows = storage.countRows(() => {
      expect(seqs(journal.before(501, 50))).toEqual(seqs(journal.after(450, 200)));
      expect(journal.get(460)?.id).toBe("m460");
      expect(journal.jsonAfter(450)).toHaveLength(50);
      journal.append(many(1, 501), NOON);
      expect(journal.before(502, 50)[0]?.seq).toBe(452);
      expect(seqs(journal.after(499, 9))).toEqual([500, 501]);
    });
    // What came after the checkpoint, for the first append since the wake: for the pairs and for the agents' run.
    expect(rows).toBeLessThanOrEqual(2 * (256 + 50) + 2);
    expect(storage.countRows(() => void journal.find("swift-otter", "m500"))).toBe(0);
  });

  it("come as JSON, which is made once", () => {
    const storage = new RoomStorage();
    started(storage).append(many(400), NOON);
    const journal = new Journal(storage);
    const expected = (after: number) => journal.after(after, 500).map((message) => JSON.stringify(toMessage(message)));
    expect(journal.jsonAfter(390)).toEqual(expected(390));
    expect(journal.jsonAfter(400)).toEqual([]);
    expect(journal.jsonAfter(400 - TAIL_MESSAGES)).toEqual(expected(400 - TAIL_MESSAGES));
    expect(journal.jsonAfter(400 - TAIL_MESSAGES - 1)).toBeUndefined();
    expect(journal.jsonAfter(401)).toBeUndefined();
    journal.append([text("a-b", "new")], NOON);
    expect(journal.jsonAfter(399)).toEqual(expected(399));
  });

  it("come without what was deleted, in whatever form", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append([text("a-b", "1", "secret"), text("a-b", "2")], NOON);
    expect(journal.jsonAfter(0)?.[0]).toContain("secret");
    journal.append([deletion("a-b", 1)], NOON);
    const all = [journal, new Journal(storage)].flatMap((each) => [
      JSON.stringify(each.jsonAfter(0)),
      JSON.stringify([each.get(1), each.find("a-b", "1"), each.after(0, 9), each.before(9, 9)]),
    ]);
    expect(all.filter((each) => each.includes("secret"))).toEqual([]);
    expect(journal.get(1)).toMatchObject({ id: "1", content: "" });
  });

  it("are the same from memory and from storage, wherever one asks", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    for (let batch = 0; batch < 9; batch++) {
      journal.append(many(SEGMENT / 8, journal.head + 1), NOON);
      journal.append([deletion("swift-otter", journal.head - 3)], NOON);
    }
    const { head } = journal;
    const edges = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, head - 300, head - TAIL_MESSAGES, head - 4, head, head + 1];
    for (const seq of edges) {
      for (const limit of [1, 5, TAIL_MESSAGES, 1_000]) {
        const fresh = () => new Journal(storage);
        expect(journal.after(seq, limit)).toEqual(fresh().after(seq, limit));
        expect(journal.before(seq, limit)).toEqual(fresh().before(seq, limit));
        expect(seqs(journal.after(seq, limit))).toEqual(range(seq + 1, Math.min(head, seq + limit)));
        expect(seqs(journal.before(seq, limit))).toEqual(range(Math.max(1, seq - limit), seq - 1));
      }
    }
  });
});

describe("a journal that is closed", () => {
  it("throws on each use and writes nothing: the storage is another room's", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append(many(3), NOON);
    journal.close();
    const uses: (() => unknown)[] = [
      () => journal.started,
      () => journal.epoch,
      () => journal.head,
      () => journal.lastAt,
      () => journal.oldest,
      () => journal.archived,
      () => journal.agentRun,
      () => journal.start({ messages: [] }),
      () => journal.append(many(1, 4), NOON),
      () => journal.find("swift-otter", "m1"),
      () => journal.nominatedInD1("swift-otter", "m1"),
      () => journal.get(1),
      () => journal.after(0, 1),
      () => journal.before(9, 1),
      () => journal.jsonAfter(0),
      () => journal.deletionOf(1),
      () => journal.deletedBetween(1, 2),
      () => journal.markArchived(3),
      () => journal.park(1, "too big"),
      () => journal.parked(),
      () => journal.prune(),
    ];
    for (const use of uses) expect(use).toThrow(Closed);
    const reopened = new Journal(storage);
    expect([reopened.head, reopened.archived, reopened.parked()]).toEqual([3, 0, []]);
  });
});

describe("reading", () => {
  it("gives pages oldest first, exactly after and before a seq", () => {
    const journal = started();
    journal.append(many(10), NOON);
    expect(seqs(journal.after(7, 10))).toEqual([8, 9, 10]);
    expect(seqs(journal.after(2, 3))).toEqual([3, 4, 5]);
    expect(seqs(journal.before(4, 10))).toEqual([1, 2, 3]);
    expect(seqs(journal.before(11, 3))).toEqual([8, 9, 10]);
    expect(journal.after(10, 5)).toEqual([]);
  });
});

describe("a deletion", () => {
  it("empties its target in the same transaction, and both keep their places", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append([text("a-b", "1", "secret"), text("a-b", "2")], NOON);
    journal.append([deletion("a-b", 1)], NOON);
    const reopened = new Journal(storage);
    expect(reopened.after(0, 9).map(toMessage)).toMatchObject([
      { seq: 1, kind: "text", content: "", deleted: true },
      { seq: 2, kind: "text", content: "a-b says 2" },
      { seq: 3, kind: "deletion", target: 1, content: "" },
    ]);
    expect(reopened.deletionOf(1)?.seq).toBe(3);
    expect(reopened.deletionOf(2)).toBeUndefined();
  });

  it("is found in an index, in each segment, and costs nothing for those that are none", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append(many(10), NOON);
    journal.append([deletion("swift-otter", 3), deletion("a-b", 3)], NOON);
    journal.append(many(SEGMENT, 13), NOON);
    journal.append([deletion("swift-otter", 4)], NOON);
    expect([3, 4, 5].map((seq) => journal.deletionOf(seq)?.seq)).toEqual([11, SEGMENT + 13, undefined]);
    expect(journal.deletedBetween(1, 3)).toEqual([3, 3]);
    expect(storage.plansOf(() => void journal.deletionOf(5))).toEqual([
      "SEARCH messages_1 USING INDEX deletions_1 (ref=?)",
      `SEARCH messages_${SEGMENT + 1} USING INDEX deletions_${SEGMENT + 1} (ref=?)`,
    ]);
    expect(storage.plansOf(() => void journal.deletedBetween(1, 3))).toEqual([
      "SEARCH messages_1 USING COVERING INDEX deletions_1 (ref>? AND ref<?)",
      `SEARCH messages_${SEGMENT + 1} USING COVERING INDEX deletions_${SEGMENT + 1} (ref>? AND ref<?)`,
    ]);
  });

  it("leaves the target as it was when it is not kept itself", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append([text("a-b", "1", "still here")], NOON);
    storage.refuse("too much");
    expect(() => journal.append([deletion("a-b", 1), text("a-b", "2", "too much")], NOON)).toThrow();
    expect(journal.get(1)?.content).toBe("still here");
    expect(journal.deletionOf(1)).toBeUndefined();
  });
});

describe("pruning", () => {
  it("never drops what D1 has not, nor what a resume may need", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append(many(KEPT + 9_000), NOON);
    journal.markArchived(SEGMENT - 1);
    expect(journal.prune()).toBe(0);
    journal.markArchived(SEGMENT);
    expect(journal.prune()).toBe(SEGMENT);
    expect([journal.oldest, seqs(journal.after(0, 1))[0]]).toEqual([SEGMENT + 1, SEGMENT + 1]);
    journal.markArchived(journal.head);
    expect(journal.prune()).toBe(SEGMENT);
    expect(journal.head - journal.oldest + 1).toBeGreaterThanOrEqual(KEPT);
    expect(journal.head - journal.oldest + 1).toBeLessThanOrEqual(KEPT_AT_MOST);
    expect(new Journal(storage).oldest).toBe(journal.oldest);
  });

  it("keeps a parked message, alone, and does not take it for the start of what is here", () => {
    const storage = new RoomStorage();
    const journal = started(storage);
    journal.append(many(KEPT + 5_000), NOON);
    journal.park(17, "too big");
    journal.markArchived(journal.head);
    journal.prune();
    const reopened = new Journal(storage);
    expect(reopened.get(17)?.id).toBe("m17");
    expect(reopened.get(16)).toBeUndefined();
    expect(reopened.oldest).toBe(SEGMENT + 1);
    expect(reopened.parked()).toEqual([{ seq: 17, reason: "too big" }]);
    expect([reopened.after(0, 2), reopened.before(SEGMENT + 2, 9)].map(seqs)).toEqual([
      [17, SEGMENT + 1],
      [17, SEGMENT + 1],
    ]);
    reopened.append([deletion("swift-otter", 17)], NOON);
    expect(new Journal(storage).get(17)).toMatchObject({ seq: 17, content: "" });
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
      const storage = new RoomStorage();
      let journal = started(storage);
      for (const batch of all) {
        journal.append(
          batch.map((each) => ({ ...each, kind: "text", ref: null })),
          NOON,
        );
        if (restarts) journal = new Journal(storage);
      }
      const expected = all
        .flat()
        .map((each, index) => ({ ...each, seq: index + 1, kind: "text", ref: null, at: NOON }));
      expect(journal.after(0, 1_000)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});
