/** How much of something costly each client address may have. */

import { TokenBucket } from "../../party/limits/token-bucket.ts";

/** Addresses that are counted at once. Beyond it the one that asked least lately is forgotten, and has its minute again. */
const MOST_ADDRESSES = 10_000;

/** So much of something a minute for each address, all of it at once where it comes at once. */
export class AddressBudget {
  readonly #perMinute: number;
  readonly #mostAddresses: number;
  /** The one that asked least lately first. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(perMinute: number, mostAddresses = MOST_ADDRESSES) {
    this.#perMinute = perMinute;
    this.#mostAddresses = mostAddresses;
  }

  /** Spends one of `address` at `now`, in ms; whether there was one left. */
  spend(address: string, now: number): boolean {
    const bucket = this.#buckets.get(address) ?? new TokenBucket(this.#perMinute, this.#perMinute / 60, now);
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.#mostAddresses && oldest !== undefined) this.#buckets.delete(oldest);
    return bucket.spend(now);
  }

  /** In how many whole seconds there is one again for an address that has none. */
  get retryAfter(): number {
    return Math.ceil(60 / this.#perMinute);
  }
}
