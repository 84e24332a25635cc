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
import { findRoom, withPatience } from "./directory.ts";
import { forgetName, orderErasure, unfinishedErasures } from "./erasure-orders.ts";
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
/** Orders that are gone on with at once: with their rooms they stay within the same bound. */
const ORDERS_AT_ONCE = 2;

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
  const hash = await sha256Hex(sender);
  await fromDirectory(c, withPatience(orderErasure(c.env.DB, sender, hash)));
  return answer(c, await fromDirectory(c, carryOut(c.env, sender, hash, requestIdOf(c))));
});

/** Goes on with the operator's erasures that are not at their end everywhere: a room may not have answered. */
export async function repeatErasures(env: Env): Promise<void> {
  for (const { hash, sender } of await withPatience(unfinishedErasures(env.DB, ORDERS_AT_ONCE))) {
    await carryOut(env, sender, hash);
  }
}

/** Has rooms erase `sender`, some of them at once. In how many rooms something is left. Rejects when D1 does not answer. */
async function carryOut(env: Env, sender: string, hash: string, request?: string): Promise<number> {
  const found = await withPatience(roomsOf(env.DB, sender));
  const rooms = found.slice(0, ROOMS_AT_ONCE);
  // Each of them does it by itself from now on, however this request ends.
  const asked = await Promise.all(rooms.map((id) => erase(env, id, sender, request)));
  const left = asked.filter(({ pending }) => pending).length + found.length - rooms.length;
  if (left === 0) await withPatience(forgetName(env.DB, hash));
  return left;
}

const answer = (c: Call, pending: number): Response => c.json({ pending }, pending === 0 ? 200 : 202);

/** What D1 answers; `unavailable` where it does not. */
async function fromDirectory<T>(c: Call, asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    logEvent("erasure.rooms_unknown", { request: requestIdOf(c), error });
    throw new Refused(fault("unavailable", "The directory can't be reached at the moment; ask again.", 5));
  }
}

async function erase(env: Env, id: string, sender: string, request?: string): Promise<ErasureProgress> {
  try {
    const object = () => env.CHAT_ROOM.getByName(id);
    const room = await findRoom(env.DB, id);
    // Deleted since it was found.
    if (!room) return { pending: false };
    return accept(await repeatable(async () => await object().erase(room, operator, sender)));
  } catch (error) {
    logEvent("erasure.room_not_asked", { request, room: id, error });
    return { pending: true };
  }
}

/** Where a name stands in what a room has beside its log. */
const NAMED = ["sender", "who", "target", "createdBy"];

/**
 * The rooms in which the sender, or an agent of theirs, may have something, in an order of chance: rooms that take long, or
 * fail, keep no other from its turn. Of some it is not known yet who wrote there. What waits there for a moderator, what they
 * did there to others, and the invites that they made are in no log, and count, too.
 */
async function roomsOf(db: D1Database, sender: string): Promise<string[]> {
  const query = `SELECT id FROM rooms WHERE copied_at < 0
    OR EXISTS (SELECT 1 FROM senders WHERE room_id = rooms.id AND ${isTaken(1)})
    OR EXISTS (SELECT 1 FROM room_state, json_each(body) WHERE room_id = rooms.id
      AND part IN ('held', 'deeds', 'invites') AND (${NAMED.map((field) => isTaken(1, `value ->> '${field}'`)).join(" OR ")}))
    OR EXISTS (SELECT 1 FROM room_state, json_each(body) WHERE room_id = rooms.id AND part GLOB 'held.*'
      AND ${isTaken(1, "value ->> 'sender'")})
    ORDER BY random()`;
  const { results } = await db
    .prepare(query)
    .bind(...takenNames(sender))
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}
