/**
 * Moves what D1 has in the older form, a row a message, into packs: newest first, a pack at a time. Readers are right at
 * every moment in between, because they read both forms, and a pack takes the place of its rows in one transaction.
 */

import type { Database } from "../log/sql.ts";
import { type ArchivedRoom, type ArchivedRow, archivedMark, fromRow, newestRows, replaceRows } from "./d1-messages.ts";
import { firstOf, pack } from "./pack.ts";

/** Moves the rows of one pack. Whether there may be more. Rejects when D1 does not answer. */
export async function moveRows(db: Database, room: ArchivedRoom): Promise<boolean> {
  const [marks, found] = await db.batch<unknown>([archivedMark(db, room), newestRows(db, room.id)]);
  const [mark] = (marks?.results ?? []) as { last_seq: number }[];
  const messages = ((found?.results ?? []) as ArchivedRow[]).map(fromRow);
  const [oldest] = messages;
  if (!mark || !oldest) return false;
  const body = await pack(messages);
  await db.batch(replaceRows(db, room, { first: firstOf(oldest.seq), body, lastSeq: mark.last_seq }));
  return true;
}
