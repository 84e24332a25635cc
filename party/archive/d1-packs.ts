/**
 * Reads a room's messages in D1: packs, and rows of the older form where the room has not packed them yet. What is in both is
 * in a pack, which is newer. Only what has no room to ask reads here: a room that has lost its storage, and an import.
 */

import type { Database, Statement } from "../log/sql.ts";
import type { StoredKind, StoredMessage } from "../log/stored-message.ts";
import type { Seq } from "../protocol.ts";
import { firstOf, PACK, PACK_COLUMNS, type PackRow, unpack } from "./pack.ts";

/** Packs of one question, and rows for as many messages. */
const PACKS_AT_ONCE = 20;
/** Bytes that one query brings at most, but for one row: D1 bounds what it answers. */
const BYTES_AT_ONCE = 2_000_000;
/** Characters of content that are unpacked at once, but for one pack: they are all in memory together. */
const LENGTH_AT_ONCE = 8 * 1024 * 1024;

const ROW_COLUMNS = "seq, id, kind, sender, content, ref, created_at";

/** A message as a row of the older form. */
type MessageRow = {
  seq: number;
  id: string;
  kind: StoredKind;
  sender: string;
  content: string;
  ref: number | null;
  created_at: string;
};

/** Some of a room's messages in D1. */
export interface ArchivedMessages {
  /** Oldest first. */
  readonly messages: StoredMessage[];
  /** D1 has no others from this seq on, up to where they were asked for; 1 when it has none that are older. */
  readonly from: Seq;
  /** The seqs from there on that D1 has as rows of the older form, whether a pack has them, too, or not. */
  readonly rows: readonly Seq[];
}

/** The newest messages of `room` with a seq below `before`, some thousand. Rejects when D1 does not answer. */
export async function archivedBefore(db: Database, room: string, before: Seq): Promise<ArchivedMessages> {
  const [packs, rows] = await ask(db, [packsBefore(db, room, before), rowsBefore(db, room, before)]);
  const found = new Map<Seq, StoredMessage>();
  let from = rows.at(-1)?.seq ?? 1;
  for (const row of rows) found.set(row.seq, fromRow(row));
  let length = 0;
  // With the newest one first.
  for (const [index, pack] of packs.entries()) {
    for (const message of await unpack(pack)) {
      found.set(message.seq, message);
      length += message.content.length;
    }
    if (index === packs.length - 1 || length >= LENGTH_AT_ONCE) {
      from = Math.max(from, pack.first);
      break;
    }
  }
  const messages = [...found.values()].filter(({ seq }) => seq >= from && seq < before);
  const unpacked = rows.map(({ seq }) => seq).filter((seq) => seq >= from);
  return { messages: messages.sort((a, b) => a.seq - b.seq), from, rows: unpacked };
}

/** The message `seq` of `room`; `undefined` where D1 does not have it. Rejects when D1 does not answer. */
export async function readMessage(db: Database, room: string, seq: Seq): Promise<StoredMessage | undefined> {
  const pack = `SELECT ${PACK_COLUMNS} FROM packs WHERE room_id = ? AND first = ?`;
  const row = `SELECT ${ROW_COLUMNS} FROM messages WHERE room_id = ? AND seq = ?`;
  const [packs, rows] = await ask(db, [db.prepare(pack).bind(room, firstOf(seq)), db.prepare(row).bind(room, seq)]);
  const packed = packs[0] && (await unpack(packs[0])).find((message) => message.seq === seq);
  return packed ?? (rows[0] && fromRow(rows[0]));
}

/** The query for the newest packs that begin below `before`, newest first. */
function packsBefore(db: Database, room: string, before: Seq): Statement {
  const sizes = bounded("SELECT first, length(body) AS size FROM packs WHERE room_id = ?1 AND first < ?2", "first");
  const query = `SELECT ${PACK_COLUMNS} FROM packs WHERE room_id = ?1 AND first IN (${sizes}) ORDER BY first DESC`;
  return db.prepare(query).bind(room, before, PACKS_AT_ONCE);
}

/** The query for the newest rows of the older form below `before`, newest first. */
function rowsBefore(db: Database, room: string, before: Seq): Statement {
  const sizes = bounded(
    "SELECT seq, length(CAST(content AS BLOB)) + 200 AS size FROM messages WHERE room_id = ?1 AND seq < ?2",
    "seq",
  );
  const query = `SELECT ${ROW_COLUMNS} FROM messages WHERE room_id = ?1 AND seq IN (${sizes}) ORDER BY seq DESC`;
  return db.prepare(query).bind(room, before, PACKS_AT_ONCE * PACK);
}

/** The keys of the rows with the greatest ones, at most as many as parameter 3 says, as far as their bytes are not too many. */
const bounded = (rows: string, key: string): string => `SELECT ${key} FROM (
  SELECT ${key}, size, sum(size) OVER (ORDER BY ${key} DESC) AS sum FROM (${rows} ORDER BY ${key} DESC LIMIT ?3))
  WHERE sum - size < ${BYTES_AT_ONCE}`;

/** What a query for packs and one for rows give, in one round trip. */
async function ask(db: Database, queries: Statement[]): Promise<[PackRow[], MessageRow[]]> {
  const [packs, rows] = await db.batch<unknown>(queries);
  return [(packs?.results ?? []) as PackRow[], (rows?.results ?? []) as MessageRow[]];
}

const fromRow = ({ created_at, ...row }: MessageRow): StoredMessage => ({ ...row, at: Date.parse(created_at) });
