/** Which parts of a room have their tables: made once, and taken up from earlier versions. */

import { describe, expect, it } from "vitest";
import { openLog, startedLog } from "../../test/unit/entries.ts";
import { TestStorage } from "../../test/unit/sqlite.ts";
import { Roster } from "../members/roster.ts";
import { AddressBook } from "../moderation/address-book.ts";
import { DeedLog } from "../moderation/deed-log.ts";
import { HeldMessages } from "../moderation/held-messages.ts";
import { ModerationTables } from "../moderation/moderation-tables.ts";
import { SiteUsers } from "../sites/site-users.ts";
import { RoomStorage } from "./room-storage.ts";

const TABLE = ["CREATE TABLE things (thing TEXT)"];

const tablesOf = ({ sql }: TestStorage) =>
  sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .toArray()
    .map(({ name }) => name);

describe("a part", () => {
  it("is made once, and known after a restart", () => {
    const disk = new TestStorage();
    for (const storage of [new RoomStorage(disk), new RoomStorage(disk)]) {
      storage.transaction(() => storage.make("things", 1, TABLE));
      storage.transaction(() => storage.make("things", 1, TABLE));
      expect([storage.has("things"), storage.has("others")]).toEqual([true, false]);
    }
  });

  it("is looked for without a trace, and once for all parts", () => {
    const disk = new TestStorage();
    const storage = new RoomStorage(disk);
    expect(storage.has("things")).toBe(false);
    expect(tablesOf(disk)).toEqual([]);
    expect(disk.plansOf(() => [storage.has("others"), storage.has("log")])).toEqual([]);
  });

  it("that was made in a transaction that was not kept is made by the next", () => {
    const disk = new TestStorage();
    const storage = new RoomStorage(disk);
    const full = () =>
      storage.transaction(() => {
        storage.make("things", 1, TABLE);
        throw new Error("database or disk is full");
      });
    expect(full).toThrow("full");
    expect([storage.has("things"), tablesOf(disk)]).toEqual([false, []]);
    storage.transaction(() => {
      expect(full).toThrow("full");
      storage.make("things", 1, TABLE);
    });
    expect([storage.has("things"), tablesOf(disk)]).toEqual([true, ["schema", "things"]]);
  });

  it("of a later version is not used", () => {
    const disk = new TestStorage();
    const later = new RoomStorage(disk);
    later.transaction(() => later.make("roster", 2, TABLE));
    expect(() => new Roster(new RoomStorage(disk)).roleOf("a-b", 0)).toThrow(
      "This room's roster has version 2, and this server knows version 1.",
    );
  });
});

it("tables of 0.1.0 and 0.2.0 are gone on with, and all of it is copied to D1 again", () => {
  const disk = new TestStorage();
  const log = startedLog(disk);
  const tables = [
    "DROP TABLE schema",
    "DROP TABLE log",
    "DROP TABLE dirty",
    "DROP TABLE dirty_parts",
    "DROP TABLE writers",
    "DROP TABLE orders",
    "DROP TABLE messages",
    "CREATE TABLE messages_1 (seq INTEGER PRIMARY KEY, id TEXT, kind TEXT, sender TEXT, content TEXT, ref INTEGER, at INTEGER)",
    "CREATE TABLE log (version INTEGER, epoch TEXT, archived INTEGER)",
    `INSERT INTO log VALUES (5, '${log.epoch}', 0)`,
    `CREATE TABLE roster (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, members INTEGER NOT NULL,
      invites INTEGER NOT NULL, change INTEGER NOT NULL)`,
    "INSERT INTO roster VALUES (1, 1, 1, 0, 1)",
    `CREATE TABLE members (sender TEXT PRIMARY KEY, role TEXT, since INTEGER NOT NULL, invite TEXT, uses TEXT NOT NULL,
      removed INTEGER NOT NULL, change INTEGER NOT NULL) WITHOUT ROWID`,
    "INSERT INTO members VALUES ('a-b', 'moderator', 7, NULL, '[]', 0, 1)",
    `CREATE TABLE invites (id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL, role TEXT NOT NULL, uses INTEGER NOT NULL,
      used INTEGER NOT NULL, created_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER,
      revoked INTEGER NOT NULL, change INTEGER NOT NULL) WITHOUT ROWID`,
    "CREATE TABLE roster_changes (kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID",
    "CREATE TABLE moderation (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL)",
    "INSERT INTO moderation VALUES (1, 1)",
    `CREATE TABLE deeds (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, deed TEXT NOT NULL, target TEXT,
      detail TEXT NOT NULL)`,
    "INSERT INTO deeds VALUES (1, 7, 'a-b', 'mute', 'c-d', '{}')",
    `CREATE TABLE held (sender TEXT NOT NULL, message TEXT NOT NULL, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL,
      ref INTEGER, at INTEGER NOT NULL, tag TEXT, why TEXT NOT NULL, state TEXT NOT NULL, seq INTEGER,
      PRIMARY KEY (sender, message)) WITHOUT ROWID`,
    "INSERT INTO held VALUES ('c-d', 'm1', 'h1', 'hi', NULL, 7, NULL, 'links', 'waiting', NULL)",
    "CREATE TABLE moderation_changes (kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID",
    `CREATE TABLE address_book (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL,
      senders INTEGER NOT NULL)`,
    "INSERT INTO address_book VALUES (1, 1, 1)",
    "CREATE TABLE senders (sender TEXT PRIMARY KEY, places TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    `INSERT INTO senders VALUES ('c-d', '[["t1",7]]', 7)`,
    `CREATE TABLE site_users_1 (sender TEXT PRIMARY KEY, name TEXT, role TEXT NOT NULL, until INTEGER NOT NULL,
      seen INTEGER NOT NULL) WITHOUT ROWID`,
    "INSERT INTO site_users_1 VALUES ('anna@acme', 'Anna', 'member', 99, 7)",
  ];
  for (const table of tables) disk.sql.exec(table);
  disk.sql.exec("DROP TABLE erasures");
  for (let opened = 0; opened < 2; opened++) {
    const storage = new RoomStorage(disk);
    const moderation = new ModerationTables(storage);
    expect(new Roster(storage).roleOf("a-b", 9)).toBe("moderator");
    expect(new DeedLog(moderation).page(undefined, 9, 9).entries).toMatchObject([{ by: "a-b", target: "c-d" }]);
    expect(new HeldMessages(moderation).get("h1")).toMatchObject({ kind: "text", content: "hi" });
    expect(new AddressBook({ storage, now: () => 9 }).tagsOf("c-d")).toEqual(["t1"]);
    expect(new SiteUsers(storage).of(["anna@acme"])).toEqual({ "anna@acme": "Anna" });
    expect(openLog(disk).dirty.parts()).toHaveLength(7);
  }
  expect(tablesOf(disk).filter((name) => /changes|moderation|messages_/.test(name))).toEqual([]);
});

it("a change of members, deeds or held messages marks its part", () => {
  const disk = new TestStorage();
  startedLog(disk);
  const storage = new RoomStorage(disk);
  const moderation = new ModerationTables(storage);
  const parts = () => {
    const marked = storage.dirty.parts();
    storage.dirty.beginFlight().end([], marked);
    return marked;
  };
  const roster = new Roster(storage);
  roster.put({ sender: "a-b", role: "member", since: 7, invite: null, uses: [], removed: false });
  expect(parts()).toEqual(["members"]);
  const invite = { id: "i1", secretHash: "0a", role: "member" as const, uses: 1, used: 0, createdBy: "a-b" };
  roster.putInvite({ ...invite, createdAt: 7, expiresAt: null, revoked: false });
  expect(parts()).toEqual(["invites"]);
  new DeedLog(moderation).add({ by: "a-b", deed: "mute", target: "c-d" }, 7, 1);
  expect(parts()).toEqual(["deeds"]);
  new DeedLog(moderation).add({ by: "a-b", deed: "mute", target: "c-d" }, 7, 1);
  expect(parts()).toEqual([]);
  const message = { id: "m", kind: "text" as const, sender: "c-d", content: "hi", ref: null };
  new HeldMessages(moderation).add({ sender: "c-d", principal: "person:1" }, message, "link", 7);
  expect(parts()).toEqual(["held"]);
});
