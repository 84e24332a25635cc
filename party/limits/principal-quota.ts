/**
 * How often each principal may do something in a room that costs no place in the Limiter's window: begin a draft, delete.
 * Everyone in the room hears of it as of a message, so without a bound it would be a way round the quota for messages.
 *
 * Each room keeps its own, in memory alone. After a sleep of the room, which takes ten quiet seconds, it begins again.
 */

import { type Fault, fault } from "../protocol.ts";
import { BoundedMap } from "./bounded-map.ts";
import { SlidingWindow } from "./sliding-window.ts";

const MINUTE = 60_000;

/** Principals that are counted. Beyond that the one that was quiet longest is forgotten. */
const MOST = 10_000;

export class PrincipalQuota {
  readonly #what: string;
  readonly #windows = new BoundedMap<string, SlidingWindow>(MOST);

  /** `what` is what an error calls the things that are counted: "drafts". */
  constructor(what: string) {
    this.#what = what;
  }

  /** Counts one for `principal` at `now` (ms), of `perMinute` that it may have; why it may not have one. */
  take(principal: string, perMinute: number, now: number): Fault | undefined {
    const window = this.#windows.getOrMake(principal, () => new SlidingWindow(perMinute, MINUTE));
    const { granted, wait } = window.take(1, now);
    if (granted) return undefined;
    const message = `At most ${perMinute} ${this.#what} in ${MINUTE / 1000} seconds.`;
    return fault("rate_limited", message, Math.ceil(wait / 1000));
  }
}
