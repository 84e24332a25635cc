/**
 * The sites that this isolate knows: each for a minute, so that a key that was taken away is taken for a site's for no
 * longer. While D1 does not answer, what was known lately goes on: then nothing can be taken away either.
 */

import { ageOf } from "../clock.ts";
import { OTHER_WORKERS } from "../identity/key-directory.ts";
import { BoundedMap } from "../limits/bounded-map.ts";
import { TokenBucket } from "../limits/token-bucket.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Fault, fault } from "../protocol.ts";
import type { Site, SiteTable } from "./site-table.ts";

/** For so long a site is taken for what it was, ms. */
export const SITE_KNOWN_FOR = 60_000;
/** The same while D1 does not answer. */
const KNOWN_WITHOUT_D1 = 24 * 3_600_000;
/** D1 that has not answered is asked again about a site that is known after this, ms: it may hang each time. */
const AGAIN_AFTER = 5_000;

/** Sites that are remembered, and names that are none: some 500 bytes each. */
const REMEMBERED = 2_000;

/** Addresses of which it is remembered how many unknown sites they have named, and how many they may. */
const ADDRESSES = 10_000;
const UNKNOWN_AT_ONCE = 200;
const UNKNOWN_PER_SECOND = 1;

const NOT_FOUND_OUT = fault("unavailable", "Sites can't be looked up at the moment.", 5);
const TOO_MANY = fault("rate_limited", "Too many tokens of unknown sites from your address; wait a little.", 10);

interface Remembered {
  readonly site: Site | undefined;
  /** ms since 1970. */
  readonly at: number;
  /** D1 has to be asked, if it answers. */
  readonly isOld?: true;
}

export class SiteDirectory {
  readonly #now: () => number;
  readonly #known = new BoundedMap<string, Remembered>(REMEMBERED);
  /** Grows whenever a site is forgotten: an answer from before that is not remembered. */
  #forgotten = 0;
  /** When D1 last did not answer, ms since 1970. */
  #away = Number.NEGATIVE_INFINITY;
  readonly #unknown = new BoundedMap<string, TokenBucket>(ADDRESSES);

  /** `now` in ms since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * The site `name` while it stands; `undefined` when there is none. `address` is who asks, where that is a client, and
   * `request` the id of their request, for the log.
   */
  async find(
    name: string,
    address: string | undefined,
    table: Pick<SiteTable, "standing">,
    request?: string,
  ): Promise<Site | Fault | undefined> {
    const now = this.#now();
    const known = this.#known.get(name);
    if (known && !known.isOld && ageOf(known.at, now) < SITE_KNOWN_FOR) return known.site;
    const lately = known && ageOf(known.at, now) < KNOWN_WITHOUT_D1 ? known.site : undefined;
    if (lately && ageOf(this.#away, now) < AGAIN_AFTER) return lately;
    const bucket = address === undefined || address === OTHER_WORKERS ? undefined : this.#bucketOf(address);
    // Spent beforehand and given back for a site that exists, so that asking at once gets no more than asking in turn.
    if (bucket && !bucket.spend(now)) return TOO_MANY;
    const forgotten = this.#forgotten;
    try {
      const site = await table.standing(name);
      if (site) bucket?.giveBack();
      if (forgotten === this.#forgotten) this.#known.set(name, { site, at: now });
      return site;
    } catch (error) {
      logEvent("site.keys_unknown", { site: name, request, error });
      bucket?.giveBack();
      this.#away = this.#now();
      // Not by what was known before a change that was told meanwhile.
      return (forgotten === this.#forgotten && lately) || NOT_FOUND_OUT;
    }
  }

  /**
   * D1 is asked about the site `name` again. What is known of it goes on while D1 does not answer, but not with a key that is
   * not among `thumbprints`, where its keys have changed.
   */
  renew(name: string, thumbprints: readonly string[] | undefined): void {
    const known = this.#known.get(name);
    this.forget(name);
    const holds = known?.site?.keys.every(({ thumbprint }) => thumbprints?.includes(thumbprint) ?? true);
    if (known && holds) this.#known.set(name, { ...known, isOld: true });
  }

  /** The site `name` has changed. */
  forget(name: string): void {
    this.#known.delete(name);
    this.#forgotten++;
  }

  #bucketOf(address: string): TokenBucket {
    return this.#unknown.getOrMake(address, () => new TokenBucket(UNKNOWN_AT_ONCE, UNKNOWN_PER_SECOND, this.#now()));
  }
}

/** The Worker, the rooms and the Limiters of one isolate remember together. */
export const siteDirectory = new SiteDirectory(() => Date.now());
