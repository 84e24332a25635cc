/** The room that its owner, or the operator, asks for. The gate decides whose it is (`party/permissions.ts`). */

import { operator, type Participant, participantOf } from "../party/identity/sender.ts";
import { inRoom, refuseOwner } from "../party/permissions.ts";
import { type DirectoryEntry, findRoom } from "./directory.ts";
import { Refused } from "./errors.ts";
import { authenticate, type Call, isOperator, NO_SUCH_ROOM, roomIdOf } from "./request.ts";

/** The room in the path, which must be the caller's; the operator may have any. */
export async function ownRoom(c: Call): Promise<DirectoryEntry> {
  const id = roomIdOf(c);
  const participant = await keyHolder(c);
  const room = await findRoom(c.env.DB, id);
  if (!room) throw new Refused(NO_SUCH_ROOM);
  // The owner is the owner by the room's row alone, whatever its members are.
  const refusal = refuseOwner(room, inRoom(room, participant, undefined));
  if (refusal) throw new Refused(refusal);
  return room;
}

/** The caller, who has a key or is the operator. */
async function keyHolder(c: Call): Promise<Participant> {
  if (isOperator(c)) return operator;
  const { owner, keyHash } = await authenticate(c);
  return participantOf(owner, keyHash);
}
