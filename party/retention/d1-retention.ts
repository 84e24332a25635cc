/**
 * Removes from D1 what a room has let go of, and notes it in the room's row. All SQL of retention is here.
 *
 * Everything may happen twice. Nobody reads what this removes: readers go by the room's row, which says so first.
 */

import { removeGoneAsks } from "../archive/d1-asks.ts";
import { type ArchivedRoom, THE_ROOM } from "../archive/d1-messages.ts";
import { archivedAfter } from "../archive/d1-reader.ts";
import { FORM, firstOf, PACK, PACK_COLUMNS, type PackRow, pack, unpack } from "../archive/pack.ts";
import type { Database, Statement } from "../log/sql.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import type { Seq } from "../protocol.ts";

/** What one run removes at most, beside the pack at the boundary. */
export const REMOVED_AT_ONCE = { packs: 1_000, rows: 5_000 } as const;

/** Everything below `first_seq` is gone, so D1 has everything up to there. */
const NOTE = `UPDATE rooms SET first_seq = MAX(first_seq, ?3), last_seq = MAX(last_seq, ?3 - 1),
    gone_before = CASE WHEN ?4 > COALESCE(gone_before, '') THEN ?4 ELSE gone_before END
  WHERE ${THE_ROOM}`;

/** A statement of its own, because the number is in an index: setting it, also to what it is, writes a row more. */
const NOTE_KNOWN = `UPDATE rooms SET known_keep_days = ?4 WHERE ${THE_ROOM} AND revision = ?3 AND known_keep_days <> ?4`;

const REMOVE_PACKS = `DELETE FROM packs WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND first IN (
    SELECT first FROM packs WHERE room_id = ?1 AND first < ?3 ORDER BY first LIMIT ${REMOVED_AT_ONCE.packs})`;

const REMOVE_ROWS = `DELETE FROM messages WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND seq IN (
    SELECT seq FROM messages WHERE room_id = ?1 AND seq < ?3 ORDER BY seq LIMIT ${REMOVED_AT_ONCE.rows})`;

/** What is left to remove. The pack at the boundary is, where it has changed since it was read. */
const LEFT = `SELECT 1 AS found FROM packs WHERE room_id = ?1 AND (first < ?2 OR (first = ?2 AND ?4 IS NOT NULL AND revision <> ?4))
  UNION ALL SELECT 1 FROM messages WHERE room_id = ?1 AND seq < ?3 LIMIT 1`;

/** What is noted in the room's row. */
export interface Gone {
  /** Messages with a lower seq are gone. */
  readonly first: Seq;
  /** And so are those from before this time, ms since 1970; 0: none for their age. */
  readonly before: number;
  /** The row by which the room went. When it has changed meanwhile, the room has yet to look at it. */
  readonly revision: number;
  readonly knownKeepDays: number;
}

/** Notes what is gone, and removes it. Whether more is left to be removed. Rejects when D1 does not answer. */
export async function removeGone(db: Database, room: ArchivedRoom, gone: Gone): Promise<boolean> {
  const { first, before, revision, knownKeepDays } = gone;
  const createdAt = room.createdAt ?? null;
  const boundary = firstOf(first);
  const cut = boundary === first ? undefined : await cutPack(db, room, first);
  const time = before > 0 ? new Date(before).toISOString() : "";
  const answers = await db.batch<{ found: number }>([
    db.prepare(NOTE).bind(room.id, createdAt, first, time),
    db.prepare(NOTE_KNOWN).bind(room.id, createdAt, revision, knownKeepDays),
    db.prepare(REMOVE_PACKS).bind(room.id, createdAt, boundary),
    db.prepare(REMOVE_ROWS).bind(room.id, createdAt, first),
    ...removeGoneAsks(db, room, first),
    ...(cut?.statement ? [cut.statement] : []),
    db.prepare(LEFT).bind(room.id, boundary, first, cut?.revision ?? null),
  ]);
  return answers.at(-1)?.results.length !== 0;
}

/** The statement that takes out of a pack what is below `first`, where it has any, and the revision that it goes by. */
async function cutPack(
  db: Database,
  room: ArchivedRoom,
  first: Seq,
): Promise<{ revision: number; statement: Statement | undefined } | undefined> {
  const query = `SELECT revision, ${PACK_COLUMNS} FROM packs WHERE room_id = ? AND first = ?`;
  const row = await db.prepare(query).bind(room.id, firstOf(first)).first<PackRow & { revision: number }>();
  if (!row) return undefined;
  const { revision } = row;
  const messages = await unpack(row);
  const kept = messages.filter(({ seq }) => seq >= first);
  if (kept.length === messages.length) return { revision, statement: undefined };
  const thePack = "room_id = ?1 AND first = ?2 AND revision = ?3";
  const statement =
    kept.length === 0
      ? db.prepare(`DELETE FROM packs WHERE ${thePack}`).bind(room.id, row.first, revision)
      : db
          .prepare(`UPDATE packs SET form = ${FORM}, body = ?4 WHERE ${thePack}`)
          .bind(room.id, row.first, revision, await pack(kept));
  return { revision, statement };
}

/**
 * The first message of `room` in D1, from `from` on and below `end`, that is from `time` (ms since 1970) or later. By
 * halves, because times never go back within a room: a million messages take 14 questions.
 */
export async function archivedSince(
  db: Database,
  room: string,
  { from, end, time }: { from: Seq; end: Seq; time: number },
): Promise<StoredMessage | undefined> {
  let found: StoredMessage | undefined;
  for (let [low, high] = [from, end]; low < high; ) {
    const start = Math.max(low, firstOf(low + Math.floor((high - low) / 2)));
    const messages = (await archivedAfter(db, room, start - 1, PACK)).filter(({ seq }) => seq < high);
    const index = messages.findIndex(({ at }) => at >= time);
    const last = messages.at(-1);
    if (index > 0) return messages[index];
    if (index === 0) {
      found = messages[0];
      high = start;
    } else if (last) low = last.seq + 1;
    else high = start;
  }
  return found;
}
