/**
 * The leases that one room holds, by their authors' Limiters: what it may admit without a question, what its next question
 * says, and what it answers when a Limiter wants a lease back.
 */

import { BoundedMap } from "./bounded-map.ts";
import { Lease } from "./lease.ts";
import type { Admission, LeaseUses, Question } from "./limiter.ts";

/** Leases that one room holds. One that is let go counts as used. */
const MOST = 1_000;

/** Leases that were recalled before they came, and may still come: they are on their way for seconds. */
const MOST_RECALLED = 1_000;

/** Whom a question is about: a participant is one. */
export interface Author {
  /** The name of their Limiter. */
  readonly principal: string;
  readonly keyHash?: string | undefined;
}

export class Leases {
  readonly #room: string;
  readonly #newId: () => string;
  /** Those that were closed stay until an answer shows that their Limiter has heard of it. */
  readonly #leases = new BoundedMap<string, Lease>(MOST);
  readonly #recalled = new BoundedMap<string, true>(MOST_RECALLED);

  /** `newId` makes a question's id: no two alike, in any room and after any restart. */
  constructor(room: string, newId: () => string) {
    this.#room = room;
    this.#newId = newId;
  }

  /** Admits `count` messages by the author's lease; `undefined` when it has not so many places and they must be asked for. */
  take({ principal, keyHash }: Author, count: number, now: number): Admission | undefined {
    const lease = this.#leases.get(principal);
    if (!lease || lease.keyHash !== keyHash) return undefined;
    const quota = lease.take(count, now);
    return quota && { granted: count, retryAfter: 0, quota };
  }

  /** The question for `count` places. It ends the author's lease, so nothing is admitted by it any more. */
  ask({ principal, keyHash }: Author, count: number, now: number): Question {
    const uses = this.#leases.get(principal)?.close(now);
    return { id: this.#newId(), count, room: this.#room, ...(keyHash && { keyHash }), ...(uses && { uses }) };
  }

  /** Takes the answer to a question that was asked at `askedAt` (ms since 1970, from before it was sent). */
  learn({ principal, keyHash }: Author, question: Question, { lease, quota }: Admission, askedAt: number): void {
    if (question.uses && this.#leases.get(principal)?.id === question.uses.lease) this.#leases.delete(principal);
    if (lease && !this.#recalled.get(lease.id)) this.#leases.set(principal, new Lease(lease, quota, keyHash, askedAt));
  }

  /**
   * Ends the lease `id` of `principal`, and says what of it was used. `undefined` when it is not here: either the room has
   * forgotten what it used, or the answer that brings the lease comes after the recall. The lease is not used any more.
   */
  recall(principal: string, id: string, now: number): LeaseUses | undefined {
    const lease = this.#leases.get(principal);
    if (lease?.id === id) return lease.close(now);
    this.#recalled.set(id, true);
    return undefined;
  }
}
