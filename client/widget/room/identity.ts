/**
 * Who the person at this browser is: a key's owner, a guest whose secret the browser keeps, or nobody yet. The secret is
 * one a server, so that a guest is the same in all its rooms.
 */

import { type Credentials, randomId } from "../../room/index.ts";
import { browserMemory } from "../memory.ts";

const nameOf = (origin: string): string => `meet-ai:guest:${origin}`;

/** Who they are so far. Whoever has never written is nobody: they only watch. */
export function knownCredentials(origin: string, key: string | undefined): Credentials | undefined {
  if (key !== undefined) return { key };
  const guest = browserMemory.recall(nameOf(origin));
  return guest === undefined ? undefined : { guest };
}

/** A new guest, whom this browser will know again. */
export function newGuest(origin: string): Credentials {
  const guest = randomId();
  browserMemory.keep(nameOf(origin), guest);
  return { guest };
}
