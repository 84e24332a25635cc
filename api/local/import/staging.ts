/**
 * What has been read of the previous server's file, made sound, in an SQLite file of its own. It is written in steps, each
 * one transaction with its mark, so that a run that was killed goes on where it was.
 */

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { StoredMessage } from "../../../party/log/stored-message.ts";
import type { Finding, FindingKind } from "./rules.ts";
import { SHOWN } from "./rules.ts";

/** Grows with every change of the tables or the rules: what another version has staged is staged again. */
const VERSION = "1";

const SCHEMA = `
CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE findings (
  n INTEGER PRIMARY KEY, kind TEXT NOT NULL, source_table TEXT, source_rowid TEXT, room TEXT, was TEXT, became TEXT,
  messages INTEGER);
CREATE INDEX findings_by_kind ON findings (kind);
CREATE TABLE keys (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE, handle TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL, last_used INTEGER, is_there INTEGER NOT NULL);
-- What stood as a key's handle, and so under its messages, and the handle that it has now.
CREATE TABLE handles (raw TEXT PRIMARY KEY, handle TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rooms (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, created_at INTEGER, listed INTEGER NOT NULL,
  -- Of its messages as they were read: the first time that can be used, and the newest one.
  first_at INTEGER, last_at INTEGER);
CREATE TABLE room_ids (raw TEXT PRIMARY KEY, room INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE senders (raw TEXT PRIMARY KEY, sender TEXT NOT NULL UNIQUE) WITHOUT ROWID;
-- In the order in which they were read. Without a time: not known yet.
CREATE TABLE messages (
  position INTEGER PRIMARY KEY, room INTEGER NOT NULL, id TEXT NOT NULL, sender TEXT NOT NULL, content TEXT NOT NULL,
  at INTEGER, UNIQUE (room, id));
`;

export interface StagedKey {
  readonly id: string;
  readonly hash: string;
  readonly handle: string;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly lastUsed: number | null;
  /** The server knows it already. */
  readonly isThere: boolean;
}

export interface StagedRoom {
  readonly n: number;
  readonly id: string;
  readonly name: string;
  /** ms since 1970. */
  readonly createdAt: number;
  readonly listed: boolean;
  readonly messages: number;
}

export interface StagedMessage {
  readonly room: number;
  readonly id: string;
  readonly sender: string;
  readonly content: string;
  readonly at: number | null;
}

export class Staging {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Opens `file`, or makes it. `undefined` when it is there and not of this version, or broken: remove it then. */
  static open(file: string): Staging | undefined {
    const db = new DatabaseSync(file);
    try {
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -64000");
      const staging = new Staging(db);
      if (db.prepare("SELECT 1 FROM sqlite_master LIMIT 1").all().length === 0) {
        staging.transaction(() => {
          db.exec(SCHEMA);
          staging.mark("version", VERSION);
        });
      }
      if (staging.marked("version") === VERSION) return staging;
    } catch {
      // Nothing in it is needed: all of it is made from the source.
    }
    db.close();
    return undefined;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      // SQLite itself has rolled back where the disk is full.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  mark(name: string, value: string): void {
    this.run("INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)", name, value);
  }

  marked(name: string): string | undefined {
    return this.get<{ value: string }>("SELECT value FROM marks WHERE name = ?", name)?.value;
  }

  add({ kind, table, rowid, room, was, is, messages }: Finding): void {
    const shown = (text: string | undefined) => (text === undefined ? null : text.slice(0, SHOWN).toWellFormed());
    const query = `INSERT INTO findings (kind, source_table, source_rowid, room, was, became, messages)
      VALUES (?, ?, ?, ?, ?, ?, ?)`;
    this.run(
      query,
      kind,
      table ?? null,
      rowid?.toString() ?? null,
      room ?? null,
      shown(was),
      shown(is),
      messages ?? null,
    );
  }

  /** How often each kind was found. */
  counts(): { kind: FindingKind; count: number }[] {
    return this.all("SELECT kind, COUNT(*) AS count FROM findings GROUP BY kind ORDER BY MIN(n)");
  }

  /** All findings in their order, or the first of one kind. */
  findings(kind?: FindingKind, limit = -1): Iterable<Finding> {
    const columns = `kind, source_table AS "table", source_rowid AS "rowid", room, was, became AS "is", messages`;
    const where = kind === undefined ? "" : "WHERE kind = ?1";
    const values = kind === undefined ? [limit] : [kind, limit];
    const query = `SELECT ${columns} FROM findings ${where} ORDER BY n LIMIT ?${values.length}`;
    return this.#prepare(query).iterate(...values) as Iterable<unknown> as Iterable<Finding>;
  }

  countKeys(): number {
    return this.get<{ count: number }>("SELECT COUNT(*) AS count FROM keys")?.count ?? 0;
  }

  /** `limit` keys behind the first `after`. They are numbered without a gap. */
  keys(after: number, limit: number): StagedKey[] {
    const query = `SELECT id, hash, handle, created_at AS createdAt, last_used AS lastUsed, is_there AS isThere
      FROM keys WHERE n > ? ORDER BY n LIMIT ?`;
    const rows = this.all<Omit<StagedKey, "isThere"> & { isThere: number }>(query, after, limit);
    return rows.map((row) => ({ ...row, isThere: row.isThere === 1 }));
  }

  /** In the order in which they were read. Only once `finish` has been called. */
  rooms(): StagedRoom[] {
    const rows = this.all<Omit<StagedRoom, "listed"> & { listed: number }>(
      `SELECT n, id, name, created_at AS createdAt, listed,
        (SELECT COUNT(*) FROM messages WHERE room = n) AS messages FROM rooms ORDER BY n`,
    );
    return rows.map((row) => ({ ...row, listed: row.listed === 1 }));
  }

  /** The messages of a room with their seq and their time, oldest first. */
  *messages(room: number): Generator<StoredMessage> {
    const query = "SELECT id, sender, content, at FROM messages WHERE room = ? ORDER BY at, position";
    let seq = 0;
    for (const row of this.#db.prepare(query).iterate(room)) {
      const { id, sender, content, at } = row as unknown as Pick<StoredMessage, "id" | "sender" | "content" | "at">;
      yield { seq: ++seq, id, kind: "text", sender, content, ref: null, at };
    }
  }

  /** The newest message of a room, as `messages` gives it last. */
  newest(room: number): { id: string; at: number } | undefined {
    return this.get("SELECT id, at FROM messages WHERE room = ? ORDER BY at DESC, position DESC LIMIT 1", room);
  }

  /** Gives what has no time yet the one that fits, and orders the messages. `now` in ms since 1970. */
  finish(now: number): void {
    this.transaction(() => {
      this.run("CREATE INDEX messages_by_time ON messages (room, at, position)");
      // Only those that come before the first message with a time: the others have taken their neighbour's.
      this.run(
        `UPDATE messages SET at = COALESCE((SELECT COALESCE(first_at, created_at) FROM rooms WHERE n = room), ?)
          WHERE at IS NULL`,
        now,
      );
      this.run(
        `UPDATE rooms SET created_at = COALESCE((SELECT MIN(at) FROM messages WHERE room = n), ?)
          WHERE created_at IS NULL`,
        now,
      );
      this.run("CREATE TEMP TABLE counts AS SELECT sender, COUNT(*) AS messages FROM messages GROUP BY sender");
      this.run(
        `UPDATE findings SET messages = (SELECT messages FROM counts WHERE sender = became)
          WHERE kind = 'sender-without-key'`,
      );
      this.run("DROP TABLE counts");
      this.mark("stage", "staged");
    });
  }

  run(query: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(query).run(...values).changes);
  }

  get<Row>(query: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(query).get(...values) as Row | undefined;
  }

  all<Row>(query: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(query).all(...values) as Row[];
  }

  #prepare(query: string): StatementSync {
    const known = this.#statements.get(query);
    if (known) return known;
    const statement = this.#db.prepare(query);
    this.#statements.set(query, statement);
    return statement;
  }
}
