/**
 * Which person a key leads to. Whether the key is still valid only that person's Limiter can say.
 *
 * The answer comes from this isolate's memory, then from D1, and only while D1 does not answer from the key's own pointer
 * object (`key-pointer.ts`). A pointer from a hash to a person never changes, so it may be remembered. A key that does
 * not exist costs one look-up in D1 and makes no object, and an address gets only so many of those.
 */

import { BoundedMap } from "../limits/bounded-map.ts";
import { TokenBucket } from "../limits/token-bucket.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Fault, fault } from "../protocol.ts";
import type { KeyTable } from "./key-table.ts";

export const UNKNOWN_KEY = fault("unauthorized", "This key is not valid.");
const NOT_CHECKED = fault("unavailable", "Keys can't be checked at the moment.", 5);
const TOO_MANY = fault("rate_limited", "Too many keys from your address are not valid; wait a little.", 10);

/** Hashes that one isolate remembers: about 200 bytes each. */
const REMEMBERED = 20_000;

/** Addresses of which it is remembered how many unknown keys they have presented. */
const ADDRESSES = 10_000;

/** Unknown keys that one address may present at once, and how many more a second. */
const UNKNOWN_AT_ONCE = 1_000;
const UNKNOWN_PER_SECOND = 2;

/** The same while D1 does not answer: each then wakes an object, which is some files on one machine. */
const POINTERS_AT_ONCE = 200;
const POINTERS_PER_SECOND = 0.1;

/**
 * The address of every request that comes from another customer's Worker (2a06:98c0:3600::103), as it is counted. One
 * caller must not use up what all the others have, so unknown keys are not counted for it: each still costs its caller a
 * request.
 */
export const OTHER_WORKERS = "2a06:98c0:3600:0::/64";

/** What is asked about a hash. */
export interface KeySources {
  /** Rejects when D1 does not answer. */
  readonly table: Pick<KeyTable, "personOf">;
  /** Asks the pointer object of the hash for the person; `undefined` when it has none, a refusal when the key has ended. */
  readonly pointer: (hash: string) => Promise<string | Fault | undefined>;
  /** The id of the request that asks, for the log. */
  readonly request?: string | undefined;
}

interface Visitor {
  readonly unknown: TokenBucket;
  readonly pointers: TokenBucket;
}

export class KeyDirectory {
  readonly #now: () => number;
  readonly #people = new BoundedMap<string, string>(REMEMBERED);
  readonly #visitors = new BoundedMap<string, Visitor>(ADDRESSES);

  /** `now` in ms since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * The id of the person whose key has the hash `hash`, presented from `address`. Refuses with `unauthorized` when there
   * is none, `rate_limited` when the address has presented too many such, and `unavailable` when it can't be found out.
   */
  async find(hash: string, address: string, { table, pointer, request }: KeySources): Promise<string | Fault> {
    const known = this.#people.get(hash);
    if (known !== undefined) return known;
    const visitor = this.#visitor(address);
    const isCounted = address !== OTHER_WORKERS;
    // Spent beforehand and given back for a key that exists, so that asking at once gets no more than asking in turn.
    if (isCounted && !visitor.unknown.spend(this.#now())) return TOO_MANY;
    let person: string | undefined;
    try {
      person = await table.personOf(hash);
    } catch (error) {
      logEvent("key.pointer_asked", { request, error });
      if (isCounted) visitor.unknown.giveBack();
      return this.#follow(hash, visitor, { pointer, request });
    }
    if (person === undefined) return UNKNOWN_KEY;
    if (isCounted) visitor.unknown.giveBack();
    this.#people.set(hash, person);
    return person;
  }

  async #follow(hash: string, visitor: Visitor, sources: Omit<KeySources, "table">): Promise<string | Fault> {
    const { pointer, request } = sources;
    if (!visitor.pointers.spend(this.#now())) return NOT_CHECKED;
    try {
      const person = await pointer(hash);
      // D1 may know a key that was never used, and a pointer can't.
      if (person === undefined) return NOT_CHECKED;
      visitor.pointers.giveBack();
      if (typeof person === "string") this.#people.set(hash, person);
      return person;
    } catch (error) {
      logEvent("key.pointer_unreachable", { request, error });
      return NOT_CHECKED;
    }
  }

  #visitor(address: string): Visitor {
    return this.#visitors.getOrMake(address, () => ({
      unknown: new TokenBucket(UNKNOWN_AT_ONCE, UNKNOWN_PER_SECOND, this.#now()),
      pointers: new TokenBucket(POINTERS_AT_ONCE, POINTERS_PER_SECOND, this.#now()),
    }));
  }
}
