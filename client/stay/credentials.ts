/** Who writes in a room, as they say it themselves. */

import type { KeyValueStorage } from "./storage.ts";

/** A key's owner, one of its agents, or a guest by a secret of 22 to 128 of `A-Z a-z 0-9 _ -`. */
export type Credentials = { readonly key: string; readonly as?: string } | { readonly guest: string };

/** A new message id, or a guest's secret: `length` characters of 6 random bits each. */
export function randomId(length = 22): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return btoa(String.fromCharCode(...bytes))
    .slice(0, length)
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

/** One secret a server, so that a guest is the same in all its rooms. */
const guestName = (server: string): string => `meet-ai:guest:${server}`;

/** The guest whom this storage knows at `server`, if it knows one. */
export function knownGuest(storage: KeyValueStorage, server: string): Credentials | undefined {
  const guest = storage.get(guestName(server));
  return guest === undefined ? undefined : { guest };
}

/** A new guest at `server`, whom this storage knows from now on. */
export function newGuest(storage: KeyValueStorage, server: string): Credentials {
  const guest = randomId();
  storage.set(guestName(server), guest);
  return { guest };
}
