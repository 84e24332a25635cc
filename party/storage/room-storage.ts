/**
 * A room's own SQLite: its transactions, and which parts of the room have their tables in it. A part makes its tables when it
 * first has something to keep, so a room pays for nothing that it does not use.
 */

import type { Sql } from "../log/sql.ts";
import { Dirty } from "./dirty.ts";
import { adoptEarlier, SCHEMA } from "./earlier-tables.ts";

export interface RoomStorageDeps {
  readonly sql: Sql;
  /** Runs `work` in one transaction, which may be within another: all of it is stored, or it throws and nothing is. */
  transaction<T>(work: () => T): T;
}

export class RoomStorage {
  readonly sql: Sql;
  /** What D1's copy of the room is not up to date with. */
  readonly dirty: Dirty;
  readonly #deps: RoomStorageDeps;
  /** The version of each part that has its tables; `undefined`: to be read. */
  #parts: Map<string, number> | undefined;

  /** Reads nothing yet. */
  constructor(deps: RoomStorageDeps) {
    this.#deps = deps;
    this.sql = deps.sql;
    this.dirty = new Dirty(this);
  }

  /** All that was stored is gone: another room may begin in its place. */
  wiped(): void {
    this.#parts = undefined;
  }

  /** Runs `work` in one transaction, which may be within another. */
  transaction<T>(work: () => T): T {
    try {
      return this.#deps.transaction(work);
    } catch (error) {
      // Tables that it made are gone again.
      this.#parts = undefined;
      throw error;
    }
  }

  /** Whether `part` has its tables. Throws when they are of a later version than `known`. */
  has(part: string, known?: number): boolean {
    this.#parts ??= this.#read();
    const version = this.#parts.get(part);
    if (version !== undefined && known !== undefined && version > known) throw newerThan(part, version, known);
    return version !== undefined;
  }

  /** Makes the tables of `part` where they are not there. In a transaction. */
  make(part: string, version: number, statements: readonly string[]): void {
    if (this.has(part, version)) return;
    const { sql } = this;
    for (const statement of [SCHEMA, ...statements]) sql.exec(statement);
    sql.exec("INSERT INTO schema (part, version) VALUES (?, ?)", part, version);
    this.#parts?.set(part, version);
  }

  /** Reads which parts there are. Tables from before there was such a list are brought into today's form. */
  #read(): Map<string, number> {
    const { sql } = this;
    const query = "SELECT name FROM sqlite_master WHERE type = 'table'";
    const names = new Set([...sql.exec<{ name: string }>(query)].map(({ name }) => name));
    const isThere = names.has("schema") || this.transaction(() => adoptEarlier(sql, names));
    const rows = isThere ? sql.exec<{ part: string; version: number }>("SELECT part, version FROM schema") : [];
    return new Map([...rows].map(({ part, version }) => [part, version]));
  }
}

const newerThan = (part: string, version: number, known: number) =>
  new Error(`This room's ${part} has version ${version}, and this server knows version ${known}.`);
