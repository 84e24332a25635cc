/** What is restored, and what is refused before anything is changed. */

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addPart as addPartTo, said } from "../../../test/unit/backup-files.ts";
import { archivedMessages } from "../../../test/unit/packs.ts";
import { TestD1 } from "../../../test/unit/sqlite.ts";
import { type DirectoryRecord, line, type MessageRecord, type RoomRow } from "../../format/records.ts";
import { directoryPath, writeDirectoryFile } from "../backup/directory-file.ts";
import { fileEnd, RoomFileWriter, roomPath } from "../backup/room-file.ts";
import { restore } from "./restore.ts";
import { stateFolder } from "./state-folder.ts";

const CREATED = "2026-01-03T10:00:00.000Z";
const DEN = { id: "den", createdAt: CREATED, epoch: "epoch-den" };

let place: string;
let folder: string;
let stateDir: string;
let db: TestD1;
beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "meet-ai-restore-"));
  [folder, stateDir] = [join(place, "backup"), join(place, "state")];
  mkdirSync(join(folder, "rooms"), { recursive: true });
  db = new TestD1();
  await addPart("den", said(1), said(2, "secret words"), said(3));
  await addPart("lobby", said(1));
  await writeDirectory(row("den", 3), row("lobby", 1));
});
afterEach(() => rmSync(place, { recursive: true }));

const row = (id: string, lastSeq: number): RoomRow => ({
  type: "room",
  id,
  name: id,
  topic: "",
  listed: false,
  owner: null,
  createdAt: CREATED,
  settings: {},
  revision: 2,
  epoch: `epoch-${id}`,
  lastSeq,
});

const addPart = (room: string, ...records: MessageRecord[]) =>
  addPartTo(roomPath(folder, room), { id: room, createdAt: CREATED, epoch: `epoch-${room}` }, ...records);

async function writeDirectory(...rows: RoomRow[]): Promise<void> {
  await write(true, rows);
}

async function write(complete: boolean, rows: readonly DirectoryRecord[]): Promise<void> {
  async function* records(): AsyncGenerator<DirectoryRecord> {
    yield { type: "secret", name: "guest_pepper", value: "the-pepper" };
    yield* rows;
  }
  await writeDirectoryFile(folder, complete, records());
}

const run = (allowsIncomplete = false) =>
  restore({
    folder,
    place: stateFolder(stateDir, async (work) => {
      mkdirSync(stateDir, { recursive: true });
      await work(db);
    }),
    allowsIncomplete,
    progress: () => undefined,
  });

const messages = () => ["den", "lobby"].flatMap((id) => archivedMessages((query, room) => db.rows(query, [room]), id));
const change = (path: string, from: string, to: string) =>
  writeFileSync(path, readFileSync(path, "utf8").replace(from, to));

/** A file of SQLite below the folder of state, as the runtime keeps it. */
function makeFile(path: string, ...statements: string[]): void {
  mkdirSync(dirname(join(stateDir, path)), { recursive: true });
  const file = new DatabaseSync(join(stateDir, path));
  for (const statement of statements) file.exec(statement);
  file.close();
}

describe("what is gone because of its age", () => {
  const gone = { first: 3, goneBefore: "2026-01-04T00:00:00.000Z", lastMessageAt: "2026-01-05T00:00:00.000Z" };
  const noted = () =>
    db.rows("SELECT first_seq, last_seq, gone_before, last_message_at, known_keep_days FROM rooms WHERE id = 'den'")[0];

  it("is not restored from a file that still has it, and the room goes on as it was", async () => {
    await writeDirectory({ ...row("den", 3), ...gone, settings: { keepDays: 7 } }, row("lobby", 1));
    await run();
    expect(messages().filter(({ seq }) => seq < 3)).toMatchObject([{ seq: 1, content: "words 1" }]);
    expect(archivedMessages((query, room) => db.rows(query, [room]), "den").map(({ seq }) => seq)).toEqual([3]);
    expect(noted()).toMatchObject({
      first_seq: 3,
      last_seq: 3,
      gone_before: gone.goneBefore,
      last_message_at: gone.lastMessageAt,
      known_keep_days: -1,
    });
  });

  it("takes no seq with it, where all of it is gone", async () => {
    const writer = await RoomFileWriter.open(roomPath(folder, "den"), DEN, await fileEnd(roomPath(folder, "den")));
    await writer.removeBelow(4);
    await writer.close();
    await writeDirectory({ ...row("den", 3), ...gone, first: 4 }, row("lobby", 1));
    expect(await run()).toMatchObject({ messages: 1 });
    expect(noted()).toMatchObject({
      first_seq: 4,
      last_seq: 3,
      last_message_at: gone.lastMessageAt,
      known_keep_days: 0,
    });
  });
});

describe("who may read a room", () => {
  const member = {
    type: "member",
    room: "den",
    sender: "a-b",
    role: "moderator",
    since: CREATED,
    invite: "i1",
    uses: ["i1"],
    removed: false,
    change: 2,
  } as const;
  const invite = {
    type: "invite",
    room: "den",
    id: "i1",
    secretHash: "0a",
    role: "moderator",
    uses: 3,
    used: 1,
    createdBy: "c-d",
    createdAt: CREATED,
    expiresAt: null,
    revoked: false,
    change: 1,
  } as const;

  const gone = { ...member, sender: "~e-f-4f2a9c", role: null, removed: true, change: 3 };
  const members = [
    { sender: "a-b", role: "moderator", since: Date.parse(CREATED), invite: "i1", uses: ["i1"], removed: false },
    { sender: "~e-f-4f2a9c", role: null, since: Date.parse(CREATED), invite: "i1", uses: ["i1"], removed: true },
  ];
  const made = { id: "i1", secretHash: "0a", role: "moderator", uses: 3, used: 1, createdBy: "c-d", revoked: false };
  const invites = [{ ...made, createdAt: Date.parse(CREATED), expiresAt: null }];

  it("is restored with what it knows of its members and invites, and can be done again", async () => {
    const parts = { members, invites, later: "of a later version" };
    const states = Object.entries(parts).map(([part, body]) => ({ type: "state" as const, room: "den", part, body }));
    await write(true, [{ ...row("den", 3), access: "members" }, row("lobby", 1), ...states]);
    for (let time = 0; time < 2; time++) await run();
    expect(db.rows("SELECT id, access FROM rooms ORDER BY id")).toEqual([
      { id: "den", access: "members" },
      { id: "lobby", access: "open" },
    ]);
    for (const [part, body] of Object.entries(parts)) expect(db.state(part, "den")).toEqual(body);
    // What the room copies later is newer, and takes the place of it.
    const newer = "SELECT 1 FROM room_state JOIN rooms ON id = room_id WHERE room_state.revision > copied_at";
    expect(db.rows(newer)).toEqual([]);
  });

  it("is restored from a backup of an earlier version, which has a record for each", async () => {
    const other = { ...member, room: "lobby", sender: "c-d", invite: null, uses: [] };
    const deed = { at: 7, who: "a-b", deed: "mute", target: "c-d" };
    const deeds = [1, 2].map((n) => ({
      ...{ type: "moderation", room: "den", kind: "deed", id: String(n) },
      body: { v: 2, ...deed, detail: '{"until":null}' },
    }));
    const waits = { sender: "c-d", message: "m9", content: "Hello", ref: null, at: 8, tag: null, why: "links" };
    const held = { ...waits, state: "waiting", seq: null };
    const moderation = { type: "moderation", room: "den", kind: "held", id: "h1", body: { v: 1, ...held } };
    const former = [member, gone, other, invite, ...deeds, moderation] as unknown as DirectoryRecord[];
    await write(true, [{ ...row("den", 3), access: "members" }, row("lobby", 1), ...former]);
    await run();
    expect(db.state("members", "den")).toEqual(members);
    expect(db.state("members", "lobby")).toMatchObject([{ sender: "c-d", role: "moderator" }]);
    expect(db.state("invites", "den")).toEqual(invites);
    expect(db.state("deeds", "den")).toEqual([1, 2].map((n) => ({ n, ...deed, detail: { until: null } })));
    expect(db.state("held", "den")).toEqual([{ id: "h1", kind: "text", ...held }]);
  });
});

describe("a restore", () => {
  it("takes no file of another room, even of one that was made at the same moment", async () => {
    rmSync(roomPath(folder, "lobby"));
    renameSync(roomPath(folder, "den"), roomPath(folder, "lobby"));
    await writeDirectory(row("lobby", 3));
    await expect(run()).rejects.toThrow(/lobby\.ndjson is of another room than the directory's/);
    expect([messages(), existsSync(stateDir)]).toEqual([[], false]);
  });

  it("calls a file damaged that has a sum before anything else", async () => {
    const sha256 = createHash("sha256").digest("hex");
    writeFileSync(roomPath(folder, "den"), line({ type: "sum", upTo: 0, lines: 0, sha256 }));
    await expect(run()).rejects.toThrow(/den\.ndjson, line 1, is damaged/);
  });

  it("does not say that it is done when a backup ran into the folder meanwhile", async () => {
    const withDatabase = async (work: (db: TestD1) => Promise<void>) => {
      await writeDirectory(row("den", 4), row("lobby", 1), row("new", 2));
      await work(db);
    };
    const place = stateFolder(stateDir, withDatabase);
    const options = { folder, place, allowsIncomplete: false, progress: () => undefined };
    await expect(restore(options)).rejects.toThrow(
      /changed while it was restored: delete .*state and restore it again\.$/,
    );
    // No server starts there.
    expect(readdirSync(stateDir)).toEqual(["restore-begun"]);
  });

  it("leaves no piece of a mark when the disk is full", async () => {
    mkdirSync(join(stateDir, "restore-begun.new"), { recursive: true });
    await expect(run()).rejects.toThrow("EISDIR");
    expect(existsSync(join(stateDir, "restore-begun"))).toBe(false);
  });

  it("writes the pepper, the rooms and their messages, and leaves no mark", async () => {
    expect(await run()).toEqual({ keys: 0, rooms: 2, messages: 4, torn: [] });
    expect(db.rows("SELECT value FROM secrets WHERE name = 'guest_pepper'")).toEqual([{ value: "the-pepper" }]);
    expect(db.rows("SELECT id, listed, created_at, last_seq, epoch FROM rooms ORDER BY id")).toEqual([
      { id: "den", listed: 0, created_at: CREATED, last_seq: 3, epoch: "epoch-den" },
      { id: "lobby", listed: 0, created_at: CREATED, last_seq: 1, epoch: "epoch-lobby" },
    ]);
    expect(messages()).toHaveLength(4);
    expect(readdirSync(stateDir)).toEqual([]);
  });

  it("that is cut off goes on when it is run again, and with no other backup", async () => {
    const batch = db.batch.bind(db);
    db.batch = (statements) => (messages().length > 0 ? Promise.reject(new Error("killed")) : batch(statements));
    await expect(run()).rejects.toThrow("killed");
    expect(readdirSync(stateDir)).toEqual(["restore-begun"]);
    db.batch = batch;
    await writeDirectory(row("den", 3), { ...row("lobby", 1), name: "Another" });
    await expect(run()).rejects.toThrow(
      /A restore of another backup into .* was cut off: restore that one, or delete .*state\.$/,
    );
    expect(messages()).toHaveLength(3);
  });

  it("brings no deleted words back, even from a file in which they stand", async () => {
    rmSync(roomPath(folder, "den"));
    await addPart("den", said(1, "secret words"), { ...said(4, ""), kind: "deletion", ref: 1 });
    expect(readFileSync(roomPath(folder, "den"), "utf8")).toContain("secret words");
    await writeDirectory(row("den", 4), row("lobby", 1));
    await run();
    expect(JSON.stringify(messages())).not.toContain("secret words");
  });

  it("brings nothing of an erased sender back, even from a file in which it stands", async () => {
    rmSync(roomPath(folder, "den"));
    const erasure = { ...said(4, "swift-otter"), kind: "erasure" as const, sender: "calm-heron", ref: 3 };
    await addPart("den", said(1, "secret words"), { ...said(2), sender: "swift-otter/bot" }, erasure, said(5, "later"));
    expect(readFileSync(roomPath(folder, "den"), "utf8")).toContain("secret words");
    await writeDirectory(row("den", 5), row("lobby", 1));
    await run();
    expect(JSON.stringify(messages())).not.toContain("secret words");
    expect(messages().filter(({ sender }) => sender === "")).toMatchObject([{ seq: 1 }, { seq: 2 }]);
    expect(db.rows("SELECT sender FROM senders WHERE room_id = 'den'")).toEqual([{ sender: "swift-otter" }]);
  });

  it("knows which asks are open, also when it goes on behind a batch that it has written", async () => {
    const terms = {
      options: [
        { id: "yes", label: "Yes" },
        { id: "no", label: "No" },
      ],
      from: "people",
    } as const;
    const asks = [1, 2, 3, 4].map((seq) => ({
      ...said(seq, "Go?"),
      ask: seq === 4 ? { ...terms, until: CREATED } : terms,
    }));
    const answer = { ...said(5, "Yes"), ref: 1, answer: "yes" };
    const others = [
      { ...said(6, ""), kind: "deletion" as const, ref: 2 },
      { ...said(7, ""), kind: "expiry" as const, ref: 3 },
    ];
    const later = Array.from({ length: 1_500 }, (_, index) => said(index + 8));
    rmSync(roomPath(folder, "den"));
    await addPart("den", ...asks, answer, ...others, { ...said(8), ask: terms } as MessageRecord, ...later.slice(1));
    await writeDirectory(row("den", 1_507), row("lobby", 1));
    const batch = db.batch.bind(db);
    db.batch = (statements) => (messages().length > 0 ? Promise.reject(new Error("killed")) : batch(statements));
    await expect(run()).rejects.toThrow("killed");
    db.batch = batch;
    await run();
    const open = { sender: "swift-otter", terms: { v: 1, ...terms } };
    expect(db.state("asks", "den")).toEqual([
      { ...open, seq: 4, until: Date.parse(CREATED) },
      { ...open, seq: 8, until: Date.parse(said(8).at) + 7 * 86_400_000 },
    ]);
    expect(db.state("asks")).toBeUndefined();
  });

  it("passes over what follows the last sum, and says so", async () => {
    const path = roomPath(folder, "lobby");
    writeFileSync(path, `${readFileSync(path, "utf8")}${line(said(2, "torn"))}{"seq":3`);
    expect(await run()).toMatchObject({ messages: 4, torn: [path] });
    expect(JSON.stringify(messages())).not.toContain("torn");
  });

  it("begins rooms that were opened and never talked in behind what the backup has", async () => {
    const log = "CREATE TABLE messages_1 (seq INTEGER PRIMARY KEY)";
    makeFile("do/meet-ai-ChatRoom/a.sqlite", log);
    await run();
    expect(existsSync(join(stateDir, "do/meet-ai-ChatRoom"))).toBe(false);
  });
});

describe("a restore is refused, in one line, and nothing is changed", () => {
  const refused = async (line: RegExp, allowsIncomplete = false) => {
    const before = existsSync(stateDir) ? readdirSync(stateDir, { recursive: true }) : [];
    await expect(run(allowsIncomplete)).rejects.toThrow(line);
    await expect(run(allowsIncomplete)).rejects.not.toThrow(/\n/);
    expect(existsSync(stateDir) ? readdirSync(stateDir, { recursive: true }) : []).toEqual(before);
    expect(messages()).toEqual([]);
  };

  it("when the folder is no backup", async () => {
    rmSync(directoryPath(folder));
    await refused(/is not a backup: it has no directory\.ndjson\.$/);
  });

  it("when a file is damaged, of a later version, missing, short, or another room's", async () => {
    const path = roomPath(folder, "den");
    const whole = readFileSync(path, "utf8");
    change(path, "words 3", "swords3");
    await refused(/den\.ndjson, line \d+, is damaged: use another copy/);
    writeFileSync(path, whole.replace('"version":3', '"version":4'));
    await refused(/has version 4 of the backup's format, and this server reads version 3: upgrade it first\.$/);
    writeFileSync(path, whole.slice(0, -1));
    await refused(/den\.ndjson ends at message 0 of 3: use another copy of the backup, or --incomplete\.$/);
    rmSync(path);
    await refused(/den\.ndjson ends at message 0 of 3/);
    writeFileSync(path, whole);
    await writeDirectory({ ...row("den", 3), createdAt: "2026-02-01T00:00:00.000Z" }, row("lobby", 1));
    await refused(/is of another room than the directory's: run npm run backup again\.$/);
  });

  it("when it has a symbolic link, wherever that leads", async () => {
    const path = roomPath(folder, "den");
    renameSync(path, join(place, "den.ndjson"));
    symlinkSync(join(place, "den.ndjson"), path);
    await refused(/den\.ndjson is a symbolic link, and a backup has none: put a file or a folder there\.$/);
    rmSync(path);
    renameSync(join(place, "den.ndjson"), path);
    renameSync(join(folder, "rooms"), join(place, "rooms"));
    symlinkSync(join(place, "rooms"), join(folder, "rooms"));
    await refused(/rooms is a symbolic link/);
  });

  it("when the directory is damaged or of a later version", async () => {
    change(directoryPath(folder), "the-pepper", "another-pepper");
    await refused(/directory\.ndjson is damaged \(its checksum is another\): use another copy of the backup\.$/);
    change(directoryPath(folder), '"version":3', '"version":4');
    await refused(/has version 4 of the backup's format/);
  });

  it("when the backup was cut off, unless its user knows", async () => {
    await write(false, [row("den", 5), row("lobby", 1)]);
    await refused(/was cut off: run npm run backup again, or restore what it has with --incomplete\.$/);
    expect(await run(true)).toMatchObject({ messages: 4 });
  });

  it.each([
    ["keys", "INSERT INTO api_keys VALUES ('k', 'hash')"],
    ["rooms", "INSERT INTO rooms VALUES ('den', 0, 1)"],
    ["rooms", "UPDATE rooms SET revision = 2"],
    ["messages", "UPDATE rooms SET last_seq = 1"],
  ])("when D1 has %s already (%s)", async (content, statement) => {
    const tables = [
      "CREATE TABLE api_keys (id TEXT, hash TEXT)",
      "CREATE TABLE rooms (id TEXT, last_seq INTEGER, revision INTEGER)",
      "INSERT INTO rooms VALUES ('lobby', 0, 1)",
    ];
    makeFile("d1/miniflare-D1DatabaseObject/a.sqlite", ...tables, statement);
    await refused(new RegExp(`is not empty, it has ${content}: name a new folder in STATE_DIR\\.$`));
  });

  it.each(["messages", "messages_1"])("when a room has messages in %s that D1 does not have yet", async (table) => {
    makeFile("do/meet-ai-ChatRoom/a.sqlite", `CREATE TABLE ${table} (seq)`, `INSERT INTO ${table} VALUES (1)`);
    await refused(/is not empty, it has messages/);
  });
});
