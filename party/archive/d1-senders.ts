/**
 * What D1 has so that a sender can be erased: who wrote in which room, the erasures that are not carried out yet, and the
 * operator's orders. The SQL for these tables is here, but for the operator's own (`api/erasures.ts`).
 *
 * A copy notes the senders of its messages in its own transaction, so what D1 has of a room is always found. What only
 * the room has is found by the order: it is looked for whenever a sender is new to a room's index.
 */

import { personOf, sha256Hex } from "../identity/sender.ts";
import { type Erasure, isTaken, takenNames } from "../log/erasure.ts";
import type { ArchivedErasures } from "../log/journal.ts";
import type { Database, Statement } from "../log/sql.ts";
import type { Seq } from "../protocol.ts";
import { type ArchivedRoom, THE_ROOM } from "./d1-messages.ts";
import { fromHex } from "./pack.ts";

/** The operator has erased a sender everywhere: what they had said up to `at` (ISO 8601). */
export interface Order {
  readonly sender_hash: string;
  readonly at: string;
}

/** The statement that notes that these have written in the room. One row written for each that is new. */
export function noteSenders(db: Database, room: ArchivedRoom, senders: readonly string[]): Statement {
  const query = `INSERT INTO senders (room_id, sender) SELECT (SELECT id FROM rooms WHERE ${THE_ROOM}), value
    FROM json_each(?3) WHERE EXISTS (SELECT 1 FROM rooms WHERE ${THE_ROOM}) ON CONFLICT (room_id, sender) DO NOTHING`;
  return db.prepare(query).bind(room.id, room.createdAt ?? null, JSON.stringify(senders));
}

/** The statement that forgets whom `erasure` takes, where D1 has the room up to `expected`. */
export function forgetSenders(db: Database, room: ArchivedRoom, { sender }: Erasure, expected: Seq): Statement {
  const query = `DELETE FROM senders WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM} AND last_seq >= ?3)
    AND ${isTaken(4)}`;
  return db.prepare(query).bind(room.id, room.createdAt ?? null, expected, ...takenNames(sender));
}

/** The statement by which D1 takes up an erasure that it has not carried out yet, where it has the room up to `expected`. */
export function beginErasure(
  db: Database,
  room: ArchivedRoom,
  { seq, upTo, sender }: Erasure,
  expected: Seq,
): Statement {
  const query = `INSERT INTO erasures (room_id, seq, up_to, sender) SELECT id, ?4, ?5, ?6 FROM rooms
    WHERE ${THE_ROOM} AND last_seq >= ?3 ON CONFLICT (room_id, seq) DO NOTHING`;
  return db.prepare(query).bind(room.id, room.createdAt ?? null, expected, seq, upTo, sender);
}

/** The statement that notes that D1 has carried out an erasure. */
export function endErasure(db: Database, room: ArchivedRoom, seq: Seq): Statement {
  const query = `DELETE FROM erasures WHERE room_id = (SELECT id FROM rooms WHERE ${THE_ROOM}) AND seq = ?3`;
  return db.prepare(query).bind(room.id, room.createdAt ?? null, seq);
}

/** The statement that keeps the pairs by which retries of what was erased are recognised. */
export function savePairs(db: Database, room: ArchivedRoom, pairs: ArrayBuffer, expected: Seq): Statement {
  const query = `INSERT INTO erased_pairs (room_id, pairs) SELECT id, ?4 FROM rooms WHERE ${THE_ROOM} AND last_seq >= ?3
    ON CONFLICT (room_id) DO UPDATE SET pairs = excluded.pairs`;
  return db.prepare(query).bind(room.id, room.createdAt ?? null, expected, pairs);
}

type ErasureRow = { seq: number; up_to: number; sender: string };

/** The query for the erasures of `room` that D1 has not carried out. */
export function erasuresOf<S extends Statement>(db: Database<S>, room: string): S {
  return db.prepare("SELECT seq, up_to, sender FROM erasures WHERE room_id = ? ORDER BY seq").bind(room) as S;
}

/** What that query gives. */
export const toErasures = (rows: readonly unknown[]): Erasure[] =>
  (rows as ErasureRow[]).map(({ up_to: upTo, ...row }) => ({ ...row, upTo }));

/** What D1 has of a room that is about erasures. Rejects when it does not answer. */
export async function archivedErasures(db: Database, room: string): Promise<ArchivedErasures> {
  const pairs = db.prepare("SELECT hex(pairs) AS pairs FROM erased_pairs WHERE room_id = ?").bind(room);
  const [erasures, dumps] = await db.batch<unknown>([erasuresOf(db, room), pairs]);
  const [dump] = (dumps?.results ?? []) as { pairs: string }[];
  return { underWay: toErasures(erasures?.results ?? []), pairs: dump && fromHex(dump.pairs).buffer };
}

/** What D1 knows of a sender in a room. */
export interface Trace {
  /** They, or an agent of theirs, wrote there. */
  readonly wrote: boolean;
  /** It is not known of all messages who wrote them. */
  readonly unindexed: boolean;
}

/** What D1 knows of `sender` in `room`; `undefined` when it has no such room. Rejects when it does not answer. */
export async function traceOf(db: Database, room: ArchivedRoom, sender: string): Promise<Trace | undefined> {
  const query = `SELECT last_seq > 0 AND unindexed_from IS NOT NULL AS unindexed,
    EXISTS (SELECT 1 FROM senders WHERE room_id = ?1 AND ${isTaken(3)}) AS wrote
    FROM rooms WHERE ${THE_ROOM}`;
  const bound = db.prepare(query).bind(room.id, room.createdAt ?? null, ...takenNames(sender));
  const row = await bound.first<{ wrote: number; unindexed: number }>();
  return row ? { wrote: row.wrote === 1, unindexed: row.unindexed === 1 } : undefined;
}

/** The statement that notes from which seq on it is not known who wrote in the room; `null`: it is known of all. */
export function noteIndexed(db: Database, room: ArchivedRoom, from: Seq | null): Statement {
  const query = `UPDATE rooms SET unindexed_from = ?3 WHERE ${THE_ROOM}`;
  return db.prepare(query).bind(room.id, room.createdAt ?? null, from);
}

/** The query for the operator's orders about `senders`. D1 has only hashes of names: an order stays for good. */
export async function ordersFor(db: Database, senders: readonly string[]): Promise<Statement> {
  const names = new Set([...senders, ...senders.map(personOf)]);
  const hashes = await Promise.all([...names].map(sha256Hex));
  const query = "SELECT sender_hash, at FROM erasure_orders WHERE sender_hash IN (SELECT value FROM json_each(?))";
  return db.prepare(query).bind(JSON.stringify(hashes));
}
