import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deletion, RoomStorage, seqs, text } from "../../test/unit/sqlite.ts";
import { Journal, KEPT, toMessage, type Unplaced } from "./journal.ts";
import { RECENT } from "./recent-ids.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

function started(storage = new RoomStorage()): Journal {
  const journal = new Journal(storage);
  journal.start([]);
  return journal;
}

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
    rebuilt.start(kept.slice(2));
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
    expect(journal.prune()).toBe(5_000);
    journal.append(many(10, journal.head + 1), NOON);
    const reopened = new Journal(storage);
    const { head } = reopened;
    for (let seq = head - RECENT + 1; seq <= head; seq++) {
      if (reopened.find("swift-otter", `m${seq}`)?.seq !== seq) throw new Error(`${seq} of ${head} is forgotten`);
    }
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

  it("counts bytes of UTF-8, not characters", () => {
    const journal = started();
    journal.append([text("a-b", "1", "ab"), text("a-b", "2", "äö"), text("a-b", "3", "🙂")], NOON);
    expect(journal.bytesAfter(0)).toBe(2 + 4 + 4);
    expect(journal.bytesAfter(1)).toBe(4 + 4);
    expect(journal.bytesAfter(3)).toBe(0);
  });

  it("tells who has written the newest texts, deletions left out", () => {
    const journal = started();
    journal.append([text("a-b", "1"), text("c-d", "2"), deletion("e-f", 1), text("g-h", "3")], NOON);
    expect(journal.latestSenders(2)).toEqual(["g-h", "c-d"]);
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
    journal.markArchived(3_999);
    expect(journal.prune()).toBe(0);
    journal.markArchived(4_500);
    expect(journal.prune()).toBe(4_500);
    expect([journal.oldest, seqs(journal.after(0, 1))[0]]).toEqual([4_501, 4_501]);
    journal.markArchived(journal.head);
    journal.prune();
    expect(journal.head - journal.oldest + 1).toBe(KEPT);
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
    expect(reopened.oldest).toBe(5_001);
    expect(reopened.parked()).toEqual([{ seq: 17, reason: "too big" }]);
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
