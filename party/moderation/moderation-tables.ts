/**
 * The tables of a room's moderation in its own SQLite: who did what, and the messages that wait for a moderator. Made when
 * the first of either comes. A room where nobody ever moderated has none of them, and costs nothing.
 */

import type { Sql } from "../log/sql.ts";

/** The version of these tables, as `moderation.version` has it. The first one held texts alone, and no asks. */
const VERSION = 2;

/** What D1 is told of: an entry of the log of deeds, by its number, or a held message, by its id. */
export type ModerationKind = "deed" | "held";

export interface ModerationStorage {
  readonly sql: Sql;
  transaction<T>(work: () => T): T;
}

const TABLES = [
  "CREATE TABLE moderation (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL)",
  `INSERT INTO moderation (one, version) VALUES (1, ${VERSION})`,
  // `detail` is JSON. Never the text of a message, and no address.
  `CREATE TABLE deeds (
    n INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, deed TEXT NOT NULL, target TEXT,
    detail TEXT NOT NULL)`,
  // `kind`: of the entry that it will be. `state`: waiting, approved, refused. Only what waits has its content. `tag`: of the address that it came from.
  `CREATE TABLE held (
    sender TEXT NOT NULL, message TEXT NOT NULL, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL, ref INTEGER,
    at INTEGER NOT NULL, tag TEXT, why TEXT NOT NULL, state TEXT NOT NULL, seq INTEGER,
    kind TEXT NOT NULL DEFAULT 'text',
    PRIMARY KEY (sender, message)) WITHOUT ROWID`,
  // What D1 does not have yet. `kind` is also `returned`, without an id: D1 may have rows again that are gone from here.
  "CREATE TABLE moderation_changes (kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID",
];

export class ModerationTables {
  readonly #storage: ModerationStorage;
  #isMade: boolean | undefined;

  constructor(storage: ModerationStorage) {
    this.#storage = storage;
  }

  get sql(): Sql {
    return this.#storage.sql;
  }

  /** Whether there is anything to read. */
  get isThere(): boolean {
    this.#isMade ??= this.#look();
    return this.#isMade;
  }

  /** Does `work` in one transaction, with tables to do it in. */
  change<T>(work: () => T): T {
    const { transaction, sql } = this.#storage;
    const isThere = this.isThere;
    const done = transaction(() => {
      if (!isThere) for (const table of TABLES) sql.exec(table);
      return work();
    });
    this.#isMade = true;
    return done;
  }

  /** Notes that D1 has to be told of these. In a transaction. */
  note(kind: ModerationKind, ids: readonly string[]): void {
    const insert = "INSERT OR IGNORE INTO moderation_changes (kind, id) SELECT ?, value FROM json_each(?)";
    if (ids.length > 0) this.sql.exec(insert, kind, JSON.stringify(ids));
  }

  #look(): boolean {
    const query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'moderation'";
    const isThere = this.sql.exec<{ name: string }>(query).toArray().length > 0;
    if (isThere) this.#migrate();
    return isThere;
  }

  /** Brings tables of the first version into today's form. */
  #migrate(): void {
    const [row] = this.sql.exec<{ version: number }>("SELECT version FROM moderation").toArray();
    if (row?.version !== 1) return;
    this.#storage.transaction(() => {
      this.sql.exec("ALTER TABLE held ADD COLUMN kind TEXT NOT NULL DEFAULT 'text'");
      this.sql.exec("UPDATE moderation SET version = ?", VERSION);
    });
  }
}
