/**
 * D1's table `messages`, and how far each room's archive is in `rooms`: all SQL for the first, and for the archive's three
 * columns of the second. When to copy is decided in `archive.ts`.
 */

import type { Seq } from "../protocol.ts";
import type { ArchivedPair } from "./journal.ts";
import { RECENT } from "./recent-ids.ts";
import type { Database, Statement } from "./sql.ts";
import type { StoredMessage } from "./stored-message.ts";

/** A room as D1 tells rooms apart: an id may be given away and made again, at another time. */
export interface ArchivedRoom {
  readonly id: string;
  /** ISO 8601, as the room's row has it; `undefined` while that is not known. */
  readonly createdAt: string | undefined;
}

const THE_ROOM = "id = ?1 AND created_at = COALESCE(?2, created_at)";

/**
 * A message that is there already is left alone. Where there is no such room any more, its id is NULL, which D1 refuses: a
 * batch that has been on its way for long must not end up in a new room under the same id.
 */
const INSERT = `INSERT INTO messages (room_id, seq, id, kind, sender, content, ref, created_at)
  SELECT (SELECT id FROM rooms WHERE ${THE_ROOM}),
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
  FROM json_each(?3) WHERE true ON CONFLICT (room_id, seq) DO NOTHING`;

/** A copied deletion takes its effect in the same transaction: it may be long after the message that it empties. */
const BLANK = `UPDATE messages SET content = ''
  WHERE room_id = ?1 AND seq IN (SELECT value FROM json_each(?2)) AND content != ''`;

/** What D1 had before a batch, which the batch itself asks for: a question less than asking first. */
const MARK = `SELECT last_seq FROM rooms WHERE ${THE_ROOM}`;

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

/** The statement that adds `messages`, which D1 refuses when there is no such room. */
export function insertMessages(db: Database, room: ArchivedRoom, messages: readonly StoredMessage[]): Statement {
  const rows = messages.map(({ seq, id, kind, sender, content, ref, at }) => {
    return [seq, id, kind, sender, content, ref, new Date(at).toISOString()];
  });
  return db.prepare(INSERT).bind(room.id, room.createdAt ?? null, JSON.stringify(rows));
}

/** The statements that empty what the deletions among `messages` are about. */
export function blankDeleted(db: Database, room: ArchivedRoom, messages: readonly StoredMessage[]): Statement[] {
  const deleted = messages.filter(({ kind }) => kind === "deletion").map(({ ref }) => ref);
  return deleted.length === 0 ? [] : [db.prepare(BLANK).bind(room.id, JSON.stringify(deleted))];
}

/** The statement that takes the message `seq` out of D1. */
export function removeMessage(db: Database, room: ArchivedRoom, seq: Seq): Statement {
  return db.prepare("DELETE FROM messages WHERE room_id = ? AND seq = ?").bind(room.id, seq);
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

/** The query for the newest `limit` rows of `room` with a seq below `before`, newest first. */
export function messagesBefore<S extends Statement>(db: Database<S>, room: string, before: Seq, limit: number): S {
  const query = `SELECT ${COLUMNS} FROM messages WHERE room_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?`;
  return db.prepare(query).bind(room, before, limit) as S;
}

/** Rows of one query for old messages: with the longest content they are still a few MB. */
const READ_AT_ONCE = 500;
/** Characters that are read at most, but for one query: they are all in memory together. */
export const READ_LENGTH = 8 * 1024 * 1024;

/**
 * The messages of `room` in D1 with a seq below `before`, newest `limit` of them, oldest first. Fewer when they are more
 * than `READ_LENGTH` characters long together.
 */
export async function archivedBefore(db: Database, room: string, before: Seq, limit: number): Promise<StoredMessage[]> {
  const newestFirst: StoredMessage[] = [];
  let length = 0;
  while (newestFirst.length < limit && length < READ_LENGTH) {
    const asked = Math.min(READ_AT_ONCE, limit - newestFirst.length);
    const bound = newestFirst.at(-1)?.seq ?? before;
    const { results } = await messagesBefore(db, room, bound, asked).all<ArchivedRow>();
    newestFirst.push(...results.map(fromRow));
    length += results.reduce((sum, row) => sum + row.content.length, 0);
    if (results.length < asked) break;
  }
  return newestFirst.reverse();
}

/** The messages of `room` in D1 with a seq above `after`, oldest `limit` of them, oldest first. */
export async function archivedAfter(db: Database, room: string, after: Seq, limit: number): Promise<StoredMessage[]> {
  const query = `SELECT ${COLUMNS} FROM messages WHERE room_id = ? AND seq > ? ORDER BY seq LIMIT ?`;
  const { results } = await db.prepare(query).bind(room, after, limit).all<ArchivedRow>();
  return results.map(fromRow);
}

/** One message of `room` in D1. */
export async function archivedMessage(db: Database, room: string, seq: Seq): Promise<StoredMessage | undefined> {
  const query = `SELECT ${COLUMNS} FROM messages WHERE room_id = ? AND seq = ?`;
  const row = await db.prepare(query).bind(room, seq).first<ArchivedRow>();
  return row ? fromRow(row) : undefined;
}

/** Messages that a rebuilt room takes up whole: what newcomers and short resumes are sent. Others stay in D1. */
const REBUILT_MESSAGES = 200;

/** What a room that has lost its own log begins with. */
export interface ArchivedHistory {
  /** The newest messages, oldest first. */
  readonly messages: StoredMessage[];
  /** The pairs of the newest `RECENT` messages, oldest first: by these retries are recognised. */
  readonly pairs: ArchivedPair[];
}

/** What a room that has lost its own log begins with, of the messages up to `last`. Rejects when D1 does not answer. */
export async function archivedHistory(db: Database, room: string, last: Seq): Promise<ArchivedHistory> {
  if (last === 0) return { messages: [], pairs: [] };
  const messages = await archivedBefore(db, room, last + 1, REBUILT_MESSAGES);
  const query = "SELECT seq, sender, id FROM messages WHERE room_id = ? AND seq <= ? ORDER BY seq DESC LIMIT ?";
  const { results } = await db.prepare(query).bind(room, last, RECENT).all<ArchivedPair>();
  return { messages, pairs: results.reverse() };
}

/** A row of D1 as it is used here. */
export function fromRow({ created_at, ...row }: ArchivedRow): StoredMessage {
  return { ...row, kind: row.kind as StoredMessage["kind"], at: Date.parse(created_at) };
}
