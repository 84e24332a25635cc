/** How long one object has been awake: as long as it had at least one reason to be. */

export class Wakefulness {
  readonly #now: () => number;
  #reasons = 0;
  #since = 0;
  #past = 0;

  /** `now` is in ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** ms in which there was a reason, this one included if there still is one. */
  get total(): number {
    return this.#reasons > 0 ? this.#past + this.#now() - this.#since : this.#past;
  }

  /** Begins a reason. What it returns ends it; only its first call counts. */
  begin(): () => void {
    if (this.#reasons++ === 0) this.#since = this.#now();
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      if (--this.#reasons === 0) this.#past += this.#now() - this.#since;
    };
  }
}
