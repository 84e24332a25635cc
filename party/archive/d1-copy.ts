/**
 * The SQL of a copy: what one D1 transaction writes of a room. Nobody reads it but a rebuild, a restore and the operator.
 *
 * Everything may happen twice, and late: a pack or a part takes the place of an older one only, and nothing is written
 * into another room that has the id by now.
 */

import { isTaken, takenNames } from "../log/erasure.ts";
import type { Database, Statement } from "../log/sql.ts";
import type { Seq } from "../protocol.ts";
import { FORM, firstOf, PACK } from "./pack.ts";
import type { StoredPart } from "./parts.ts";

/** A room as D1 tells rooms apart: an id may be given away and made again, at another time. */
export interface ArchivedRoom {
  readonly id: string;
  /** ISO 8601, as the room's row has it; `undefined` while that is not known. */
  readonly createdAt: string | undefined;
}

/** The room, by the first two parameters. */
export const THE_ROOM = "id = ?1 AND created_at = COALESCE(?2, created_at)";

/** The directory learns the time of a room's newest message when it is so much newer than what it has, ms. */
export const TIME_TOLD_EVERY = 60_000;

/** A pack that is to be written; without a body it is removed. */
export interface CopiedPack {
  readonly first: Seq;
  readonly body: ArrayBuffer | undefined;
}

/** What one copy brings to D1. */
export interface Copy {
  /** ms since 1970, and greater than that of every copy before. */
  readonly revision: number;
  /** The revision of the newest copy that D1 is known to have: a D1 that has an older one was set back. */
  readonly known: number;
  readonly epoch: string;
  /** D1 has every message up to here with it. */
  readonly last: Seq;
  /** Messages with a lower seq are gone, and so are those from before `goneBefore`, ISO 8601. */
  readonly first: Seq;
  readonly goneBefore: string | null;
  /** The deployment's `KEEP_DAYS` that the room goes by, and the revision of the row by which it does. */
  readonly keepDays: { readonly days: number; readonly revision: number } | undefined;
  /** When the newest message was written, ms since 1970; 0: there is none. */
  readonly lastAt: number;
  readonly packs: readonly CopiedPack[];
  /** Parts of the room beside its log, each as JSON. */
  readonly parts: readonly { readonly name: string; readonly rows: readonly StoredPart[] }[];
  /** Who has written here, and D1 may not know it. */
  readonly senders: readonly string[];
}

/** What D1 had before a copy. */
export interface Mark {
  readonly last_seq: Seq;
  readonly copied_at: number;
}

/**
 * The room, where D1 has no copy of this revision or a newer one: what comes late must not bring back words or names that a
 * newer copy has taken away, nor messages that are gone.
 */
const BEFORE = (revision: string): string => `${THE_ROOM} AND copied_at < ${revision}`;

const SAVE_PACK = `INSERT INTO packs (room_id, first, revision, form, body)
  SELECT id, ?3, ?4, ${FORM}, ?5 FROM rooms WHERE ${BEFORE("?4")}
  ON CONFLICT (room_id, first) DO UPDATE SET revision = excluded.revision, form = excluded.form, body = excluded.body
  WHERE excluded.revision > packs.revision`;

const REMOVE_PACK = `DELETE FROM packs WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND first = ?3 AND revision < ?4`;

/** Rows of the older form, which the packs of the copy have taken up. */
const REMOVE_ROWS = `DELETE FROM messages WHERE room_id = (SELECT id FROM rooms WHERE ${BEFORE("?6")})
  AND seq BETWEEN ?4 AND ?5 AND seq - (seq - 1) % ${PACK} IN (SELECT value FROM json_each(?3))`;

/** Packs that are gone as a whole. D1 bounds the time of a statement, and the next copy goes on. */
const REMOVE_GONE = `DELETE FROM packs WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND first IN (
  SELECT first FROM packs WHERE room_id = ?1 AND first < ?3 ORDER BY first LIMIT 1000)`;

const SAVE_PART = `INSERT INTO room_state (room_id, part, body, revision)
  SELECT id, ?3, ?4, ?5 FROM rooms WHERE ${BEFORE("?5")}
  ON CONFLICT (room_id, part) DO UPDATE SET body = excluded.body, revision = excluded.revision
  WHERE excluded.revision > room_state.revision`;

/** Of a part that was longer. */
const REMOVE_ROWS_OF_PART = `DELETE FROM room_state WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM})
  AND part GLOB ?3 || '.*' AND revision < ?4`;

const NOTE_SENDERS = `INSERT INTO senders (room_id, sender) SELECT (SELECT id FROM rooms WHERE ${THE_ROOM}), value
  FROM json_each(?3) WHERE EXISTS (SELECT 1 FROM rooms WHERE ${BEFORE("?4")})
  ON CONFLICT (room_id, sender) DO NOTHING`;

/** A D1 that was set back must not claim what it has lost. */
const ADVANCE = `UPDATE rooms SET last_seq = MAX(last_seq, ?3, ?4 - 1), first_seq = MAX(first_seq, ?4), epoch = ?5,
    copied_at = ?6, gone_before = CASE WHEN ?8 > COALESCE(gone_before, '') THEN ?8 ELSE gone_before END
  WHERE ${THE_ROOM} AND copied_at < ?6 AND copied_at >= ?7`;

/** Statements of their own, because these columns are in an index: setting one writes a row more. */
const TELL_KEEP_DAYS = `UPDATE rooms SET known_keep_days = ?3 WHERE ${THE_ROOM} AND revision = ?4 AND known_keep_days <> ?3`;
const TELL_TIME = `UPDATE rooms SET last_message_at = ?3
  WHERE ${THE_ROOM} AND (last_message_at IS NULL OR last_message_at <= ?4)`;

const MARK = `SELECT last_seq, copied_at FROM rooms WHERE ${THE_ROOM}`;

/** The statements of a copy. The first one answers with a `Mark`, or nothing where D1 has no such room. */
export function copyStatements(db: Database, room: ArchivedRoom, copy: Copy): Statement[] {
  const bind = (query: string, ...values: unknown[]) =>
    db.prepare(query).bind(room.id, room.createdAt ?? null, ...values);
  const { revision, known, epoch, last, first, goneBefore, keepDays, lastAt, packs, parts, senders } = copy;
  const firsts = packs.map((pack) => pack.first);
  const iso = (at: number) => new Date(at).toISOString();
  return [
    bind(MARK),
    ...packs.map(({ first, body }) =>
      body ? bind(SAVE_PACK, first, revision, body) : bind(REMOVE_PACK, first, revision),
    ),
    ...(packs.length > 0
      ? [bind(REMOVE_ROWS, JSON.stringify(firsts), Math.min(...firsts), Math.max(...firsts) + PACK - 1, revision)]
      : []),
    ...(first > 1 ? [bind(REMOVE_GONE, firstOf(first))] : []),
    ...parts.flatMap(({ name, rows }) => [
      ...rows.map(({ part, body }) => bind(SAVE_PART, part, body, revision)),
      bind(REMOVE_ROWS_OF_PART, name, revision),
    ]),
    ...(senders.length > 0 ? [bind(NOTE_SENDERS, JSON.stringify(senders), revision)] : []),
    bind(ADVANCE, last, first, epoch, revision, known, goneBefore ?? ""),
    ...(keepDays ? [bind(TELL_KEEP_DAYS, keepDays.days, keepDays.revision)] : []),
    ...(lastAt > 0 ? [bind(TELL_TIME, iso(lastAt), iso(lastAt - TIME_TOLD_EVERY))] : []),
  ];
}

/** Whether D1 takes a write at all: one that no reader ever sees. A locked or full database goes on answering queries. */
export async function takesWrites(db: Database, room: ArchivedRoom): Promise<boolean> {
  const values = [room.id, room.createdAt ?? null, 0, 1, new ArrayBuffer(1)];
  const save = `INSERT INTO packs (room_id, first, revision, form, body) SELECT id, ?3, ?4, ${FORM}, ?5 FROM rooms
    WHERE ${THE_ROOM} ON CONFLICT (room_id, first) DO NOTHING`;
  try {
    await db.batch([
      db.prepare(save).bind(...values),
      db.prepare("DELETE FROM packs WHERE room_id = ? AND first = 0").bind(room.id),
    ]);
    return true;
  } catch {
    return false;
  }
}

/** Whether D1 says that there is no such room (any more); `undefined` when it does not answer. */
export async function isRoomGone(db: Database, room: ArchivedRoom): Promise<boolean | undefined> {
  try {
    return (
      (await db
        .prepare(MARK)
        .bind(room.id, room.createdAt ?? null)
        .first()) === null
    );
  } catch {
    return undefined;
  }
}

/** The statement that forgets who has written in the room, but for those whose erasure is under way: D1 has their words still. */
export function forgetAllSenders(db: Database, room: ArchivedRoom, underWay: readonly string[]): Statement {
  const query = `DELETE FROM senders WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND NOT EXISTS
    (SELECT 1 FROM json_each(?3) WHERE sender = value OR substr(sender, 1, length(value) + 1) = value || '/')`;
  return db.prepare(query).bind(room.id, room.createdAt ?? null, JSON.stringify(underWay));
}

/** The statement that forgets that a sender, with their agents, has written in the room. */
export function forgetSenders(db: Database, room: ArchivedRoom, sender: string): Statement {
  const query = `DELETE FROM senders WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND ${isTaken(3)}`;
  return db.prepare(query).bind(room.id, room.createdAt ?? null, ...takenNames(sender));
}
