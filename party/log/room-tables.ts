/**
 * The tables of a room's log beside the segments of messages, their version, and how tables of the first form become
 * these. A deferred deploy hands old tables to new code, so the form is looked at whenever a log is opened.
 */

import type { Seq } from "../protocol.ts";
import { createErasureTable } from "./erasure-table.ts";
import type { Segments } from "./segments.ts";
import type { Sql } from "./sql.ts";

/**
 * The version of these tables, as `log.version` has it. The first form had no version, and all messages in one table. The
 * second did not know that D1 may have messages in two forms, the third not that messages go because of their age, the
 * fourth knew no erasures.
 */
export const LOG_VERSION = 5;

/**
 * The version of a log that has, or had, an ask: a server that knows none must not open it. All else is as in `LOG_VERSION`, so
 * the first ask makes the one the other.
 */
export const ASK_VERSION = 6;

const LOG = [
  // One row. `agent_run` is counted up to `counted`. `unpacked` is 1 while D1 may have messages as rows of their own. What is
  // below `first` is gone. `last_at` is the time of a newest message that is gone, too; `retention_due` is when old
  // messages are to be removed next, 0 where that follows from the oldest one. Both in ms since 1970.
  `CREATE TABLE log (
    one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, epoch TEXT NOT NULL, archived INTEGER NOT NULL,
    counted INTEGER NOT NULL, agent_run INTEGER NOT NULL, unpacked INTEGER NOT NULL,
    first INTEGER NOT NULL DEFAULT 1, last_at INTEGER NOT NULL DEFAULT 0, retention_due INTEGER NOT NULL DEFAULT 0)`,
  // One row, apart from `log`, because SQLite writes a row's blob again with every change of the row.
  "CREATE TABLE checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, pairs BLOB)",
  // Whole messages, because a parked one stays in the room when its segment is dropped.
  `CREATE TABLE parked_messages (
    seq INTEGER PRIMARY KEY, reason TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL,
    content TEXT NOT NULL, ref INTEGER, at INTEGER NOT NULL)`,
];

/** What a log begins with. */
export interface Beginning {
  readonly epoch: string;
  readonly archived: Seq;
  /** Messages with a lower seq are gone. */
  readonly first: Seq;
  /** The time of the newest message, ms since 1970, where it is gone itself. */
  readonly lastAt: number;
  /** How many texts by agents came last, counted up to the seq `counted`. */
  readonly agentRun: number;
  readonly counted: Seq;
  /** Whether D1 may have messages as rows of their own. */
  readonly unpacked: boolean;
  /** A dump of the pairs up to `archived`, where there is one. */
  readonly pairs: ArrayBuffer | null;
}

/** Makes the tables of a log that begins with this. In a transaction. */
export function createLog(sql: Sql, beginning: Beginning): void {
  const { epoch, archived, first, lastAt, agentRun, counted, unpacked, pairs } = beginning;
  for (const table of LOG) sql.exec(table);
  createErasureTable(sql);
  const insert = `INSERT INTO log (one, version, epoch, archived, counted, agent_run, unpacked, first, last_at)
    VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)`;
  sql.exec(insert, LOG_VERSION, epoch, archived, counted, agentRun, unpacked ? 1 : 0, first, lastAt);
  sql.exec("INSERT INTO checkpoint (one, seq, pairs) VALUES (1, ?, ?)", pairs ? archived : 0, pairs);
}

/** Which form of a log is here: `undefined` where no log has been started. */
function logVersion(sql: Sql): number | undefined {
  const query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('log', 'messages')";
  const tables = sql.exec<{ name: string }>(query).toArray();
  if (!tables.some(({ name }) => name === "log")) return undefined;
  if (tables.some(({ name }) => name === "messages")) return 1;
  return sql.exec<{ version: number }>("SELECT version FROM log").toArray()[0]?.version;
}

/**
 * Brings a log of an older form into today's, in one transaction. Whether a log is here at all; nothing is written where
 * none is. Throws when a later version has written it.
 */
export function migrateLog(sql: Sql, segments: Segments): boolean {
  const version = logVersion(sql);
  if (version === undefined) return false;
  if (version > ASK_VERSION) {
    throw new Error(`The room's log has version ${version}, and this server knows version ${ASK_VERSION}.`);
  }
  if (version < LOG_VERSION) segments.transaction(() => migrateFrom(version, sql, segments));
  return true;
}

function migrateFrom(version: number, sql: Sql, segments: Segments): void {
  if (version === 1) migrateFirstForm(sql, segments);
  else if (version === 2) migrateSecondForm(sql);
  else if (version === 3) migrateThirdForm(sql);
  else migrateFourthForm(sql);
}

/** So many of the newest messages are looked at again for the run of agents' messages: as far as it is counted. */
const COUNTED_AGAIN = 1_000;

/**
 * Makes tables of the first form those of today; no message is copied, but for those that D1 has refused. The old dump of
 * pairs is not taken over: after a long outage of D1 it had them under wrong seqs. In a transaction.
 */
function migrateFirstForm(sql: Sql, segments: Segments): void {
  const [log] = sql.exec<{ epoch: string; archived: number }>("SELECT epoch, archived FROM log").toArray();
  const archived = log?.archived ?? 0;
  const ends = "SELECT MIN(seq) AS first, MAX(seq) AS head FROM messages";
  const [here] = sql.exec<{ first: number | null; head: number | null }>(ends).toArray();
  const head = here?.head ?? archived;
  // Parked messages may lie, alone, before the dense run that ends at the head.
  const start = "SELECT MIN(seq) AS seq FROM messages WHERE seq NOT IN (SELECT seq FROM parked)";
  const [dense] = sql.exec<{ seq: number | null }>(start).toArray();
  const oldest = dense?.seq ?? here?.first ?? archived + 1;
  sql.exec("DROP TABLE log");
  createLog(sql, {
    epoch: log?.epoch ?? "",
    archived,
    first: 1,
    lastAt: 0,
    agentRun: 0,
    counted: Math.max(oldest - 1, head - COUNTED_AGAIN),
    unpacked: true,
    pairs: null,
  });
  sql.exec(`INSERT INTO parked_messages (seq, reason, id, kind, sender, content, ref, at)
    SELECT seq, reason, id, kind, sender, content, ref, at FROM parked JOIN messages USING (seq)`);
  sql.exec("DROP TABLE parked");
  sql.exec("DELETE FROM messages WHERE seq < ?", oldest);
  segments.adopt("messages", oldest);
}

/** Makes tables of the second form those of today. In a transaction. */
function migrateSecondForm(sql: Sql): void {
  sql.exec("ALTER TABLE log ADD COLUMN unpacked INTEGER NOT NULL DEFAULT 1");
  migrateThirdForm(sql);
}

/** Makes tables of the third form those of today. In a transaction. */
function migrateThirdForm(sql: Sql): void {
  sql.exec("ALTER TABLE log ADD COLUMN first INTEGER NOT NULL DEFAULT 1");
  sql.exec("ALTER TABLE log ADD COLUMN last_at INTEGER NOT NULL DEFAULT 0");
  sql.exec("ALTER TABLE log ADD COLUMN retention_due INTEGER NOT NULL DEFAULT 0");
  migrateFourthForm(sql);
}

/** Makes tables of the fourth form those of today. In a transaction. */
function migrateFourthForm(sql: Sql): void {
  createErasureTable(sql);
  sql.exec("UPDATE log SET version = ?", LOG_VERSION);
}
