/** What becomes of each row of the previous server's file: one test a rule, from the file to D1. */

import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StoredMessage } from "../../../party/log/stored-message.ts";
import { storedMessages } from "../../../test/unit/packs.ts";
import { applyMigrations } from "../migrate.ts";
import { FileDatabase } from "./file-database.ts";
import type { Finding } from "./rules.ts";
import { type ImportOptions, runImport } from "./run.ts";
import { knownKeys, type ObjectState } from "./target.ts";

const TIME = "2025-03-01 10:00:00";
const AT = Date.parse("2025-03-01T10:00:00Z");
const HASH = createHash("sha256").update("mai_abcdefgh").digest("hex");
const hash = (name: string) => createHash("sha256").update(name).digest("hex");

let folder: string;
let old: DatabaseSync;
let db: FileDatabase;
let objects: Map<string, ObjectState>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "meet-ai-import-"));
  old = new DatabaseSync(join(folder, "old.sqlite"));
  old.exec(`PRAGMA synchronous = OFF; CREATE TABLE api_keys (id, key_hash, handle, created_at, last_used);
    CREATE TABLE rooms (id, name, created_at); CREATE TABLE messages (id, room_id, sender, content, created_at)`);
  db = new FileDatabase(":memory:");
  await applyMigrations(db, join(import.meta.dirname, "../../../migrations"));
  objects = new Map();
  key("k1", HASH, "swift-otter");
  room("den");
});

afterEach(() => {
  old.close();
  db.close();
  rmSync(folder, { recursive: true });
});

const key = (id: SQLInputValue, keyHash: SQLInputValue, handle: SQLInputValue, at: SQLInputValue = TIME) =>
  old.prepare("INSERT INTO api_keys VALUES (?, ?, ?, ?, NULL)").run(id, keyHash, handle, at);
const room = (id: SQLInputValue, name: SQLInputValue = "A room", at: SQLInputValue = TIME) =>
  old.prepare("INSERT INTO rooms VALUES (?, ?, ?)").run(id, name, at);

interface OldMessage {
  id?: SQLInputValue;
  room?: SQLInputValue;
  sender?: SQLInputValue;
  content?: SQLInputValue;
  at?: SQLInputValue;
}
let count = 0;
const say = ({ id = `m${++count}`, room = "den", sender = "swift-otter", content = "text", at = TIME }: OldMessage) =>
  old.prepare("INSERT INTO messages VALUES (?, ?, ?, ?, ?)").run(id, room, sender, content, at);

async function imported(options: Partial<ImportOptions> = {}): Promise<Finding[]> {
  const report = join(folder, "report.json");
  await runImport({
    file: join(folder, "old.sqlite"),
    isDry: false,
    report,
    targetName: "here",
    openTarget: async () => ({
      db,
      objectOf: (id) => objects.get(id) ?? "none",
      removeObject: (id) => objects.delete(id),
    }),
    knownKeys: () => knownKeys(db),
    output: { write: () => undefined },
    ...options,
  });
  return (JSON.parse(readFileSync(report, "utf8")) as { findings: Finding[] }).findings;
}

const messages = (id = "den"): Promise<StoredMessage[]> => storedMessages(db, id);
const rows = async (query: string) => (await db.prepare(query).all<Record<string, unknown>>()).results;
const rooms = () => rows("SELECT id, name, listed, created_by, created_at, last_seq FROM rooms ORDER BY rowid");
const keys = () => rows("SELECT id, key_hash, handle, created_at FROM api_keys ORDER BY rowid");

describe("a sound row", () => {
  it("comes as it is, and nothing is said", async () => {
    say({ id: "first", content: "Hello **there**" });
    expect(await imported()).toEqual([]);
    expect(await messages()).toEqual([
      {
        seq: 1,
        id: "first",
        kind: "text",
        sender: "swift-otter",
        content: "Hello **there**",
        ref: null,
        at: AT,
      },
    ]);
    const [, den] = await rooms();
    const createdAt = "2025-03-01T10:00:00.000Z";
    expect(den).toEqual({ id: "den", name: "A room", listed: 1, created_by: null, created_at: createdAt, last_seq: 1 });
    expect(await keys()).toEqual([{ id: "k1", key_hash: HASH, handle: "swift-otter", created_at: createdAt }]);
  });
});

describe("the order of a room", () => {
  it("is that of the parsed instants, then that of the rows, and times never go back", async () => {
    say({ content: "third", at: "2025-03-01 12:00:00" });
    say({ content: "first", at: "2025-03-01T12:30:00+02:00" });
    say({ content: "fourth", at: "2025-03-01 12:00:00" });
    say({ content: "second", at: Date.parse("2025-03-01T11:00:00Z") / 1_000 });
    await imported();
    const order = await messages();
    expect(order.map(({ content }) => content)).toEqual(["first", "second", "third", "fourth"]);
    expect(order.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(order.map(({ at }) => at)).toEqual(order.map(({ at }) => at).toSorted((a, b) => a - b));
  });

  it("has a message without a usable time beside its neighbour", async () => {
    for (const at of [null, "never"]) say({ content: "early", at });
    say({ content: "a", at: "2025-03-01 11:00:00" });
    for (const at of ["1969-01-01", "2999-01-01", ""]) say({ content: "after a", at });
    say({ content: "b", at: "2025-03-01 11:00:01" });
    const findings = await imported();
    expect((await messages()).map(({ content }) => content)).toEqual([
      ...["early", "early", "a", "after a", "after a", "after a", "b"],
    ]);
    const hour = 3_600_000;
    expect((await messages()).map(({ at }) => at - AT)).toEqual([hour, hour, hour, hour, hour, hour, hour + 1_000]);
    expect(findings.map(({ kind }) => kind)).toEqual([
      ...["time-missing", "time-nonsense", "time-before-1970", "time-future", "time-missing"],
    ]);
  });

  it("is the room's time, where no message has one", async () => {
    say({ at: null });
    await imported();
    expect((await messages())[0]?.at).toBe(AT);
  });
});

describe("a message", () => {
  it.each([
    ["no text", { content: null }, "blank"],
    ["nothing to see", { content: " \u200b\n" }, "blank"],
  ] as const)("with %s is left out, which is said", async (_, message, kind) => {
    say({ ...message, id: "m" });
    expect(await imported()).toMatchObject([{ kind, rowid: "1", was: "m" }]);
    expect(await messages()).toEqual([]);
  });

  it.each([
    ["control characters", { content: "a\u0000b" }, "ab", "control-characters"],
    ["space around it", { content: " a\r\nb " }, "a\nb", "whitespace"],
    ["a number for a text", { content: 7 }, "7", undefined],
    ["bytes for a text", { content: new TextEncoder().encode("Grüße") }, "Grüße", undefined],
    ["bytes that are no text", { content: new Uint8Array([0x61, 0xff]) }, "a\ufffd", "invalid-utf8"],
  ] as const)("with %s is kept in a sound form", async (_, message, content, kind) => {
    say(message);
    expect((await imported()).map((finding) => finding.kind)).toEqual(kind === undefined ? [] : [kind]);
    expect((await messages()).map((kept) => kept.content)).toEqual([content]);
  });

  it.each([
    ["no id", null],
    ["an empty id", ""],
    ["an id out of form", "{a}"],
    ["too long an id", "x".repeat(65)],
  ])("with %s gets one, always the same", async (_, id) => {
    say({ id });
    expect(await imported()).toMatchObject([{ kind: "message-id", is: expect.stringMatching(/^old-[0-9a-f]{24}$/) }]);
    const [first] = await messages();
    expect(first?.id).toMatch(/^old-/);
    await imported();
    expect(await messages()).toEqual([first]);
  });

  it("whose id its room has already gets another one; the same one again is left out", async () => {
    say({ id: "m", content: "one" });
    say({ id: "m", content: "two" });
    say({ id: "m", content: "one" });
    expect((await imported()).map(({ kind }) => kind)).toEqual(["message-id-twice", "message-twice"]);
    expect((await messages()).map(({ content }) => content)).toEqual(["one", "two"]);
  });

  it("that is too long comes in parts behind each other", async () => {
    say({ id: "long", content: "word ".repeat(10_000) });
    say({ id: "next" });
    expect((await imported()).map(({ kind }) => kind)).toEqual(["whitespace", "text-split"]);
    const all = await messages();
    expect(all.map(({ id }) => id)).toEqual([
      "long",
      expect.any(String),
      expect.any(String),
      expect.any(String),
      "next",
    ]);
    expect(
      all
        .slice(0, 4)
        .map(({ content }) => content)
        .join(" "),
    ).toBe("word ".repeat(10_000).trim());
  });

  it("of more than a mebibyte is cut there", async () => {
    say({ content: "x".repeat(2 ** 20 + 1) });
    expect((await imported()).map(({ kind }) => kind)).toEqual(["text-split", "text-cut"]);
    expect((await messages()).reduce((sum, { content }) => sum + content.length, 0)).toBe(2 ** 20);
  });
});

describe("a sender", () => {
  it("who has no key gets a name that nobody can take, each another one", async () => {
    for (const sender of ["Anna", "anna", "swift-otter/claude", "~lynx", null, "Swift-Otter"]) say({ sender });
    say({ sender: "swift-otter" });
    const findings = await imported();
    const senders = (await messages()).map(({ sender }) => sender);
    expect(senders.slice(0, -1).every((sender) => sender.endsWith("@before"))).toBe(true);
    expect(new Set(senders).size).toBe(7);
    expect(senders).toContain("anna@before");
    expect(senders.at(-1)).toBe("swift-otter");
    expect(findings).toHaveLength(6);
    expect(findings[0]).toMatchObject({ kind: "sender-without-key", was: "Anna", is: "anna@before", messages: 1 });
  });

  it("never gets the handle of somebody who came to the new server first", async () => {
    await db.prepare("INSERT INTO api_keys VALUES ('n', 'h', 'anna', 't', NULL, NULL, NULL)").all();
    say({ sender: "anna" });
    key("k2", hash("bert"), "bert");
    await imported();
    expect((await messages())[0]?.sender).toBe("anna@before");
  });

  it("follows the handle that their key gets", async () => {
    key("k2", hash("2"), "Swift Otter");
    key("k3", hash("3"), "admin");
    for (const sender of ["Swift Otter", "admin"]) say({ sender });
    const findings = await imported();
    expect(findings.map(({ kind }) => kind)).toEqual(["handle-form", "handle-reserved"]);
    const handles = (await keys()).map(({ handle }) => handle);
    expect((await messages()).map(({ sender }) => sender)).toEqual(handles.slice(1));
    expect(handles[2]).toMatch(/^[a-z]+-[a-z]+$/);
  });
});

describe("a key", () => {
  it.each([
    ["in capitals", HASH.toUpperCase()],
    ["as bytes", Buffer.from(HASH, "hex")],
    ["with space around it", ` ${HASH}\n`],
  ])("whose hash stands there %s works as before", async (_, stored) => {
    old.exec("DELETE FROM api_keys");
    key("k1", stored, "swift-otter");
    expect(await imported()).toMatchObject([{ kind: "key-hash-form" }]);
    expect(await keys()).toMatchObject([{ key_hash: HASH, handle: "swift-otter" }]);
  });

  it.each([null, "", "abc", "g".repeat(64), 7])(
    "with %j for a hash is left out, and its handle free",
    async (stored) => {
      key("k2", stored, "bert");
      say({ sender: "bert" });
      expect((await imported()).map(({ kind }) => kind)).toEqual(["key-without-hash", "sender-without-key"]);
      expect(await keys()).toHaveLength(1);
      expect((await messages())[0]?.sender).toBe("bert@before");
    },
  );

  it("keeps its handle although an earlier one reads the same", async () => {
    old.exec("DELETE FROM api_keys");
    key("a", hash("a"), "ANNA");
    key("b", hash("b"), "anna");
    await imported();
    const handles = Object.fromEntries((await keys()).map(({ id, handle }) => [id, handle]));
    expect(handles.b).toBe("anna");
    expect(handles.a).toMatch(/^anna-[0-9a-f]{6}$/);
  });

  it("that has been rotated or revoked since stays as it is", async () => {
    await imported();
    await db.prepare("UPDATE api_keys SET key_hash = 'rotated', revoked_at = 'then'").all();
    say({});
    await imported();
    expect(await rows("SELECT key_hash, revoked_at FROM api_keys")).toEqual([
      { key_hash: "rotated", revoked_at: "then" },
    ]);
  });
});

describe("a room", () => {
  it("out of form is reached by an id that reads like it, and sound ids are given away first", async () => {
    room("My Den!", "Mine");
    room("DEN", "Loud");
    for (const id of ["My Den!", "DEN", "den"]) say({ room: id, content: id });
    await imported();
    const ids = (await rooms()).map(({ id }) => String(id));
    expect(ids).toEqual(["lobby", "den", "my-den", expect.stringMatching(/^den-[0-9a-f]{6}$/)]);
    for (const [id, content] of [
      ["den", "den"],
      ["my-den", "My Den!"],
      [ids[3] as string, "DEN"],
    ] as const) {
      expect((await messages(id)).map((message) => message.content)).toEqual([content]);
    }
  });

  it("of which only messages speak is made, and not listed", async () => {
    say({ room: "gone" });
    expect(await imported()).toMatchObject([{ kind: "room-made-anew", room: "gone" }]);
    expect((await rooms()).at(-1)).toMatchObject({ id: "gone", listed: 0, created_at: "2025-03-01T10:00:00.000Z" });
  });

  it("that can't be one is no reason to lose a message", async () => {
    for (const id of [null, "No Such Room!", ""]) say({ room: id });
    expect((await imported()).map(({ kind }) => kind)).toEqual([
      ...["message-without-room", "room-made-anew", "message-without-room", "message-without-room"],
    ]);
    expect(await messages("without-room")).toHaveLength(3);
  });

  it("called lobby takes over the lobby that nobody has talked in", async () => {
    room("lobby", "The old lobby");
    say({ room: "lobby" });
    objects.set("lobby", "empty");
    expect(await imported()).toEqual([]);
    expect(await messages("lobby")).toHaveLength(1);
    expect(objects.has("lobby")).toBe(false);
    expect((await rooms())[0]).toMatchObject({ name: "The old lobby", listed: 1 });
  });

  it.each(["D1", "its own storage"])("that %s knows to have been talked in stays as it is", async (store) => {
    const insert =
      "INSERT INTO rooms (id, name, created_at, last_seq, epoch) VALUES ('den', 'Theirs', 't', ?, 'e') RETURNING id";
    await db
      .prepare(insert)
      .bind(store === "D1" ? 1 : 0)
      .all();
    if (store !== "D1") objects.set("den", "talked");
    say({});
    room("other");
    say({ room: "other" });
    expect(await imported()).toMatchObject([{ kind: "room-in-use", room: "den", messages: 1 }]);
    expect(await messages("den")).toEqual([]);
    expect(await messages("other")).toHaveLength(1);
  });

  it("that belongs to somebody stays theirs", async () => {
    await db.prepare("INSERT INTO api_keys VALUES ('n', 'h', 'anna', 't', NULL, NULL, NULL)").all();
    await db.prepare("INSERT INTO rooms (id, name, created_by, created_at) VALUES ('den', 'Theirs', 'n', 't')").all();
    say({});
    expect(await imported()).toMatchObject([{ kind: "room-in-use" }]);
  });
});

describe("an import that was cut off", () => {
  /** A D1 that takes so many batches. */
  function failingAfter(batches: number): void {
    const batch = db.batch.bind(db);
    db.batch = async (statements) => {
      if (batches-- <= 0) throw new Error("killed");
      return batch(statements);
    };
  }

  it.each([0, 1, 2, 3, 4])("in D1 after %i batches goes on where it was", async (batches) => {
    room("other");
    for (let number = 0; number < 2_500; number++) say({ room: number % 2 === 0 ? "den" : "other", id: `m${number}` });
    const [whole, options] = [db, { folder }];
    failingAfter(batches);
    await expect(imported(options)).rejects.toThrow("killed");
    whole.batch = FileDatabase.prototype.batch;
    expect(await imported(options)).toEqual([]);
    const ids = (await messages("den")).map(({ id }) => id);
    expect(ids).toEqual(Array.from({ length: 1_250 }, (_, index) => `m${index * 2}`));
    expect((await rooms()).map(({ last_seq }) => last_seq)).toEqual([0, 1_250, 1_250]);
  });

  it("leaves a room as it is that has been opened meanwhile", async () => {
    for (let number = 0; number < 1_500; number++) say({});
    failingAfter(3);
    await expect(imported({ folder })).rejects.toThrow("killed");
    db.batch = FileDatabase.prototype.batch;
    await db.prepare("UPDATE rooms SET epoch = 'woken' WHERE id = 'den'").all();
    objects.set("den", "talked");
    expect(await imported({ folder })).toMatchObject([{ kind: "room-woken", room: "den", messages: 1_500 }]);
    expect((await rooms()).at(-1)).toMatchObject({ id: "den", last_seq: 1_000 });
  });
});

it("begins anew when a handle that was staged has been taken meanwhile", async () => {
  const take = () => db.prepare("INSERT INTO api_keys VALUES ('n', 'h', 'swift-otter', 't', NULL, NULL, NULL)").all();
  const target = { db, objectOf: () => "none" as const, removeObject: () => undefined };
  const openTarget = async () => {
    await take();
    return target;
  };
  const staging = join(folder, "staging");
  await expect(imported({ folder: staging, openTarget })).rejects.toThrow("Run it again: it begins anew.");
  expect(existsSync(staging)).toBe(false);
  expect(await imported({ folder: staging })).toMatchObject([{ kind: "handle-taken", was: "swift-otter" }]);
});

it("what the previous server did not have is left out, which is said", async () => {
  old.exec("CREATE TABLE sessions (id); ALTER TABLE rooms ADD COLUMN topic");
  expect(await imported()).toMatchObject([
    { kind: "unknown-table", was: "sessions" },
    { kind: "unknown-column", table: "rooms", was: "topic" },
  ]);
});

it("a dry run writes nothing", async () => {
  say({});
  await imported({ isDry: true });
  expect(await keys()).toEqual([]);
  expect(await rooms()).toHaveLength(1);
});
