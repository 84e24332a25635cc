/**
 * Who calls: the one place that reads `Authorization` for what is shown of a room. A key (`Bearer`), a guest's secret
 * (`Guest`), a site's token (`Bearer` too) and the operator's secret lead to a `Caller`, with whom the room asks its gate.
 */

import type { KeyOwner } from "../party/identity/key-table.ts";
import { operator, participantOf } from "../party/identity/sender.ts";
import type { Limiter } from "../party/limits/limiter.ts";
import { repeatable } from "../party/object-call.ts";
import { type Fault, fault, isFault, isGuestSecret } from "../party/protocol.ts";
import type { RoomRecord } from "../party/room-record.ts";
import type { Caller } from "../party/room-rpc.ts";
import { Refused } from "./errors.ts";
import { accept, type Call, isOperator, NO_CREDENTIALS, presentedKey, presentedToken } from "./request.ts";
import { askRoom, type Room } from "./room-object.ts";

/** Who calls; `undefined` for a caller without credentials. Refuses credentials that are not valid. */
export function callerOf(c: Call): Promise<Caller | undefined> {
  return resolve(c, (limiter, keyHash) => limiter.identify(keyHash));
}

/**
 * The same of a caller for whom something stays open in the room `id`: it is noted for their key, so that the end of the
 * key reaches it.
 */
export function listenerOf(c: Call, id: string): Promise<Caller | undefined> {
  return resolve(c, async (limiter, keyHash) => {
    const entered = await limiter.enter(id, keyHash);
    return isFault(entered) ? entered : entered.owner;
  });
}

/** The same as `callerOf`; refuses a caller without credentials. */
export async function knownCaller(c: Call): Promise<Caller> {
  const caller = await callerOf(c);
  if (!caller) throw new Refused(NO_CREDENTIALS);
  return caller;
}

/**
 * Asks the room `id` for what it shows its readers; refuses with what it refuses. Credentials are looked at only where the
 * room asks for them, so reading an open room costs no more with them than without. `ask` may be called several times.
 */
export async function askAsReader<Answer>(
  c: Call,
  id: string,
  ask: (room: Room, record: RoomRecord | undefined, caller: Caller | undefined) => Promise<Answer>,
  who: () => Promise<Caller | undefined> = () => callerOf(c),
): Promise<Exclude<Answer, Fault>> {
  try {
    return await askRoom(c, id, (room, record) => ask(room, record, undefined));
  } catch (error) {
    const isAsked = error instanceof Refused && error.refusal.fault === "unauthorized";
    if (!isAsked || c.req.header("authorization") === undefined) throw error;
  }
  const caller = await who();
  return askRoom(c, id, (room, record) => ask(room, record, caller));
}

/** `accepts` asks the Limiter of a key whether it is valid, and whose it is. */
async function resolve(
  c: Call,
  accepts: (limiter: DurableObjectStub<Limiter>, keyHash: string) => Promise<KeyOwner | Fault>,
): Promise<Caller | undefined> {
  if (isOperator(c)) return { participant: operator };
  const token = presentedToken(c);
  if (token) return token;
  const guest = guestSecret(c);
  if (guest !== undefined) return { guest };
  const presented = await presentedKey(c);
  if (!presented) return undefined;
  const { principal, keyHash } = presented;
  const owner = accept(await repeatable(async () => await accepts(c.env.LIMITER.getByName(principal), keyHash)));
  return { participant: participantOf(owner, keyHash) };
}

/** The secret in `Authorization: Guest`. */
function guestSecret({ req }: Call): string | undefined {
  const [, secret] = /^guest +(\S+)$/i.exec(req.header("authorization")?.trim() ?? "") ?? [];
  if (secret === undefined || isGuestSecret(secret)) return secret;
  throw new Refused(NOT_A_GUEST);
}

const NOT_A_GUEST = fault("unauthorized", "This guest's secret is not valid.");
