/** When the copier copies, how much of it, and what that costs. What goes wrong is in `copier-trouble.test.ts`. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import { erasure } from "../../test/unit/entries.ts";
import { Lobby } from "../../test/unit/lobby.ts";
import { seqs, text } from "../../test/unit/sqlite.ts";
import type { Statement } from "../log/sql.ts";
import { Roster } from "../members/roster.ts";
import { forgetSenders } from "./d1-copy.ts";
import { PACK } from "./pack.ts";

const DELAY = 10_000;
const MINUTE = 60_000;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** How many statements and rows of D1 each copy of `lobby` has from now on. */
function countCopies(lobby: Lobby): { statements: number; packs: number; rows: number }[] {
  const copies: { statements: number; packs: number; rows: number }[] = [];
  const batch = lobby.db.batch.bind(lobby.db);
  lobby.db.batch = async <Row>(statements: Statement[]) => {
    const before = lobby.db.rowsWritten;
    const answers = await batch<Row>(statements);
    const packs = (statements as (Statement & { query: string })[]).filter(({ query }) =>
      /^INSERT INTO packs/.test(query),
    );
    copies.push({ statements: statements.length, packs: packs.length, rows: lobby.db.rowsWritten - before });
    return answers;
  };
  return copies;
}

describe("a copy is made", () => {
  it("within the delay in a room that was quiet, at another moment in each", () => {
    const lobbies = Array.from({ length: 30 }, () => new Lobby({ delay: DELAY }));
    for (const lobby of lobbies) lobby.say("hello");
    const left = lobbies.map(({ copier, now }) => (copier.due as number) - now);
    expect(Math.min(...left)).toBeGreaterThanOrEqual(DELAY / 2);
    expect(Math.max(...left)).toBeLessThanOrEqual(DELAY);
    expect(new Set(left).size).toBeGreaterThan(1);
  });

  it("with a turn for others between it and the next, however quick D1 is", async () => {
    const lobby = new Lobby();
    const copies = countCopies(lobby);
    lobby.sayMany(2_500);
    await lobby.copy();
    expect([copies.length > 2, lobby.turns]).toEqual([true, copies.length]);
  });

  it("three delays after the one before at the latest while people talk, and not with every message", async () => {
    const lobby = new Lobby({ delay: DELAY });
    const copies = countCopies(lobby);
    let oldest = 0;
    for (let second = 0; second < 600; second++) {
      lobby.say(`at ${second}`);
      await lobby.pass(1_000);
      const lacking = lobby.log.after(lobby.log.copied, 1)[0];
      oldest = Math.max(oldest, lacking ? lobby.now - lacking.at : 0);
    }
    expect(oldest).toBeLessThanOrEqual(3 * DELAY + 1_000);
    expect(copies.length).toBeLessThanOrEqual((600 * 1_000) / (1.5 * DELAY) + 1);
    await lobby.pass(3 * DELAY);
    expect([lobby.copier.isBehind, lobby.copier.due]).toEqual([false, undefined]);
  });

  it("at once when a pack is full, and a second after another", async () => {
    const lobby = new Lobby({ delay: DELAY });
    lobby.sayMany(PACK);
    expect(lobby.copier.due).toBe(lobby.now);
    await lobby.copy();
    lobby.sayMany(PACK);
    expect((lobby.copier.due as number) - lobby.now).toBeLessThanOrEqual(1_000);
  });

  it("of a change of an old message, too", async () => {
    const lobby = new Lobby({ delay: DELAY });
    lobby.sayMany(250);
    await lobby.pass(MINUTE);
    lobby.delete(7);
    await lobby.pass(DELAY);
    expect(lobby.contentOf(7)).toBe("");
  });

  it("after a restart, where something is not in D1 yet, and of nothing where all is", async () => {
    const lobby = new Lobby({ delay: DELAY });
    lobby.reopen();
    expect(lobby.copier.due).toBeUndefined();
    lobby.say("one");
    lobby.reopen();
    expect(lobby.copier.due).toBeLessThanOrEqual(lobby.now + DELAY);
  });

  it("in time when the clock was set back", async () => {
    const lobby = new Lobby({ delay: DELAY });
    lobby.say("one");
    await lobby.pass(MINUTE);
    lobby.now -= 86_400_000;
    lobby.say("two");
    expect((lobby.copier.due as number) - lobby.now).toBeLessThanOrEqual(3 * DELAY);
    await lobby.pass(3 * DELAY);
    expect(seqs(lobby.db.messages)).toEqual([1, 2]);
  });

  it("so many times a second by all rooms together, whatever they have to say", async () => {
    const lobbies = Array.from({ length: 30 }, () => new Lobby({ perSecond: 7 }));
    for (const lobby of lobbies) lobby.say("hello");
    const copied = async (after: number) => {
      for (const lobby of lobbies) {
        lobby.now += after;
        await lobby.copy();
      }
      return lobbies.filter(({ copier }) => copier.lag === 0).length;
    };
    expect([await copied(0), await copied(0), await copied(1_000)]).toEqual([7, 7, 14]);
    const waiting = lobbies.filter(({ copier }) => copier.lag > 0);
    expect(
      waiting.map(({ copier, now }) => (copier.due as number) - now).every((left) => left > 0 && left <= 2_000),
    ).toBe(true);
    for (let second = 0; second < 3; second++) await copied(1_000);
    expect(await copied(0)).toBe(30);
  });
});

describe("what a copy writes", () => {
  it("is packs of a hundred seqs, and only those that change", async () => {
    const lobby = new Lobby();
    lobby.sayMany(250);
    await lobby.copy();
    expect(lobby.packs).toEqual([1, 101, 201]);
    const copies = countCopies(lobby);
    lobby.say("more");
    lobby.delete(150);
    await lobby.copy();
    expect(copies.map(({ packs }) => packs)).toEqual([2]);
    expect(seqs(lobby.db.messages)).toEqual(range(1, 252));
    expect(lobby.contentOf(150)).toBe("");
  });

  it("is bounded by the queries and the characters of a transaction, and goes on until all is there", async () => {
    const lobby = new Lobby();
    const copies = countCopies(lobby);
    lobby.sayMany(2_500);
    await lobby.copy();
    expect(copies.map(({ packs }) => packs)).toEqual([10, 10, 5]);
    for (let pack = 0; pack < 3; pack++) lobby.say(...Array.from({ length: PACK }, () => "x".repeat(16_000)));
    await lobby.copy();
    expect(copies.slice(3).map(({ packs }) => packs)).toEqual([1, 1, 1]);
    expect(Math.max(...copies.map(({ statements }) => statements))).toBeLessThan(45);
    expect(lobby.copier.isBehind).toBe(false);
  });

  it("takes along what comes meanwhile, one run at a time", async () => {
    const lobby = new Lobby();
    const copies = countCopies(lobby);
    lobby.say("one");
    const runs = [lobby.copy(), lobby.copy()];
    lobby.say("two");
    await Promise.all(runs);
    expect([lobby.copier.isBehind, seqs(lobby.db.messages)]).toEqual([false, [1, 2]]);
    expect(copies.length).toBeLessThanOrEqual(2);
  });

  it("is no row more for a part that has not changed", async () => {
    const lobby = new Lobby();
    lobby.say("one");
    await lobby.copy();
    lobby.now += 1;
    const copies = countCopies(lobby);
    lobby.say("two");
    await lobby.copy();
    // Its pack and its room's row.
    expect(copies.map(({ rows }) => rows)).toEqual([2]);
  });

  it.each([
    ["at one message a second", 1, 600, 0.5],
    ["in a burst", 100, 60, 0.05],
  ])("%s is so many rows a message, and no more", async (_, perSecond, seconds, most) => {
    const lobby = new Lobby({ delay: DELAY });
    const copies = countCopies(lobby);
    for (let second = 0; second < seconds; second++) {
      lobby.sayMany(perSecond);
      await lobby.pass(1_000);
    }
    await lobby.pass(MINUTE);
    // The time of the newest message is in an index of D1's, whose rows SQLite does not count.
    const written = copies.reduce((sum, { rows }) => sum + rows, 0) + (2 * seconds) / 60;
    expect(written / (perSecond * seconds)).toBeLessThanOrEqual(most);
  });
});

describe("the directory is told", () => {
  it("how far D1 is with each copy, and the time when it is a minute newer, because that costs rows more", async () => {
    const lobby = new Lobby();
    const told = () => lobby.db.rows("SELECT last_seq, last_message_at FROM rooms WHERE id = 'lobby'")[0];
    const first = new Date(lobby.now).toISOString();
    lobby.say("one");
    await lobby.copy();
    expect(told()).toEqual({ last_seq: 1, last_message_at: first });
    lobby.now += 59_999;
    lobby.say("two");
    await lobby.copy();
    expect(told()).toEqual({ last_seq: 2, last_message_at: first });
    lobby.now += 1;
    lobby.say("three");
    await lobby.copy();
    expect(told()).toEqual({ last_seq: 3, last_message_at: new Date(lobby.now).toISOString() });
  });
});

describe("a copy that arrives late (promise 6)", () => {
  it("brings back neither a word nor a message that is gone", async () => {
    const lobby = new Lobby();
    const early = await lobby.batchesOf(() => {
      lobby.sayMany(150);
      return lobby.copy();
    });
    lobby.delete(7);
    lobby.log.hideBelow(103);
    lobby.log.removeGone();
    lobby.now += 1;
    await lobby.copy();
    for (const late of early) await late();
    expect(seqs(lobby.db.messages)).toEqual(range(103, 151));
    expect(lobby.db.lastSeq).toBe(151);
  });

  it("brings back no name of somebody who was erased", async () => {
    const lobby = new Lobby();
    const early = await lobby.batchesOf(() => {
      lobby.append(text("a-b", "1"), text("c-d", "2"));
      return lobby.copy();
    });
    lobby.append(erasure("a-b", 2, "operator"));
    lobby.erase();
    await lobby.copy();
    await lobby.db.batch([forgetSenders(lobby.db, { id: "lobby", createdAt: lobby.db.createdAt }, "a-b")]);
    for (const late of early) await late();
    expect(lobby.db.rows("SELECT sender FROM senders")).toEqual([{ sender: "c-d" }]);
  });

  it("brings back no row of a part that was longer", async () => {
    const lobby = new Lobby();
    const roster = new Roster(lobby.storage);
    const uses = Array.from({ length: 500 }, (_, n) => `an invite with a long id ${n}`);
    const members = Array.from({ length: 60 }, (_, n) => ({ sender: `a-${n}`, role: "member" as const, since: 0 }));
    for (const member of members) roster.put({ ...member, invite: null, uses, removed: false });
    const early = await lobby.batchesOf(() => lobby.copy());
    expect(lobby.db.state("members.2")).toBeDefined();
    for (const member of members) roster.put({ ...member, invite: null, uses: [], removed: false });
    await lobby.copy();
    for (const late of early) await late();
    expect([lobby.db.state("members.2"), (lobby.db.state("members") as unknown[]).length]).toEqual([undefined, 60]);
  });
});
