/**
 * What a room makes of a peer's silence (promise 8, docs/guarantees.md). A peer that pings is well while it pings. When it
 * stops, it has died or its timers are throttled: a browser lets a hidden tab's timers run once a minute, but gives it
 * every frame at once. So the room asks it before it is no longer listed, and closes it only after two such minutes.
 */

import { SILENCE } from "../protocol.ts";

/** Longer than timers are throttled: a peer that has been silent for this long is not asked any more, ms. */
const BEYOND_THROTTLING = 75_000;
/** How long an answer may take, ms. */
const ANSWER_TAKES = 10_000;

export interface Signs {
  /** How long it has neither pinged nor sent a frame, ms. */
  readonly silentFor: number;
  /** It has pinged before: its silence means something. */
  readonly pings: boolean;
  /** How long ago the room asked it, ms; `undefined` when it has not since it was heard of last. */
  readonly askedFor: number | undefined;
}

export interface Finding {
  readonly verdict: "well" | "ask" | "absent" | "dead";
  /** In how many ms the verdict may be another one without a sign of life. */
  readonly next: number;
}

export function examine({ silentFor, pings, askedFor }: Signs): Finding {
  if (!pings) {
    if (silentFor < SILENCE.unlistAfter) return { verdict: "well", next: SILENCE.unlistAfter - silentFor };
    return { verdict: "absent", next: Number.POSITIVE_INFINITY };
  }
  if (silentFor < SILENCE.askAfter) return { verdict: "well", next: SILENCE.askAfter - silentFor };
  if (silentFor >= SILENCE.closeAfter) return { verdict: "dead", next: Number.POSITIVE_INFINITY };
  if (silentFor >= BEYOND_THROTTLING) return { verdict: "absent", next: SILENCE.closeAfter - silentFor };
  if (askedFor === undefined) {
    return { verdict: "ask", next: Math.max(SILENCE.unlistAfter - silentFor, ANSWER_TAKES) };
  }
  const wait = Math.max(SILENCE.unlistAfter - silentFor, ANSWER_TAKES - askedFor);
  if (wait > 0) return { verdict: "well", next: wait };
  return { verdict: "absent", next: SILENCE.closeAfter - silentFor };
}
