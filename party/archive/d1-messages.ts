/**
 * What D1 has of a room's log: the SQL by which the tables `packs` and `messages` are written and read, and that for the
 * archive's three columns of `rooms`. What retention and the end of a room take out of them is in `d1-retention.ts` and
 * `d1-removal.ts`. `messages` is the older form, a row a message: it is read, emptied and packed, and nothing is added to it.
 * When to copy is decided in `archive.ts`, what a copy writes in `copy.ts`; `d1-reader.ts` reads.
 */

import type { Database, Statement } from "../log/sql.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import type { Seq } from "../protocol.ts";
import { FORM, PACK, PACK_COLUMNS, type PackRow, packsBetween } from "./pack.ts";

/** A room as D1 tells rooms apart: an id may be given away and made again, at another time. */
export interface ArchivedRoom {
  readonly id: string;
  /** ISO 8601, as the room's row has it; `undefined` while that is not known. */
  readonly createdAt: string | undefined;
}

/** The room, by the first two parameters. */
export const THE_ROOM = "id = ?1 AND created_at = COALESCE(?2, created_at)";

/**
 * A pack takes the place of an older one of itself. `revision` says which is older: a copy that has been on its way for
 * long must not bring back words that a later one has emptied, nor messages that are gone. D1 takes nothing where it does not have what went before,
 * or has no such room any more: a late copy must not end up in a new room under the same id.
 */
const SAVE = `INSERT INTO packs (room_id, first, revision, form, body)
  SELECT id, ?3, ?4, ${FORM}, ?5 FROM rooms WHERE ${THE_ROOM} AND last_seq >= ?6 AND (?3 = 0 OR ?3 + ${PACK - 1} >= first_seq)
  ON CONFLICT (room_id, first) DO UPDATE SET revision = excluded.revision, form = excluded.form, body = excluded.body
  WHERE excluded.revision > packs.revision`;

/** A copied deletion takes its effect in the same transaction: it may be long after the message that it empties. */
const BLANK = `UPDATE messages SET content = ''
  WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND seq IN (SELECT value FROM json_each(?3)) AND content != ''`;

/** What D1 had before a batch, which the batch itself asks for: a question less than asking first. */
const MARK = `SELECT last_seq, unindexed_from, (SELECT COUNT(*) FROM erasures WHERE room_id = rooms.id) AS erasing
  FROM rooms WHERE ${THE_ROOM}`;

/** What D1 says of how far it is. */
export interface Mark {
  readonly last_seq: Seq;
  /** Who wrote its messages from this seq on may not be known (`d1-senders.ts`); `null`: it is known of all. */
  readonly unindexed_from: Seq | null;
  /** How many erasures it has not carried out. */
  readonly erasing: number;
}

/**
 * Only where D1 has what went before: one that was set back to an earlier time must not claim what it has lost, not even
 * until it is copied again.
 */
const ADVANCE = `UPDATE rooms SET last_seq = ?3, epoch = ?4
  WHERE ${THE_ROOM} AND last_seq >= ?5 AND (last_seq < ?3 OR epoch IS NOT ?4)`;

/** A statement of its own, because the time is in the directory's index: setting it writes a row more. */
const TELL_TIME = `UPDATE rooms SET last_message_at = ?3
  WHERE ${THE_ROOM} AND (last_message_at IS NULL OR last_message_at <= ?4)`;

const COLUMNS = "seq, id, kind, sender, content, ref, created_at";

/** A message as it lies in D1. */
export type ArchivedRow = {
  seq: number;
  id: string;
  kind: string;
  sender: string;
  content: string;
  ref: number | null;
  created_at: string;
};

/** A pack that is to be written, by a copy that brings D1 from `from` to `revision`. */
export interface NewPack {
  readonly first: Seq;
  readonly revision: Seq;
  readonly from: Seq;
  readonly body: ArrayBuffer;
}

/** The statement that writes a pack. */
export function savePack(db: Database, room: ArchivedRoom, { first, revision, from, body }: NewPack): Statement {
  return db.prepare(SAVE).bind(room.id, room.createdAt ?? null, first, revision, body, from);
}

/** The statement that takes the pack `first` out of D1. */
export function removePack(db: Database, room: ArchivedRoom, first: Seq): Statement {
  return db.prepare("DELETE FROM packs WHERE room_id = ? AND first = ?").bind(room.id, first);
}

/** The statement that answers with those of the packs `firsts` that are older than `revision`. */
export function packsOlderThan(db: Database, room: ArchivedRoom, firsts: readonly Seq[], revision: Seq): Statement {
  const query = `SELECT first FROM packs
    WHERE room_id = ?1 AND first IN (SELECT value FROM json_each(?2)) AND revision < ?3`;
  return db.prepare(query).bind(room.id, JSON.stringify(firsts), revision);
}

/** The statement that empties the messages `seqs` where they are rows of the older form. */
export function blankRows(db: Database, room: ArchivedRoom, seqs: readonly Seq[]): Statement {
  return db.prepare(BLANK).bind(room.id, room.createdAt ?? null, JSON.stringify(seqs));
}

/** A step of the archive in D1. */
export interface Advance {
  /** D1 must have everything up to here already. */
  readonly from: Seq;
  readonly to: Seq;
  readonly epoch: string;
}

/** The statement that notes in the room's row how far D1 is. An older step changes nothing. */
export function advanceRoom(db: Database, room: ArchivedRoom, { from, to, epoch }: Advance): Statement {
  return db.prepare(ADVANCE).bind(room.id, room.createdAt ?? null, to, epoch, from);
}

/**
 * The directory learns the time of a room's newest message when it is so much newer than what it has, ms: a list ordered to
 * the minute is as useful, and each telling writes a row more.
 */
export const TIME_TOLD_EVERY = 60_000;

/** The statement that tells the directory the time of a message, ms since 1970, where that is due. */
export function tellTime(db: Database, room: ArchivedRoom, at: number): Statement {
  const [told, due] = [at, at - TIME_TOLD_EVERY].map((ms) => new Date(ms).toISOString());
  return db.prepare(TELL_TIME).bind(room.id, room.createdAt ?? null, told, due);
}

/** A statement that answers with the seq up to which D1 has the room: one row, or none when it has no such room. */
export function archivedMark(db: Database, room: ArchivedRoom): Statement {
  return db.prepare(MARK).bind(room.id, room.createdAt ?? null);
}

/** Whether D1 says that there is no such room (any more); `undefined` when it does not answer. */
export async function isRoomGone(db: Database, room: ArchivedRoom): Promise<boolean | undefined> {
  try {
    return (await archivedMark(db, room).first()) === null;
  } catch {
    return undefined;
  }
}

/** Tells D1 that the room goes on under another epoch, so that pages of D1's carry it at once. Rejects when D1 does. */
export async function announceEpoch(db: Database, room: ArchivedRoom, epoch: string): Promise<void> {
  const query = `UPDATE rooms SET epoch = ?3 WHERE ${THE_ROOM}`;
  await db
    .prepare(query)
    .bind(room.id, room.createdAt ?? null, epoch)
    .first();
}

/**
 * The two queries for the newest `limit` messages of `room` with a seq below `before`: packs and rows, each newest first.
 * A pack at either end has others, too.
 */
export function messagesBefore<S extends Statement>(db: Database<S>, room: string, before: Seq, limit: number): [S, S] {
  const packs = `SELECT ${PACK_COLUMNS} FROM packs WHERE room_id = ? AND first < ? ORDER BY first DESC LIMIT ?`;
  const rows = `SELECT ${COLUMNS} FROM messages WHERE room_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?`;
  const spanned = packsBetween(Math.max(1, before - limit), Math.max(1, before - 1));
  return [db.prepare(packs).bind(room, before, spanned) as S, db.prepare(rows).bind(room, before, limit) as S];
}

/** The two queries for the oldest `limit` messages of `room` with a seq above `after`: packs and rows, oldest first. */
export function messagesAfter(db: Database, room: string, after: Seq, limit: number): [Statement, Statement] {
  const packs = `SELECT ${PACK_COLUMNS} FROM packs WHERE room_id = ? AND first > ? ORDER BY first LIMIT ?`;
  const rows = `SELECT ${COLUMNS} FROM messages WHERE room_id = ? AND seq > ? ORDER BY seq LIMIT ?`;
  const spanned = packsBetween(after + 1, after + limit);
  return [db.prepare(packs).bind(room, after + 1 - PACK, spanned), db.prepare(rows).bind(room, after, limit)];
}

/** The query for the packs `firsts` of `room`, in no order. */
export function packsAt(db: Database, room: string, firsts: readonly Seq[]): Statement {
  const query = `SELECT ${PACK_COLUMNS} FROM packs WHERE room_id = ? AND first IN (SELECT value FROM json_each(?))`;
  return db.prepare(query).bind(room, JSON.stringify(firsts));
}

/** A pack with the seq up to which the room's log has taken effect in it. */
export type RevisedPackRow = PackRow & { revision: Seq };

/** The queries for what D1 has of the seqs from `first` to `last`: packs of a revision below `revision`, and rows. */
export function messagesBetween(
  db: Database,
  room: string,
  { first, last, revision }: { first: Seq; last: Seq; revision: Seq },
): [Statement, Statement] {
  const packs = `SELECT revision, ${PACK_COLUMNS} FROM packs
    WHERE room_id = ? AND first BETWEEN ? AND ? AND revision < ? ORDER BY first`;
  const rows = `SELECT ${COLUMNS} FROM messages WHERE room_id = ? AND seq BETWEEN ? AND ? ORDER BY seq`;
  return [db.prepare(packs).bind(room, first, last, revision), db.prepare(rows).bind(room, first, last)];
}

/** The statement that writes other messages in the place of rows of the older form. */
export function overwriteRows(db: Database, room: ArchivedRoom, messages: readonly StoredMessage[]): Statement {
  const query = `UPDATE messages SET id = given.value ->> 'id', sender = given.value ->> 'sender',
    content = given.value ->> 'content', ref = given.value ->> 'ref'
    FROM json_each(?3) AS given
    WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND seq = given.value ->> 'seq'`;
  return db.prepare(query).bind(room.id, room.createdAt ?? null, JSON.stringify(messages));
}

/** The query for the row of the message `seq`. */
export function messageRow(db: Database, room: string, seq: Seq): Statement {
  return db.prepare(`SELECT ${COLUMNS} FROM messages WHERE room_id = ? AND seq = ?`).bind(room, seq);
}

/** A row of D1 as it is used here. */
export function fromRow({ created_at, ...row }: ArchivedRow): StoredMessage {
  return { ...row, kind: row.kind as StoredMessage["kind"], at: Date.parse(created_at) };
}

/** The query for the rows that belong to the newest pack of which there are any. */
export function newestRows(db: Database, room: string): Statement {
  const query = `SELECT ${COLUMNS} FROM messages WHERE room_id = ?1 AND seq > (
    SELECT seq - 1 - (seq - 1) % ${PACK} FROM messages WHERE room_id = ?1 ORDER BY seq DESC LIMIT 1) ORDER BY seq`;
  return db.prepare(query).bind(room);
}

/**
 * The statements that put a pack in the place of its rows. They do nothing once D1 has taken a copy since it had
 * `lastSeq`: that one may have emptied a row, or have written the pack.
 */
export function replaceRows(
  db: Database,
  room: ArchivedRoom,
  { first, body, lastSeq }: { first: Seq; body: ArrayBuffer; lastSeq: Seq },
): Statement[] {
  const save = `INSERT INTO packs (room_id, first, revision, form, body)
    SELECT id, ?3, 0, ${FORM}, ?4 FROM rooms WHERE ${THE_ROOM} AND last_seq = ?5 AND ?3 + ${PACK - 1} >= first_seq
    ON CONFLICT (room_id, first) DO NOTHING`;
  const remove = `DELETE FROM messages WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM} AND last_seq = ?4)
    AND seq BETWEEN ?3 AND ?3 + ${PACK - 1}`;
  return [
    db.prepare(save).bind(room.id, room.createdAt ?? null, first, body, lastSeq),
    db.prepare(remove).bind(room.id, room.createdAt ?? null, first, lastSeq),
  ];
}
