/**
 * An exact sliding window: never more than `limit` in any `length` ms, and never a refusal while there is room.
 *
 * It remembers when each grant was made until that leaves the window. Nothing is estimated.
 */

export interface Grant {
  /** How many of those asked for are granted: the first ones. */
  readonly granted: number;
  /** How many more would be granted now. */
  readonly remaining: number;
  /** ms until at least one more is granted; 0 when `remaining` is above 0. */
  readonly wait: number;
  /** When those granted count from, ms since 1970: what `giveBack` knows them by. */
  readonly at: number;
}

/** [time in ms since 1970, how many]: grants, oldest first. */
export type WindowState = [at: number, count: number][];

export class SlidingWindow {
  readonly #limit: number;
  readonly #length: number;
  #grants: WindowState;
  #used: number;

  /** `length` in ms. `state` is what `state()` gave earlier, perhaps before a restart. */
  constructor(limit: number, length: number, state: WindowState = []) {
    this.#limit = limit;
    this.#length = length;
    this.#grants = state;
    this.#used = state.reduce((sum, [, count]) => sum + count, 0);
  }

  /** Grants as many of `asked` as fit, at `now`. */
  take(asked: number, now: number): Grant {
    this.#forget(now);
    const granted = Math.max(0, Math.min(asked, this.#limit - this.#used));
    const last = this.#grants.at(-1);
    // A clock that goes back must not shorten a grant's stay.
    const at = Math.max(now, last?.[0] ?? now);
    if (granted > 0) {
      if (last && last[0] === at) last[1] += granted;
      else this.#grants.push([at, granted]);
      this.#used += granted;
    }
    const remaining = Math.max(0, this.#limit - this.#used);
    const oldest = this.#grants[0];
    const wait = remaining > 0 || !oldest ? 0 : Math.max(1, oldest[0] + this.#length - now);
    return { granted, remaining, wait, at };
  }

  /** Takes back `count` of those that were granted at `at`: what they were for has not happened. */
  giveBack(count: number, at: number): void {
    const index = this.#grants.findIndex(([time]) => time === at);
    const grant = this.#grants[index];
    // It has left the window by itself.
    if (!grant) return;
    const back = Math.min(count, grant[1]);
    grant[1] -= back;
    this.#used -= back;
    if (grant[1] === 0) this.#grants.splice(index, 1);
  }

  /** What to keep over a restart; empty when nothing counts any more. */
  state(now: number): WindowState {
    this.#forget(now);
    return this.#grants;
  }

  #forget(now: number): void {
    let gone = 0;
    while (gone < this.#grants.length) {
      const [at, count] = this.#grants[gone] as WindowState[number];
      if (at > now - this.#length) break;
      this.#used -= count;
      gone++;
    }
    if (gone > 0) this.#grants.splice(0, gone);
  }
}
