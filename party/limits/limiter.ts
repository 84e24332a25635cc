/**
 * A principal's Limiter is the object that counts for it: a `Person`, or a `Quota` for whoever has no key. What a room and a
 * Limiter say to each other about messages stands here. All of it is JSON.
 */

import { isPersonName } from "../identity/principal.ts";
import type { Fault, Quota } from "../protocol.ts";

/** What every Limiter answers. */
interface Limiter {
  /** Admits the first of the messages of `question`, as many as the window has room for. A repeated question is free. */
  admit(question: Question): Promise<Admission | Fault>;
}

interface Limiters {
  getByName(name: string): Limiter;
}

/** The Limiter of `principal`. */
export const limiterOf = ({ PERSON, QUOTA }: Record<"PERSON" | "QUOTA", Limiters>, principal: string): Limiter =>
  (isPersonName(principal) ? PERSON : QUOTA).getByName(principal);

/** A question for places, by a room. A repeated one (the same `id`) gets the first answer and is charged once. */
export interface Question {
  readonly id: string;
  /** How many messages want a place; 0 asks whether the author may write at all. */
  readonly count: number;
  /** SHA-256 of the key with which the author came, in hex. A person's question needs it; an address has none. */
  readonly keyHash?: string | undefined;
  /** The room that asks, where it takes a lease and answers `recallLease`. */
  readonly room?: string | undefined;
  /** The room's lease, which ends with this question. */
  readonly uses?: LeaseUses | undefined;
}

/** Which places of a lease were used. */
export interface LeaseUses {
  /** The lease's id. */
  readonly lease: string;
  /** How long ago each place was used, ms. So the two clocks need not agree. */
  readonly ages: readonly number[];
}

/** What a Limiter says: the first `granted` messages are in; the others wait `retryAfter` seconds. */
export interface Admission {
  readonly granted: number;
  readonly retryAfter: number;
  readonly quota: Quota;
  /** Places for the messages that come next, which the room may fill without asking. */
  readonly lease?: LeaseGrant | undefined;
}

export interface LeaseGrant {
  readonly id: string;
  readonly places: number;
  /** How long the places may be used, ms, counted from before the question was sent. */
  readonly duration: number;
}
