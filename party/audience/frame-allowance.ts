/**
 * How many frames that cost no quota (retries, drafts, hellos, bad frames) each principal may send to a room. They are
 * counted by principal, not by socket: otherwise an address with many sockets could take the room's time from others
 * (promise 9, docs/guarantees.md).
 *
 * An answer to a `check` is not counted, because the room has asked for it.
 */

import { TokenBucket } from "../limits/token-bucket.ts";

/** A returning client repeats what was under way, and ten agents of a person may stream twenty pieces a second each. */
const AT_ONCE = 1_000;
const PER_SECOND = 200;
/** After this long every bucket is full again, ms. */
const FULL_AFTER = (AT_ONCE / PER_SECOND) * 1_000;
/** When there are more buckets than this, full ones are forgotten. */
const MANY = 1_000;

export class FrameAllowance {
  readonly #buckets = new Map<string, { readonly bucket: TokenBucket; usedAt: number }>();

  /** Spends one frame of `principal` at `now`, in ms. Returns whether it had one left. */
  spend(principal: string, now: number): boolean {
    let entry = this.#buckets.get(principal);
    if (!entry) {
      if (this.#buckets.size >= MANY) this.#forgetFull(now);
      entry = { bucket: new TokenBucket(AT_ONCE, PER_SECOND, now), usedAt: now };
      this.#buckets.set(principal, entry);
    }
    entry.usedAt = now;
    return entry.bucket.spend(now);
  }

  #forgetFull(now: number): void {
    for (const [principal, { usedAt }] of this.#buckets) {
      if (now - usedAt >= FULL_AFTER) this.#buckets.delete(principal);
    }
  }
}
