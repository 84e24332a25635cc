import { beforeEach, describe, expect, it, vi } from "vitest";
import { eventsOf } from "../../test/logged.ts";
import { keepsAll } from "../../test/unit/keeps-all.ts";
import { deletion, RoomStorage, seqs, TestD1, text } from "../../test/unit/sqlite.ts";
import { Closed } from "../log/closed.ts";
import { Journal } from "../log/journal.ts";
import type { Statement } from "../log/sql.ts";
import { LIMITS } from "../protocol.ts";
import { Archive } from "./archive.ts";
import { ARCHIVE_BATCH } from "./copy.ts";
import { TIME_TOLD_EVERY } from "./d1-messages.ts";
import { archivedMessage } from "./d1-reader.ts";
import type { Hold } from "./hold.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const DELAY = 10_000;

let db: TestD1;
let storage: RoomStorage;
let journal: Journal;
/** When the archive has asked to be woken, in ms from then. */
let wakes: number[];
let gone: number;
/** How often the archive has told that D1 was set back. */
let setBacks = 0;
/** The room's storage takes no note of that. */
let cannotNote: boolean;
let now: number;
/** What the room keeps of a limit that D1 has met. */
let hold: Hold | undefined;
/** Bytes that the room has stored. */
let stored: number;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  db = new TestD1();
  storage = new RoomStorage();
  journal = new Journal(storage);
  journal.start({ messages: [] });
  wakes = [];
  gone = 0;
  setBacks = 0;
  cannotNote = false;
  now = NOON;
  hold = undefined;
  stored = 0;
  // Of a delay that is drawn by chance, the longest.
  vi.spyOn(Math, "random").mockReturnValue(1);
});

function keepHold(kept: Hold | undefined): void {
  hold = kept;
}

/** An archive as a room opens it, also anew after a restart. `started` holds the runs that it began by itself. */
function open(of = journal) {
  const started: Promise<void>[] = [];
  const archive = new Archive({
    setBack: () => {
      setBacks++;
      if (cannotNote) throw new Error("disk is full");
    },
    room: "lobby",
    createdAt: db.createdAt,
    journal: of,
    db,
    now: () => now,
    holds: { load: () => hold, save: keepHold },
    stored: () => ({ bytes: stored, limit: 1_000_000 }),
    keepAlive: (run) => void started.push(run),
    wakeIn: (delay) => void wakes.push(delay),
    delay: DELAY,
    gone: async () => void gone++,
    retention: keepsAll,
    ordered: () => undefined,
  });
  return Object.assign(archive, { started });
}

function say(...contents: string[]): void {
  journal.append(
    contents.map((content, index) => text("swift-otter", `m${journal.head + index + 1}`, content)),
    NOON,
  );
}

const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`);

describe("copying", () => {
  it("brings every message to D1 as it is, and notes how far it is in the same transaction", async () => {
    journal.append([text("a-b", "1", "déjà 🙂 \"'\\ \n"), { ...text("a-b/c", "2"), ref: 1 }], NOON + 1);
    await open().run();
    expect(db.messages).toEqual([
      {
        seq: 1,
        id: "1",
        kind: "text",
        sender: "a-b",
        content: "déjà 🙂 \"'\\ \n",
        ref: null,
        created_at: "2026-11-24T12:00:00.001Z",
      },
      expect.objectContaining({ seq: 2, sender: "a-b/c", ref: 1 }),
    ]);
    expect(db.rows("SELECT last_seq, last_message_at, epoch FROM rooms WHERE id = 'lobby'")).toEqual([
      { last_seq: 2, last_message_at: "2026-11-24T12:00:00.001Z", epoch: journal.epoch },
    ]);
    expect(journal.archived).toBe(2);
  });

  it("waits for the alarm when little is there, and does not when much is", () => {
    const archive = open();
    archive.grown();
    expect(wakes).toEqual([]);
    say("one");
    archive.grown();
    expect(wakes).toEqual([DELAY]);
    expect(archive.started).toHaveLength(0);
    say(...many(ARCHIVE_BATCH - 1));
    archive.grown();
    expect(archive.started).toHaveLength(1);
  });

  it("takes as many batches as it needs, bounded by count and by length", async () => {
    say(...many(ARCHIVE_BATCH + 1));
    await open().run();
    expect([db.batches, db.messages.length]).toEqual([2, ARCHIVE_BATCH + 1]);
    say(...Array.from({ length: 40 }, () => "x".repeat(LIMITS.contentBytes)));
    await open().run();
    expect(db.batches).toBeGreaterThan(4);
    expect(db.messages).toHaveLength(ARCHIVE_BATCH + 41);
  });

  it("runs once at a time, and takes along what comes while it runs", async () => {
    say("one");
    const archive = open();
    const first = archive.run();
    say("two");
    const second = archive.run();
    expect(second).toBe(first);
    await first;
    expect(db.messages.map(({ content }) => content)).toEqual(["one", "two"]);
  });

  it("tells how far behind it is", async () => {
    const archive = open();
    say("one", "two");
    expect(archive.lag).toBe(2);
    await archive.run();
    expect(archive.lag).toBe(0);
  });

  it("lets old messages go from the room when D1 has them", async () => {
    for (let batch = 0; batch < 12; batch++) say(...many(1_000));
    await open().run();
    expect(journal.oldest).toBeGreaterThan(1);
    expect(db.messages).toHaveLength(journal.head);
  });
});

describe("when a copy is made", () => {
  it("differs from room to room until the first, so that rooms woken together don't ask D1 together", async () => {
    const chance = vi.spyOn(Math, "random");
    const first = [0, 0.5, 1].map((drawn) => {
      chance.mockReturnValue(drawn);
      wakes = [];
      say("one");
      open().grown();
      open().start();
      return wakes;
    });
    expect(first).toEqual([0.5, 0.75, 1].map((part) => [part * DELAY, part * DELAY]));
    chance.mockReturnValue(0);
    const archive = open();
    await archive.run();
    wakes = [];
    say("two");
    archive.grown();
    expect(wakes).toEqual([DELAY]);
  });

  it("asks D1 once for all that it needs", async () => {
    say("one");
    const asked = vi.spyOn(db, "query");
    await open().run();
    expect([db.batches, asked.mock.calls]).toEqual([1, []]);
  });
});

describe("what the directory is told", () => {
  const told = () => db.rows("SELECT last_seq, last_message_at FROM rooms WHERE id = 'lobby'")[0];
  const at = (ms: number) => new Date(NOON + ms).toISOString();
  const sayAt = (ms: number) => journal.append([text("a-b", `at${ms}`)], NOON + ms);

  it("is how far D1 is with each copy, and the time when it is a minute newer, because that costs a row more", async () => {
    let archive = open();
    const seen: unknown[] = [];
    for (const ms of [0, 10_000, TIME_TOLD_EVERY - 1, TIME_TOLD_EVERY, TIME_TOLD_EVERY + 1]) {
      sayAt(ms);
      await archive.run();
      seen.push(told());
      // Also by a room that has slept in between.
      archive = open();
    }
    expect(seen).toEqual([
      { last_seq: 1, last_message_at: at(0) },
      { last_seq: 2, last_message_at: at(0) },
      { last_seq: 3, last_message_at: at(0) },
      { last_seq: 4, last_message_at: at(TIME_TOLD_EVERY) },
      { last_seq: 5, last_message_at: at(TIME_TOLD_EVERY) },
    ]);
  });
});

describe("exactly once (promise 6)", () => {
  it("when D1's answer is lost, and the room asks again", async () => {
    say("one", "two");
    const archive = open();
    db.trouble = "mute";
    await archive.run();
    expect([db.messages.length, journal.archived]).toEqual([2, 0]);
    db.trouble = undefined;
    say("three");
    await archive.run();
    expect(seqs(db.messages)).toEqual([1, 2, 3]);
    expect([journal.archived, db.lastSeq]).toEqual([3, 3]);
  });

  it("when the room crashes between D1's answer and its own note", async () => {
    say("one");
    vi.spyOn(journal, "markArchived").mockImplementationOnce(() => {
      throw new Error("crashed");
    });
    await open().run();
    const reopened = new Journal(storage);
    expect(reopened.archived).toBe(0);
    await open(reopened).run();
    expect(seqs(db.messages)).toEqual([1]);
    expect(reopened.archived).toBe(1);
  });

  it("without going back: an old copy does not undo what a newer one noted", async () => {
    say("one", "two");
    await open().run();
    db.rows("UPDATE rooms SET last_seq = 9 WHERE id = 'lobby'");
    say("three");
    await open().run();
    expect(db.lastSeq).toBe(9);
  });
});

describe("a D1 that was set back to an earlier time", () => {
  it("is given again what it has lost, deletions included, when somebody speaks", async () => {
    const log = vi.spyOn(console, "warn").mockReturnValue();
    say("one", "two");
    const archive = open();
    await archive.run();
    const setBack = db.remember();
    say("three");
    await archive.run();
    journal.append([deletion("swift-otter", 1)], NOON);
    await archive.run();
    setBack();
    expect(db.messages[0]?.content).toBe("one");
    say("four");
    await archive.run();
    expect(db.messages.map(({ seq, content }) => [seq, content])).toEqual([
      [1, ""],
      [2, "two"],
      [3, "three"],
      [4, ""],
      [5, "four"],
    ]);
    expect([journal.archived, db.lastSeq]).toEqual([5, 5]);
    expect(setBacks).toBe(1);
    log.mockRestore();
  });

  it("is told of again when the room's storage could take no note of it", async () => {
    say("one");
    await open().run();
    const setBack = db.remember();
    say("two");
    await open().run();
    setBack();
    say("three");
    cannotNote = true;
    await open().run();
    cannotNote = false;
    await open().run();
    expect([setBacks, seqs(db.messages), journal.archived]).toEqual([2, [1, 2, 3], 3]);
  });

  it("never claims what it has lost, not even when the room crashes on the way", async () => {
    say("one");
    await open().run();
    const setBack = db.remember();
    say("two", "three");
    await open().run();
    setBack();
    say("four");
    const mark = vi.spyOn(journal, "markArchived").mockImplementation(() => {
      throw new Error("crashed");
    });
    await open().run();
    // Nor does it have what follows: a room that loses its own log now goes on behind what D1 claims.
    expect([seqs(db.messages), db.lastSeq]).toEqual([[1], 1]);
    mark.mockRestore();
    await open(new Journal(storage)).run();
    expect([seqs(db.messages), db.lastSeq]).toEqual([[1, 2, 3, 4], 4]);
  });

  it("goes on behind a gap when the room has let go of what is lost", async () => {
    say(...many(5));
    await open().run();
    const setBack = db.remember();
    for (let batch = 0; batch < 12; batch++) say(...many(1_000));
    await open().run();
    setBack();
    say("after");
    await open().run();
    const here = Array.from({ length: journal.head - journal.oldest + 1 }, (_, index) => journal.oldest + index);
    expect(journal.oldest).toBeGreaterThan(6);
    expect(seqs(db.messages)).toEqual([1, 2, 3, 4, 5, ...here]);
    expect([db.lastSeq, journal.archived]).toEqual([journal.head, journal.head]);
    db.batches = 0;
    say("and on");
    await open().run();
    expect(db.batches).toBe(1);
  });

  it("is told from one that refuses a message, which is not tried for ever", async () => {
    const log = [vi.spyOn(console, "warn").mockReturnValue(), vi.spyOn(console, "error").mockReturnValue()];
    db.refuse("bad");
    say("good", "bad");
    const archive = open();
    for (let run = 1; run <= 3; run++) await archive.run();
    expect(journal.parked().map(({ seq }) => seq)).toEqual([2]);
    say("better");
    await archive.run();
    expect(seqs(db.messages)).toEqual([1, 3]);
    for (const each of log) each.mockRestore();
  });
});

describe("an outage (promise 6)", () => {
  it("is waited out with longer and longer pauses, and then all is caught up", async () => {
    const archive = open();
    say("one");
    db.trouble = "away";
    for (let attempt = 0; attempt < 9; attempt++) await archive.run();
    expect(wakes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
    expect([archive.failures, archive.lag]).toEqual([9, 1]);
    say("two");
    db.trouble = undefined;
    await archive.run();
    expect([archive.failures, archive.lag, db.messages.length]).toEqual([0, 0, 2]);
  });

  it("is not hurried by what is said meanwhile", async () => {
    const archive = open();
    say("one");
    db.trouble = "away";
    await archive.run();
    await archive.run();
    wakes = [];
    say(...many(ARCHIVE_BATCH));
    archive.grown();
    expect([wakes, archive.started.length]).toEqual([[2_000], 0]);
  });

  it.each(["away", "read-only", "mute"] as const)("costs no message, however long D1 is %s", async (trouble) => {
    const archive = open();
    say("one", "two", "three");
    db.trouble = trouble;
    for (let attempt = 0; attempt < 12; attempt++) await archive.run();
    expect(journal.parked()).toEqual([]);
    db.trouble = undefined;
    await archive.run();
    expect(seqs(db.messages)).toEqual([1, 2, 3]);
    expect(journal.archived).toBe(3);
  });

  it("is not asked for an erasure at once again, but later and later", async () => {
    say("one");
    journal.append([{ id: "e", kind: "erasure", sender: "calm-heron", content: "swift-otter", ref: 1 }], NOON);
    while (journal.eraser.step());
    const archive = open();
    await archive.run();
    wakes = [];
    db.trouble = "away";
    for (let run = 0; run < 3; run++) await archive.run();
    expect(wakes).toEqual([1_000, 2_000, 4_000]);
    db.trouble = undefined;
    while (journal.erasures.length > 0) await archive.run();
    expect(db.messages[0]).toMatchObject({ sender: "", content: "" });
  });
});

describe("whatever fails", () => {
  it.each([
    ["D1", () => Object.assign(db, { trouble: "away" })],
    ["the journal's mark", () => refuseOnce("markArchived")],
    ["the journal's reading", () => refuseOnce("after")],
    ["the list of what is parked", () => refuseOnce("parked")],
  ])("the archive asks to be woken again, and catches up: %s", async (_, fail) => {
    const archive = open();
    say("one", "two");
    fail();
    await archive.run();
    expect([wakes, archive.failures]).toEqual([[1_000], 1]);
    db.trouble = undefined;
    await archive.run();
    expect([seqs(db.messages), archive.lag, archive.failures]).toEqual([[1, 2], 0, 0]);
  });

  it("pruning that must wait does not count as a failure, and is done after the next copy", async () => {
    const archive = open();
    const prune = vi.spyOn(journal, "prune").mockImplementationOnce(() => {
      throw new Error("database table is locked");
    });
    say("one");
    await archive.run();
    expect([archive.failures, wakes, journal.archived]).toEqual([0, [], 1]);
    say("two");
    await archive.run();
    expect(prune).toHaveBeenCalledTimes(2);
  });

  function refuseOnce(name: "markArchived" | "after" | "parked"): void {
    vi.spyOn(journal, name).mockImplementationOnce(() => {
      throw new Error("database or disk is full");
    });
  }
});

describe("a start", () => {
  it("asks to be woken when messages wait, because the alarm that was to copy them may be lost", () => {
    say("one");
    open(new Journal(storage)).start();
    expect(wakes).toEqual([DELAY]);
  });

  it("asks for nothing when none wait", async () => {
    say("one");
    await open().run();
    open(new Journal(storage)).start();
    expect(wakes).toEqual([]);
  });
});

describe("an archive that is closed", () => {
  it("ends its copy quietly: nothing is noted, dropped, set aside or asked for", async () => {
    for (const trouble of [undefined, "away", "mute", "read-only"] as const) {
      db = new TestD1();
      storage = new RoomStorage();
      journal = new Journal(storage);
      journal.start({ messages: [] });
      say("one");
      db.trouble = trouble;
      const archive = open();
      await archive.run();
      await archive.run();
      say("two");
      wakes = [];
      const run = archive.run();
      // As a room does that is wiped while D1 is asked; the storage is the next room's then.
      archive.close();
      journal.close();
      await run;
      expect([wakes, gone]).toEqual([[], 0]);
      const reopened = new Journal(storage);
      expect([reopened.archived, reopened.parked()]).toEqual([trouble === undefined ? 1 : 0, []]);
    }
  });

  it("ends no other room: that D1 has none is heard after the close", async () => {
    db.rows("DELETE FROM rooms");
    say("one");
    const archive = open();
    let asked = 0;
    vi.spyOn(db, "query").mockImplementation(async () => {
      // After the copy was refused: whether the room is gone.
      asked++;
      archive.close();
      journal.close();
      return [];
    });
    await archive.run();
    expect([asked, gone, wakes]).toEqual([1, 0, []]);
  });

  it("does nothing any more for a late caller", async () => {
    const archive = open();
    say("one");
    archive.close();
    expect(() => archive.grown()).toThrow(Closed);
    expect(() => archive.start()).toThrow(Closed);
    expect(() => archive.failures).toThrow(Closed);
    await expect(archive.run()).rejects.toThrow(Closed);
    await expect(archive.reach(1)).rejects.toThrow(Closed);
    expect([wakes, db.batches]).toEqual([[], 0]);
  });
});

describe("a row that D1 refuses", () => {
  it("is found among a thousand in few questions", async () => {
    say(...many(700), "bad", ...many(299));
    db.refuse("bad");
    const archive = open();
    for (let attempt = 0; attempt < 3; attempt++) await archive.run();
    expect(journal.parked().map(({ seq }) => seq)).toEqual([701]);
    expect([db.messages.length, archive.lag]).toEqual([999, 0]);
    expect(db.batches).toBeLessThan(45);
  });

  it("is told from an outage that ends between the refusal of the last row and the question about it", async () => {
    say("one");
    const archive = open();
    db.trouble = "read-only";
    await archive.run();
    await archive.run();
    const batch = db.batch.bind(db);
    let asked = 0;
    db.batch = (statements) => {
      if (++asked === 2) db.trouble = undefined;
      return batch(statements);
    };
    await archive.run();
    expect([journal.parked(), seqs(db.messages)]).toEqual([[], [1]]);
  });

  it("is set aside, and does not hold up the others", async () => {
    const archive = open();
    say("one", "bad", "three");
    db.refuse("bad");
    for (let attempt = 0; attempt < 3; attempt++) await archive.run();
    expect(seqs(db.messages)).toEqual([1, 3]);
    expect(journal.parked()).toEqual([{ seq: 2, reason: expect.stringContaining("too big") }]);
    expect([archive.lag, archive.failures, db.lastSeq]).toEqual([0, 0, 3]);
    expect(journal.get(2)?.content).toBe("bad");
  });

  it("is told from an outage that ends in the middle of the question", async () => {
    const log = vi.spyOn(console, "warn").mockReturnValue();
    say("one", "two");
    const archive = open();
    db.trouble = "read-only";
    await archive.run();
    await archive.run();
    const batch = db.batch.bind(db);
    let asked = 0;
    db.batch = (statements) => {
      // The batch is refused; then the outage is over.
      if (++asked === 2) db.trouble = undefined;
      return batch(statements);
    };
    await archive.run();
    expect(journal.parked()).toEqual([]);
    expect(seqs(db.messages)).toEqual([1, 2]);
    log.mockRestore();
  });

  it("is told from an outage by a write, which leaves nothing behind", async () => {
    const archive = open();
    say("bad");
    db.refuse("bad");
    for (let attempt = 0; attempt < 3; attempt++) await archive.run();
    expect(db.rows("SELECT first FROM packs")).toEqual([]);
    say("two");
    await archive.run();
    expect(seqs(db.messages)).toEqual([2]);
  });
});

describe("a deletion", () => {
  it("empties its target in D1 in the transaction that copies it", async () => {
    say("secret", "two");
    await open().run();
    journal.append([deletion("swift-otter", 1)], NOON);
    db.trouble = "away";
    const archive = open();
    await archive.run();
    expect(db.messages[0]?.content).toBe("secret");
    db.trouble = undefined;
    await archive.run();
    expect(db.messages).toMatchObject([{ content: "" }, { content: "two" }, { seq: 3 }]);
  });

  it("of a message in the same batch leaves nothing of it in D1", async () => {
    say("secret");
    journal.append([deletion("swift-otter", 1)], NOON);
    await open().run();
    expect(db.messages).toMatchObject([{ content: "" }, { seq: 2 }]);
  });

  it("that comes while a copy is under way is in D1 when that copy ends", async () => {
    say("secret");
    const archive = open();
    const answered = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const batch = db.batch.bind(db);
    db.batch = async <Row>(statements: Statement[]) => {
      const result = await batch<Row>(statements);
      asked.resolve();
      await answered.promise;
      return result;
    };
    const copy = archive.run();
    await asked.promise;
    journal.append([deletion("swift-otter", 1)], NOON);
    void archive.run();
    answered.resolve();
    await copy;
    expect(db.messages).toMatchObject([{ content: "" }, { seq: 2 }]);
    expect(archive.lag).toBe(0);
  });

  it("of a message that the room has pruned empties it in D1, where it is alone", async () => {
    for (let batch = 0; batch < 11; batch++) say(...many(1_000));
    const archive = open();
    await archive.run();
    expect(journal.get(7)).toBeUndefined();
    expect((await archivedMessage(db, "lobby", 7))?.content).toBe("line 6");
    journal.append([deletion("swift-otter", 7)], NOON);
    await archive.run();
    expect(await archivedMessage(db, "lobby", 7)).toMatchObject({ seq: 7, content: "", sender: "swift-otter" });
    expect((await archivedMessage(db, "lobby", 8))?.content).toBe("line 7");
  });

  it("touches no other room", async () => {
    db.rows("INSERT INTO rooms (id, name, created_at) VALUES ('den', 'Den', '2026')");
    db.rows("INSERT INTO messages VALUES ('den', 1, 'a', 'text', 'a-b', 'stays', NULL, '2026')");
    say("secret");
    journal.append([deletion("swift-otter", 1)], NOON);
    await open().run();
    expect(db.rows("SELECT content FROM messages WHERE room_id = 'den'")).toEqual([{ content: "stays" }]);
  });
});

describe("a room that was deleted while somebody wrote in it", () => {
  it("is given up, not tried for ever", async () => {
    say("one");
    db.rows("DELETE FROM rooms WHERE id = 'lobby'");
    await open().run();
    expect([gone, wakes]).toEqual([1, []]);
  });

  it("is told from a database that does not answer", async () => {
    say("one");
    db.rows("DELETE FROM rooms WHERE id = 'lobby'");
    db.trouble = "away";
    await open().run();
    expect([gone, wakes]).toEqual([0, [1_000]]);
  });
});

describe("a room whose id was given away and made again", () => {
  it("gets nothing of the old one, however late its last copy arrives", async () => {
    say("of the old room");
    db.rows("UPDATE rooms SET created_at = ?, epoch = NULL, last_seq = 0 WHERE id = 'lobby'", [
      "2030-01-01T00:00:00.000Z",
    ]);
    await open().run();
    expect([db.messages, db.lastSeq, gone, journal.archived]).toEqual([[], 0, 1, 0]);
  });
});

describe("a D1 that has reached a limit (promise 6)", () => {
  const MINUTE = 60_000;

  /** An hour of traffic, a message a second, in a room that is woken when it has asked for it, and that sometimes sleeps. */
  async function hourOfTraffic(sleeps: boolean): Promise<number> {
    const before = db.batches;
    let archive = open();
    let alarm = Number.POSITIVE_INFINITY;
    const rearm = () => {
      for (const delay of wakes) alarm = Math.min(alarm, now + delay);
      wakes = [];
    };
    for (let second = 0; second < 3_600; second++) {
      now += 1_000;
      if (sleeps && second % 20 === 0) {
        archive = open();
        archive.start();
      }
      say(`second ${second}`);
      archive.grown();
      // A deletion asks for a copy at once, and a sweep rings the alarm for other reasons.
      if (second % 30 === 0) await archive.run();
      rearm();
      if (alarm > now) continue;
      alarm = Number.POSITIVE_INFINITY;
      await archive.run();
      rearm();
    }
    await Promise.all(archive.started);
    return db.batches - before;
  }

  it.each([
    ["full", false, 8],
    ["full", true, 8],
    ["day", false, 3],
    ["day", true, 3],
  ] as const)(
    "%s, is asked seldom for an hour of traffic, and then has everything once (asleep: %s)",
    async (limit, sleeps, atMost) => {
      say("before");
      await open().run();
      db.trouble = limit;
      expect(await hourOfTraffic(sleeps)).toBeLessThanOrEqual(atMost);
      expect([journal.head, journal.oldest, journal.archived]).toEqual([3_601, 1, 1]);
      expect([db.messages.length, journal.parked()]).toEqual([1, []]);
      db.trouble = undefined;
      now += 60 * MINUTE;
      const archive = open();
      await archive.run();
      expect(seqs(db.messages)).toEqual(Array.from({ length: 3_601 }, (_, index) => index + 1));
      expect([archive.lag, archive.failures, archive.hold, hold]).toEqual([0, 0, null, undefined]);
    },
  );

  it("is asked again at once when the clock was set back, by which it would be left alone for hours", async () => {
    say("one");
    db.trouble = "full";
    now = NOON + 300 * MINUTE;
    await open().run();
    db.trouble = undefined;
    now = NOON;
    const archive = open();
    await archive.run();
    expect([seqs(db.messages), archive.hold]).toEqual([[1], null]);
  });

  it("sets no message aside, though D1 takes a smaller one", async () => {
    const batch = db.batch.bind(db);
    db.batch = async (statements) => {
      if (statements.length > 2) throw new Error("D1_ERROR: Exceeded maximum DB size.");
      return batch(statements);
    };
    say("one", "two");
    const archive = open();
    for (let tried = 0; tried < 9; tried++) {
      await archive.run();
      now += 60 * MINUTE;
    }
    db.batch = batch;
    await archive.run();
    expect([journal.parked(), seqs(db.messages)]).toEqual([[], [1, 2]]);
  });

  it("says since when, when it is asked again, and how long the room's own storage lasts", async () => {
    say(...many(100));
    stored = 100_000;
    db.trouble = "full";
    const archive = open();
    await archive.run();
    const [since, nextTry] = [NOON, NOON + 15 * MINUTE].map((ms) => new Date(ms).toISOString());
    expect(archive.hold).toEqual({ limit: "full", since, nextTry, placesLeft: 900, lastsUntil: null });
    now += 10 * MINUTE;
    stored = 200_000;
    expect(open().hold).toEqual({
      ...{ limit: "full", since, nextTry, placesLeft: 400 },
      lastsUntil: new Date(now + 80 * MINUTE).toISOString(),
    });
    // It refuses again, and what is said counts from the first time.
    now += 5 * MINUTE;
    const again = open();
    await again.run();
    const lastsUntil = new Date(now + 120 * MINUTE).toISOString();
    expect(again.hold).toEqual({ limit: "full", since, nextTry: expect.any(String), placesLeft: 400, lastsUntil });
    expect(again.hold?.nextTry).not.toBe(nextTry);
  });

  it("is told in the log when it begins and when it ends, and not each time", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const info = vi.spyOn(console, "info").mockReturnValue();
    say("one");
    db.trouble = "day";
    for (let tried = 0; tried < 5; tried++) {
      await open().run();
      now += 60 * MINUTE;
    }
    db.trouble = undefined;
    await open().run();
    expect(eventsOf(warn)).toEqual(["archive.day_used_up"]);
    expect(eventsOf(info)).toEqual(["archive.resumed"]);
  });

  it("is asked again soon after midnight, UTC, when it was the day's", async () => {
    now = Date.parse("2026-11-24T23:58:00.000Z");
    say("one");
    db.trouble = "day";
    await open().run();
    expect(wakes).toEqual([12 * MINUTE]);
  });
});
