/**
 * How a log of an earlier form becomes one of today: that of 0.1.0, with the tables `log`, `messages` and `parked`, and those
 * of 0.2.0, with messages in segments `messages_N`. Nothing that is here is lost. What D1 may not have, or not as it is here,
 * is marked.
 */

import { PACK } from "../archive/pack.ts";
import type { Seq } from "../protocol.ts";
import { PARTS } from "../storage/dirty.ts";
import { type Erasure, takes } from "./erasure.ts";
import { CHANGERS_INDEX, CHECKPOINT_TABLE, LOG_TABLES, LOG_VERSION, MESSAGES_TABLE } from "./log-tables.ts";
import type { Sql, SqlValue } from "./sql.ts";

/** The last version that is read here. The first form had no version. */
const NEWEST_EARLIER = 6;

const COLUMNS = "seq, id, kind, sender, content, ref, at";

/** The row of an earlier log. Its columns came one version after another. */
type EarlierLog = {
  version?: number;
  epoch: string;
  archived: number;
  /** 1: D1 may have messages as rows of their own. */
  unpacked?: number;
  first?: number;
  last_at?: number;
  retention_due?: number;
};

/** Brings it into today's form. `names` are the tables that are there. Throws for a later version. In a transaction. */
export function migrateLog(sql: Sql, names: ReadonlySet<string>): void {
  const [log] = sql.exec<EarlierLog & Record<string, SqlValue>>("SELECT * FROM log").toArray();
  if (!log) throw new Error("The room's log has no row.");
  if ((log.version ?? 1) > NEWEST_EARLIER) {
    throw new Error(`The room's log has version ${log.version}, and this server knows version ${LOG_VERSION}.`);
  }
  const { archived, first = 1 } = log;
  const refused = names.has("parked") ? "parked" : names.has("parked_messages") ? "parked_messages" : undefined;
  const begin = names.has("messages") ? ["messages"] : [];
  const segments = [...names].filter((name) => /^messages_\d+$/.test(name)).sort((a, b) => firstOf(a) - firstOf(b));
  const dense = segments[0] === undefined ? oldestOfFirstForm(sql, refused) : firstOf(segments[0]);
  joinTables(sql, [...begin, ...segments]);
  if (refused === "parked_messages") {
    sql.exec(`INSERT OR IGNORE INTO messages (${COLUMNS}) SELECT ${COLUMNS} FROM ${refused} WHERE seq >= ?`, first);
  }
  const [newest] = sql.exec<{ seq: number }>("SELECT seq FROM messages ORDER BY seq DESC LIMIT 1").toArray();
  // The newest messages may be gone, also such that D1 never had.
  const head = Math.max(newest?.seq ?? archived, first - 1);
  const oldest = Math.min(Math.max(dense ?? head + 1, first), head + 1);
  const unfinished = earlierErasures(sql, names);
  if (names.has("erasures")) sql.exec("ALTER TABLE erasures RENAME TO erasures_before");
  sql.exec("DROP TABLE log");
  for (const table of LOG_TABLES) sql.exec(table);
  if (!names.has("checkpoint")) {
    // The dump of the first form had the pairs under wrong seqs after a long outage of D1.
    sql.exec(CHECKPOINT_TABLE);
    sql.exec("INSERT INTO checkpoint (one, seq, pairs) VALUES (1, 0, NULL)");
  }
  const copied = (log.unpacked ?? 1) === 1 ? 0 : archived;
  const insert = `INSERT INTO log (one, epoch, head, first, oldest, last_at, retention_due, copied, revision)
    VALUES (1, ?, ?, ?, ?, ?, ?, ?, 0)`;
  sql.exec(insert, log.epoch, head, first, oldest, log.last_at ?? 0, log.retention_due ?? 0, copied);
  takeEffect(sql, names);
  eraseAgain(sql, names, unfinished);
  noteWriters(sql, unfinished);
  markAll(sql, { refused, archived });
  if (oldest > first) sql.exec(CHANGERS_INDEX);
  for (const table of [refused, "closed_asks", "erasures_before"]) {
    if (table !== undefined) sql.exec(`DROP TABLE IF EXISTS ${table}`);
  }
}

/** The first seq of a segment: its name says it. */
const firstOf = (segment: string): Seq => Number(segment.slice("messages_".length));

/** Where the run of messages begins that ends at the head. Messages that D1 had refused may lie, alone, before it. */
function oldestOfFirstForm(sql: Sql, refused: string | undefined): Seq | undefined {
  if (refused !== "parked") return 1;
  const min = "SELECT MIN(seq) AS seq FROM messages";
  const queries = [`${min} WHERE seq NOT IN (SELECT seq FROM parked)`, min];
  const rows = queries.map((query) => sql.exec<{ seq: number | null }>(query).toArray()[0]);
  return rows[0]?.seq ?? rows[1]?.seq ?? undefined;
}

/** Makes one table of all: the longest is kept as it is, and others are copied into it. */
function joinTables(sql: Sql, tables: readonly string[]): void {
  const count = (table: string) => sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`).toArray()[0]?.n ?? 0;
  const [longest, ...others] = tables.map((table) => ({ table, rows: count(table) })).sort((a, b) => b.rows - a.rows);
  if (!longest) {
    sql.exec(MESSAGES_TABLE);
    return;
  }
  if (longest.table !== "messages") {
    sql.exec(`DROP INDEX IF EXISTS deletions_${firstOf(longest.table)}`);
    sql.exec(`ALTER TABLE ${longest.table} RENAME TO messages`);
  }
  sql.exec("ALTER TABLE messages ADD COLUMN changed INTEGER");
  for (const { table } of others) {
    sql.exec(`INSERT INTO messages (${COLUMNS}) SELECT ${COLUMNS} FROM ${table}`);
    sql.exec(`DROP TABLE ${table}`);
  }
}

/** Notes what has deleted or closed a message. */
function takeEffect(sql: Sql, names: ReadonlySet<string>): void {
  if (names.has("closed_asks")) {
    sql.exec(`UPDATE messages SET changed = c.closed FROM closed_asks AS c
      WHERE messages.seq = c.seq AND messages.kind = 'ask'`);
  }
  sql.exec(`UPDATE messages SET content = '', changed = d.seq
    FROM (SELECT ref, MIN(seq) AS seq FROM messages WHERE kind = 'deletion' AND ref IS NOT NULL GROUP BY ref) AS d
    WHERE messages.seq = d.ref`);
}

/** The erasures that are not carried out everywhere. */
function earlierErasures(sql: Sql, names: ReadonlySet<string>): Erasure[] {
  if (!names.has("erasures")) return [];
  const query = "SELECT seq, up_to, sender FROM erasures WHERE sender <> ''";
  const rows = sql.exec<{ seq: number; up_to: number; sender: string }>(query).toArray();
  return rows.map(({ up_to: upTo, ...row }) => ({ ...row, upTo }));
}

/** Begins those anew. Of others, whose entries say still whom they have erased, only that is left to do. */
function eraseAgain(sql: Sql, names: ReadonlySet<string>, unfinished: readonly Erasure[]): void {
  const insert = "INSERT OR IGNORE INTO erasures (seq, up_to, sender, here)";
  for (const { seq, upTo, sender } of unfinished) sql.exec(`${insert} VALUES (?, ?, ?, 0)`, seq, upTo, sender);
  sql.exec(`${insert} SELECT seq, ref, content, ref FROM messages
    WHERE kind = 'erasure' AND content <> '' AND ref IS NOT NULL`);
  // The newest one may be in D1 alone.
  if (names.has("erasures")) sql.exec(`${insert} SELECT seq, up_to, '', up_to FROM erasures_before WHERE sender = ''`);
  // What is overwritten here may not be so in D1.
  const upTo = Math.max(0, ...unfinished.map((erasure) => erasure.upTo));
  markPacks(sql, `SELECT seq AS one FROM messages WHERE sender = '' AND seq <= ${upTo}`);
}

function noteWriters(sql: Sql, unfinished: readonly Erasure[]): void {
  const query = "SELECT sender, MAX(seq) AS seq FROM messages WHERE kind <> 'erasure' AND sender <> '' GROUP BY sender";
  for (const writer of sql.exec<{ sender: string; seq: number }>(query).toArray()) {
    if (unfinished.some((erasure) => takes(erasure, writer))) continue;
    sql.exec("INSERT INTO writers (sender, told) VALUES (?, 0)", writer.sender);
  }
}

/** Marks what D1 was not brought in the earlier form: no change of a part was noted as it is today. */
function markAll(sql: Sql, { refused, archived }: { refused: string | undefined; archived: Seq }): void {
  for (const part of PARTS) sql.exec("INSERT INTO dirty_parts (part) VALUES (?)", part);
  if (refused !== undefined) markPacks(sql, `SELECT seq AS one FROM ${refused}`);
  markPacks(sql, `SELECT ref AS one FROM messages WHERE kind = 'deletion' AND ref IS NOT NULL AND seq > ${archived}`);
}

/** Marks the packs of the seqs that a query gives as `one`. */
function markPacks(sql: Sql, seqs: string): void {
  sql.exec(`INSERT OR IGNORE INTO dirty (first) SELECT DISTINCT one - (one - 1) % ${PACK} FROM (${seqs})`);
}
