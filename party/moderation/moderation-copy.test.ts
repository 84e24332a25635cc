import { expect, it, vi } from "vitest";
import { writeDirectory } from "../../api/local/restore/writer.ts";
import { RoomStorage, TestD1 } from "../../test/unit/sqlite.ts";
import { isFault } from "../protocol.ts";
import { archivedModeration } from "./d1-moderation.ts";
import { DeedLog } from "./deed-log.ts";
import { type HeldMessage, HeldMessages } from "./held-messages.ts";
import { beginModeration, ModerationCopy } from "./moderation-copy.ts";
import { ModerationTables } from "./moderation-tables.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");
const author = { sender: "~one-guest-000000", principal: "address:192.0.2.1", behind: "t1" };

function desk(db = new TestD1()) {
  const storage = new RoomStorage();
  const tables = new ModerationTables({ sql: storage.sql, transaction: (work) => storage.transaction(work) });
  const wakes: number[] = [];
  const room = { id: "lobby", createdAt: db.createdAt };
  const copy = new ModerationCopy({ room, tables, db, wakeIn: (delay) => void wakes.push(delay) });
  const held = new HeldMessages(tables);
  const hold = (id: string): HeldMessage => {
    const added = held.add(author, { id, kind: "text", sender: author.sender, content: id, ref: null }, "guest", NOON);
    if (isFault(added)) throw new Error(added.message);
    return added;
  };
  return { db, tables, copy, held, hold, deeds: new DeedLog(tables), wakes };
}

it("comes back from a backup as it was: who did what, what waits and what was decided", async () => {
  const { db, copy, held, hold, deeds } = desk();
  deeds.add({ by: "a-b", deed: "mute", target: "c-d", detail: { until: null } }, NOON);
  const [waiting, refused] = [hold("m1"), hold("m2")];
  held.refuse(refused);
  await copy.run();

  const restored = new TestD1();
  const rows = await archivedModeration(db, "lobby");
  await writeDirectory(
    restored,
    rows.map(({ body, ...row }) => ({ type: "moderation" as const, room: "lobby", body: body as object, ...row })),
  );
  const again = desk(restored);
  beginModeration(again.tables, await archivedModeration(restored, "lobby"));
  expect(again.deeds.page(undefined, 9, NOON)).toEqual(deeds.page(undefined, 9, NOON));
  expect(again.held.waiting(NOON)).toEqual([waiting]);
  expect(again.held.find(author.sender, "m2")).toMatchObject({ state: "refused", content: "" });
});

it("goes on with tables and rows of the first version, in which everything that was held was a text", async () => {
  const storage = new RoomStorage();
  for (const table of [
    "CREATE TABLE moderation (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL)",
    "INSERT INTO moderation (one, version) VALUES (1, 1)",
    `CREATE TABLE deeds (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, deed TEXT NOT NULL, target TEXT,
      detail TEXT NOT NULL)`,
    `CREATE TABLE held (sender TEXT NOT NULL, message TEXT NOT NULL, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
      ref INTEGER, at INTEGER NOT NULL, tag TEXT, why TEXT NOT NULL, state TEXT NOT NULL, seq INTEGER,
      PRIMARY KEY (sender, message)) WITHOUT ROWID`,
    "CREATE TABLE moderation_changes (kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID",
    `INSERT INTO held VALUES ('anna', 'm1', 'h1', 'Hello', NULL, ${NOON}, NULL, 'newcomer', 'waiting', NULL)`,
  ]) {
    storage.sql.exec(table);
  }
  for (let opened = 0; opened < 2; opened++) {
    const held = new HeldMessages(
      new ModerationTables({ sql: storage.sql, transaction: (work) => storage.transaction(work) }),
    );
    expect(held.waiting(NOON)).toMatchObject([{ id: "h1", kind: "text", content: "Hello", state: "waiting" }]);
  }
  const { v, ...body } = { v: 1 as const, sender: "bob", message: "m2", content: "Hi", ref: null, at: NOON, tag: null };
  const fresh = desk();
  const row = { ...body, why: "guest", state: "waiting", seq: null };
  beginModeration(fresh.tables, [{ kind: "held", id: "h2", body: { v, ...row } }]);
  expect(fresh.held.waiting(NOON)).toMatchObject([{ id: "h2", kind: "text", content: "Hi" }]);
});

it("holds an ask as what it is, also after a backup", async () => {
  const { db, copy, held } = desk();
  const ask = { id: "a", kind: "ask" as const, sender: author.sender, content: '{"v":1}', ref: null };
  held.add(author, ask, "guest", NOON);
  await copy.run();
  const again = desk(db);
  beginModeration(again.tables, await archivedModeration(db, "lobby"));
  expect(again.held.waiting(NOON)).toMatchObject([{ kind: "ask", content: '{"v":1}' }]);
});

it("is tried again while D1 is away, and takes along what is gone since", async () => {
  const log = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const { db, copy, held, hold, wakes } = desk();
  hold("m1");
  db.trouble = "away";
  await copy.run();
  expect(wakes.length).toBeGreaterThan(0);
  held.forget(author.sender);
  hold("m3");
  db.trouble = undefined;
  await copy.run();
  const rows = await archivedModeration(db, "lobby");
  expect(rows.map(({ body }) => body?.message)).toEqual(["m3"]);
  held.forget(author.sender);
  await copy.run();
  expect(await archivedModeration(db, "lobby")).toEqual([]);
  log.mockRestore();
});

it("writes nothing into another room that has the id by now", async () => {
  const db = new TestD1();
  const { tables, deeds } = desk(db);
  deeds.add({ by: "a-b", deed: "mute" }, NOON);
  const room = { id: "lobby", createdAt: "2020-01-01T00:00:00.000Z" };
  await new ModerationCopy({ room, tables, db, wakeIn: () => undefined }).run();
  expect(await archivedModeration(db, "lobby")).toEqual([]);
});

it("gives a D1 that was set back what it has lost, and has it forget again what is gone here, also after a crash", async () => {
  const log = vi.spyOn(console, "warn").mockReturnValue();
  const { db, tables, copy, held, hold, deeds, wakes } = desk();
  deeds.add({ by: "a-b", deed: "mute", target: "c-d" }, NOON);
  hold("m1");
  await copy.run();
  const setBack = db.remember();
  held.forget(author.sender);
  deeds.forget("c-d");
  deeds.add({ by: "a-b", deed: "erase" }, NOON);
  await copy.run();
  const wanted = db.rows("SELECT * FROM moderation");

  setBack();
  copy.copyAgain();
  db.trouble = "away";
  await copy.run();
  db.trouble = undefined;
  const room = { id: "lobby", createdAt: db.createdAt };
  const afterCrash = new ModerationCopy({ room, tables, db, wakeIn: (delay) => void wakes.push(delay) });
  await afterCrash.run();
  expect(db.rows("SELECT * FROM moderation")).toEqual(wanted);

  // It is all done: nothing is asked of D1 any more, and nobody is woken.
  const before = [db.batches, wakes.length];
  await afterCrash.run();
  expect([db.batches, wakes.length]).toEqual(before);
  log.mockRestore();
});

it("writes nothing more in a room that is deleted while D1 is asked what it has again", async () => {
  const { db, tables, hold } = desk();
  hold("m1");
  const room = { id: "lobby", createdAt: db.createdAt };
  const copy: ModerationCopy = new ModerationCopy({ room, tables, db, wakeIn: () => copy.close() });
  copy.copyAgain();
  const noted = () => tables.sql.exec("SELECT * FROM moderation_changes").toArray();
  const before = noted();
  await copy.run();
  expect(noted()).toEqual(before);
});
