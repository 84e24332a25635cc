/**
 * Erasing everything that a sender has said: in a room, for those who decide there, and in all rooms, for the operator. From
 * the answer on nobody is shown any of it; `pending` says in how many rooms some is still stored. Asking again is how one watches.
 */

import { Hono } from "hono";
import { operator, sha256Hex } from "../party/identity/sender.ts";
import { isTaken, takenNames } from "../party/log/erasure.ts";
import { repeatable } from "../party/object-call.ts";
import { logEvent } from "../party/operator-log/operator-log.ts";
import { fault } from "../party/protocol.ts";
import type { ErasureProgress } from "../party/room-rpc.ts";
import { clientAddress } from "./address.ts";
import { withoutTarget } from "./admin/audit-log.ts";
import { findRoom, withPatience } from "./directory.ts";
import { Refused } from "./errors.ts";
import { spendScan } from "./guards/costly-requests.ts";
import { authorOf } from "./messages.ts";
import { accept, type Call, isOperator, queryOf, requireOperator, roomIdOf } from "./request.ts";
import { requestIdOf } from "./request-log.ts";
import { askRoom } from "./room-object.ts";
import { AgentQuery, ErasureQuery } from "./schemas/messages.ts";

export const erasures = new Hono<{ Bindings: Env }>();

/** Rooms that one request asks, each with a query for its row: on Cloudflare's free plan a request has 50 queries of D1. */
const ROOMS_AT_ONCE = 20;

erasures.delete("/rooms/:id/messages", async (c) => {
  const id = roomIdOf(c);
  // Whether a sender has written here, the room may have to look for in all that it keeps.
  if (!isOperator(c)) await spendScan(c);
  const author = isOperator(c) ? operator : (await authorOf(c))(queryOf(c, AgentQuery).as);
  const { sender } = queryOf(c, ErasureQuery);
  const address = clientAddress(c.req.raw.headers);
  const { pending } = await askRoom(c, id, async (room, record) => await room.erase(record, author, sender, address));
  return answer(c, pending ? 1 : 0);
});

erasures.delete("/messages", async (c) => {
  requireOperator(c);
  const { sender } = queryOf(c, ErasureQuery);
  const found = await orderAndFind(c, sender);
  const rooms = found.slice(0, ROOMS_AT_ONCE);
  // Each of them does it by itself from now on, however this request ends.
  const asked = await Promise.all(rooms.map((id) => erase(c, id, sender)));
  const left = asked.filter(({ pending }) => pending).length;
  return answer(c, left + found.length - rooms.length);
});

const answer = (c: Call, pending: number): Response => c.json({ pending }, pending === 0 ? 200 : 202);

/** Writes the order down, and finds the rooms in which something is to be erased. */
async function orderAndFind(c: Call, sender: string): Promise<string[]> {
  const db = c.env.DB;
  try {
    await withPatience(order(db, sender, await sha256Hex(sender)));
    return await withPatience(roomsOf(db, sender));
  } catch (error) {
    logEvent("erasure.rooms_unknown", { request: requestIdOf(c), error });
    throw new Refused(fault("unavailable", "The directory can't be reached at the moment; ask again.", 5));
  }
}

async function erase(c: Call, id: string, sender: string): Promise<ErasureProgress> {
  try {
    const object = () => c.env.CHAT_ROOM.getByName(id);
    const room = await findRoom(c.env.DB, id);
    // Deleted since it was found.
    if (!room) return { pending: false };
    return accept(await repeatable(async () => await object().erase(room, operator, sender)));
  } catch (error) {
    logEvent("erasure.room_not_asked", { request: requestIdOf(c), room: id, error });
    return { pending: true };
  }
}

/** Writes down that this is erased, for rooms that bring messages from before later. */
async function order(db: D1Database, sender: string, hash: string): Promise<void> {
  const query = `INSERT INTO erasure_orders (sender_hash, at) VALUES (?, ?)
    ON CONFLICT (sender_hash) DO UPDATE SET at = excluded.at`;
  // What the operator has done to them stays, without the name.
  await db.batch([db.prepare(query).bind(hash, new Date().toISOString()), withoutTarget(db, sender)]);
}

/**
 * The rooms in which the sender, or an agent of theirs, may have something: of some it is not known yet who wrote there. Those
 * that are at it already come last, and otherwise chance decides: rooms that take long, or fail, keep no other from its turn.
 * What waits there for a moderator, what they did there to others, and the invites that they made are in no log, and count,
 * too.
 */
async function roomsOf(db: D1Database, sender: string): Promise<string[]> {
  const query = `SELECT id, EXISTS (SELECT 1 FROM erasures WHERE room_id = rooms.id AND ${isTaken(1)}) AS begun
    FROM rooms WHERE (unindexed_from IS NOT NULL AND last_seq > 0) OR begun
    OR EXISTS (SELECT 1 FROM senders WHERE room_id = rooms.id AND ${isTaken(1)})
    OR EXISTS (SELECT 1 FROM moderation WHERE room_id = rooms.id
      AND (${["sender", "who", "target"].map((field) => isTaken(1, `body ->> '${field}'`)).join(" OR ")}))
    OR EXISTS (SELECT 1 FROM invites WHERE room_id = rooms.id AND created_by = ?1)
    ORDER BY begun, random()`;
  const { results } = await db
    .prepare(query)
    .bind(...takenNames(sender))
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}
