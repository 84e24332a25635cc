/** The call by which a room's owner mutes: over HTTP, where the settings of a room are. */

import { apiOf, type RoomAddress } from "../../stay/room-address.ts";

/** Until when, in ISO 8601; `null`: forever; `undefined`: no longer. */
export type MutedUntil = string | null | undefined;

/** Mutes `sender` and their agents in `room`, whose owner `key` is. Rejects when the server refuses or is out of reach. */
export async function muteSender(
  room: RoomAddress,
  key: string | undefined,
  sender: string,
  until: MutedUntil,
): Promise<void> {
  const { ok, status } = await fetch(`${apiOf(room)}/mutes/${encodeURIComponent(sender)}`, {
    method: until === undefined ? "DELETE" : "PUT",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(until !== undefined && { body: JSON.stringify({ until }) }),
  });
  if (!ok) throw new Error(`The server answered ${status}.`);
}
