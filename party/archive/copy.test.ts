import { beforeEach, describe, expect, it, vi } from "vitest";
import { Lobby } from "../../test/unit/lobby.ts";
import { RoomStorage, seqs } from "../../test/unit/sqlite.ts";
import { Journal, KEPT } from "../log/journal.ts";
import { SEGMENT } from "../log/segments.ts";
import type { Statement } from "../log/sql.ts";
import { LIMITS } from "../protocol.ts";
import { archivedHistory, archivedMessage } from "./d1-reader.ts";

type Asked = Statement & { readonly query: string };

/** A query of a batch that moves rows into a pack. */
const MOVE = /^DELETE FROM messages/;

let lobby: Lobby;

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  lobby = new Lobby();
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** A lobby whose journal has let its first messages go. */
async function prune(): Promise<void> {
  lobby.sayMany(KEPT + SEGMENT);
  await lobby.copy();
  expect(lobby.journal.oldest).toBeGreaterThan(1_000);
}

describe("what a copy writes", () => {
  it("is packs of a hundred seqs, and only those that change", async () => {
    lobby.sayMany(250);
    await lobby.copy();
    expect([lobby.packs, lobby.db.messages.length]).toEqual([[1, 101, 201], 250]);
    lobby.say("one more");
    const [again] = await lobby.batchesOf(() => lobby.copy());
    lobby.db.rows("DELETE FROM packs");
    await again?.();
    expect([lobby.packs, seqs(lobby.db.messages)]).toEqual([[201], range(201, 251)]);
  });

  it("fits, however long the messages are", async () => {
    lobby.say(...range(1, 120).map((seq) => `${seq} `.padEnd(LIMITS.contentBytes, "x")));
    const copies = await lobby.batchesOf(() => lobby.copy());
    expect(copies.length).toBeGreaterThan(6);
    expect([lobby.packs, seqs(lobby.db.messages)]).toEqual([[1, 101], range(1, 120)]);
  });

  it("is the same when the journal begins in the middle of a pack", async () => {
    lobby.sayMany(330);
    await lobby.copy();
    const history = await archivedHistory(lobby.db, "lobby", 330);
    const rebuilt = new Journal(new RoomStorage());
    rebuilt.start({ messages: history.messages.slice(-25), pairs: history.pairs });
    expect(rebuilt.oldest).toBe(306);
    lobby.reopen(rebuilt);
    lobby.say("next");
    lobby.delete(302);
    await lobby.copy();
    expect(seqs(lobby.db.messages)).toEqual(range(1, 332));
    expect([301, 302, 305, 331].map((seq) => lobby.contentOf(seq))).toEqual(["line 301", "", "line 305", "next"]);
  });

  it("leaves out what D1 has refused, also when the pack is written again", async () => {
    lobby.db.refuse("bad");
    lobby.say("one", "bad", "three");
    for (let run = 1; run <= 3; run++) await lobby.copy();
    lobby.say("four");
    await lobby.copy();
    lobby.delete(1);
    await lobby.copy();
    expect(seqs(lobby.db.messages)).toEqual([1, 3, 4, 5]);
    expect(lobby.journal.archived).toBe(5);
  });
});

describe("a deletion", () => {
  it("of an old message rewrites its pack, in D1 alone, and leaves its neighbours as they are", async () => {
    await prune();
    const before = lobby.db.messages;
    lobby.delete(7, 8, 350);
    await lobby.copy();
    const emptied = before.map((message) =>
      [7, 8, 350].includes(message.seq) ? { ...message, content: "" } : message,
    );
    expect(lobby.db.messages.slice(0, before.length)).toEqual(emptied);
  });

  it("in thirty old packs takes several copies, each with few packs", async () => {
    await prune();
    const targets = range(0, 29).map((pack) => pack * 100 + 50);
    lobby.delete(...targets);
    const rewritten: number[] = [];
    const batch = lobby.db.batch.bind(lobby.db);
    lobby.db.batch = (statements) => {
      rewritten.push((statements as Asked[]).filter(({ query }) => query.startsWith("INSERT INTO packs")).length);
      return batch(statements);
    };
    await lobby.copy();
    expect(Math.max(...rewritten)).toBeLessThanOrEqual(12);
    expect(targets.map((seq) => lobby.contentOf(seq))).toEqual(targets.map(() => ""));
  });

  it("empties a message of a full pack that D1 has taken while its answer was lost", async () => {
    lobby.sayMany(100);
    lobby.db.trouble = "mute";
    await lobby.copy();
    lobby.db.trouble = undefined;
    expect([lobby.contentOf(5), lobby.journal.archived]).toEqual(["line 5", 0]);
    lobby.delete(5);
    await lobby.copy();
    expect([lobby.contentOf(5), lobby.contentOf(6)]).toEqual(["", "line 6"]);
  });
});

describe("a copy that arrives late (promise 6)", () => {
  it("takes nothing away, and brings no word back", async () => {
    lobby.sayMany(120);
    const late = await lobby.batchesOf(() => lobby.copy());
    lobby.say("newer");
    lobby.delete(7, 110);
    await lobby.copy();
    const before = lobby.db.messages;
    for (const again of late) await again();
    expect(lobby.db.messages).toEqual(before);
    expect([lobby.contentOf(7), lobby.contentOf(110), lobby.db.lastSeq]).toEqual(["", "", 123]);
  });

  it("with an old pack that was rewritten again since brings no word back", async () => {
    await prune();
    lobby.delete(7);
    lobby.db.trouble = "read-only";
    const late = await lobby.batchesOf(() => lobby.copy());
    expect(late.length).toBeGreaterThan(0);
    lobby.db.trouble = undefined;
    lobby.delete(8);
    await lobby.copy();
    expect([lobby.contentOf(7), lobby.contentOf(8)]).toEqual(["", ""]);
    for (const again of late) await again();
    expect([lobby.contentOf(7), lobby.contentOf(8), lobby.contentOf(9)]).toEqual(["", "", "line 9"]);
  });

  it("between the reading of an old pack and its rewriting is noticed: the copy is made again", async () => {
    // A room that has packed nothing of what it had.
    await prune();
    lobby.db.unpack();
    lobby.journal.setUnpacked(true);
    lobby.db.rows("DELETE FROM messages WHERE seq > 100");
    lobby.sayMany(200);
    const move = (await lobby.batchesOf(() => lobby.copy(), MOVE)).at(-1) as () => Promise<unknown>;
    lobby.delete(7);
    const batch = lobby.db.batch.bind(lobby.db);
    lobby.db.batch = async (statements) => {
      lobby.db.batch = batch;
      await move();
      return batch(statements);
    };
    await lobby.copy();
    expect([lobby.packs[0], lobby.rows, lobby.journal.archived]).toEqual([1, [], lobby.journal.head - 1]);
    await lobby.copy();
    expect(lobby.journal.archived).toBe(lobby.journal.head);
    expect([lobby.contentOf(6), lobby.contentOf(7)]).toEqual(["line 6", ""]);
  });
});

it("a D1 that was set back into the middle of a pack is given the rest of it again", async () => {
  lobby.sayMany(130);
  await lobby.copy();
  const setBack = lobby.db.remember();
  lobby.sayMany(90);
  lobby.delete(10, 125);
  await lobby.copy();
  setBack();
  lobby.say("after");
  await lobby.copy();
  expect(seqs(lobby.db.messages)).toEqual(range(1, 223));
  expect([10, 11, 125, 126].map((seq) => lobby.contentOf(seq))).toEqual(["", "line 11", "", "line 126"]);
  expect(lobby.db.lastSeq).toBe(223);
});

it("a room that is made anew under the same id gets nothing of a late copy, and loses nothing by it", async () => {
  lobby.sayMany(5);
  lobby.delete(2);
  const late = await lobby.batchesOf(() => lobby.copy());
  lobby.db.rows("DELETE FROM packs");
  lobby.db.rows(
    "UPDATE rooms SET created_at = '2030-01-01T00:00:00.000Z', last_seq = 0, epoch = NULL WHERE id = 'lobby'",
  );
  lobby.db.rows("INSERT INTO messages VALUES ('lobby', 2, 'a', 'text', 'a-b', 'of the new room', NULL, '2030')");
  for (const again of late) await again();
  expect([lobby.packs, lobby.contentOf(2), lobby.db.lastSeq]).toEqual([[], "of the new room", 0]);
});

it("touches no other room", async () => {
  lobby.db.rows("INSERT INTO rooms (id, name, created_at) VALUES ('den', 'Den', '2026')");
  lobby.say("secret");
  await lobby.copy();
  lobby.db.rows("INSERT INTO packs SELECT 'den', first, revision, form, body FROM packs");
  lobby.delete(1);
  await lobby.copy();
  expect((await archivedMessage(lobby.db, "den", 1))?.content).toBe("secret");
  expect(lobby.contentOf(1)).toBe("");
});
