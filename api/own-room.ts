/** The room that its owner, its moderators or the operator ask for, and how it is changed. The gate decides whose it is. */

import { operator, type Participant, participantOf } from "../party/identity/sender.ts";
import { repeatable } from "../party/object-call.ts";
import { logEvent } from "../party/operator-log/operator-log.ts";
import { inRoom, refuseOwner } from "../party/permissions.ts";
import { fault } from "../party/protocol.ts";
import type { Deed, MuteTargets } from "../party/room-rpc.ts";
import { clientAddress } from "./address.ts";
import { knownCaller } from "./caller.ts";
import { type DirectoryEntry, findRoom, type RoomChange, updateRoom } from "./directory.ts";
import { Refused } from "./errors.ts";
import { accept, authenticate, type Call, isOperator, NO_SUCH_ROOM, roomIdOf } from "./request.ts";
import { requestIdOf } from "./request-log.ts";
import { roomChanged } from "./room-object.ts";

/** The room in the path, which must be the caller's; the operator may have any. */
export const ownRoom = async (c: Call): Promise<DirectoryEntry> => (await ownRoomOf(c)).room;

/** The same, and who the caller is. */
export async function ownRoomOf(c: Call): Promise<{ readonly room: DirectoryEntry; readonly by: string }> {
  const { room, participant } = await roomAndCaller(c);
  // The owner is the owner by the room's row alone, whatever its members are.
  const refusal = refuseOwner(room, inRoom(room, participant, undefined));
  if (refusal) throw new Refused(refusal);
  return { room, by: participant.sender };
}

/** The room in the path, in which the caller may moderate. */
export async function moderatorsRoom(c: Call): Promise<DirectoryEntry> {
  return (await moderatedRoom(c, undefined, "name")).room;
}

/** The same, and who the caller is, who may moderate against `sender`, where it is about one. */
export async function moderatedRoom(
  c: Call,
  sender: string | undefined,
  how: "name" | "address",
): Promise<MuteTargets & { readonly room: DirectoryEntry }> {
  const id = roomIdOf(c);
  const caller = await knownCaller(c);
  const room = await findRoom(c.env.DB, id);
  if (!room) throw new Refused(NO_SUCH_ROOM);
  const address = clientAddress(c.req.raw.headers);
  const ask = async () => await c.env.CHAT_ROOM.getByName(id).muteTargets(room, caller, address, sender, how);
  return { ...accept(await repeatable(ask)), room };
}

/**
 * Changes `room` in D1 as `change` says of what it is now, and tells its object, which tells everybody in it. `deed` is what
 * its log of moderation says of that.
 */
export async function changeRoom(
  c: Call,
  room: DirectoryEntry,
  change: (now: DirectoryEntry) => RoomChange,
  deed?: Deed,
): Promise<DirectoryEntry> {
  const changed = await updateRoom(c.env.DB, room, (now) => {
    // It may have been handed over since the caller was let through.
    if (now.createdBy !== room.createdBy) throw new Refused(HANDED_OVER);
    return change(now);
  });
  roomChanged(room.id);
  if (!changed) throw new Refused(NO_SUCH_ROOM);
  await tell(c, changed, deed);
  return changed;
}

/**
 * Closes an open room to strangers, before D1 is asked to change its row as `change` does. Where D1 does not follow, the caller
 * is told what holds already; the room brings D1 the rest of it.
 */
export async function closeToStrangers<Changed>(
  c: Call,
  room: DirectoryEntry,
  change: () => Promise<Changed>,
): Promise<Changed> {
  const refusal = await repeatable(async () => await c.env.CHAT_ROOM.getByName(room.id).closeToStrangers(room));
  if (refusal) throw new Refused(refusal);
  try {
    return await change();
  } catch (error) {
    if (error instanceof Refused) throw error;
    logEvent("database.away", { request: requestIdOf(c), room: room.id, error });
    throw new Refused(CLOSED_ALREADY);
  }
}

const CLOSED_ALREADY = fault(
  "unavailable",
  "The room is closed to strangers already, and stays so. Whatever else you asked for is not done, and lists may show its name until the database can be written: ask again.",
  5,
);

/** Hands a row that has just changed to its room. */
export const tell = (c: Call, room: DirectoryEntry, deed?: Deed): Promise<void> =>
  repeatable(async () => await c.env.CHAT_ROOM.getByName(room.id).settle(room, deed));

const HANDED_OVER = fault("forbidden", "The room was handed to somebody else just now.");

/** The room in the path, and the caller, who has a key or is the operator. */
async function roomAndCaller(c: Call): Promise<{ room: DirectoryEntry; participant: Participant }> {
  const id = roomIdOf(c);
  const participant = await keyHolder(c);
  const room = await findRoom(c.env.DB, id);
  if (!room) throw new Refused(NO_SUCH_ROOM);
  return { room, participant };
}

async function keyHolder(c: Call): Promise<Participant> {
  if (isOperator(c)) return operator;
  const { owner, keyHash } = await authenticate(c);
  return participantOf(owner, keyHash);
}
