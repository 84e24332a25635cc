/**
 * What a room does while D1 has reached a limit: it keeps its messages, asks again now and then, and says how long its own
 * storage lasts. It is kept over sleep, because a room that wakes for each message would else ask D1 for each.
 */

import { type DatabaseLimit, untilMidnight } from "./database-limit.ts";

/** A limit of D1's that the archive has met. Times in ms since 1970. */
export interface Hold {
  readonly limit: DatabaseLimit;
  readonly since: number;
  /** D1 is not asked before. */
  readonly retryAt: number;
  /** What the room had stored when it began, in bytes. */
  readonly bytes: number;
}

/** Where a hold is kept. */
export interface HoldStore {
  load(): Hold | undefined;
  /** Keeps `hold`, or forgets the one that is kept. */
  save(hold: Hold | undefined): void;
}

/** What a room has stored, and how much that may be, in bytes; no limit: `undefined`. */
export interface Stored {
  readonly bytes: number;
  readonly limit: number | undefined;
}

/** What the room's owner is told. Times are ISO 8601. */
export interface HoldReport {
  readonly limit: DatabaseLimit;
  readonly since: string;
  readonly nextTry: string;
  /** About so many more messages the room can keep by itself; `null` where its storage has no known limit. */
  readonly placesLeft: number | null;
  /** When these are used up if people go on as they have since then; `null` where that can't be said. */
  readonly lastsUntil: string | null;
}

/** How long D1 is left alone at most, ms. An upgrade of the plan takes effect within minutes. */
const ASKED_AGAIN = { full: 15 * 60_000, day: 60 * 60_000 };
/** After midnight the rooms of a deployment come back over so long, ms. */
const AFTER_MIDNIGHT = 10 * 60_000;

/** When D1 is asked again at the latest that has said at `now` that it has reached `limit`. `chance` is from 0 to 1. */
export function retryAt(limit: DatabaseLimit, now: number, chance: number): number {
  const delay = ASKED_AGAIN[limit] * (0.5 + chance / 2);
  if (limit === "full") return now + delay;
  return now + Math.min(delay, untilMidnight(now) + AFTER_MIDNIGHT * chance);
}

/**
 * For how long D1 is left alone at `now`, ms; 0: it may be asked. Longer than it is ever left alone it seems to be only after
 * the clock was set back.
 */
export function holdLeft({ limit, retryAt }: Hold, now: number): number {
  const left = Math.max(0, retryAt - now);
  return left <= ASKED_AGAIN[limit] ? left : 0;
}

/** Too little time to tell how fast a room fills, ms. */
const TOO_SHORT = 60_000;
/** What can't be reached any more is no time. */
const LATEST = 8.64e15;

/** What the owner of a room is told of `hold` at `now`, when the room keeps `messages` of its own. */
export function holdReport(hold: Hold, { bytes, limit }: Stored, messages: number, now: number): HoldReport {
  const free = limit === undefined ? undefined : Math.max(0, limit - bytes);
  const perMessage = bytes / Math.max(1, messages);
  const perMs = now - hold.since < TOO_SHORT ? 0 : (bytes - hold.bytes) / (now - hold.since);
  const end = free === undefined || perMs <= 0 ? undefined : now + free / perMs;
  return {
    limit: hold.limit,
    since: new Date(hold.since).toISOString(),
    nextTry: new Date(hold.retryAt).toISOString(),
    placesLeft: free === undefined ? null : Math.floor(free / perMessage),
    lastsUntil: end === undefined || end > LATEST ? null : new Date(end).toISOString(),
  };
}
