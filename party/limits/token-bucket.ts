/** How much of something one client may do: so much at once, and with time as much again. */

export class TokenBucket {
  readonly #atOnce: number;
  readonly #perSecond: number;
  #spent = 0;
  #at: number;

  /** `now` in ms. */
  constructor(atOnce: number, perSecond: number, now: number) {
    this.#atOnce = atOnce;
    this.#perSecond = perSecond;
    this.#at = now;
  }

  /** Spends one at `now`; whether there was one left. */
  spend(now: number): boolean {
    const regained = (Math.max(0, now - this.#at) / 1000) * this.#perSecond;
    this.#spent = Math.max(0, this.#spent - regained);
    this.#at = now;
    if (this.#spent + 1 > this.#atOnce) return false;
    this.#spent++;
    return true;
  }

  /** Gives one back that was spent: what it was for has cost nothing after all. */
  giveBack(): void {
    this.#spent = Math.max(0, this.#spent - 1);
  }
}
