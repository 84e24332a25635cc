import { beforeEach, describe, expect, it, vi } from "vitest";
import { Lobby } from "../../test/unit/lobby.ts";
import { RoomStorage, seqs } from "../../test/unit/sqlite.ts";
import { Journal } from "../log/journal.ts";
import { archivedAfter, archivedHistory } from "./d1-reader.ts";
import { moveRows } from "./mover.ts";

/** What the lobby has in rows of the older form. */
const OLD = 250;
/** A query of a batch that moves rows into a pack. */
const MOVE = /^DELETE FROM messages/;

let lobby: Lobby;

beforeEach(async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  lobby = new Lobby();
  lobby.sayMany(OLD - 1);
  lobby.delete(17);
  await lobby.copy();
  lobby.db.unpack();
  lobby.journal.setUnpacked(true);
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Says as much as fills a pack, and copies it. */
async function fillPack(): Promise<void> {
  lobby.sayMany(101 - (lobby.journal.head % 100));
  await lobby.copy();
}

const inD1 = () => archivedAfter(lobby.db, "lobby", 0, 5_000);

describe("rows of the older form", () => {
  it("become packs, the newest first, one whenever a new pack is full; then D1 is asked no more", async () => {
    const seen: [number, number | undefined][] = [];
    for (let filled = 0; filled < 4; filled++) {
      await fillPack();
      seen.push([lobby.rows.length, lobby.packs[0]]);
      expect(await inD1()).toEqual(lobby.journal.after(0, 5_000));
    }
    expect(seen).toEqual([
      [200, 201],
      [100, 101],
      [0, 1],
      [0, 1],
    ]);
    expect([lobby.packs, lobby.journal.unpacked]).toEqual([[1, 101, 201, 301, 401, 501, 601], false]);
    const asked = lobby.db.batches;
    await fillPack();
    expect(lobby.db.batches - asked).toBe(1);
  });

  it("are moved by a copy that fills a pack, and by no other", async () => {
    lobby.say("one more");
    await lobby.copy();
    expect([lobby.rows, lobby.packs]).toEqual([range(1, OLD), [201]]);
    expect(await inD1()).toEqual(lobby.journal.after(0, 5_000));
  });

  it("are emptied where they are when they are deleted, and are empty in their pack", async () => {
    lobby.delete(3, 150);
    await lobby.copy();
    expect([3, 150, 151].map((seq) => lobby.contentOf(seq))).toEqual(["", "", "line 151"]);
    for (let filled = 0; filled < 4; filled++) await fillPack();
    expect([3, 17, 150, 151].map((seq) => lobby.contentOf(seq))).toEqual(["", "", "", "line 151"]);
    expect(lobby.rows).toEqual([]);
  });

  it("are all still there when a move is cut off, whether D1 has made it or not", async () => {
    await lobby.batchesOf(fillPack, MOVE);
    expect([lobby.rows.length, lobby.journal.archived]).toEqual([OLD, lobby.journal.head]);
    expect(await inD1()).toEqual(lobby.journal.after(0, 5_000));
    await fillPack();
    // D1 has made this one, and the room did not hear of it.
    lobby.journal.setUnpacked(true);
    await fillPack();
    await fillPack();
    expect(await inD1()).toEqual(lobby.journal.after(0, 5_000));
    expect(lobby.rows).toEqual([]);
  });

  it("do not come back with a move that arrives late: neither their words, nor themselves", async () => {
    // The journal has none of the messages that are moved.
    const rebuilt = new Journal(new RoomStorage());
    rebuilt.start({ messages: lobby.journal.after(200, 50) });
    lobby.reopen(rebuilt);
    await fillPack();
    const late = (await lobby.batchesOf(fillPack, MOVE)).at(-1) as () => Promise<unknown>;
    lobby.delete(150);
    await lobby.copy();
    await late();
    expect([lobby.contentOf(150), lobby.contentOf(151), lobby.packs.includes(101)]).toEqual(["", "line 151", false]);
    await fillPack();
    expect([lobby.contentOf(150), lobby.packs.includes(101)]).toEqual(["", true]);
    const before = lobby.db.messages;
    await late();
    expect(lobby.db.messages).toEqual(before);
  });

  it("of a room that was made anew under the same id are not touched by a late move", async () => {
    const late = (await lobby.batchesOf(fillPack, MOVE)).at(-1) as () => Promise<unknown>;
    lobby.db.rows("UPDATE rooms SET created_at = '2030-01-01T00:00:00.000Z' WHERE id = 'lobby'");
    await late();
    expect(lobby.rows).toEqual(range(1, OLD));
    expect(await moveRows(lobby.db, { id: "lobby", createdAt: lobby.db.createdAt })).toBe(false);
  });
});

it("a room that was rebuilt asks once whether there are any, and a new one never does", async () => {
  const rebuilt = new Journal(new RoomStorage());
  const { messages, pairs } = await archivedHistory(lobby.db, "lobby", OLD);
  rebuilt.start({ messages, pairs });
  expect([rebuilt.unpacked, new Lobby().journal.unpacked]).toEqual([true, false]);
  lobby.reopen(rebuilt);
  for (let filled = 0; filled < 4; filled++) await fillPack();
  expect([lobby.rows, seqs(lobby.db.messages)]).toEqual([[], range(1, rebuilt.head)]);
  expect(rebuilt.unpacked).toBe(false);
});

it("a D1 that was set back to before they were moved has them moved again", async () => {
  const setBack = lobby.db.remember();
  for (let filled = 0; filled < 4; filled++) await fillPack();
  expect([lobby.rows, lobby.journal.unpacked]).toEqual([[], false]);
  setBack();
  for (let filled = 0; filled < 4; filled++) await fillPack();
  expect([lobby.rows, lobby.journal.unpacked]).toEqual([[], false]);
  expect(await inD1()).toEqual(lobby.journal.after(0, 5_000));
});
