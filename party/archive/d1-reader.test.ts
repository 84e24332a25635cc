import { beforeEach, describe, expect, it } from "vitest";
import { Lobby } from "../../test/unit/lobby.ts";
import { RoomStorage, seqs, text } from "../../test/unit/sqlite.ts";
import { Journal } from "../log/journal.ts";
import { announceEpoch } from "./d1-messages.ts";
import { archivedAfter, archivedBefore, archivedHistory, archivedMessage, READ_LENGTH } from "./d1-reader.ts";

const HEAD = 1_230;

let lobby: Lobby;

beforeEach(async () => {
  lobby = new Lobby();
  lobby.sayMany(HEAD);
  lobby.delete(7, 900);
  await lobby.copy();
});

/** As a room leaves D1 that has packed what is newer than `seq`, and one pack below, which had a deletion. */
async function unpackUpTo(seq: number): Promise<void> {
  const packs = lobby.db.rows<{ first: number }>("SELECT * FROM packs");
  lobby.db.unpack();
  for (const pack of packs.filter(({ first }) => first > seq || first === 201)) {
    lobby.db.rows("INSERT INTO packs VALUES (?, ?, ?, ?, ?)", Object.values(pack));
    lobby.db.rows("DELETE FROM messages WHERE seq BETWEEN ? AND ? + 99", [pack.first, pack.first]);
  }
}

describe.each([
  ["in packs", async () => undefined],
  ["in rows of the older form", () => unpackUpTo(HEAD)],
  ["half in packs", () => unpackUpTo(600)],
  ["in both forms at once", async () => copyOfAllAsRows()],
])("what D1 has %s", (_, arrange) => {
  beforeEach(arrange);

  it("is read exactly before or after a seq, oldest first, over as many questions as it takes", async () => {
    const { db, journal } = lobby;
    expect(seqs(await archivedBefore(db, "lobby", 5, 3))).toEqual([2, 3, 4]);
    expect(seqs(await archivedBefore(db, "lobby", 3, 10))).toEqual([1, 2]);
    expect(await archivedBefore(db, "lobby", 1, 10)).toEqual([]);
    expect(await archivedBefore(db, "lobby", HEAD + 3, 5_000)).toEqual(journal.after(0, 5_000));
    expect(seqs(await archivedAfter(db, "lobby", HEAD - 2, 10))).toEqual([HEAD - 1, HEAD, HEAD + 1, HEAD + 2]);
    expect(await archivedAfter(db, "lobby", 0, 5_000)).toEqual(journal.after(0, 5_000));
    expect(await archivedBefore(db, "den", 5, 3)).toEqual([]);
    for (const at of [1, 99, 100, 101, 199, 200, 201, 299, 300, 301, 597, 601, 700, 1_200]) {
      for (const limit of [1, 2, 50, 200]) {
        expect(await archivedBefore(db, "lobby", at, limit)).toEqual(journal.before(at, limit));
        expect(await archivedAfter(db, "lobby", at, limit)).toEqual(journal.after(at, limit));
      }
    }
  });

  it("is found by its seq", async () => {
    for (const seq of [1, 7, 100, 101, 250, HEAD]) {
      expect(await archivedMessage(lobby.db, "lobby", seq)).toEqual(lobby.journal.get(seq));
    }
    expect(await archivedMessage(lobby.db, "lobby", HEAD + 3)).toBeUndefined();
    expect(await archivedMessage(lobby.db, "den", 1)).toBeUndefined();
  });

  it("gives a room that begins again some messages, from the beginning of a pack on, and many pairs", async () => {
    const { messages, pairs } = await archivedHistory(lobby.db, "lobby", HEAD);
    expect(messages).toEqual(lobby.journal.after(1_000, HEAD - 1_000));
    expect([pairs.length, pairs[0], pairs.at(-1)]).toEqual([
      HEAD,
      { seq: 1, sender: "swift-otter", id: "m1" },
      { seq: HEAD, sender: "swift-otter", id: `m${HEAD}` },
    ]);
    expect(await archivedHistory(lobby.db, "lobby", 0)).toMatchObject({ messages: [], pairs: [] });
  });

  it("rebuilds a journal that goes on where the lost one was, and copies on", async () => {
    const { db } = lobby;
    const lost = lobby.journal;
    const rebuilt = new Journal(new RoomStorage());
    const { messages, pairs } = await archivedHistory(db, "lobby", db.lastSeq as number);
    rebuilt.start({ messages, pairs });
    expect(rebuilt.after(0, 5_000)).toEqual(lost.after(1_000, 5_000));
    expect([rebuilt.nominatedInD1("swift-otter", "m1"), rebuilt.oldest]).toEqual([[1], 1_001]);
    expect(rebuilt.epoch).not.toBe(lost.epoch);
    await announceEpoch(db, { id: "lobby", createdAt: "2020-01-01T00:00:00.000Z" }, "of another room");
    await announceEpoch(db, { id: "lobby", createdAt: db.createdAt }, rebuilt.epoch);
    expect(db.rows("SELECT epoch FROM rooms WHERE id = 'lobby'")).toEqual([{ epoch: rebuilt.epoch }]);
    lobby.reopen(rebuilt);
    rebuilt.append([text("a-b", "next")], 0);
    lobby.delete(3, 650, 1_100);
    await lobby.copy();
    expect([db.lastSeq, seqs(db.messages).length]).toEqual([HEAD + 6, HEAD + 6]);
    expect([3, 7, 650, 900, 1_100, 651].map((seq) => lobby.contentOf(seq))).toEqual(["", "", "", "", "", "line 651"]);
    expect(db.rows("SELECT epoch FROM rooms WHERE id = 'lobby'")).toEqual([{ epoch: rebuilt.epoch }]);
  });
});

/** Every message also as the row that it was before somebody deleted something: a pack is newer than a row. */
function copyOfAllAsRows(): void {
  const packs = lobby.db.rows("SELECT * FROM packs");
  lobby.db.unpack();
  for (const pack of packs) lobby.db.rows("INSERT INTO packs VALUES (?, ?, ?, ?, ?)", Object.values(pack));
  lobby.db.rows("UPDATE messages SET content = 'of old' WHERE seq IN (7, 900)");
}

it("goes over gaps, as a D1 has them that was set back further than a room can make good", async () => {
  const { db } = lobby;
  db.rows("DELETE FROM packs WHERE first BETWEEN 201 AND 1000");
  expect(seqs(await archivedBefore(db, "lobby", 1_002, 3))).toEqual([199, 200, 1_001]);
  expect(seqs(await archivedBefore(db, "lobby", 700, 2))).toEqual([199, 200]);
  expect(seqs(await archivedAfter(db, "lobby", 199, 3))).toEqual([200, 1_001, 1_002]);
  expect(seqs(await archivedAfter(db, "lobby", 400, 2))).toEqual([1_001, 1_002]);
});

it("reads what is asked for and no more, by the primary keys", async () => {
  const { db } = lobby;
  const plans = await db.plansOf(async () => {
    await archivedBefore(db, "lobby", 9, 5);
    await archivedAfter(db, "lobby", 9, 5);
  });
  const search = (table: string, key: string) => `SEARCH ${table} USING PRIMARY KEY (room_id=? AND ${key})`;
  expect(plans).toEqual([
    search("packs", "first<?"),
    search("messages", "seq<?"),
    search("packs", "first>?"),
    search("messages", "seq>?"),
  ]);
  const one = await db.plansOf(() => archivedMessage(db, "lobby", 9));
  expect(one.filter((step) => step.includes("packs") || step.includes("messages"))).toEqual([
    search("packs", "first=?"),
    search("messages", "seq=?"),
  ]);
});

it("reads at most so many bytes at once, the newest first", async () => {
  const long = new Lobby();
  for (let batch = 0; batch < 20; batch++) long.say(...Array.from({ length: 100 }, () => "x".repeat(8_192)));
  await long.copy();
  const read = await archivedBefore(long.db, "lobby", 2_001, 2_000);
  expect(read.length).toBeLessThan(2_000);
  expect(read.at(-1)?.seq).toBe(2_000);
  expect(read.reduce((sum, { content }) => sum + content.length, 0)).toBeLessThan(READ_LENGTH + 300 * 8_193);
});
