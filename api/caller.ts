/**
 * Who calls: the one place that reads `Authorization` for what is shown of a room. A key (`Bearer`), a guest's secret
 * (`Guest`), a site's token (`Bearer` too) and the operator's secret lead to a `Caller`, with whom the room asks its gate.
 */

import type { KeyOwner } from "../party/identity/key-table.ts";
import { operator, participantOf } from "../party/identity/sender.ts";
import type { Person } from "../party/limits/person.ts";
import { repeatable } from "../party/object-call.ts";
import { type Fault, fault, isFault, isGuestSecret } from "../party/protocol.ts";
import type { RoomRecord } from "../party/room-record.ts";
import type { Caller } from "../party/room-rpc.ts";
import { Refused } from "./errors.ts";
import { accept, type Call, isOperator, NO_CREDENTIALS, NO_KEY, presentedKey, presentedToken } from "./request.ts";
import { askRoom, type Room } from "./room-object.ts";

/**
 * Who calls; `undefined` for a caller without credentials. Refuses credentials that are not valid. `as`: for which agent of
 * their key the call is made.
 */
export function callerOf(c: Call, as?: string): Promise<Caller | undefined> {
  return resolve(c, as, (person, keyHash) => person.identify(keyHash));
}

/**
 * The same of a caller for whom something stays open in the room `id`, or who joins it: it is noted for their key, so that
 * the end of the key reaches the room.
 */
export function listenerOf(c: Call, id: string, as?: string): Promise<Caller | undefined> {
  return resolve(c, as, async (person, keyHash) => {
    const entered = await person.enter(id, keyHash);
    return isFault(entered) ? entered : entered.owner;
  });
}

/** The same as `callerOf`, or as `who` says; refuses a caller without credentials. */
export async function knownCaller(c: Call, who = () => callerOf(c)): Promise<Caller> {
  const caller = await who();
  if (!caller) throw new Refused(NO_CREDENTIALS);
  return caller;
}

/**
 * Asks the room `id` for what it shows its readers; refuses with what it refuses. Credentials are looked at only where the
 * room asks for them, or where the caller says as which agent they read: so reading an open room costs no more with them
 * than without. `ask` may be called several times.
 */
export async function askAsReader<Answer>(
  c: Call,
  id: string,
  ask: (room: Room, record: RoomRecord | undefined, caller: Caller | undefined) => Promise<Answer>,
  { as, who = () => callerOf(c, as) }: { as?: string | undefined; who?: () => Promise<Caller | undefined> } = {},
): Promise<Exclude<Answer, Fault>> {
  if (as === undefined) {
    try {
      return await askRoom(c, id, (room, record) => ask(room, record, undefined));
    } catch (error) {
      const isAsked = error instanceof Refused && error.refusal.fault === "unauthorized";
      if (!isAsked || c.req.header("authorization") === undefined) throw error;
    }
  }
  const caller = await who();
  return askRoom(c, id, (room, record) => ask(room, record, caller));
}

/** `accepts` asks the person of a key whether it is valid, and whose it is. */
async function resolve(
  c: Call,
  as: string | undefined,
  accepts: (person: DurableObjectStub<Person>, keyHash: string) => Promise<KeyOwner | Fault>,
): Promise<Caller | undefined> {
  if (isOperator(c)) return { participant: operator };
  const token = presentedToken(c);
  if (token && as !== undefined) throw new Refused(NOBODYS_AGENT);
  if (token) return token;
  const guest = guestSecret(c);
  if (guest !== undefined && as === undefined) return { guest };
  if (guest !== undefined) throw new Refused(NOBODYS_AGENT);
  const presented = await presentedKey(c);
  if (!presented && as !== undefined) throw new Refused(NO_KEY);
  if (!presented) return undefined;
  const { principal, keyHash } = presented;
  const owner = accept(await repeatable(async () => await accepts(c.env.PERSON.getByName(principal), keyHash)));
  return { participant: participantOf(owner, keyHash, as) };
}

/** The secret in `Authorization: Guest`. */
function guestSecret({ req }: Call): string | undefined {
  const [, secret] = /^guest +(\S+)$/i.exec(req.header("authorization")?.trim() ?? "") ?? [];
  if (secret === undefined || isGuestSecret(secret)) return secret;
  throw new Refused(NOT_A_GUEST);
}

const NOBODYS_AGENT = fault("invalid", "as names an agent of a key: a guest and a site's user have none.");
const NOT_A_GUEST = fault("unauthorized", "This guest's secret is not valid.");
