/**
 * The tables of a room's moderation in its own SQLite: who did what, and the messages that wait for a moderator. Made when
 * the first of either comes. A room where nobody ever moderated has none of them, and costs nothing.
 */

import type { Sql } from "../log/sql.ts";
import { markPart } from "../storage/dirty.ts";
import type { RoomStorage } from "../storage/room-storage.ts";

/** The version of these tables. The first one held texts alone, and no asks. */
const VERSION = 2;

const TABLES = [
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
];

/** Makes the tables, empty, where they are not there. In a transaction. */
export const makeModeration = (storage: RoomStorage): void => storage.make("moderation", VERSION, TABLES);

export class ModerationTables {
  readonly #storage: RoomStorage;

  constructor(storage: RoomStorage) {
    this.#storage = storage;
  }

  get sql(): Sql {
    return this.#storage.sql;
  }

  /** Whether there is anything to read. */
  get isThere(): boolean {
    return this.#storage.has("moderation", VERSION);
  }

  /** Does `work`, which changes `part`, in one transaction, with tables to do it in. */
  change<T>(part: "deeds" | "held", work: () => T): T {
    return this.#storage.transaction(() => {
      makeModeration(this.#storage);
      markPart(this.#storage, part);
      return work();
    });
  }
}
