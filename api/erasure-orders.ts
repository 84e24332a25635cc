/** The table `erasure_orders`: whom the operator has erased everywhere, so that older messages that come later go, too. */

import { withoutTarget } from "./admin/audit-log.ts";
import { withPatience } from "./directory.ts";
import type { ErasureOrderRecord } from "./format/records.ts";

/** Writes down that what `sender` has said up to now is erased. `hash`: SHA-256 of the name, in hex. */
export async function orderErasure(db: D1Database, sender: string, hash: string): Promise<void> {
  const query = `INSERT INTO erasure_orders (sender_hash, at, sender) VALUES (?, ?, ?)
    ON CONFLICT (sender_hash) DO UPDATE SET at = excluded.at, sender = excluded.sender`;
  // What the operator has done to them stays, without the name.
  await db.batch([db.prepare(query).bind(hash, new Date().toISOString(), sender), withoutTarget(db, sender)]);
}

/** The order is carried out everywhere: it stays, without the name. */
export async function forgetName(db: D1Database, hash: string): Promise<void> {
  await db.prepare("UPDATE erasure_orders SET sender = NULL WHERE sender_hash = ?").bind(hash).run();
}

/** Some orders that are not carried out everywhere, by chance: one that can't be keeps no other from its turn. */
export async function unfinishedErasures(db: D1Database, limit: number): Promise<{ hash: string; sender: string }[]> {
  const query = `SELECT sender_hash AS hash, sender FROM erasure_orders WHERE sender IS NOT NULL
    ORDER BY random() LIMIT ?`;
  return (await db.prepare(query).bind(limit).all<{ hash: string; sender: string }>()).results;
}

/** Orders in the order of their hashes, for a backup. */
export async function erasureOrdersAfter(db: D1Database, hash: string, limit: number): Promise<ErasureOrderRecord[]> {
  const query = `SELECT 'erasureOrder' AS type, sender_hash AS senderHash, at, sender FROM erasure_orders
    WHERE sender_hash > ? ORDER BY sender_hash LIMIT ?`;
  return (await withPatience(db.prepare(query).bind(hash, limit).all<ErasureOrderRecord>())).results;
}
