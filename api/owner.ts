/** Hands a room to a member. */

import { Hono } from "hono";
import { KeyTable } from "../party/identity/key-table.ts";
import { repeatable } from "../party/object-call.ts";
import { fault } from "../party/protocol.ts";
import { knownCaller } from "./caller.ts";
import { Refused } from "./errors.ts";
import { changeRoom, moderatorsRoom, ownRoomOf } from "./own-room.ts";
import { bodyOf, type Call } from "./request.ts";
import { HandoverFields } from "./schemas/invites.ts";

export const owner = new Hono<{ Bindings: Env }>();

/**
 * The new owner has to be a member, and the old one becomes a moderator: both are seen to before the row changes, which is
 * the moment at which the room changes hands. What is cut off before has changed nothing that anybody notices.
 */
owner.post("/:id/owner", async (c) => {
  const own = await ownRoomOf(c).catch(async (error) => {
    const handle = error instanceof Refused && error.refusal.fault === "forbidden" ? await handedTo(c) : undefined;
    if (handle !== undefined) return handle;
    throw error;
  });
  if (typeof own === "string") return c.json({ owner: own });
  const { room, by } = own;
  const { handle } = await bodyOf(c, HandoverFields);
  const caller = await knownCaller(c);
  const object = () => c.env.CHAT_ROOM.getByName(room.id);
  const refusal = await repeatable(async () => await object().prepareHandover(room, caller, handle));
  if (refusal) throw new Refused(refusal);
  const id = await new KeyTable(c.env.DB).findHandle(handle);
  if (id === undefined) throw new Refused(fault("not_found", "There is nobody with a key of this name."));
  const deed = { by, deed: "owner", target: handle } as const;
  await changeRoom(c, room, () => ({ createdBy: id, createdByHandle: handle }), deed);
  return c.json({ owner: handle });
});

/**
 * Whose the room is already, as a caller who moderates it wishes: they may be the owner of before, who has not heard that the
 * room was handed over. The room may not have heard of it either: it is shown its row when it is asked about the caller.
 */
async function handedTo(c: Call): Promise<string | undefined> {
  const room = await moderatorsRoom(c);
  const { handle } = await bodyOf(c, HandoverFields);
  return room.createdByHandle === handle ? handle : undefined;
}
