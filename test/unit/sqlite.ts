/**
 * Node's SQLite in the shape of a room's storage and of D1, with the real schema: what the parts of a room need to be
 * tested without a runtime.
 */

import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { inflateRawSync } from "node:zlib";
import type { Database, Sql, SqlValue, Statement } from "../../party/log/sql.ts";
import type { StoredMessage } from "../../party/log/stored-message.ts";
import type { RoomStorageDeps } from "../../party/storage/room-storage.ts";
import { type ArchivedMessage, archivedMessages } from "./packs.ts";

/** A room's disk. A `RoomStorage` of it sees what an earlier one has kept, as a room does after it has slept. */
export class TestStorage implements RoomStorageDeps {
  readonly #db = new DatabaseSync(":memory:");
  #rowsGiven = 0;
  #asked: [query: string, bindings: unknown[]][] | undefined;
  readonly sql: Sql = {
    exec: <Row extends Record<string, SqlValue>>(query: string, ...bindings: unknown[]) => {
      const rows = this.#db
        .prepare(query)
        .all(...bindings.map(toInput))
        .map(fromOutput) as Row[];
      this.#rowsGiven += rows.length;
      this.#asked?.push([query, bindings]);
      return Object.assign(rows, { toArray: () => [...rows] });
    },
  };

  readonly transaction = <T>(work: () => T): T => {
    this.#db.exec("SAVEPOINT work");
    try {
      const result = work();
      this.#db.exec("RELEASE work");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK TO work");
      this.#db.exec("RELEASE work");
      throw error;
    }
  };

  /** How many rows `work` is given. */
  countRows(work: () => void): number {
    const before = this.#rowsGiven;
    work();
    return this.#rowsGiven - before;
  }

  /** How many rows `work` writes. */
  countWritten(work: () => void): number {
    const total = () => this.#db.prepare("SELECT total_changes() AS n").get()?.n as number;
    const before = total();
    work();
    return total() - before;
  }

  /** How each query of `work` is carried out, in SQLite's words. */
  plansOf(work: () => void): string[] {
    this.#asked = [];
    work();
    const asked = this.#asked;
    this.#asked = undefined;
    return asked.flatMap(([query, bindings]) => explain(this.#db, query, bindings));
  }

  /** From now on storing a message with this content fails, as on a full disk. */
  refuse(content: string): void {
    this.#db.exec(`CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN NEW.content = '${content}'
      BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
  }
}

/** How a D1 can be in trouble. */
export type Trouble =
  /** Nothing is answered. */
  | "away"
  /** Queries are answered, and writes refused: locked, full, or the day's quota used up. */
  | "read-only"
  /** What was asked for is done, but the answer is lost. */
  | "mute"
  /** Nothing is answered, and nothing fails. */
  | "hung"
  /** Writes are refused, as by a database without room, or over its day. */
  | keyof typeof LIMITS;

/** What D1 says of its limits. */
const LIMITS = {
  full: "D1_ERROR: Exceeded maximum DB size.",
  day: "D1_ERROR: Your account has exceeded D1's free tier daily row write limit. Upgrade to a paid plan or wait until tomorrow (midnight UTC) to continue.",
};

/** D1 with the migrations applied, the lobby in it, and troubles on demand. */
export class TestD1 implements Database {
  readonly #db = new DatabaseSync(":memory:");
  trouble: Trouble | undefined;
  /** How many batches have been asked for. */
  batches = 0;
  #refused: string | undefined;
  readonly #asked: [query: string, values: unknown[]][] = [];
  /** When the lobby was made. */
  readonly createdAt: string;

  constructor() {
    const folder = new URL("../../migrations/", import.meta.url);
    for (const file of readdirSync(folder).sort()) this.#db.exec(readFileSync(new URL(file, folder), "utf8"));
    const [lobby] = this.rows<{ created_at: string }>("SELECT created_at FROM rooms WHERE id = 'lobby'");
    this.createdAt = lobby?.created_at ?? "";
  }

  prepare(query: string): Statement {
    return new TestStatement(this, query, []);
  }

  async batch<Row>(statements: Statement[]): Promise<{ results: Row[] }[]> {
    this.batches++;
    const asked = (statements as TestStatement[]).map(({ query, values }) => [query, values] as const);
    this.#asked.push(...asked.map(([query, values]): [string, unknown[]] => [query, values]));
    await this.#turn(asked.every(([query]) => isRead(query)) ? "read" : "write");
    this.#db.exec("BEGIN");
    let results: { results: Row[] }[];
    try {
      results = asked.map(([query, values]) => {
        this.#refuse(values);
        return { results: this.rows<Row>(query, values) };
      });
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
    if (this.trouble === "mute") throw new Error("D1_ERROR: Network connection lost.");
    return results;
  }

  async query(query: string, values: unknown[]): Promise<unknown[]> {
    this.#asked.push([query, values]);
    await this.#turn(isRead(query) ? "read" : "write");
    return this.rows(query, values);
  }

  /** From now on a pack that has a message with this content is refused, whatever the rest of its batch is; `undefined`: none. */
  refuse(content: string | undefined): void {
    this.#refused = content === undefined ? undefined : JSON.stringify(content);
  }

  #refuse(values: unknown[]): void {
    const body = values.find((value) => value instanceof ArrayBuffer && value.byteLength > 1) as ArrayBuffer;
    if (this.#refused === undefined || !body) return;
    if (inflateRawSync(body).includes(this.#refused)) throw new Error("D1_ERROR: too big");
  }

  /** How each query of `work` is carried out, in SQLite's words. */
  async plansOf(work: () => Promise<unknown>): Promise<string[]> {
    const before = this.#asked.length;
    await work();
    return this.#asked.slice(before).flatMap(([query, values]) => explain(this.#db, query, values));
  }

  /** Runs `query` at once and without any trouble: what the test itself wants to know. */
  rows<Row = Record<string, SqlValue>>(query: string, values: unknown[] = []): Row[] {
    return this.#db
      .prepare(query)
      .all(...values.map(toInput))
      .map(fromOutput) as Row[];
  }

  /** The messages of the lobby. */
  get messages(): ArchivedMessage[] {
    return archivedMessages((query, room) => this.rows(query, [room]), "lobby");
  }

  /** What D1 has of a part of `room`; `undefined` where it has none. */
  state(part: string, room = "lobby"): unknown {
    const query = "SELECT body FROM room_state WHERE room_id = ? AND part = ?";
    const [row] = this.rows<{ body: string }>(query, [room, part]);
    return row && JSON.parse(row.body);
  }

  /** Puts the lobby's messages among the rows of the older form, and leaves no pack. */
  unpack(): void {
    const insert = "INSERT OR REPLACE INTO messages VALUES ('lobby', ?, ?, ?, ?, ?, ?, ?)";
    for (const { seq, id, kind, sender, content, ref, created_at } of this.messages) {
      this.rows(insert, [seq, id, kind, sender, content, ref, created_at]);
    }
    this.rows("DELETE FROM packs WHERE room_id = 'lobby'");
  }

  /** Remembers everything as it is now. What is returned sets the database back to that. */
  remember(): () => void {
    const names = ["rooms", "messages", "packs", "senders", "room_state"];
    const tables = names.map((name) => [name, this.rows(`SELECT * FROM ${name}`)] as const);
    return () => {
      for (const [name] of tables.toReversed()) this.rows(`DELETE FROM ${name}`);
      for (const [name, rows] of tables) {
        for (const row of rows) {
          const places = Object.keys(row).map(() => "?");
          this.rows(`INSERT INTO ${name} VALUES (${places})`, Object.values(row));
        }
      }
    };
  }

  /** How many rows were written, without those of indexes. */
  get rowsWritten(): number {
    return this.#db.prepare("SELECT total_changes() AS n").get()?.n as number;
  }

  /** As far as the lobby's row says that the archive is. */
  get lastSeq(): number | undefined {
    return this.rows<{ last_seq: number }>("SELECT last_seq FROM rooms WHERE id = 'lobby'")[0]?.last_seq;
  }

  async #turn(kind: "read" | "write"): Promise<void> {
    // D1 is elsewhere: no answer comes in the same turn.
    await Promise.resolve();
    if (this.trouble === "away") throw new Error("D1_ERROR: Network connection lost.");
    if (this.trouble === "hung") await new Promise(() => undefined);
    if ((this.trouble === "full" || this.trouble === "day") && kind === "write") throw new Error(LIMITS[this.trouble]);
    if (this.trouble === "read-only" && kind === "write") throw new Error("D1_ERROR: database is locked: SQLITE_BUSY");
  }
}

class TestStatement implements Statement {
  readonly #db: TestD1;
  readonly query: string;
  readonly values: unknown[];

  constructor(db: TestD1, query: string, values: unknown[]) {
    this.#db = db;
    this.query = query;
    this.values = values;
  }

  bind(...values: unknown[]): Statement {
    return new TestStatement(this.#db, this.query, values);
  }

  async all<Row>(): Promise<{ results: Row[] }> {
    return { results: (await this.#db.query(this.query, this.values)) as Row[] };
  }

  async first<Row>(): Promise<Row | null> {
    return ((await this.#db.query(this.query, this.values))[0] as Row | undefined) ?? null;
  }
}

const isRead = (query: string): boolean => /^\s*select/i.test(query);

/** A text of `sender` that has no place yet. */
export function text(sender: string, id: string, content = `${sender} says ${id}`) {
  return { id, kind: "text" as const, sender, content, ref: null };
}

/** The deletion of `target` by `sender`. */
export function deletion(sender: string, target: number) {
  return { id: `delete:${target}`, kind: "deletion" as const, sender, content: "", ref: target };
}

/** The seqs of `messages`. */
export const seqs = (messages: readonly Pick<StoredMessage, "seq">[]): number[] => messages.map(({ seq }) => seq);

function explain(db: DatabaseSync, query: string, values: unknown[]): string[] {
  const rows = db.prepare(`EXPLAIN QUERY PLAN ${query}`).all(...values.map(toInput)) as { detail: string }[];
  return rows.map(({ detail }) => detail);
}

function toInput(value: unknown): SQLInputValue {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : (value as SQLInputValue);
}

/** Blobs come as the runtime gives them; and a row is a plain object. */
function fromOutput(row: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(row).map(([name, value]) => {
    return [name, value instanceof Uint8Array ? value.slice().buffer : value];
  });
  return Object.fromEntries(entries);
}
