import { beforeEach, describe, expect, it, vi } from "vitest";
import { deletion, RoomStorage, seqs, TestD1, text } from "../../test/unit/sqlite.ts";
import { Archive } from "../archive/archive.ts";
import { beginLog } from "../archive/begin-log.ts";
import { askContent } from "../asks/ask.ts";
import { Journal, KEPT, REMOVED_AT_ONCE } from "../log/journal.ts";
import { Reader } from "../log/reader.ts";
import { SEGMENT } from "../log/segments.ts";
import { answerKind } from "../log/stored-message.ts";
import { DEFAULT_SETTINGS, type RoomRecord } from "../room-record.ts";
import { DAY } from "./keep.ts";
import { Retention } from "./retention.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const HOUR = 3_600_000;

let now: number;
let db: TestD1;
let storage: RoomStorage;
let record: RoomRecord;
/** The deployment's KEEP_DAYS. */
let deployment: number;
let room: ReturnType<typeof open>;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  now = NOON;
  db = new TestD1();
  storage = new RoomStorage();
  deployment = 0;
  record = {
    id: "lobby",
    name: "Lobby",
    topic: "",
    listed: true,
    access: "open",
    createdByHandle: null,
    createdBy: null,
    createdAt: db.createdAt,
    settings: { ...DEFAULT_SETTINGS, keepDays: 7 },
    revision: 1,
    lastSeq: 0,
    epoch: null,
    lastMessageAt: null,
    firstSeq: 1,
    goneBefore: null,
    knownKeepDays: 0,
    guestPepper: "pepper",
  };
  new Journal(storage).start({ messages: [] });
  room = open();
});

/** The parts of a room that has just woken. */
function open(of = storage) {
  const journal = new Journal(of);
  const retention = new Retention({
    now: () => now,
    room: record,
    journal,
    db,
    record: () => record,
    deployment,
    noted: (change) => {
      record = { ...record, ...change };
    },
  });
  const archive = new Archive({
    setBack: () => undefined,
    room: "lobby",
    createdAt: db.createdAt,
    journal,
    db,
    now: () => now,
    holds: { load: () => undefined, save: () => undefined },
    stored: () => ({ bytes: 0, limit: undefined }),
    keepAlive: () => undefined,
    wakeIn: () => undefined,
    delay: 0,
    gone: async () => undefined,
    ordered: () => undefined,
    retention,
  });
  const reader = new Reader({ room: "lobby", journal, db, retention });
  return {
    journal,
    retention,
    reader,
    /** What the alarm does. */
    async duties() {
      retention.removeHere();
      await archive.run();
    },
    /** Says one line an hour. */
    say(count: number, every = HOUR) {
      for (let said = 0; said < count; said++) {
        journal.append([text("swift-otter", `m${journal.head + 1}`, `line ${journal.head + 1}`)], now);
        now += every;
      }
    },
    /** Says so many lines at once. */
    sayMany(count: number) {
      const { head } = journal;
      const lines = Array.from({ length: count }, (_, index) =>
        text("swift-otter", `m${head + index + 1}`, `line ${head + index + 1}`),
      );
      journal.append(lines, now);
    },
  };
}

/** The seqs of which any store has the words. */
const stored = () => {
  const tables = storage.sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'messages_[0-9]*' AND type = 'table'")
    .toArray();
  const here = tables.flatMap(({ name }) => storage.sql.exec<{ seq: number }>(`SELECT seq FROM ${name}`).toArray());
  return {
    here: here.map(({ seq }) => seq).sort((a, b) => a - b),
    d1: db.messages.map(({ seq }) => seq),
  };
};

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const noted = () => db.rows("SELECT first_seq, last_seq, gone_before, known_keep_days FROM rooms")[0];

describe("what is too old", () => {
  it("is hidden from every read at the very millisecond, before anything is removed", async () => {
    room.say(10);
    await room.duties();
    now = NOON + 7 * DAY + 3 * HOUR;
    expect(seqs((await room.reader.page(undefined, 99)).messages)).toEqual(range(4, 10));
    now++;
    const page = await room.reader.page(undefined, 99);
    expect(seqs(page.messages)).toEqual(range(5, 10));
    expect(page.more).toBe(false);
    expect(seqs((await room.reader.page({ before: 7 }, 99)).messages)).toEqual([5, 6]);
    expect(await room.reader.message(4)).toBeUndefined();
    expect(room.journal.find("swift-otter", "m4")).toBeUndefined();
    expect(stored().here).toEqual(range(1, 10));
  });

  it("answers a cursor before it with reset, and one at its end with what comes after", async () => {
    room.say(10);
    await room.duties();
    now = NOON + 7 * DAY + 3 * HOUR + 1;
    const { epoch } = room.journal;
    expect(await room.reader.page({ after: 3, epoch }, 99)).toMatchObject({ reset: true, head: 10 });
    const page = await room.reader.page({ after: 4, epoch }, 99);
    expect(page.reset).toBeUndefined();
    expect(seqs(page.messages)).toEqual(range(5, 10));
  });

  it("is removed here and in D1, with nothing else, and is removed once", async () => {
    room.say(250, DAY / 100);
    await room.duties();
    now = NOON + 8.2 * DAY;
    await room.duties();
    expect(stored()).toEqual({ here: range(121, 250), d1: range(121, 250) });
    expect(db.rows("SELECT first FROM packs ORDER BY first")).toEqual([{ first: 101 }, { first: 201 }]);
    expect(noted()).toMatchObject({ first_seq: 121, last_seq: 250, known_keep_days: 0 });
    const before = db.batches;
    await room.duties();
    expect(db.batches).toBe(before);
    room.say(1);
    await room.duties();
    expect(stored().d1).toEqual(range(121, 251));
  });

  it("takes the whole room with it, and the room goes on with its next seq, here and from D1 alone", async () => {
    room.say(5);
    await room.duties();
    now += 30 * DAY;
    await room.duties();
    expect(stored()).toEqual({ here: [], d1: [] });
    expect(open().journal.head).toBe(5);
    expect(open().journal.lastAt).toBe(NOON + 4 * HOUR);
    expect(await room.reader.page(undefined, 9)).toMatchObject({ messages: [], head: 5, more: false });
    const woken = open();
    woken.say(1);
    await woken.duties();
    expect(stored()).toEqual({ here: [6], d1: [6] });
  });

  it("does not come back when messages are kept for longer afterwards", async () => {
    room.say(10);
    await room.duties();
    now = NOON + 7 * DAY + 4 * HOUR + 1;
    expect(seqs((await room.reader.page(undefined, 99)).messages)).toEqual(range(6, 10));
    // The owner's change, as the Worker writes it into the row.
    const goneBefore = new Date(now - 7 * DAY).toISOString();
    record = { ...record, settings: DEFAULT_SETTINGS, goneBefore, knownKeepDays: -1, revision: 2 };
    db.rows("UPDATE rooms SET revision = 2, known_keep_days = -1");
    room = open();
    expect(seqs((await room.reader.page(undefined, 99)).messages)).toEqual(range(6, 10));
    await room.duties();
    now += 100 * DAY;
    expect(seqs((await open().reader.page(undefined, 99)).messages)).toEqual(range(6, 10));
    expect(stored()).toEqual({ here: range(6, 10), d1: range(6, 10) });
  });

  it("does not come back when the deployment keeps messages for longer: the earlier bound holds until it is noted", async () => {
    deployment = 3;
    record = { ...record, settings: DEFAULT_SETTINGS, knownKeepDays: 3 };
    room = open();
    room.say(10);
    await room.duties();
    now = NOON + 3 * DAY + 4 * HOUR + 1;
    deployment = 90;
    room = open();
    expect(seqs((await room.reader.page(undefined, 99)).messages)).toEqual(range(6, 10));
    await room.duties();
    expect(noted()).toMatchObject({ first_seq: 6, known_keep_days: 90 });
    now += DAY;
    expect(seqs((await open().reader.page(undefined, 99)).messages)).toEqual(range(6, 10));
  });
});

describe("of a room longer than what it has here", () => {
  /** Lines of which the first `old` are a day older than the others; the room has pruned some of both. */
  async function long(old: number, young: number) {
    room.sayMany(old);
    now += DAY;
    room.sayMany(young);
    await room.duties();
    expect(room.journal.oldest).toBeGreaterThan(old);
  }

  it("messages are hidden in D1's pages, by reset and without a gap", async () => {
    await long(1_050, KEPT + SEGMENT);
    now = NOON + 7 * DAY + 1;
    const { epoch } = room.journal;
    expect((await room.reader.page({ after: 1_049, epoch }, 9)).reset).toBe(true);
    expect(seqs((await room.reader.page({ after: 1_050, epoch }, 3)).messages)).toEqual([1_051, 1_052, 1_053]);
    const page = await room.reader.page({ before: 1_060 }, 50);
    expect(seqs(page.messages)).toEqual(range(1_051, 1_059));
    expect(page.more).toBe(false);
    expect(await room.retention.findFirst()).toBe(1_051);
  });

  it("whole packs go, the pack at the boundary is cut, and few questions find it", async () => {
    await long(1_050, KEPT + SEGMENT);
    now = NOON + 7 * DAY + 1;
    const { head } = room.journal;
    const before = db.batches;
    await room.duties();
    expect(db.batches - before).toBeLessThan(12);
    expect(stored().d1).toEqual(range(1_051, head));
    expect(db.rows("SELECT MIN(first) AS first FROM packs")).toEqual([{ first: 1_001 }]);
  });

  it("in rows of the older form go, too", async () => {
    await long(1_050, KEPT + SEGMENT);
    const insert = `INSERT INTO messages (room_id, seq, id, kind, sender, content, ref, created_at)
      VALUES ('lobby', ?, ?, 'text', 'a-b', 'an old row', NULL, ?)`;
    for (const seq of range(1, 1_100)) {
      db.rows(insert, [seq, `m${seq}`, new Date(seq <= 1_050 ? NOON : NOON + DAY).toISOString()]);
    }
    db.rows("DELETE FROM packs WHERE first < 1101");
    now = NOON + 7 * DAY + 1;
    await room.duties();
    expect(db.rows("SELECT MIN(seq) AS seq FROM messages")).toEqual([{ seq: 1_051 }]);
    expect(seqs((await room.reader.page({ before: 1_053 }, 9)).messages)).toEqual([1_051, 1_052]);
  });

  it("are removed in runs of a bounded size, a minute after each other, and seen by nobody meanwhile", async () => {
    // A segment of the first form may be longer than those of today.
    storage.sql.exec(`INSERT INTO messages_1 (seq, id, kind, sender, content, ref, at)
      WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ${REMOVED_AT_ONCE + 11})
      SELECT seq, 'm' || seq, 'text', 'a-b', 'line', NULL, ${NOON} + (seq > ${REMOVED_AT_ONCE + 10}) * ${HOUR} FROM n`);
    room = open();
    await room.duties();
    now = NOON + 7 * DAY + 1;
    room.retention.removeHere();
    expect(stored().here).toHaveLength(11);
    expect(seqs((await room.reader.page({ before: 9_999 }, 99)).messages)).toEqual([REMOVED_AT_ONCE + 11]);
    await room.duties();
    expect(stored().here).toEqual([REMOVED_AT_ONCE + 11]);
  });
});

describe("a removal", () => {
  it("that D1 does not take is gone on with, and here the words are gone meanwhile", async () => {
    room.say(10);
    await room.duties();
    now = NOON + 7 * DAY + 4 * HOUR + 1;
    db.trouble = "read-only";
    await room.duties();
    expect(stored().here).toEqual(range(6, 10));
    expect(room.retention.isDue).toBe(false);
    expect(room.retention.due).toBeLessThanOrEqual(now + 60_000);
    db.trouble = undefined;
    now += 60_000;
    room = open();
    await room.duties();
    expect(stored()).toEqual({ here: range(6, 10), d1: range(6, 10) });
  });

  it("whose answer is lost may happen again", async () => {
    room.say(10);
    await room.duties();
    now = NOON + 7 * DAY + 4 * HOUR + 1;
    db.trouble = "mute";
    await room.duties();
    db.trouble = undefined;
    now += 60_000;
    await room.duties();
    expect(stored()).toEqual({ here: range(6, 10), d1: range(6, 10) });
    expect(noted()).toMatchObject({ first_seq: 6, last_seq: 10 });
  });

  it("of messages that D1 never had leaves the archive nothing to wait for", async () => {
    db.trouble = "away";
    room.say(5);
    await room.duties();
    now += 30 * DAY;
    room = open();
    await room.duties();
    expect(stored().here).toEqual([]);
    expect([room.journal.head, room.journal.lag]).toEqual([5, 0]);
    db.trouble = undefined;
    now += HOUR;
    room = open();
    expect(room.journal.head).toBe(5);
    await room.duties();
    room.say(2);
    await room.duties();
    expect(stored()).toEqual({ here: [6, 7], d1: [6, 7] });
    expect(noted()).toMatchObject({ first_seq: 6, last_seq: 7 });
  });

  it("is not undone by a copy that arrives late", async () => {
    const late: (() => Promise<unknown>)[] = [];
    const batch = db.batch.bind(db);
    db.batch = (statements) => {
      late.push(() => batch(statements as never));
      return Promise.reject(new Error("D1_ERROR: Network connection lost."));
    };
    room.say(150);
    await room.duties();
    db.batch = batch;
    await room.duties();
    now += 30 * DAY;
    await room.duties();
    expect(stored().d1).toEqual([]);
    for (const again of late) await again().catch(() => undefined);
    expect(stored().d1.filter((seq) => seq <= 100)).toEqual([]);
    expect((await room.reader.page({ before: 200 }, 99)).messages).toEqual([]);
  });

  it("takes what D1 has refused, and deletions, along", async () => {
    room.say(3);
    room.journal.park(2, "too big");
    await room.duties();
    room.journal.append([deletion("swift-otter", 3)], now);
    await room.duties();
    now += 30 * DAY;
    await room.duties();
    expect(room.journal.parked()).toEqual([]);
    expect(storage.sql.exec("SELECT seq FROM parked_messages").toArray()).toEqual([]);
    expect(stored()).toEqual({ here: [], d1: [] });
    room.say(1);
    await room.duties();
    expect(stored().d1).toEqual([5]);
  });

  it("takes what is known of its asks along, in a room that begins anew before D1 has followed, too", async () => {
    const content = askContent("Go?", { options: ["yes", "no"].map((id) => ({ id, label: id })), from: "people" });
    const ask = (id: string) => ({ id, kind: "ask" as const, sender: "swift-otter", content, ref: null });
    const answer = { id: "y", kind: answerKind("yes"), sender: "calm-heron", content: "yes", ref: 1 };
    room.journal.append([ask("a"), ask("b"), answer], now);
    now += DAY;
    room.journal.append([ask("c")], now);
    await room.duties();
    const known = () => db.rows("SELECT seq FROM open_asks UNION SELECT seq FROM closed_asks");
    expect(known()).toEqual([{ seq: 1 }, { seq: 2 }, { seq: 4 }]);
    now = NOON + 7 * DAY + 1;
    const anew = new RoomStorage();
    const journal = new Journal(anew);
    const row = { ...record, lastSeq: 4 };
    await beginLog(row, { now: () => now, db, storage: anew, journal, keepDays: 0, isWanted: () => true });
    expect([...journal.asks.opened.keys()]).toEqual([4]);
    await room.duties();
    expect(known()).toEqual([{ seq: 4 }]);
  });

  it("goes on when D1 is set back to a time before it", async () => {
    room.say(250, DAY / 100);
    await room.duties();
    const packs = db.rows<{ first: number; revision: number; form: number; body: Uint8Array }>("SELECT * FROM packs");
    now = NOON + 8.2 * DAY;
    await room.duties();
    db.rows("DELETE FROM packs");
    for (const { first, revision, form, body } of packs) {
      db.rows("INSERT INTO packs VALUES ('lobby', ?, ?, ?, ?)", [first, revision, form, body]);
    }
    db.rows("UPDATE rooms SET first_seq = 1, gone_before = NULL");
    now += DAY;
    await room.duties();
    expect(stored().d1).toEqual(stored().here);
    expect(stored().d1[0]).toBe(221);
  });
});

describe("it is due", () => {
  it("when the oldest message is too old, and then once a day at most, whatever wakes the room", async () => {
    expect(room.retention.due).toBeUndefined();
    room.say(72);
    await room.duties();
    expect(room.retention.due).toBe(NOON + 7 * DAY);
    now = NOON + 7 * DAY;
    expect(room.retention.isDue).toBe(true);
    await room.duties();
    expect(open().retention.due).toBe(now + DAY);
    now += DAY;
    await room.duties();
    expect(stored().here[0]).toBe(25);
  });

  it("never where everything is kept for ever", async () => {
    record = { ...record, settings: DEFAULT_SETTINGS };
    room.say(3);
    await room.duties();
    now += 10_000 * DAY;
    expect(room.retention.due).toBeUndefined();
    expect(seqs((await room.reader.page(undefined, 9)).messages)).toEqual([1, 2, 3]);
  });

  it("at once when the room does not go by the deployment's number yet", async () => {
    deployment = 30;
    room = open();
    expect(room.retention.isDue).toBe(true);
    await room.duties();
    expect(noted()).toMatchObject({ known_keep_days: 30 });
    expect(open().retention.isDue).toBe(false);
  });

  it("again when its row was changed while it ran", async () => {
    deployment = 30;
    record = { ...record, revision: 1 };
    db.rows("UPDATE rooms SET revision = 2, known_keep_days = -1");
    await open().duties();
    expect(noted()).toMatchObject({ known_keep_days: -1 });
  });

  it("again when its row was changed while it ran, of which it keeps what the change says is gone", async () => {
    room.say(10);
    await room.duties();
    now = NOON + 8 * DAY;
    const batch = db.batch.bind(db);
    const goneBefore = new Date(now - 6 * DAY).toISOString();
    db.batch = (statements) => {
      record = { ...record, revision: 2, goneBefore };
      return batch(statements);
    };
    await room.duties();
    expect(record).toMatchObject({ revision: 2, goneBefore, firstSeq: 1 });
  });

  it("again when the pack at the boundary has changed since it was read, which stays as it is until then", async () => {
    room.say(150);
    await room.duties();
    now = NOON + 7 * DAY + 5 * HOUR;
    const batch = db.batch.bind(db);
    db.batch = (statements) => {
      db.rows("UPDATE packs SET revision = 999 WHERE first = 1");
      return batch(statements);
    };
    const before = db.rows("SELECT hex(body) AS body FROM packs WHERE first = 1");
    await room.duties();
    expect(db.rows("SELECT hex(body) AS body FROM packs WHERE first = 1")).toEqual(before);
    db.batch = batch;
    now += 60_000;
    await room.duties();
    expect(stored().d1).toEqual(range(7, 150));
  });
});
