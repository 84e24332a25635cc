/** The copier where D1 is away, full, set back, without the room, or refuses a pack. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import { erasure } from "../../test/unit/entries.ts";
import { Lobby } from "../../test/unit/lobby.ts";
import { seqs, text } from "../../test/unit/sqlite.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let lobby: Lobby;

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
  lobby = new Lobby({ delay: 10_000 });
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** What the operator's log has of these, in order. */
const logged = (...events: string[]) =>
  [console.info, console.warn, console.error]
    .flatMap((level) =>
      vi.mocked(level).mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>),
    )
    .filter(({ event }) => events.includes(String(event)));

describe("an outage (promise 6)", () => {
  it.each(["away", "read-only"] as const)(
    "of a D1 that is %s is waited out, and then all is there once",
    async (trouble) => {
      lobby.db.trouble = trouble;
      lobby.sayMany(1_234);
      await lobby.pass(HOUR);
      expect(lobby.copier).toMatchObject({ lag: 1_234, refused: [] });
      lobby.db.trouble = undefined;
      await lobby.pass(60_000);
      expect(lobby.copier).toMatchObject({ lag: 0, failures: 0, isBehind: false });
      expect(seqs(lobby.db.messages)).toEqual(range(1, 1_234));
    },
  );

  it("makes longer and longer pauses, which nothing that is said meanwhile cuts short", async () => {
    lobby.db.trouble = "away";
    lobby.say("one");
    const pauses: number[] = [];
    for (let tried = 0; tried < 9; tried++) {
      lobby.now = lobby.copier.due as number;
      await lobby.copy();
      lobby.sayMany(150);
      pauses.push((lobby.copier.due as number) - lobby.now);
    }
    expect([pauses[0], pauses.at(-1)].map((pause) => (pause as number) > 29_000)).toEqual([false, true]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(60_000);
    expect(lobby.copier.failures).toBe(9);
  });

  it("whose answers alone are lost brings everything once", async () => {
    lobby.db.trouble = "mute";
    lobby.sayMany(150);
    await lobby.pass(60_000);
    expect([lobby.log.copied, lobby.copier.lag]).toEqual([0, 150]);
    lobby.reopen();
    lobby.db.trouble = undefined;
    await lobby.pass(60_000);
    expect(seqs(lobby.db.messages)).toEqual(range(1, 150));
    expect(lobby.copier.refused).toEqual([]);
  });
});

describe("a D1 that has reached a limit (promise 6)", () => {
  it.each([
    ["full", "archive.database_full", 15 * 60_000],
    ["day", "archive.day_used_up", HOUR],
  ] as const)("(%s) is left alone, over a restart, and then takes everything", async (limit, event, longest) => {
    lobby.db.trouble = limit;
    lobby.sayMany(150);
    await lobby.pass(2_000);
    const asked = lobby.db.batches;
    lobby.sayMany(500);
    await lobby.copy();
    lobby.reopen();
    await lobby.copy();
    expect([lobby.db.batches, lobby.copier.refused]).toEqual([asked, []]);
    const left = (lobby.copier.due as number) - lobby.now;
    expect(left).toBeGreaterThan(longest / 3);
    expect(left).toBeLessThanOrEqual(longest);
    expect(lobby.copier.hold).toMatchObject({ limit, since: expect.any(String), nextTry: expect.any(String) });
    await lobby.pass(3 * HOUR);
    // When it begins, and not each time.
    expect(logged(event)).toHaveLength(1);
    lobby.db.trouble = undefined;
    await lobby.pass(HOUR);
    expect([lobby.copier.hold, lobby.copier.isBehind]).toEqual([null, false]);
    expect(seqs(lobby.db.messages)).toEqual(range(1, 650));
    expect(logged("archive.resumed")).toHaveLength(1);
  });

  it("says how long the room's own storage lasts", async () => {
    lobby.stored = { bytes: 1_000, limit: 101_000 };
    lobby.db.trouble = "full";
    lobby.sayMany(10);
    await lobby.pass(2_000 + 10_000);
    lobby.now += HOUR;
    lobby.stored = { bytes: 2_000, limit: 101_000 };
    expect(lobby.copier.hold).toMatchObject({ placesLeft: 495, lastsUntil: expect.any(String) });
  });

  it("is asked at once when the clock was set back, by which it would be left alone for hours", async () => {
    lobby.db.trouble = "day";
    lobby.say("one");
    await lobby.pass(10_000);
    lobby.db.trouble = undefined;
    lobby.now -= 5 * HOUR;
    await lobby.copy();
    expect(lobby.copier.isBehind).toBe(false);
  });
});

describe("a pack that D1 refuses", () => {
  it("is told of, holds up no other, and is tried again after a day", async () => {
    lobby.db.refuse("line 150");
    lobby.sayMany(1_250);
    await lobby.pass(10 * 60_000);
    const reason = "D1_ERROR: too big";
    expect(lobby.copier.refused).toEqual([{ first: 101, reason }]);
    expect(lobby.packs).toEqual(
      range(0, 12)
        .filter((n) => n !== 1)
        .map((n) => 100 * n + 1),
    );
    expect(logged("archive.pack_refused")).toMatchObject([{ seq: 101, error: { message: reason } }]);
    lobby.sayMany(50);
    await lobby.pass(60_000);
    expect([lobby.copier.lag, lobby.copier.isBehind]).toEqual([0, false]);
    expect((lobby.copier.due as number) - lobby.now).toBeGreaterThan(23 * HOUR);
    lobby.db.refuse(undefined);
    lobby.reopen();
    lobby.now += DAY;
    lobby.say("the next day");
    await lobby.pass(60_000);
    expect(lobby.copier.refused).toEqual([]);
    expect(seqs(lobby.db.messages)).toEqual(range(1, 1_301));
  });

  it("is tried again by itself, also in a room in which nothing is said any more", async () => {
    lobby.db.refuse("line 150");
    lobby.sayMany(250);
    await lobby.pass(10 * 60_000);
    lobby.db.refuse(undefined);
    await lobby.pass(2 * DAY);
    expect(seqs(lobby.db.messages)).toEqual(range(1, 250));
  });

  it("is tried at once when one of its messages is deleted", async () => {
    lobby.db.refuse("line 150");
    lobby.sayMany(250);
    await lobby.pass(10 * 60_000);
    lobby.delete(150);
    await lobby.pass(60_000);
    expect([lobby.copier.refused, lobby.contentOf(150), lobby.contentOf(149)]).toEqual([[], "", "line 149"]);
  });

  it("is found among a thousand messages in few questions", async () => {
    lobby.db.refuse("line 550");
    lobby.sayMany(1_000);
    await lobby.pass(10 * 60_000);
    expect(lobby.copier.refused).toMatchObject([{ first: 501 }]);
    expect(lobby.db.batches).toBeLessThan(40);
  });

  it("is told from an outage that ends while it is looked for", async () => {
    lobby.db.trouble = "read-only";
    lobby.sayMany(50);
    for (let tried = 0; tried < 6; tried++) {
      lobby.now += 60_000;
      await lobby.copy();
    }
    const batch = lobby.db.batch.bind(lobby.db);
    lobby.db.batch = async (statements) => {
      const answer = batch(statements);
      await answer.catch(() => undefined);
      lobby.db.trouble = undefined;
      return answer as never;
    };
    lobby.now += 60_000;
    await lobby.copy();
    lobby.now += 60_000;
    await lobby.pass(60_000);
    expect([lobby.copier.lag, seqs(lobby.db.messages)]).toEqual([0, range(1, 50)]);
  });
});

describe("a D1 that was set back", () => {
  it("is given all of it again, and nothing of whom was erased since", async () => {
    lobby.sayMany(250);
    await lobby.pass(60_000);
    const setBack = lobby.db.remember();
    lobby.sayMany(150);
    lobby.delete(7);
    await lobby.pass(60_000);
    setBack();
    lobby.db.rows("INSERT INTO senders (room_id, sender) VALUES ('lobby', 'erased-since')");
    lobby.say("after it");
    await lobby.pass(60_000);
    expect(logged("archive.set_back")).toHaveLength(1);
    expect(seqs(lobby.db.messages)).toEqual(range(1, 402));
    expect([lobby.contentOf(7), lobby.db.lastSeq]).toEqual(["", 402]);
    expect(lobby.db.rows("SELECT sender FROM senders")).toEqual([{ sender: "swift-otter" }]);
  });

  it("goes on naming those whose erasure is under way: it has their words still", async () => {
    lobby.sayMany(3);
    await lobby.pass(60_000);
    const setBack = lobby.db.remember();
    lobby.append(erasure("swift-otter", 3));
    await lobby.pass(60_000);
    setBack();
    lobby.append(text("anna", "a1"));
    await lobby.pass(60_000);
    expect(lobby.db.rows("SELECT sender FROM senders ORDER BY sender")).toEqual([
      { sender: "anna" },
      { sender: "swift-otter" },
    ]);
  });

  it("never claims what it has lost, however the room ends on the way", async () => {
    lobby.sayMany(250);
    await lobby.pass(60_000);
    const setBack = lobby.db.remember();
    lobby.sayMany(1_500);
    await lobby.pass(60_000);
    setBack();
    lobby.db.trouble = "mute";
    lobby.say("after it");
    await lobby.pass(3_000 + 30_000);
    lobby.reopen();
    expect(lobby.db.lastSeq).toBe(250);
    lobby.db.trouble = undefined;
    await lobby.pass(60_000);
    expect(seqs(lobby.db.messages)).toEqual(range(1, 1_751));
  });
});

describe("a room that D1 has no more", () => {
  it("is given up, and told from a D1 that does not answer", async () => {
    lobby.say("one");
    lobby.db.trouble = "away";
    await lobby.pass(60_000);
    expect(lobby.gone).toBe(0);
    lobby.db.rows("DELETE FROM rooms WHERE id = 'lobby'");
    lobby.db.trouble = undefined;
    lobby.now = lobby.copier.due as number;
    await lobby.copy();
    expect(lobby.gone).toBe(1);
    expect([lobby.db.messages, lobby.db.rows("SELECT * FROM room_state")]).toEqual([[], []]);
  });

  it("gives nothing to another room that has its id by now, however late its last copy comes", async () => {
    lobby.sayMany(150);
    const late = await lobby.batchesOf(() => lobby.copy(), /./);
    lobby.db.rows("DELETE FROM rooms WHERE id = 'lobby'");
    lobby.db.rows("INSERT INTO rooms (id, name, created_at) VALUES ('lobby', 'Lobby', '2026-11-25T00:00:00.000Z')");
    for (const copy of late) await copy();
    const left = ["messages", "packs", "senders", "room_state"].flatMap((table) =>
      lobby.db.rows(`SELECT * FROM ${table}`),
    );
    expect([left, lobby.db.lastSeq]).toEqual([[], 0]);
    lobby.now += 60_000;
    await lobby.copy();
    expect(lobby.gone).toBe(1);
  });
});

it("a copier that is closed while it copies notes nothing, and asks D1 nothing any more", async () => {
  lobby.sayMany(2_500);
  const batch = lobby.db.batch.bind(lobby.db);
  lobby.db.batch = async (statements) => {
    const answers = await batch(statements);
    lobby.copier.close();
    return answers as never;
  };
  await lobby.copy();
  expect([lobby.log.copied, lobby.db.batches]).toEqual([0, 1]);
  lobby.say("late");
  await lobby.copy();
  expect(lobby.db.batches).toBe(1);
});

it("a copy touches no other room", async () => {
  lobby.db.rows("INSERT INTO rooms (id, name, created_at) VALUES ('den', 'Den', '2026-11-24T00:00:00.000Z')");
  const rows = () => lobby.db.rows("SELECT * FROM rooms WHERE id = 'den'");
  const before = rows();
  lobby.sayMany(250);
  await lobby.pass(60_000);
  expect(rows()).toEqual(before);
  expect(lobby.db.rows("SELECT DISTINCT room_id FROM packs")).toEqual([{ room_id: "lobby" }]);
});
