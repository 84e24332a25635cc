/**
 * What went wrong in this isolate since it was last written into D1: how often each error code was answered, and which
 * incidents there were. It is written at most every few minutes and is bounded, so that a flood of errors costs a few rows.
 */

import { ageOf } from "../clock.ts";
import type { ErrorCode } from "../protocol.ts";

/** A failure of the server's own, of which the log has more under the same id. */
export interface Incident {
  readonly id: string;
  /** ms since 1970. */
  readonly at: number;
  readonly code: ErrorCode;
  /** The words of the log line. */
  readonly what: string;
  /** Where: a method and the beginning of a path, or a room. No content, key or address. */
  readonly place: string;
}

/** What is written into D1. */
export interface Tally {
  readonly counts: ReadonlyMap<ErrorCode, number>;
  /** Oldest first. */
  readonly incidents: readonly Incident[];
}

/** Time between two writings, ms. */
const WRITTEN_EVERY = 5 * 60_000;

/** Incidents of one writing. Of more than these the newest are kept. */
export const INCIDENTS_AT_ONCE = 10;

export class ErrorTally {
  #counts = new Map<ErrorCode, number>();
  #incidents: Incident[] = [];
  #takenAt = Number.NEGATIVE_INFINITY;

  /** Counts `code`, with which somebody was answered. A message that waits for a moderator is no error. */
  count(code: ErrorCode, times = 1): void {
    if (code !== "held") this.#counts.set(code, (this.#counts.get(code) ?? 0) + times);
  }

  /** Notes a failure and counts it. */
  note(incident: Incident): void {
    this.count(incident.code);
    this.#keep([...this.#incidents, incident]);
  }

  /** What is to be written at `now` (ms), which is then forgotten here; `undefined` when there is nothing, or not yet. */
  takeIfDue(now: number): Tally | undefined {
    return ageOf(this.#takenAt, now) < WRITTEN_EVERY ? undefined : this.take(now);
  }

  /** The same, whether it is time or not. */
  take(now: number): Tally | undefined {
    if (this.#counts.size === 0) return undefined;
    const tally = { counts: this.#counts, incidents: this.#incidents };
    this.#counts = new Map();
    this.#incidents = [];
    this.#takenAt = now;
    return tally;
  }

  /** Takes back what could not be written. */
  giveBack({ counts, incidents }: Tally): void {
    for (const [code, times] of counts) this.count(code, times);
    this.#keep([...incidents, ...this.#incidents]);
  }

  #keep(incidents: readonly Incident[]): void {
    this.#incidents = incidents.slice(-INCIDENTS_AT_ONCE);
  }
}

/** Of this isolate. */
export const errors = new ErrorTally();
