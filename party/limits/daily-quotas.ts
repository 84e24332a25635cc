/** What a principal may do so often in 24 hours. Each window is written down before its grant is told. */

import { type Fault, fault, type Quota } from "../protocol.ts";
import type { KeyValues } from "./key-values.ts";
import { SlidingWindow, type WindowGrants } from "./sliding-window.ts";

/** What has a quota by the day: where its size is configured, and what an error calls it. */
const DAILY = {
  rooms: { variable: "ROOMS_PER_DAY", name: "new rooms" },
  keys: { variable: "KEYS_PER_DAY", name: "new keys" },
  rotations: { variable: "ROTATIONS_PER_DAY", name: "rotations of a key" },
} as const;
export type Daily = keyof typeof DAILY;

/** The variables that say how much is allowed in a day. */
export type DailyLimits = Readonly<Record<(typeof DAILY)[Daily]["variable"], string>>;

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
    // A limit that is NaN grants NaN: it refuses everything.
    if (!granted) {
      const { name, variable } = DAILY[what];
      const limit = this.#deps.limits[variable];
      return fault("rate_limited", `At most ${limit} ${name} in 24 hours.`, Math.ceil(wait / 1000));
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
      window = new SlidingWindow(Number(this.#deps.limits[DAILY[what].variable]), DAY, grants);
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
  return { limit: Number(limits[DAILY[what].variable]), remaining, window: DAY / 1000 };
}
