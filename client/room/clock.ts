/** Time and timers as a value, so that waiting, holding and dying are tested without waiting. */

export interface Clock {
  /** Ms since 1970. */
  now(): number;
  /** Runs `task` once after `delay` ms. The returned function cancels it. */
  after(delay: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, task) {
    const timer = setTimeout(task, delay);
    return () => clearTimeout(timer);
  },
};
