/** Waiting for what has to become true: the only way in which these tests and trials wait. */

import { setTimeout as pause } from "node:timers/promises";

/** What was waited for has not come. */
export class OutOfPatience extends Error {}

/** How often a condition is looked at, ms. */
const LOOK_EVERY = 20;

/** Waits until `condition` gives something truthy, and gives that; rejects with `what` when `patience` ms are over. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  patience = 60_000,
): Promise<Exclude<T, undefined | null | false | 0 | "">> {
  const end = performance.now() + patience;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, undefined | null | false | 0 | "">;
    if (performance.now() > end) throw new OutOfPatience(`In ${patience / 1000} s it has not come to this: ${what}`);
    await pause(LOOK_EVERY);
  }
}
