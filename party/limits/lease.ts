/**
 * A few places that a room holds for one author, so that it need not ask the author's Limiter for each message.
 *
 * The room counts the lease's time from before it sent the question, and the Limiter from when it answered: so the room
 * never uses a place that the Limiter believes to be over. The lease belongs to the key with which it was asked for.
 */

import type { Quota } from "../protocol.ts";
import type { LeaseGrant, LeaseUses } from "./limiter.ts";

export class Lease {
  readonly id: string;
  /** The key with which it was asked for, as SHA-256 in hex. */
  readonly keyHash: string | undefined;
  readonly #until: number;
  readonly #quota: Quota;
  /** When each place was used, ms since 1970. */
  readonly #uses: number[] = [];
  #left: number;

  /** `quota` is what the answer said. `askedAt`: from before the question was sent, ms since 1970. */
  constructor(grant: LeaseGrant, quota: Quota, keyHash: string | undefined, askedAt: number) {
    this.id = grant.id;
    this.keyHash = keyHash;
    this.#left = grant.places;
    this.#until = askedAt + grant.duration;
    this.#quota = quota;
  }

  /** How many places may be used at `now`. */
  left(now: number): number {
    return now < this.#until ? this.#left : 0;
  }

  /** Uses `count` places, all or none. Gives what is left of the author's quota, as far as the room knows. */
  take(count: number, now: number): Quota | undefined {
    if (count > this.left(now)) return undefined;
    this.#left -= count;
    for (let used = 0; used < count; used++) this.#uses.push(now);
    return { ...this.#quota, remaining: Math.max(0, this.#quota.remaining - this.#uses.length) };
  }

  /** Ends the lease, and says what of it was used. Said again it says the same. */
  close(now: number): LeaseUses {
    this.#left = 0;
    return { lease: this.id, ages: this.#uses.map((at) => Math.max(0, now - at)) };
  }
}
