/** What the operator has done, in D1: the only SQL for the table `operator_deeds`. */

import { isTaken, takenNames } from "../../party/log/erasure.ts";
import { withPatience } from "../directory.ts";
import type { OperatorDeedRecord } from "../format/records.ts";

/** Entries that are kept, and for how long, ms. */
const DEEDS_KEPT = 1_000;
const KEPT_FOR = 365 * 24 * 60 * 60_000;

/** Something that the operator has done. `at` is ISO 8601. */
export type OperatorDeed = Omit<OperatorDeedRecord, "type">;

/** What is known of a deed when it is done. */
export type NewDeed = Omit<OperatorDeed, "id" | "at">;

/** Notes a deed at `now`, ms since 1970, and forgets what is old. Rejects when D1 does. */
export async function noteDeed(db: D1Database, deed: NewDeed, now: number): Promise<void> {
  const { method, path, target, detail, status } = deed;
  const id = `${idFrom(now)}-${crypto.randomUUID().slice(0, 8)}`;
  const add = `INSERT INTO operator_deeds (id, at, method, path, target, detail, status) VALUES (?, ?, ?, ?, ?, ?, ?)`;
  const surplus = "SELECT id FROM operator_deeds ORDER BY id DESC LIMIT 1 OFFSET ?";
  await withPatience(
    db.batch([
      db.prepare(add).bind(id, new Date(now).toISOString(), method, path, target, detail, status),
      db.prepare(`DELETE FROM operator_deeds WHERE id <= (${surplus})`).bind(DEEDS_KEPT),
      db.prepare("DELETE FROM operator_deeds WHERE id < ?").bind(idFrom(now - KEPT_FOR)),
    ]),
  );
}

/** Up to `limit` deeds from before the one with the id `before`, newest first. Rejects when D1 does. */
export async function deedsBefore(db: D1Database, before: string | undefined, limit: number): Promise<OperatorDeed[]> {
  const query = `SELECT id, at, method, path, target, detail, status FROM operator_deeds
    WHERE id < ? ORDER BY id DESC LIMIT ?`;
  // Every id begins with a digit.
  const statement = db.prepare(query).bind(before ?? "~", limit);
  return (await withPatience(statement.all<OperatorDeed>())).results;
}

/** Up to `limit` deeds after the one with the id `after`, oldest first: for a backup. */
export async function deedsAfter(db: D1Database, after: string, limit: number): Promise<OperatorDeedRecord[]> {
  const query = `SELECT 'operatorDeed' AS type, id, at, method, path, target, detail, status FROM operator_deeds
    WHERE id > ? ORDER BY id LIMIT ?`;
  return (await withPatience(db.prepare(query).bind(after, limit).all<OperatorDeedRecord>())).results;
}

/** Forgets of all deeds that they were done to `sender`, or to an agent of theirs: a statement. */
export const withoutTarget = (db: D1Database, sender: string): D1PreparedStatement =>
  db.prepare(`UPDATE operator_deeds SET target = NULL WHERE ${isTaken(1, "target")}`).bind(...takenNames(sender));

/** Of deeds at this time: in the order of time as text. */
const idFrom = (at: number): string => String(at).padStart(15, "0");
