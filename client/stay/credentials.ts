/** Who writes in a room, as they say it themselves. */

import { randomId } from "./random-id.ts";
import type { KeyValueStorage } from "./storage.ts";

/** A token that a site has signed for its user, or what gives one: it is asked at each connect. */
export type Token = string | (() => Promise<string>);

/** A key's owner, one of its agents, a guest by a secret of 22 to 128 of `A-Z a-z 0-9 _ -`, or a site's user. */
export type Credentials =
  | { readonly key: string; readonly as?: string; readonly wakes?: number }
  | { readonly guest: string }
  | { readonly token: Token };

/** The token as it is now. Rejects where what gives it does. */
export const tokenOf = async (token: Token): Promise<string> => (typeof token === "string" ? token : token());

/** One secret a server, so that a guest is the same in all its rooms. */
const guestName = (server: string): string => `meet-ai:guest:${server}`;

/** The guest whom this storage knows at `server`, if it knows one. */
export function knownGuest(storage: KeyValueStorage, server: string): Credentials | undefined {
  const guest = storage.get(guestName(server));
  return guest === undefined ? undefined : { guest };
}

/** The guest whom this storage knows at `server`, or a new one, whom it knows from now on. */
export const guestAt = (storage: KeyValueStorage, server: string): Credentials =>
  knownGuest(storage, server) ?? keepGuest(storage, server, randomId());

/** Lets a storage know the guest with this secret at `server` from now on. */
export function keepGuest(storage: KeyValueStorage, server: string, guest: string): Credentials {
  storage.set(guestName(server), guest);
  return { guest };
}
