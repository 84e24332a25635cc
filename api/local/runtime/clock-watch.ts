/**
 * Notices when this machine's clock is set back.
 *
 * The runtime keeps a timer by the time of day at which it is due, and an object that is awake never sees the clock go back.
 * So after a step back by five hours such an object's timers stand still for five hours, and a room takes no message. Only
 * a new runtime goes by the new time.
 */

/** How often it is looked, ms. */
export const LOOKED_EVERY = 250;
/** A smaller step back is left alone: timers stand still for no longer than that, ms. */
export const TOLERATED = 1_000;

/** Calls `setBack` with how many ms the clock was set back by, one call after the other, until the returned function is called. */
export function watchClock(setBack: (by: number) => Promise<void>): () => void {
  let ahead = aheadOfUptime();
  let isHandling = false;
  const timer = setInterval(() => {
    const now = aheadOfUptime();
    const by = ahead - now;
    if (isHandling) return;
    ahead = now;
    if (by <= TOLERATED) return;
    isHandling = true;
    void setBack(by).finally(() => {
      isHandling = false;
    });
  }, LOOKED_EVERY);
  return () => clearInterval(timer);
}

/** By how much the time of day is ahead of the time that this process has run, which nobody sets. */
const aheadOfUptime = (): number => Date.now() - performance.now();
