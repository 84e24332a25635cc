/** A clock that goes when a test says so, also as the timers of a hidden page do. */

import { type Clock, LONGEST_TIMER } from "./clock.ts";

interface Task {
  at: number;
  /** How many timers, each set by the one before, led to this one. */
  readonly chain: number;
  readonly task: () => void;
}

export class FakeClock implements Clock {
  #now = 1_000_000;
  #tasks: Task[] = [];
  #chain = 0;
  /** Whether the page is hidden: Chrome then lets timers fire once a second, chained ones once a minute. */
  isHidden = false;
  /** Whether all timers fire once a minute. */
  isFrozenToMinutes = false;
  /** So much earlier timers fire, ms. */
  early = 0;
  /** So much time passes while the clock is read, ms. */
  reading = 0;

  now(): number {
    const now = this.#now;
    this.#now += this.reading;
    return now;
  }

  after(delay: number, task: () => void): () => void {
    const chain = this.#chain + 1;
    const due = this.#now + Math.min(delay, LONGEST_TIMER);
    const isMinutely = this.isFrozenToMinutes || (this.isHidden && chain >= 5);
    const step = isMinutely ? 60_000 : this.isHidden ? 1_000 : 1;
    return this.#add({ at: Math.ceil(due / step) * step - this.early, chain, task });
  }

  /** Something comes from the network after `delay` ms, whatever is done to timers; it begins a new chain of them. */
  fromNetwork(delay: number, task: () => void): void {
    this.#add({ at: this.#now + delay, chain: 0, task });
  }

  #add(entry: Task): () => void {
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  /** Lets time pass, and what is due happen in order. */
  pass(duration: number): void {
    const until = this.#now + duration;
    for (;;) {
      const next = this.#tasks.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#tasks.splice(this.#tasks.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      this.#chain = next.chain;
      next.task();
      this.#chain = 0;
    }
    this.#now = Math.max(this.#now, until);
  }

  /** Time passes in which nothing runs: the machine sleeps. What is due then happens late, timers before the network. */
  sleep(duration: number): void {
    this.#now += duration;
    for (const task of this.#tasks) if (task.chain === 0 && task.at < this.#now) task.at = this.#now;
    this.pass(0);
  }

  get waiting(): number {
    return this.#tasks.length;
  }
}
