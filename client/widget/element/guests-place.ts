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
/** Refusals of a key after which it was asked for. */
const heard = new WeakSet<object>();
/** The one of them to which the answer is still to come. */
let open: object | undefined;

const nameOf = ({ server, room }: RoomAddress): string => memoryOf("invite", server, room);

/** The guest of this browser is in the room by `invite`. */
export function rememberInvite(room: RoomAddress, invite: string): void {
  deviceMemory.set(nameOf(room), invite);
}

/**
 * Takes the guest's place for the key, if this browser knows of one, when the room has refused the key: once for each
 * `refusal`, so that the next try to come in asks again where there was no answer. `done` hears whether the place is the
 * key's now.
 *
 * @returns whether the answer is still to come.
 */
export function takeGuestsPlace(
  room: RoomAddress,
  key: string,
  refusal: object,
  done: (isTaken: boolean | undefined) => void,
): boolean {
  const invite = deviceMemory.get(nameOf(room));
  const guest = knownGuest(deviceMemory, room.server);
  const name = `${nameOf(room)} ${key}`;
  if (invite && guest && !asked.has(name) && !heard.has(refusal)) {
    heard.add(refusal);
    asked.add(name);
    open = refusal;
    void ask(room, key, { invite, ...guest }).then((isTaken) => {
      open = undefined;
      if (isTaken) deviceMemory.set(nameOf(room), "");
      if (isTaken === undefined) asked.delete(name);
      done(isTaken);
    });
  }
  return open === refusal;
}

/** Whether the server has given the place; `undefined` when it could not be asked. */
async function ask(room: RoomAddress, key: string, place: object): Promise<boolean | undefined> {
  try {
    const headers = { ...(await headersOf({ key })), "content-type": "application/json" };
    const { ok } = await fetch(`${apiOf(room)}/join`, { method: "POST", headers, body: JSON.stringify(place) });
    return ok;
  } catch {
    return undefined;
  }
}
