/** The mutes of a room, for its owner: over HTTP, where the settings of a room are. */

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
  await call(room, key, `/${encodeURIComponent(sender)}`, {
    method: until === undefined ? "DELETE" : "PUT",
    ...(until !== undefined && { body: JSON.stringify({ until }) }),
  });
}

/** Who is muted in `room` now. Rejects as `muteSender` does. */
export async function mutedIn(room: RoomAddress, key: string | undefined): Promise<readonly string[]> {
  const { mutes } = (await (await call(room, key, "", {})).json()) as {
    mutes: { sender: string; until: string | null }[];
  };
  return mutes.filter(({ until }) => until === null || Date.parse(until) > Date.now()).map(({ sender }) => sender);
}

async function call(room: RoomAddress, key: string | undefined, path: string, init: RequestInit): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const response = await fetch(`${apiOf(room)}/mutes${path}`, { ...init, headers });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response;
}
