/** Time and timers as a value, so that waiting, holding and dying are tested without waiting. */

/** Ms, as browsers and Node count a timer: 31 bits. With more it fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

export interface Clock {
  /** Ms since 1970, as the clock stood when the program began. Never goes back, whatever is done to the system's clock. */
  now(): number;
  /**
   * Runs `task` once after `delay` ms, or after 24 days where that is longer. It may come less than 1 ms early, as timers count
   * whole ms: who waits for a time looks at the clock. The returned function cancels it.
   */
  after(delay: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(delay, task) {
    const timer = setTimeout(task, Math.min(delay, LONGEST_TIMER));
    return () => clearTimeout(timer);
  },
};
