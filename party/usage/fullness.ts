/**
 * How full D1 is, as each of its answers says: nothing is asked for it. From `WARNED_FROM` on the log is told once a day,
 * by whichever isolate sees it first.
 */

import type { Database } from "../log/sql.ts";
import { type LogFields, logEvent } from "../operator-log/operator-log.ts";
import { claimWarning, dayOf, type Warning } from "./usage-table.ts";

/** The part of the limit from which on the operator and the owners are told. */
export const WARNED_FROM = 0.8;

/** How full D1 is. */
export interface Fullness {
  readonly bytes: number;
  /** `undefined`: there is no limit but the disk. */
  readonly limit: number | undefined;
}

/** The part of the limit that is used; `undefined` where there is none. */
export const shareOf = ({ bytes, limit }: Fullness): number | undefined => limit && bytes / limit;

export class DatabaseGauge {
  #bytes = 0;
  /** The day on which this isolate has last seen to it that the log is told. */
  #seenTo = "";
  #daySeenTo = "";

  /** What D1 has said last, in bytes; 0: it has said nothing yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the log may have to be told at `now`. True once a day. */
  note(bytes: number, limit: number | undefined, now: number): boolean {
    this.#bytes = bytes;
    const day = dayOf(now);
    if ((shareOf({ bytes, limit }) ?? 0) < WARNED_FROM || this.#seenTo === day) return false;
    this.#seenTo = day;
    return true;
  }

  /** Whether the log may have to be told that the limit of the day is near. True once a day. */
  noteDay(now: number): boolean {
    const day = dayOf(now);
    if (this.#daySeenTo === day) return false;
    this.#daySeenTo = day;
    return true;
  }
}

/** Tells the log, unless another isolate has on this day. */
export async function warn(db: Database, warning: Warning, fields: LogFields, now: number): Promise<void> {
  // A D1 that is full, or over its day, takes no note of it. Then each isolate tells.
  const isFirst = await claimWarning(db, warning, now).catch(() => true);
  if (!isFirst) return;
  logEvent(EVENTS[warning], fields);
}

const EVENTS = {
  warned_of_size: "database.nearly_full",
  warned_of_day: "database.day_nearly_used",
} as const satisfies Record<Warning, string>;

/** What the log is told of a D1 that is nearly full. */
export const sizeWarning = ({ bytes, limit }: Fullness & { limit: number }): LogFields => ({
  percent: Math.floor((100 * bytes) / limit),
  ...{ bytes, limit, see: '"When the database is full" in docs/self-hosting.md' },
});
