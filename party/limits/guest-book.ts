/**
 * The guests of one address: how many new ones may come in a minute.
 *
 * A guest's name is made from their secret, and each new secret is another name. Without a bound one address could try
 * secrets until a name looks as it wishes. A guest who comes back costs nothing.
 */

import { sha256Hex } from "../identity/sender.ts";
import { type Fault, fault } from "../protocol.ts";
import type { KeyValues } from "./key-values.ts";
import { SlidingWindow, type WindowGrants } from "./sliding-window.ts";

const MINUTE = 60_000;

/** Guests of one address that are known again. */
const KNOWN = 200;
/** Of the hash of a name so many digits are kept: enough to know it again, and dozens of names have the same ones. */
const KEPT_OF_HASH = 8;

export interface GuestBookDeps {
  /** New guests in a minute. */
  readonly limit: number;
  readonly storage: KeyValues;
  /** ms since 1970. */
  now(): number;
}

interface StoredGuests {
  /** The first one had the names themselves. */
  readonly version: 1 | 2;
  readonly arrivals: WindowGrants;
  /** Beginnings of the hashes of their names, oldest first: who was here can't be read from it, nor needs to be erased. */
  readonly known: readonly string[];
}

export class GuestBook {
  readonly #deps: GuestBookDeps;
  readonly #arrivals: SlidingWindow;
  readonly #known: Set<string>;

  constructor(deps: GuestBookDeps) {
    this.#deps = deps;
    const stored = deps.storage.get<StoredGuests>("guests");
    this.#arrivals = new SlidingWindow(deps.limit, MINUTE, stored?.arrivals);
    this.#known = new Set(stored?.version === 2 ? stored.known : []);
  }

  /** Lets the guest `sender` in, or says why not: too many new ones have come. Writes one row for a new guest. */
  async welcome(sender: string): Promise<Fault | undefined> {
    const name = (await sha256Hex(sender)).slice(0, KEPT_OF_HASH);
    if (this.#known.has(name)) return undefined;
    const now = this.#deps.now();
    const { granted, wait } = this.#arrivals.take(1, now);
    if (!granted) {
      const message = `At most ${this.#deps.limit} new guests in 60 seconds from one address.`;
      return fault("rate_limited", message, Math.ceil(wait / 1000));
    }
    this.#known.add(name);
    const [oldest] = this.#known;
    if (this.#known.size > KNOWN) this.#known.delete(oldest as string);
    const arrivals = this.#arrivals.state(now).grants;
    this.#deps.storage.put<StoredGuests>("guests", { version: 2, arrivals, known: [...this.#known] });
    return undefined;
  }
}
