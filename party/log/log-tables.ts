/** The tables of a room's log in its own SQLite, beside those that are made only when they are needed. */

import type { Seq } from "../protocol.ts";
import { DIRTY_TABLES } from "../storage/dirty.ts";
import type { Sql } from "./sql.ts";

/** The version of these tables. Up to the sixth, `log.version` had it, and messages were in several tables. */
export const LOG_VERSION = 7;

/** `changed`: the seq of the entry that has deleted or closed the message. No index: a text is one row written. */
export const MESSAGES_TABLE = `CREATE TABLE messages (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL, content TEXT NOT NULL,
  ref INTEGER, at INTEGER NOT NULL, changed INTEGER)`;

/**
 * Only while older messages are still to be brought back from D1: by it, what has changed one of them is found. It has no
 * texts in it.
 */
export const CHANGERS_INDEX = "CREATE INDEX IF NOT EXISTS changers ON messages (ref) WHERE kind NOT IN ('text', 'ask')";

/** From 0.1.0 on. Apart from `log`, because SQLite writes a row's blob again with every change of the row. */
export const CHECKPOINT_TABLE =
  "CREATE TABLE checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, pairs BLOB)";

/** The tables beside `messages` and `checkpoint`. */
export const LOG_TABLES = [
  // One row. `head`: the newest seq when the log began. What is below `first` is gone, and what is from there up to `oldest`
  // only in D1. `last_at`: the time of a newest message that is gone; `retention_due`: when old messages are to be removed
  // next, 0 where that is not noted. D1 has everything up to `copied`, by a copy of the revision `revision`. Times in ms
  // since 1970.
  `CREATE TABLE log (
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, head INTEGER NOT NULL, first INTEGER NOT NULL,
    oldest INTEGER NOT NULL, last_at INTEGER NOT NULL, retention_due INTEGER NOT NULL DEFAULT 0,
    copied INTEGER NOT NULL, revision INTEGER NOT NULL)`,
  // `here`: up to which seq it has been carried out. The newest of those that have ended stays, without a sender.
  `CREATE TABLE erasures (
    seq INTEGER PRIMARY KEY, up_to INTEGER NOT NULL, sender TEXT NOT NULL, here INTEGER NOT NULL)`,
  // Everybody who has something in the log. `told`: whether D1 knows it.
  "CREATE TABLE writers (sender TEXT PRIMARY KEY, told INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE INDEX untold ON writers (sender) WHERE told = 0",
  // Whom the operator has erased, and up to which seq, when that has still to become an entry of the log.
  "CREATE TABLE orders (sender TEXT PRIMARY KEY, up_to INTEGER NOT NULL) WITHOUT ROWID",
  ...DIRTY_TABLES,
];

/** Made with the room's first ask. `until` in ms since 1970; `terms` is JSON, with its version in `v`. */
export const ASK_TABLES = [
  "CREATE TABLE open_asks (seq INTEGER PRIMARY KEY, sender TEXT NOT NULL, until INTEGER NOT NULL, terms TEXT NOT NULL)",
];

/** The row of a log. */
export interface LogState {
  readonly epoch: string;
  /** The newest seq when the log began. */
  readonly head: Seq;
  readonly first: Seq;
  readonly oldest: Seq;
  readonly lastAt: number;
  readonly retentionDue: number;
  readonly copied: Seq;
  readonly revision: number;
}

/** Where no log is. */
export const NOT_STARTED: LogState = {
  epoch: "",
  head: 0,
  first: 1,
  oldest: 1,
  lastAt: 0,
  retentionDue: 0,
  copied: 0,
  revision: 0,
};

/** The row of a log that is there. */
export function readState(sql: Sql): LogState {
  const query = `SELECT epoch, head, first, oldest, last_at AS lastAt, retention_due AS retentionDue, copied, revision
    FROM log`;
  const [state] = sql.exec<{ [Column in keyof LogState]: LogState[Column] }>(query).toArray();
  if (!state) throw new Error("The room's log has no row.");
  return state;
}
