import { beforeEach, describe, expect, it, vi } from "vitest";
import { answer, ask } from "../../test/unit/entries.ts";
import { Lobby, lobbyRecord } from "../../test/unit/lobby.ts";
import { seqs } from "../../test/unit/sqlite.ts";
import { Pages } from "../log/pages.ts";
import { REMOVED_AT_ONCE } from "../log/room-log.ts";
import { isFault } from "../protocol.ts";
import { DEFAULT_SETTINGS } from "../room-record.ts";
import type { Cursor, Page } from "../room-rpc.ts";
import { DAY } from "./keep.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const HOUR = 3_600_000;

let lobby: Lobby;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  lobby = new Lobby();
  lobby.record = { ...lobbyRecord(lobby.db), settings: { ...DEFAULT_SETTINGS, keepDays: 7 } };
});

/** A page as a reader gets it. */
function page(at?: Cursor | { before: number }, limit = 99): Page {
  const hide = () => lobby.retention.hide();
  const found = new Pages({ log: lobby.log, hide, siteUsers: { of: () => undefined } }).page(at, limit);
  if (isFault(found)) throw new Error(found.message);
  return found;
}

/** What the alarm does. */
async function alarm(): Promise<void> {
  while ((lobby.retention.due ?? Number.POSITIVE_INFINITY) <= lobby.now) {
    await lobby.retention.run();
    if (lobby.log.retentionDue <= lobby.now + 1_000) lobby.now += 1_000;
  }
  await lobby.copy();
}

/** Says one line each time that so many ms have passed. */
function say(count: number, every = HOUR): void {
  for (let said = 0; said < count; said++) {
    lobby.say(`line ${lobby.log.head + 1}`);
    lobby.now += every;
  }
}

/** The seqs of which each store has the words. */
const stored = () => ({
  here: lobby.disk.sql
    .exec<{ seq: number }>("SELECT seq FROM messages ORDER BY seq")
    .toArray()
    .map(({ seq }) => seq),
  d1: seqs(lobby.db.messages),
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const noted = () => lobby.db.rows("SELECT first_seq, last_seq, gone_before, known_keep_days FROM rooms")[0];

describe("what is too old", () => {
  it("is hidden from every read at the very millisecond, before anything is removed", async () => {
    say(10);
    await alarm();
    lobby.now = NOON + 7 * DAY + 3 * HOUR;
    expect(seqs(page().messages)).toEqual(range(4, 10));
    lobby.now++;
    expect([seqs(page().messages), page().more]).toEqual([range(5, 10), false]);
    expect(seqs(page({ before: 7 }).messages)).toEqual([5, 6]);
    expect([lobby.log.get(4), lobby.log.find("swift-otter", "m4")]).toEqual([undefined, undefined]);
    expect(stored().here).toEqual(range(1, 10));
  });

  it("answers a cursor before it with reset, and one at its end with what comes after", async () => {
    say(10);
    await alarm();
    lobby.now = NOON + 7 * DAY + 3 * HOUR + 1;
    const { epoch } = lobby.log;
    expect(page({ after: 3, epoch })).toMatchObject({ reset: true, head: 10 });
    expect(page({ after: 4, epoch }).reset).toBeUndefined();
    expect(seqs(page({ after: 4, epoch }).messages)).toEqual(range(5, 10));
  });

  it("is removed here and in D1, with nothing else, and is removed once", async () => {
    say(250, DAY / 100);
    await alarm();
    lobby.now = NOON + 8.2 * DAY;
    await alarm();
    expect(stored()).toEqual({ here: range(121, 250), d1: range(121, 250) });
    expect(lobby.packs).toEqual([101, 201]);
    expect(noted()).toMatchObject({ first_seq: 121, last_seq: 250, known_keep_days: 0 });
    const before = lobby.db.batches;
    await alarm();
    expect(lobby.db.batches).toBe(before);
    say(1);
    await alarm();
    expect(stored().d1).toEqual(range(121, 251));
  });

  it("takes the whole room with it, and the room goes on with its next seq, here and from D1 alone", async () => {
    say(5);
    await alarm();
    lobby.now += 30 * DAY;
    await alarm();
    expect(stored()).toEqual({ here: [], d1: [] });
    for (const wake of [() => lobby.reopen(), () => lobby.lose()]) {
      await wake();
      expect([lobby.log.head, lobby.log.lastAt]).toEqual([5, NOON + 4 * HOUR]);
      expect(page()).toMatchObject({ messages: [], head: 5, more: false });
    }
    say(1);
    await alarm();
    expect(stored()).toEqual({ here: [6], d1: [6] });
  });

  it("does not come back when messages are kept for longer afterwards", async () => {
    say(10);
    await alarm();
    lobby.now = NOON + 7 * DAY + 4 * HOUR + 1;
    expect(seqs(page().messages)).toEqual(range(6, 10));
    // The owner's change, as the Worker writes it into the row.
    const goneBefore = new Date(lobby.now - 7 * DAY).toISOString();
    lobby.record = { ...lobby.record, settings: DEFAULT_SETTINGS, goneBefore, knownKeepDays: -1, revision: 2 };
    lobby.db.rows("UPDATE rooms SET revision = 2, known_keep_days = -1");
    lobby.reopen();
    expect(seqs(page().messages)).toEqual(range(6, 10));
    await alarm();
    lobby.now += 100 * DAY;
    lobby.reopen();
    expect(seqs(page().messages)).toEqual(range(6, 10));
    await alarm();
    expect(stored()).toEqual({ here: range(6, 10), d1: range(6, 10) });
  });

  it("does not come back when the deployment keeps messages for longer: the earlier bound holds until it is noted", async () => {
    lobby.keepDays = 3;
    lobby.record = { ...lobby.record, settings: DEFAULT_SETTINGS, knownKeepDays: 3 };
    lobby.reopen();
    say(10);
    await alarm();
    lobby.now = NOON + 3 * DAY + 4 * HOUR + 1;
    lobby.keepDays = 90;
    lobby.reopen();
    expect(seqs(page().messages)).toEqual(range(6, 10));
    await alarm();
    expect(noted()).toMatchObject({ first_seq: 6, known_keep_days: 90 });
    lobby.now += DAY;
    lobby.reopen();
    expect(seqs(page().messages)).toEqual(range(6, 10));
  });

  it("is hidden in a long room without a gap, and whole packs go with the part of the one at the boundary", async () => {
    lobby.sayMany(1_050);
    lobby.now += DAY;
    lobby.sayMany(2_000);
    await alarm();
    lobby.now = NOON + 7 * DAY + 1;
    const { epoch } = lobby.log;
    expect(page({ after: 1_049, epoch }, 9).reset).toBe(true);
    expect(seqs(page({ after: 1_050, epoch }, 3).messages)).toEqual([1_051, 1_052, 1_053]);
    expect(seqs(page({ before: 1_060 }).messages)).toEqual(range(1_051, 1_059));
    const before = lobby.db.batches;
    await alarm();
    expect(lobby.db.batches - before).toBe(1);
    expect(stored().d1).toEqual(range(1_051, 3_050));
    expect(lobby.packs[0]).toBe(1_001);
  });

  it("is removed in runs of a bounded size, and seen by nobody meanwhile", async () => {
    lobby.sayMany(REMOVED_AT_ONCE + 10);
    lobby.now += HOUR;
    lobby.sayMany(1);
    lobby.now = NOON + 7 * DAY + 1;
    await lobby.retention.run();
    expect(stored().here).toHaveLength(11);
    expect(lobby.retention.due).toBe(lobby.now + 1_000);
    expect(seqs(page({ before: 9_999 }).messages)).toEqual([REMOVED_AT_ONCE + 11]);
    await alarm();
    lobby.now += 1_000;
    await alarm();
    expect(stored().here).toEqual([REMOVED_AT_ONCE + 11]);
  });
});

describe("a removal", () => {
  it.each(["read-only", "away", "mute"] as const)(
    "that a D1 that is %s does not take is gone on with, and here the words are gone meanwhile",
    async (trouble) => {
      say(10);
      await alarm();
      lobby.now = NOON + 7 * DAY + 4 * HOUR + 1;
      lobby.db.trouble = trouble;
      await alarm();
      expect(stored().here).toEqual(range(6, 10));
      lobby.db.trouble = undefined;
      lobby.now += 60_000;
      lobby.reopen();
      await alarm();
      expect(stored()).toEqual({ here: range(6, 10), d1: range(6, 10) });
      expect(noted()).toMatchObject({ first_seq: 6, last_seq: 10 });
    },
  );

  it("of messages that D1 never had leaves the copy nothing to wait for", async () => {
    lobby.db.trouble = "away";
    say(5);
    await alarm();
    lobby.now += 30 * DAY;
    lobby.reopen();
    await alarm();
    expect([stored().here, lobby.log.head, lobby.copier.lag]).toEqual([[], 5, 0]);
    lobby.db.trouble = undefined;
    lobby.now += HOUR;
    lobby.reopen();
    expect(lobby.log.head).toBe(5);
    say(2);
    await alarm();
    expect(stored()).toEqual({ here: [6, 7], d1: [6, 7] });
    expect(noted()).toMatchObject({ first_seq: 6, last_seq: 7 });
  });

  it("is not undone by a copy that arrives late", async () => {
    const late = await lobby.batchesOf(() => {
      lobby.sayMany(150);
      return lobby.copy();
    }, /./);
    lobby.now += 60_000;
    await lobby.copy();
    lobby.now += 30 * DAY;
    await alarm();
    for (const again of late) await again();
    expect(stored().d1).toEqual([]);
    expect(page({ before: 200 }).messages).toEqual([]);
  });

  it("takes what D1 has refused, and deletions, along", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    say(3);
    lobby.db.refuse("line 2");
    for (let tried = 0; tried < 6; tried++) {
      lobby.now += 60_000;
      await lobby.copy();
    }
    expect(lobby.copier.refused).toHaveLength(1);
    lobby.delete(3);
    lobby.now += 30 * DAY;
    await alarm();
    expect([lobby.copier.refused, stored()]).toEqual([[], { here: [], d1: [] }]);
    say(1);
    await alarm();
    expect(stored().d1).toEqual([5]);
  });

  it("takes what is known of its asks along, in a room that begins anew before D1 has followed, too", async () => {
    lobby.append(ask("a"), ask("b"), answer(1));
    lobby.now += DAY;
    lobby.append(ask("c"));
    await alarm();
    lobby.now = NOON + 7 * DAY + 1;
    await lobby.lose();
    expect([...lobby.log.asks.opened.keys()]).toEqual([4]);
    await alarm();
    expect((lobby.db.state("asks") as { seq: number }[]).map(({ seq }) => seq)).toEqual([4]);
  });

  it("goes on when D1 is set back to a time before it", async () => {
    say(250, DAY / 100);
    await alarm();
    const setBack = lobby.db.remember();
    lobby.now = NOON + 8.2 * DAY;
    await alarm();
    setBack();
    lobby.now += DAY;
    await alarm();
    expect(stored().d1).toEqual(stored().here);
    expect(stored().d1[0]).toBe(221);
  });
});

describe("it is due", () => {
  it("when the oldest message is too old, and then once a day at most, whatever wakes the room", async () => {
    expect(lobby.retention.due).toBeUndefined();
    say(72);
    await alarm();
    expect(lobby.retention.due).toBe(NOON + 7 * DAY);
    lobby.now = NOON + 7 * DAY + 1;
    await alarm();
    lobby.reopen();
    expect(lobby.retention.due).toBe(lobby.now + DAY);
    lobby.now += DAY;
    await alarm();
    expect(stored().here[0]).toBe(26);
  });

  it("never where everything is kept for ever", async () => {
    lobby.record = { ...lobby.record, settings: DEFAULT_SETTINGS };
    say(3);
    await alarm();
    lobby.now += 10_000 * DAY;
    expect(lobby.retention.due).toBeUndefined();
    expect(seqs(page().messages)).toEqual([1, 2, 3]);
  });

  it("at once when the room does not go by the deployment's number yet", async () => {
    lobby.keepDays = 30;
    lobby.reopen();
    expect(lobby.retention.due).toBe(lobby.now);
    await alarm();
    expect(noted()).toMatchObject({ known_keep_days: 30 });
    lobby.reopen();
    expect(lobby.retention.due).toBeUndefined();
  });

  it("again when its row was changed while it ran, of which D1 keeps what the change says", async () => {
    lobby.keepDays = 30;
    lobby.reopen();
    lobby.db.rows("UPDATE rooms SET revision = 2, known_keep_days = -1");
    await alarm();
    expect(noted()).toMatchObject({ known_keep_days: -1 });
  });

  it("again when its row was changed while it ran, of which the room keeps what the change says is gone", async () => {
    say(10);
    await alarm();
    lobby.now = NOON + 8 * DAY;
    const batch = lobby.db.batch.bind(lobby.db);
    const goneBefore = new Date(lobby.now - 6 * DAY).toISOString();
    lobby.db.batch = (statements) => {
      lobby.record = { ...lobby.record, revision: 2, goneBefore, knownKeepDays: -1 };
      return batch(statements);
    };
    await alarm();
    expect(lobby.record).toMatchObject({ revision: 2, goneBefore, knownKeepDays: -1 });
  });
});
