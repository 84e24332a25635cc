/**
 * Files of the previous server as they are found: sound for the most part, and with every kind of damage in some rows. The
 * same seed makes the same file.
 */

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { Random } from "../chaos/random.ts";

/** When everything in such a file begins, ms since 1970. */
const BEGINNING = Date.parse("2025-03-01T00:00:00Z");

export interface PreviousFileOptions {
  readonly seed: number;
  readonly rooms: number;
  readonly messages: number;
  readonly keys: number;
  /** Of so many messages one is damaged; 0: none is, and nothing else either. */
  readonly oneDamagedOf: number;
  /** Leaves the newest rows in the WAL beside the file. */
  readonly withWal?: boolean;
}

/** A message as it must come out: those that are not damaged. */
export interface SoundMessage {
  readonly rowid: number;
  readonly room: string;
  readonly id: string;
  readonly sender: string;
  readonly content: string;
  /** ms since 1970. */
  readonly at: number;
}

type Value = string | number | null | Uint8Array;

/** A damaged message: what differs from a sound one. `blank` and `double` don't come out. */
interface Damage {
  readonly name: string;
  /** `firstId`: that of the first message in the row's room. */
  readonly apply: (row: Row, random: Random, firstId: string) => Row;
}

interface Row {
  readonly id: Value;
  readonly room: Value;
  readonly sender: Value;
  readonly content: Value;
  readonly at: Value;
}

/** Bytes that are stored as text, whatever they are. */
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

const change = (name: string, apply: (...args: Parameters<Damage["apply"]>) => Partial<Row>): Damage => ({
  name,
  apply: (row, ...rest) => ({ ...row, ...apply(row, ...rest) }),
});

export const DAMAGES: readonly Damage[] = [
  change("no id", () => ({ id: null })),
  change("an empty id", () => ({ id: "" })),
  change("an id out of form", ({ id }) => ({ id: `{${id}} é` })),
  change("the id of the first message in its room", (_, __, firstId) => ({ id: firstId })),
  change("no content", () => ({ content: null })),
  change("blank content", (_, random) => ({ content: random.pick(["", "  \n ", "\u200b", "\u0000\u0007"]) })),
  change("content too long", (_, random) => ({
    content: `${"A long word after another. ".repeat(random.between(700, 2_500))}`,
  })),
  change("content without spaces, too long", (_, random) => ({ content: "é🦊".repeat(random.between(3_000, 9_000)) })),
  change("content of a mebibyte and more", () => ({ content: "x".repeat(1_100_000) })),
  change("control characters", () => ({ content: "a\u0000b\u001b[31mc\u007f" })),
  change("space around it", () => ({ content: "  a\r\nb\r\n" })),
  change("invalid UTF-8", () => ({ content: bytes(0x61, 0xff, 0xc3, 0x28, 0x62) })),
  change("a number as content", (_, random) => ({ content: random.between(1, 1_000) })),
  change("no sender", () => ({ sender: null })),
  change("a sender without a key", (_, random) => ({
    sender: random.pick(["Anna", "anna", "Ännä", "Анна", "~guest", "swift/claude", ""]),
  })),
  change("a sender with a handle in capitals", () => ({ sender: "HAND-1" })),
  change("no time", () => ({ at: null })),
  change("a time that is none", (_, random) => ({
    at: random.pick(["", "yesterday", "2025-02-30 10:00:00", "12", 7]),
  })),
  change("a time before 1970", (_, random) => ({ at: random.pick(["1969-12-31 23:59:59", -5]) })),
  change("a time in the future", (_, random) => ({ at: random.pick(["2999-01-01 00:00:00", 32_503_680_000_000]) })),
  change("a room that is not there", (_, random) => ({ room: random.pick(["gone-away", "was-deleted"]) })),
  change("a room that can't be", (_, random) => ({ room: random.pick(["No Such Room!", "", "x".repeat(100)]) })),
  change("no room", () => ({ room: null })),
];

/** How a time may be written and still be the same instant. */
const TIME_FORMS: readonly ((at: number) => Value)[] = [
  (at) => iso(at).slice(0, 19).replace("T", " "),
  (at) => iso(at),
  (at) => iso(at).slice(0, 19),
  (at) => `${iso(at + 2 * 3_600_000).slice(0, 19)}+02:00`,
  (at) => `${iso(at - 3_600_000).slice(0, 19)}-0100`,
  (at) => at,
  (at) => at / 1_000,
  (at) => String(at / 1_000),
];

export const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");
/** The key with this number, as its owner has it: of the older, shorter form. */
export const keyOf = (number: number): string => `mai_old${String(number).padStart(6, "0")}`;
export const handleOf = (number: number): string => `hand-${number}`;
const messageId = (number: number): string => `m${String(number).padStart(9, "0")}`;
const iso = (at: number): string => new Date(at).toISOString();

/** Makes `file`. Gives what must come out of it: the messages that are sound, in the order in which they were written. */
export function makePreviousFile(
  file: string,
  options: PreviousFileOptions,
  sound: (message: SoundMessage) => void,
): void {
  const { seed, rooms, messages, keys, oneDamagedOf, withWal = false } = options;
  const random = new Random(seed);
  const made = `${file}.making`;
  for (const path of [file, made]) for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  const db = new DatabaseSync(made);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
  const isDamaged = oneDamagedOf > 0;
  // Where there is damage the previous server's constraints have not held either.
  const [unique, required] = isDamaged ? ["", ""] : ["PRIMARY KEY", "NOT NULL"];
  db.exec(`
    CREATE TABLE api_keys (id TEXT ${unique}, key_hash TEXT ${required}, handle TEXT ${required},
      created_at TEXT DEFAULT (datetime('now')), last_used TEXT);
    CREATE TABLE rooms (id TEXT ${unique}, name TEXT ${required}, created_at TEXT DEFAULT (datetime('now')));
    CREATE TABLE messages (id TEXT ${unique}, room_id TEXT ${required}, sender TEXT ${required}, content TEXT ${required},
      created_at ${isDamaged ? "" : "TEXT DEFAULT (datetime('now'))"});`);
  db.exec("BEGIN");
  writeKeys(db, keys, isDamaged);
  writeRooms(db, rooms, isDamaged);
  const insert = db.prepare(
    "INSERT INTO messages (rowid, id, room_id, sender, content, created_at) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const insertBytes = db.prepare(
    "INSERT INTO messages (rowid, id, room_id, sender, content, created_at) VALUES (?, ?, ?, ?, CAST(? AS TEXT), ?)",
  );
  let [at, rowid] = [BEGINNING, 0];
  const firstIds = new Map<string, string>();
  for (let number = 1; number <= messages; number++) {
    if (withWal && number === Math.floor(messages * 0.95)) {
      db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0; BEGIN");
    }
    // Half of them in the same second as the one before, and some a little before it.
    at += random.pick([0, 0, 0, 1, 2, 5, 9, -3]) * 1_000;
    rowid += random.next() < 0.02 ? random.between(2, 40) : 1;
    const room = roomOf(random.between(1, rooms));
    const sender = handleOf(random.between(1, keys));
    const content = `${number}: ${"word ".repeat(random.between(1, 40))}🦊`;
    const id = messageId(number);
    const form = isDamaged ? random.pick(TIME_FORMS) : (TIME_FORMS[0] as (at: number) => Value);
    const row: Row = { id, room, sender, content, at: form(at) };
    if (isDamaged && number > 50 && random.between(1, oneDamagedOf) === 1) {
      const broken = random.pick(DAMAGES).apply(row, random, firstIds.get(room) ?? id);
      (broken.content instanceof Uint8Array ? insertBytes : insert).run(
        rowid,
        broken.id,
        broken.room,
        broken.sender,
        broken.content,
        broken.at,
      );
      continue;
    }
    insert.run(rowid, id, room, sender, content, row.at);
    if (!firstIds.has(room)) firstIds.set(room, id);
    sound({ rowid, room, id, sender, content, at });
    // The same row again is one message.
    if (isDamaged && random.between(1, oneDamagedOf * 20) === 1) insert.run(++rowid, id, room, sender, content, row.at);
  }
  db.exec("COMMIT");
  if (withWal) {
    // As it lies there when the previous server was killed.
    copyFileSync(made, file);
    copyFileSync(`${made}-wal`, `${file}-wal`);
    db.close();
  } else {
    db.close();
    copyFileSync(made, file);
  }
  for (const suffix of ["", "-wal", "-shm"]) rmSync(made + suffix, { force: true });
}

/** The room with this number. The first one is the lobby. */
export const roomOf = (number: number): string => (number === 1 ? "lobby" : `room-${number}`);

function writeKeys(db: DatabaseSync, keys: number, isDamaged: boolean): void {
  const insert = db.prepare("INSERT INTO api_keys VALUES (?, ?, ?, ?, ?)");
  for (let number = 1; number <= keys; number++) {
    const used = number % 2 === 0 ? "2025-04-01 10:00:00" : null;
    insert.run(`k${number}`, hashOf(keyOf(number)), handleOf(number), "2025-02-01 10:00:00", used);
  }
  if (!isDamaged) return;
  const hash = (name: string) => hashOf(`mai_${name}`);
  const time = "2025-02-01 10:00:00";
  insert.run("capitals", hash("capitals").toUpperCase(), "capital-hash", time, null);
  insert.run("bytes", Buffer.from(hash("bytes"), "hex"), "byte-hash", time, null);
  insert.run("none", null, "no-hash", time, null);
  insert.run("short", "abc", "short-hash", time, null);
  insert.run("double", hashOf(keyOf(1)), "second-of-hand-1", time, null);
  insert.run("shared", hash("shared"), handleOf(2), time, null);
  insert.run("loud", hash("loud"), "Hand-3", time, null);
  insert.run("spaced", hash("spaced"), " Ünï Cödé ", time, null);
  insert.run("official", hash("official"), "admin", time, null);
  insert.run("k1", hash("same-id"), "same-id", time, null);
  insert.run(null, hash("no-id"), null, time, null);
  insert.run("times", hash("times"), "bad-times", "never", "1960-01-01");
}

function writeRooms(db: DatabaseSync, rooms: number, isDamaged: boolean): void {
  const insert = db.prepare("INSERT INTO rooms VALUES (?, ?, ?)");
  for (let number = 1; number <= rooms; number++) {
    insert.run(
      roomOf(number),
      `Room ${number}`,
      iso(BEGINNING - number * 1_000)
        .slice(0, 19)
        .replace("T", " "),
    );
  }
  if (!isDamaged) return;
  const time = "2025-02-01 10:00:00";
  insert.run("Größe & Maß!", "Out of form", time);
  insert.run("LOBBY", "In capitals", time);
  insert.run("x", "Too short", time);
  insert.run(roomOf(2), "The same again", time);
  insert.run(null, "Without an id", time);
  insert.run("nameless", null, time);
  insert.run("marked", `Z${"\u0334\u0337".repeat(50)}`, time);
  insert.run("long-name", "A name ".repeat(60), time);
  insert.run("timeless", "Timeless", null);
  db.exec("CREATE TABLE sessions (id TEXT, data TEXT); INSERT INTO sessions VALUES ('a', 'b')");
  db.exec("ALTER TABLE messages ADD COLUMN mood TEXT");
}

/** Overwrites `count` pages that hold rows of `messages`. Gives how many rows were on them. */
export async function breakPages(file: string, seed: number, count: number): Promise<number> {
  const random = new Random(seed);
  const db = new DatabaseSync(file, { readOnly: true });
  const [size] = db.prepare("PRAGMA page_size").all() as { page_size: number }[];
  const pages = db
    .prepare("SELECT pageno, ncell FROM dbstat WHERE name = 'messages' AND pagetype = 'leaf' ORDER BY path")
    .all() as { pageno: number; ncell: number }[];
  db.close();
  const pageSize = size?.page_size ?? 4_096;
  const handle = await open(file, "r+");
  let rows = 0;
  for (let broken = 0; broken < count; broken++) {
    const { pageno, ncell } = random.pick(pages);
    const noise = Buffer.from(Array.from({ length: pageSize }, () => random.between(0, 255)));
    // What follows is no kind of page.
    noise[0] = 0xff;
    await handle.write(noise, 0, pageSize, (pageno - 1) * pageSize);
    rows += ncell;
  }
  await handle.close();
  return rows;
}

/** Overwrites `count` times a few bytes anywhere behind the first page, which may garble texts, numbers of rows or pointers. */
export async function garble(file: string, seed: number, count: number): Promise<void> {
  const random = new Random(seed);
  const { size } = statSync(file);
  const handle = await open(file, "r+");
  for (let time = 0; time < count; time++) {
    const noise = Buffer.from(Array.from({ length: random.between(1, 64) }, () => random.between(0, 255)));
    await handle.write(noise, 0, noise.length, random.between(4_096, size - noise.length));
  }
  await handle.close();
}

/** Whether `file` has a WAL beside it. */
export const hasWal = (file: string): boolean => existsSync(`${file}-wal`);
