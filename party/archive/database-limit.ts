/**
 * Why D1 does not do what it is asked: which of its limits it has reached, or that it is away, in the words of the platform.
 * Nothing else looks at these words.
 *
 * Source: https://developers.cloudflare.com/d1/observability/debug-d1/#list-of-d1_errors
 */

/** `full`: no more bytes, until something is deleted or the plan is another. `day`: no more rows before 00:00 UTC. */
export type DatabaseLimit = "full" | "day";

const FULL = /exceeded maximum db size|maximum account storage limit|database or disk is full|SQLITE_FULL/i;
const DAY = /daily row (?:read|write) limit/i;

/** The limit that `error` is about, an error of D1's or its message; `undefined` when it is about none. */
export function databaseLimit(error: unknown): DatabaseLimit | undefined {
  const message = error instanceof Error ? error.message : String(error);
  if (DAY.test(message)) return "day";
  return FULL.test(message) ? "full" : undefined;
}

/** What D1 says of a query that is wrong in itself: asked again, it is wrong again. */
const WRONG = /SQLITE_(?:ERROR|CONSTRAINT|MISMATCH|RANGE|TOOBIG)|no such (?:table|column)|syntax error|D1_TYPE_ERROR/i;
/** The last one is `withDeadline`'s. */
const AWAY = /^D1_[A-Z_]*ERROR: |^D1 did not answer/;

/** Whether `error` is one of D1's that passes: it is away, too busy, or has not answered in time. */
export function isDatabaseAway(error: unknown): boolean {
  const message = error instanceof Error ? error.message : "";
  return AWAY.test(message) && !WRONG.test(message);
}

const DAY_LENGTH = 24 * 60 * 60_000;

/** How long it is until the limits of a day begin anew, ms. */
export const untilMidnight = (now: number): number => DAY_LENGTH - (now % DAY_LENGTH);
