/** Members of a room over HTTP. The room has them and all the rules (`party/members/membership.ts`). */

import { Hono } from "hono";
import { clientAddress } from "./address.ts";
import { knownCaller } from "./caller.ts";
import { Refused } from "./errors.ts";
import { spendLookup } from "./guards/costly-requests.ts";
import { accept, bodyOf, type Call, queryOf, roomIdOf } from "./request.ts";
import { askRoom } from "./room-object.ts";
import { MemberListQuery, NewMember } from "./schemas/members.ts";
import { parseSender } from "./schemas/sender.ts";

export const members = new Hono<{ Bindings: Env }>();

members.get("/:id/members", async (c) => {
  const id = roomIdOf(c);
  const caller = await knownCaller(c);
  const { limit, cursor } = queryOf(c, MemberListQuery);
  return c.json(await askRoom(c, id, async (room, record) => await room.members(record, caller, cursor, limit)));
});

members.get("/:id/members/:sender", async (c) => {
  const id = roomIdOf(c);
  const caller = await knownCaller(c);
  const sender = senderOf(c);
  const address = clientAddress(c.req.raw.headers);
  return c.json(await askRoom(c, id, async (room, record) => await room.member(record, caller, sender, address)));
});

members.put("/:id/members/:sender", async (c) => {
  const id = roomIdOf(c);
  const caller = await knownCaller(c);
  const sender = senderOf(c);
  const { role } = await bodyOf(c, NewMember);
  // Whether there is a person of that name costs a query.
  await spendLookup(c);
  return c.json(await askRoom(c, id, async (room, record) => await room.putMember(record, caller, sender, role)));
});

members.delete("/:id/members/:sender", async (c) => {
  const id = roomIdOf(c);
  const caller = await knownCaller(c);
  const sender = senderOf(c);
  const address = clientAddress(c.req.raw.headers);
  const refusal = await askRoom(c, id, async (room, record) => {
    return await room.removeMember(record, caller, sender, address);
  });
  if (refusal) throw new Refused(refusal);
  return c.body(null, 204);
});

const senderOf = (c: Call): string => accept(parseSender(c.req.param("sender") ?? ""));
