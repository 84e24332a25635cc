/**
 * Which of its limits D1 says that it has reached, in the words of the platform. Nothing else looks at these words.
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

const DAY_LENGTH = 24 * 60 * 60_000;

/** How long it is until the limits of a day begin anew, ms. */
export const untilMidnight = (now: number): number => DAY_LENGTH - (now % DAY_LENGTH);
