/** Time and timers as a value, so that waiting, holding and dying are tested without waiting. */

export interface Clock {
  /** Ms since 1970, as the clock stood when the program began. Never goes back, whatever is done to the system's clock. */
  now(): number;
  /** Runs `task` once after `delay` ms. The returned function cancels it. */
  after(delay: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(delay, task) {
    const timer = setTimeout(task, delay);
    return () => clearTimeout(timer);
  },
};
