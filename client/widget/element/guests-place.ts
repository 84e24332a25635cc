/**
 * The place of a guest who was let in by an invite and has a key now: the invite may be used up, and with the guest's own
 * secret the key gets the place. The browser remembers by which invite the guest is here.
 */

import { knownGuest } from "../../stay/credentials.ts";
import { headersOf } from "../../stay/page.ts";
import { apiOf, type RoomAddress } from "../../stay/room-address.ts";
import { deviceMemory, memoryOf } from "../browser-memory.ts";

/** Asked for once in this page, with each key: what was refused is refused again. */
const asked = new Set<string>();

const nameOf = ({ server, room }: RoomAddress): string => memoryOf("invite", server, room);

/** The guest of this browser is in the room by `invite`. */
export function rememberInvite(room: RoomAddress, invite: string): void {
  deviceMemory.set(nameOf(room), invite);
}

/** Takes the guest's place for the key, if this browser knows of one. Whether it is the key's now. */
export async function takeGuestsPlace(room: RoomAddress, key: string): Promise<boolean> {
  const invite = deviceMemory.get(nameOf(room));
  const guest = knownGuest(deviceMemory, room.server);
  const name = `${nameOf(room)} ${key}`;
  if (invite === undefined || !guest || asked.has(name)) return false;
  asked.add(name);
  try {
    const headers = { ...(await headersOf({ key })), "content-type": "application/json" };
    const response = await fetch(`${apiOf(room)}/join`, {
      method: "POST",
      headers,
      body: JSON.stringify({ invite, ...guest }),
    });
    if (response.ok) deviceMemory.set(nameOf(room), "");
    return response.ok;
  } catch {
    // The next try to come in asks again.
    asked.delete(name);
    return false;
  }
}
