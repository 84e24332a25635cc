/** What a principal may do so often in 24 hours. Each window is written down before its grant is told. */

import type { Configuration } from "../configuration.ts";
import { type Fault, fault, type Quota } from "../protocol.ts";
import type { KeyValues } from "./key-values.ts";
import { SlidingWindow, type WindowGrants } from "./sliding-window.ts";

/** What has a quota by the day: its name in the configuration, and what an error calls it. */
const DAILY = {
  rooms: { limit: "roomsPerDay", name: "new rooms" },
  keys: { limit: "keysPerDay", name: "new keys" },
  rotations: { limit: "rotationsPerDay", name: "rotations of a key" },
  sites: { limit: "sitesPerDay", name: "new sites" },
  subjects: { limit: "siteUsersPerDay", name: "new users of a site" },
  siteRooms: { limit: "siteRoomsPerDay", name: "new rooms of a site" },
} as const;
export type Daily = keyof typeof DAILY;

/** How much of each is allowed in a day. */
export type DailyLimits = Pick<Configuration, (typeof DAILY)[Daily]["limit"]>;

/** One of the day's, as it was taken. */
export interface DailyGrant {
  /** What `giveBack` knows it by. */
  readonly at: number;
  readonly quota: Quota;
}

const DAY = 24 * 60 * 60_000;

export interface DailyQuotasDeps {
  readonly limits: DailyLimits;
  readonly storage: KeyValues;
  /** ms since 1970. */
  now(): number;
}

export class DailyQuotas {
  readonly #deps: DailyQuotasDeps;
  readonly #windows = new Map<Daily, SlidingWindow>();

  constructor(deps: DailyQuotasDeps) {
    this.#deps = deps;
  }

  /** Takes one of the day's, or says when there is another. */
  take(what: Daily): DailyGrant | Fault {
    const window = this.#window(what);
    const { granted, remaining, wait, at } = window.take(1, this.#deps.now());
    if (!granted) {
      const { name, limit } = DAILY[what];
      return fault("rate_limited", `At most ${this.#deps.limits[limit]} ${name} in 24 hours.`, Math.ceil(wait / 1000));
    }
    this.#write(what, window);
    return { at, quota: dailyQuota(this.#deps.limits, what, remaining) };
  }

  /** Gives the one back that was taken at `at`: what it was for did not happen. */
  giveBack(what: Daily, at: number): void {
    const window = this.#window(what);
    window.giveBack(1, at);
    this.#write(what, window);
  }

  /** Takes over what was taken before, in the place of what is known. */
  inherit(what: Daily, grants: WindowGrants): void {
    this.#windows.delete(what);
    this.#deps.storage.put(`daily:${what}`, grants);
  }

  #window(what: Daily): SlidingWindow {
    let window = this.#windows.get(what);
    if (!window) {
      const grants = this.#deps.storage.get<WindowGrants>(`daily:${what}`);
      window = new SlidingWindow(this.#deps.limits[DAILY[what].limit], DAY, grants);
      this.#windows.set(what, window);
    }
    return window;
  }

  #write(what: Daily, window: SlidingWindow): void {
    this.#deps.storage.put<WindowGrants>(`daily:${what}`, window.state(this.#deps.now()).grants);
  }
}

/** The day's quota when `remaining` of it are left. */
export function dailyQuota(limits: DailyLimits, what: Daily, remaining: number): Quota {
  return { limit: limits[DAILY[what].limit], remaining, window: DAY / 1000 };
}
