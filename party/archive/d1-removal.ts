/** Removes a room from D1, with its members and all that was said in it. */

import type { Database } from "../log/sql.ts";
import { type ArchivedRoom, THE_ROOM } from "./d1-copy.ts";

/** What one statement deletes: D1 bounds the time of a statement. A room with no more goes as a whole. */
const AT_ONCE = { messages: 10_000, packs: 1_000 } as const;
/** Statements of one removal: on Cloudflare's free plan an invocation has 50 queries. */
const STATEMENTS = 40;

/** The room that is to be removed. */
export interface RemovedRoom extends ArchivedRoom {
  /** Only while its row is of this revision, where one is given. */
  readonly unlessChanged?: { readonly revision: number };
}

/**
 * Removes `room` with all its messages; whether it was there. Never touches another room that has its id by now. Rejects
 * when it is so long that one call does not suffice: done halfway, it can be done again. Only a room with more than `AT_ONCE`
 * can be left halfway: of any other D1 has everything or nothing, wherever this is cut off. `answer` waits for an answer of
 * D1's, for as long as the caller has patience.
 */
export async function removeRoom(
  db: Database,
  { id, createdAt, unlessChanged }: RemovedRoom,
  answer: <T>(promise: Promise<T>) => Promise<T> = (promise) => promise,
): Promise<boolean> {
  const theRoom = `${THE_ROOM} AND revision = COALESCE(?3, revision)`;
  const isStillIt = `EXISTS (SELECT 1 FROM rooms WHERE ${theRoom})`;
  const values = [id, createdAt ?? null, unlessChanged?.revision ?? null];
  let statements = 0;
  for (const [table, key] of [
    ["messages", "seq"],
    ["packs", "first"],
  ] as const) {
    const some = `DELETE FROM ${table} WHERE room_id = ?1 AND ${isStillIt} AND ${key} IN (
      SELECT ${key} FROM ${table} WHERE room_id = ?1 ORDER BY ${key} LIMIT ${AT_ONCE[table]})
      AND EXISTS (SELECT 1 FROM ${table} WHERE room_id = ?1 LIMIT 1 OFFSET ${AT_ONCE[table]}) RETURNING ${key}`;
    for (;;) {
      if (statements++ === STATEMENTS) throw new Error("A room is too long to be deleted at once.");
      const { results } = await answer(
        db
          .prepare(some)
          .bind(...values)
          .all(),
      );
      if (results.length < AT_ONCE[table]) break;
    }
  }
  // In one transaction, so that a copy that is just arriving finds either all of it or nothing.
  const rest = [
    `DELETE FROM messages WHERE room_id = ?1 AND ${isStillIt}`,
    ...["packs", "room_state", "senders"].map((table) => `DELETE FROM ${table} WHERE room_id = ?1 AND ${isStillIt}`),
    `DELETE FROM rooms WHERE ${theRoom} RETURNING id`,
  ];
  const removed = await answer(db.batch(rest.map((query) => db.prepare(query).bind(...values))));
  return removed.at(-1)?.results.length !== 0;
}
