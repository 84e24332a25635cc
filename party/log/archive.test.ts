import { beforeEach, describe, expect, it, vi } from "vitest";
import { deletion, RoomStorage, seqs, TestD1, text } from "../../test/unit/sqlite.ts";
import { LIMITS } from "../protocol.ts";
import { ARCHIVE_BATCH, Archive, announceEpoch, archivedAfter, archivedBefore, archivedMessage } from "./archive.ts";
import { Journal } from "./journal.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const DELAY = 10_000;

let db: TestD1;
let storage: RoomStorage;
let journal: Journal;
/** When the archive has asked to be woken, in ms from then. */
let wakes: number[];
let gone: number;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  db = new TestD1();
  storage = new RoomStorage();
  journal = new Journal(storage);
  journal.start([]);
  wakes = [];
  gone = 0;
});

/** An archive as a room opens it, also anew after a restart. `started` holds the runs that it began by itself. */
function open(of = journal) {
  const started: Promise<void>[] = [];
  const archive = new Archive({
    room: "lobby",
    journal: of,
    db,
    keepAlive: (run) => void started.push(run),
    wakeIn: (delay) => void wakes.push(delay),
    delay: DELAY,
    gone: async () => void gone++,
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
    expect(db.rows("SELECT * FROM messages")).toMatchObject([
      {
        room_id: "lobby",
        seq: 1,
        id: "1",
        kind: "text",
        sender: "a-b",
        content: "déjà 🙂 \"'\\ \n",
        ref: null,
        created_at: "2026-11-24T12:00:00.001Z",
      },
      { seq: 2, sender: "a-b/c", ref: 1 },
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
    say(...many(LIMITS.resume + 6_000));
    await open().run();
    expect(journal.oldest).toBeGreaterThan(1);
    expect(db.messages).toHaveLength(journal.head);
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
  const setBackTo = (seq: number) => {
    db.rows("DELETE FROM messages WHERE seq > ?", [seq]);
    db.rows("UPDATE rooms SET last_seq = ? WHERE id = 'lobby'", [seq]);
  };

  it("is given again what it has lost, deletions included, when somebody speaks", async () => {
    const log = vi.spyOn(console, "warn").mockReturnValue();
    say("one", "two", "three");
    await open().run();
    journal.append([deletion("swift-otter", 1)], NOON);
    const archive = open();
    await archive.run();
    setBackTo(2);
    db.rows("UPDATE messages SET content = 'one' WHERE seq = 1");
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
    log.mockRestore();
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
});

describe("a row that D1 refuses", () => {
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
      // The batch and its first row are refused; then the outage is over.
      if (++asked === 3) db.trouble = undefined;
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
    expect(db.rows("SELECT seq FROM messages")).toEqual([]);
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

describe("reading back", () => {
  beforeEach(async () => {
    say(...many(1_200));
    await open().run();
  });

  it("gives exactly what lies before or after a seq, oldest first, over as many queries as it takes", async () => {
    expect(seqs(await archivedBefore(db, "lobby", 5, 3))).toEqual([2, 3, 4]);
    expect(seqs(await archivedBefore(db, "lobby", 3, 10))).toEqual([1, 2]);
    const all = seqs(await archivedBefore(db, "lobby", 1_201, 5_000));
    expect([all.length, all[0], all.at(-1)]).toEqual([1_200, 1, 1_200]);
    expect(seqs(await archivedAfter(db, "lobby", 1_198, 10))).toEqual([1_199, 1_200]);
    expect(await archivedBefore(db, "den", 5, 3)).toEqual([]);
  });

  it("gives what the journal has, to the last field", async () => {
    expect(await archivedAfter(db, "lobby", 0, 1_200)).toEqual(journal.after(0, 1_200));
    expect(await archivedMessage(db, "lobby", 7)).toEqual(journal.get(7));
    expect(await archivedMessage(db, "lobby", 1_201)).toBeUndefined();
  });

  it("rebuilds a journal that goes on where the lost one was", async () => {
    const rebuilt = new Journal(new RoomStorage());
    rebuilt.start(await archivedBefore(db, "lobby", (db.lastSeq as number) + 1, LIMITS.resume));
    expect(rebuilt.after(0, 5_000)).toEqual(journal.after(0, 5_000));
    expect(rebuilt.epoch).not.toBe(journal.epoch);
    await announceEpoch(db, "lobby", rebuilt.epoch);
    expect(db.rows("SELECT epoch FROM rooms WHERE id = 'lobby'")).toEqual([{ epoch: rebuilt.epoch }]);
    rebuilt.append([text("a-b", "next")], NOON);
    await open(rebuilt).run();
    expect(db.lastSeq).toBe(1_201);
    expect(db.rows("SELECT epoch FROM rooms WHERE id = 'lobby'")).toEqual([{ epoch: rebuilt.epoch }]);
  });
});

it("reads at most so many bytes at once, the newest first", async () => {
  say(...Array.from({ length: 2_000 }, () => "x".repeat(8_192)));
  await open().run();
  const read = await archivedBefore(db, "lobby", 2_001, 2_000);
  expect(read.length).toBeLessThan(2_000);
  expect(read.at(-1)?.seq).toBe(2_000);
  expect(read.reduce((sum, { content }) => sum + content.length, 0)).toBeLessThan(LIMITS.resumeBytes + 500 * 8_193);
});
