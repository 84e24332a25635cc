/**
 * How much of one event is written. While D1 is away each request that is refused leaves a line, and each room that can't
 * copy: that would fill a disk, or cost money, and say nothing new.
 */

import { ageOf } from "../clock.ts";
import type { LogEventName } from "./log-events.ts";

/** Lines of one event that an isolate writes in a minute. */
export const LINES_A_MINUTE = 100;
const MINUTE = 60_000;

/** Each of these is wanted: it tells of a bug, under an id that somebody was told, or the operator has asked for it. */
const UNBOUNDED: ReadonlySet<LogEventName> = new Set(["request.failed", "frame.failed", "request.answered"]);

/** What the line of an event says of those that are not there. */
export interface LeftOut {
  /** So many were left out before this one. */
  readonly leftOut?: number;
  /** What comes in the rest of this minute is left out. */
  readonly lastOfMinute?: true;
}

export class LogBound {
  /** Since when lines are counted, ms since 1970, how many were written since, and how many were not. */
  readonly #counted = new Map<LogEventName, { since: number; written: number; leftOut: number }>();

  /** What the line of `event` says beside; `undefined`: it is left out. `now` is ms since 1970. */
  admit(event: LogEventName, now: number): LeftOut | undefined {
    if (UNBOUNDED.has(event)) return {};
    const before = this.#counted.get(event);
    if (!before || ageOf(before.since, now) >= MINUTE) {
      this.#counted.set(event, { since: now, written: 1, leftOut: 0 });
      return before && before.leftOut > 0 ? { leftOut: before.leftOut } : {};
    }
    if (before.written === LINES_A_MINUTE) {
      before.leftOut++;
      return undefined;
    }
    before.written++;
    return before.written === LINES_A_MINUTE ? { lastOfMinute: true } : {};
  }
}
