/** Invites into a room over HTTP, and what they are for: joining. The room has all the rules (`party/members/invitations.ts`). */

import { Hono } from "hono";
import { sha256Hex } from "../party/identity/sender.ts";
import { newInviteSecret } from "../party/members/invite-secret.ts";
import { clientAddress } from "./address.ts";
import { knownCaller, listenerOf } from "./caller.ts";
import { Refused } from "./errors.ts";
import { spendLookup } from "./guards/costly-requests.ts";
import { bodyIfAny, bodyOf, type Call, publicOriginOf, roomIdOf } from "./request.ts";
import { askRoom } from "./room-object.ts";
import { InviteFields, JoinFields, USUAL_LIFE } from "./schemas/invites.ts";

export const invites = new Hono<{ Bindings: Env }>();

invites.get("/:id/invites", async (c) => {
  const id = roomIdOf(c);
  const caller = await knownCaller(c);
  return c.json({ invites: await askRoom(c, id, async (room, record) => await room.invites(record, caller)) });
});

invites.post("/:id/invites", async (c) => {
  const id = roomIdOf(c);
  const caller = await knownCaller(c);
  const { role = "member", uses, expires } = await bodyIfAny(c, InviteFields);
  await spendLookup(c);
  const { id: inviteId, secret } = newInviteSecret();
  const wish = { id: inviteId, secretHash: await sha256Hex(secret), role, uses, expiresAt: endOf(expires) };
  const made = await askRoom(c, id, async (room, record) => await room.createInvite(record, caller, wish));
  return c.json({ ...made, secret, url: addressOf(c, id, secret) }, 201);
});

invites.delete("/:id/invites/:invite", async (c) => {
  const id = roomIdOf(c);
  const caller = await knownCaller(c);
  const invite = c.req.param("invite");
  const refusal = await askRoom(c, id, async (room, record) => await room.revokeInvite(record, caller, invite));
  if (refusal) throw new Refused(refusal);
  return c.body(null, 204);
});

invites.post("/:id/join", async (c) => {
  const id = roomIdOf(c);
  // So that a key that ends on the way to the room lets nobody in.
  const caller = await knownCaller(c, () => listenerOf(c, id));
  const { invite, guest } = await bodyOf(c, JoinFields);
  // A guess costs its address what a look-up does.
  await spendLookup(c);
  const address = clientAddress(c.req.raw.headers);
  return c.json(await askRoom(c, id, async (room, record) => await room.join(record, caller, invite, address, guest)));
});

/** Until when an invite lives, ms since 1970. */
function endOf(expires: string | null | undefined): number | null {
  if (expires === undefined) return Date.now() + USUAL_LIFE;
  return expires === null ? null : Date.parse(expires);
}

/** What is sent to whoever is invited. A fragment stays in the browser: it is in no log and in no referrer. */
const addressOf = (c: Call, id: string, secret: string): string => `${publicOriginOf(c)}/r/${id}#invite=${secret}`;
