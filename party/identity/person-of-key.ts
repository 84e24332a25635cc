/** From a key to the name of its person, with the directory of this isolate. */

import { repeatable } from "../object-call.ts";
import { type Fault, isFault } from "../protocol.ts";
import { KeyDirectory } from "./key-directory.ts";
import { KeyTable } from "./key-table.ts";
import { keyName, personName } from "./principal.ts";

/** The Worker and the rooms of one isolate remember together: what a key leads to is no secret between them. */
const directory = new KeyDirectory(() => Date.now());

/**
 * The name of the person whose key has the SHA-256 `keyHash`, presented from `address`. Refuses with
 * `unauthorized`, `rate_limited` or `unavailable`; whether the key is still valid the person's object says. `request` is the
 * request's id, for the log.
 */
export async function findPerson(
  env: Pick<Env, "DB" | "PERSON">,
  keyHash: string,
  address: string,
  request?: string,
): Promise<string | Fault> {
  const person = await directory.find(keyHash, address, {
    table: new KeyTable(env.DB),
    pointer: (hash) => repeatable(async () => await env.PERSON.getByName(keyName(hash)).pointer()),
    request,
  });
  return isFault(person) ? person : personName(person);
}
