/** What is written into D1, and that it can be cut off anywhere and done again. */

import { describe, expect, it } from "vitest";
import type { StoredMessage } from "../../../party/log/stored-message.ts";
import { SiteTable } from "../../../party/sites/site-table.ts";
import { archivedMessages } from "../../../test/unit/packs.ts";
import { TestD1 } from "../../../test/unit/sqlite.ts";
import { ROWS_OF_A_BATCH } from "../remote/d1-over-http.ts";
import { RECORDS_AT_ONCE, type WrittenRecord, type WrittenRoom, writeDirectory, writeRoom } from "./writer.ts";

const KEY = {
  type: "key",
  id: "k1",
  hash: "a".repeat(64),
  handle: "swift-otter",
  createdAt: "2026-01-01T00:00:00.000Z",
  lastUsed: "2026-01-02T00:00:00.000Z",
  revokedAt: null,
  nextHash: "b".repeat(64),
} as const;

const ROOM = {
  type: "room",
  id: "den",
  name: "The den",
  topic: "",
  listed: false,
  owner: "k1",
  createdAt: "2026-01-03T00:00:00.000Z",
  settings: { guests: "read", mutes: { "calm-newt": null } },
  revision: 7,
} as const;

const DEN: WrittenRoom = { id: ROOM.id, createdAt: ROOM.createdAt, epoch: "epoch-1" };

const said = (seq: number, content = `message ${seq}`): StoredMessage => ({
  seq,
  id: `id-${seq}`,
  kind: "text",
  sender: "swift-otter",
  content,
  ref: null,
  at: Date.parse("2026-01-04T00:00:00.000Z") + seq * 1_000,
});

const contents = (db: TestD1) =>
  archivedMessages((query, room) => db.rows(query, [room]), "den").map(({ seq, content }) => ({ seq, content }));
const row = (db: TestD1) =>
  db.rows("SELECT last_seq, epoch, last_message_at FROM rooms WHERE id = 'den'")[0] as Record<string, unknown>;

async function withDen(): Promise<TestD1> {
  const db = new TestD1();
  await writeDirectory(db, [KEY, ROOM]);
  return db;
}

describe("the directory", () => {
  it("comes in batches of no more rows, places in indexes among them, than a day must have left for one", () => {
    const db = new TestD1();
    const tables = ["secrets", "api_keys", "sites", "rooms", "room_state"];
    const query = `SELECT (SELECT COUNT(*) FROM pragma_index_list(tables.name) AS of
      WHERE NOT (of.origin = 'pk' AND tables.wr)) AS indexes FROM pragma_table_list AS tables WHERE tables.name = ?`;
    for (const table of tables) {
      const [found] = db.rows<{ indexes: number }>(query, [table]);
      expect([table, RECORDS_AT_ONCE * (1 + Number(found?.indexes)) <= ROWS_OF_A_BATCH]).toEqual([table, true]);
    }
  });

  it("has each key, room and secret as it was written, and over what was there", async () => {
    const db = new TestD1();
    const lobby = { ...ROOM, id: "lobby", owner: null, name: "Another lobby" };
    const records: WrittenRecord[] = [{ type: "secret", name: "guest_pepper", value: "pepper" }, KEY, ROOM, lobby];
    for (let time = 0; time < 2; time++) await writeDirectory(db, records);
    expect(db.rows("SELECT * FROM secrets")).toEqual([{ name: "guest_pepper", value: "pepper" }]);
    expect(db.rows("SELECT * FROM api_keys")).toEqual([
      {
        id: "k1",
        key_hash: KEY.hash,
        handle: "swift-otter",
        created_at: KEY.createdAt,
        last_used: KEY.lastUsed,
        revoked_at: null,
        next_key_hash: KEY.nextHash,
      },
    ]);
    const rooms = db.rows("SELECT id, name, listed, created_by, created_at, settings, revision FROM rooms ORDER BY id");
    expect(rooms).toMatchObject([
      { id: "den", name: "The den", listed: 0, created_by: "k1", created_at: ROOM.createdAt, revision: 7 },
      { id: "lobby", name: "Another lobby", created_by: null, created_at: ROOM.createdAt },
    ]);
    expect(JSON.parse(rooms[0]?.settings as string)).toEqual(ROOM.settings);
  });

  it("has each site as it was written, also one that was removed", async () => {
    const db = new TestD1();
    const key = { kid: "k", thumbprint: "t", jwk: { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) } } as const;
    const site = { type: "site", name: "acme", owner: "k1", keys: [key], origins: ["https://acme.example"] } as const;
    const acme = { ...site, createdAt: ROOM.createdAt, removedAt: null };
    const gone = { ...acme, name: "gone", keys: [], origins: [], removedAt: "2026-02-01T00:00:00.000Z" };
    for (let time = 0; time < 2; time++) await writeDirectory(db, [KEY, acme, gone]);
    const rows = await new SiteTable(db).rowsAfter("", 10);
    expect(rows.map((row) => ({ type: "site", ...row }))).toEqual([acme, gone]);
  });

  it("has what the operator has done and says as it was written, once, however often it is", async () => {
    const db = new TestD1();
    const deed = {
      type: "operatorDeed",
      id: "001764072000000-x",
      at: "2026-01-04T00:00:00.000Z",
      method: "DELETE",
      path: "/api/admin/keys",
      target: "calm-newt",
      detail: null,
      status: 204,
    } as const;
    const notice = { type: "notice", text: "Down on Sunday", since: "2026-01-05T00:00:00.000Z" } as const;
    for (let run = 0; run < 2; run++) await writeDirectory(db, [deed, notice]);
    expect(db.rows("SELECT 'operatorDeed' AS type, * FROM operator_deeds")).toEqual([deed]);
    expect(db.rows("SELECT name, text, since FROM notice")).toEqual([
      { name: "notice", text: notice.text, since: notice.since },
    ]);
  });

  it("has whom the operator has erased as it was written, once, however often it is", async () => {
    const db = new TestD1();
    const order = { type: "erasureOrder", senderHash: "0a", at: "2026-01-04T00:00:00.000Z", sender: null } as const;
    const begun = { ...order, senderHash: "0b", sender: "calm-newt" };
    for (let run = 0; run < 2; run++) await writeDirectory(db, [order, begun]);
    const query = "SELECT 'erasureOrder' AS type, sender_hash AS senderHash, at, sender FROM erasure_orders";
    expect(db.rows(query)).toEqual([order, begun]);
  });

  it("of thousands of keys comes in bounded statements, and their rooms after them", async () => {
    const db = new TestD1();
    function* records(): Iterable<WrittenRecord> {
      for (let n = 0; n < 1_234; n++) yield { ...KEY, id: `k${n}`, hash: `h${n}`, handle: `hand-${n}`, nextHash: null };
      yield { ...ROOM, owner: "k1233" };
    }
    await writeDirectory(db, records());
    expect(db.rows("SELECT COUNT(*) AS count FROM api_keys")).toEqual([{ count: 1_234 }]);
    expect(db.batches).toBe(8);
  });
});

describe("a room's messages", () => {
  it("are in D1 in their order with their times, and the room's row says how far", async () => {
    const db = await withDen();
    await writeRoom(db, DEN, [said(1), said(2), said(4)], 0);
    expect(contents(db)).toEqual([1, 2, 4].map((seq) => ({ seq, content: `message ${seq}` })));
    expect(row(db)).toEqual({ last_seq: 4, epoch: "epoch-1", last_message_at: "2026-01-04T00:00:04.000Z" });
  });

  it("come in batches that are bounded by their number and by their length", async () => {
    const db = await withDen();
    const counts: number[] = [];
    const all = Array.from({ length: 2_500 }, (_, index) => said(index + 1));
    const long = Array.from({ length: 240 }, (_, index) => said(2_501 + index, "x".repeat(2_000)));
    await writeRoom(db, DEN, [...all, ...long], 0, (count) => void counts.push(count));
    // As soon as two packs are long enough, a third one comes with the next batch.
    expect(counts).toEqual([1_000, 1_000, 700, 40]);
    expect(contents(db)).toEqual([...all, ...long].map(({ seq, content }) => ({ seq, content })));
  });

  it("that were cut off go on where they were, from the beginning of what they are read from", async () => {
    const db = await withDen();
    const all = Array.from({ length: 2_100 }, (_, index) => said(index + 1));
    function* cutOff() {
      yield* all.slice(0, 1_500);
      throw new Error("killed");
    }
    await expect(writeRoom(db, DEN, cutOff(), 0)).rejects.toThrow("killed");
    expect(row(db).last_seq).toBe(1_000);
    await writeRoom(db, DEN, all, 1_000);
    expect(contents(db).map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq));
    expect(row(db).last_seq).toBe(2_100);
  });

  it("go on in the middle of a pack, whose beginning stays", async () => {
    const db = await withDen();
    const all = Array.from({ length: 250 }, (_, index) => said(index + 1));
    await writeRoom(db, DEN, all.slice(0, 130), 0);
    const counts: number[] = [];
    for (let time = 0; time < 2; time++) {
      await writeRoom(db, DEN, all, Number(row(db).last_seq), (count) => void counts.push(count));
    }
    expect(contents(db).map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq));
    expect(counts).toEqual([120]);
  });

  it("are older than what their room copies later, and say who wrote them", async () => {
    const db = await withDen();
    const erased = { ...said(2, ""), sender: "" };
    await writeRoom(db, DEN, [said(1), erased, { ...said(3), sender: "calm-newt/bot" }], 0);
    expect(db.rows("SELECT sender FROM senders ORDER BY sender")).toEqual([
      { sender: "calm-newt/bot" },
      { sender: "swift-otter" },
    ]);
    expect(db.rows("SELECT 1 FROM packs JOIN rooms ON id = room_id WHERE packs.revision > copied_at")).toEqual([]);
    expect(db.rows("SELECT 1 FROM rooms WHERE id = 'den' AND copied_at > 0")).toHaveLength(1);
  });

  it("never get into another room that has the id by now", async () => {
    const db = await withDen();
    const other = { ...DEN, createdAt: "2020-01-01T00:00:00.000Z" };
    await expect(writeRoom(db, other, [said(1)], 0)).rejects.toThrow("D1 has no room den that was made at 2020-01-01");
    expect(contents(db)).toEqual([]);
  });
});
