/** The room that its owner, or the operator, asks for: the one place where the Worker decides whose a room is. */

import { fault } from "../party/protocol.ts";
import { type DirectoryEntry, findRoom } from "./directory.ts";
import { Refused } from "./errors.ts";
import { authenticate, type Call, isOperator, NO_SUCH_ROOM, roomIdOf } from "./request.ts";

/** The room in the path, which must be the caller's; the operator may have any. */
export async function ownRoom(c: Call): Promise<DirectoryEntry> {
  const id = roomIdOf(c);
  const owner = isOperator(c) ? undefined : (await authenticate(c)).owner;
  const room = await findRoom(c.env.DB, id);
  if (!room) throw new Refused(NO_SUCH_ROOM);
  if (owner === undefined || room.createdBy === owner.id) return room;
  throw new Refused(fault("forbidden", "Only the key that made this room may do that."));
}
