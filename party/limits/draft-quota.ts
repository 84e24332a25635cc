/**
 * How many drafts one principal may begin. Everybody sees a draft, as they see a message, and it need never become one:
 * so in a minute no more may be begun than messages may be sent, or drafts were a way round that quota.
 *
 * Kept by each room in memory alone. After a room's sleep it begins again, and that takes ten quiet seconds.
 */

import { type Fault, fault } from "../protocol.ts";
import { SlidingWindow } from "./sliding-window.ts";

const MINUTE = 60_000;
/** When there are more windows than this, those in which nothing stands any more are let go. */
const MANY = 1_000;

export class DraftQuota {
  readonly #windows = new Map<string, SlidingWindow>();

  /** Counts a draft that `principal` begins at `now`, of `perMinute` that it may; why it may not. */
  begin(principal: string, perMinute: number, now: number): Fault | undefined {
    let window = this.#windows.get(principal);
    if (!window) {
      if (this.#windows.size >= MANY) this.#forget(now);
      window = new SlidingWindow(perMinute, MINUTE);
      this.#windows.set(principal, window);
    }
    const { granted, wait } = window.take(1, now);
    if (granted) return undefined;
    return fault("rate_limited", `At most ${perMinute} drafts in ${MINUTE / 1000} seconds.`, Math.ceil(wait / 1000));
  }

  #forget(now: number): void {
    for (const [principal, window] of this.#windows) {
      if (window.state(now).length === 0) this.#windows.delete(principal);
    }
  }
}
