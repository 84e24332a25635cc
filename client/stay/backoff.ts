/** How long to wait before the next attempt to connect. */

/** Nobody comes back sooner than this, ms: a deploy drops all sockets of a room in one moment. */
const LEAST = 500;
/** The longest wait before the first attempt, ms. It grows by `GROWTH` with each further one. */
const FIRST_MOST = 3_000;
const GROWTH = 1.3;
/** No wait is longer than this, ms. */
const MOST = 15_000;

/**
 * Ms to wait after `failures` attempts in a row that led nowhere; `random` is from 0 to 1. Every wait is spread anew:
 * clients that were dropped together do not come back together, also not the second time.
 */
export function backoff(failures: number, random: number): number {
  return LEAST + random * (Math.min(MOST, FIRST_MOST * GROWTH ** failures) - LEAST);
}
