/**
 * The one alarm that an object has, for all its purposes: it rings at the earliest time that any of them has asked for.
 *
 * When it rings, each purpose looks for itself whether something is due. So a ring too many does no harm, and only the
 * time needs to be kept. Each setting is a row written, so nothing is set that is not earlier than what is.
 */

import { logEvent } from "./operator-log/operator-log.ts";

export interface SchedulerDeps {
  /** The id of the room whose alarm it is. */
  room(): string;
  now(): number;
  /** Sets the object's alarm, in ms since 1970. */
  set(at: number): Promise<void>;
}

/**
 * The runtime repeats an alarm that fails six times, the last time about two minutes after the first, and then drops it.
 * One that should have rung longer ago than this, ms, does not ring any more.
 * Source: https://developers.cloudflare.com/durable-objects/api/alarms/
 */
const LOST_AFTER = 150_000;

/**
 * No alarm is set further ahead than this, ms: the runtime refuses times of centuries to come, in which an invite may end. Who
 * asked for a later one asks again when it rings.
 */
export const FURTHEST = 365 * 86_400_000;

export class Scheduler {
  readonly #deps: SchedulerDeps;
  #at: number | undefined;

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
  }

  /** Takes up the alarm that survived the last sleep, ms since 1970; `null` when there is none. */
  resume(pending: number | null): void {
    if (pending !== null && (this.#at === undefined || pending < this.#at)) this.#at = pending;
  }

  /** Asks to be rung in `delay` ms or earlier. */
  within(delay: number): void {
    const now = this.#deps.now();
    const at = now + Math.min(delay, FURTHEST);
    if (this.#at !== undefined && this.#at <= at && this.#at > now - LOST_AFTER) return;
    this.#at = at;
    this.#deps.set(at).catch((error) => {
      logEvent("room.alarm_not_set", { room: this.#deps.room(), error });
      if (this.#at === at) this.#at = undefined;
    });
  }

  /** The alarm has rung, or was taken back: none is set any more. */
  rung(): void {
    this.#at = undefined;
  }
}
