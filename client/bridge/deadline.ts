/** A time-out that stands still while something else is waited for. */

export class Deadline {
  readonly #onOver: () => void;
  #left: number;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  #holds = 0;

  /** Calls `onOver` after `length` ms that it was not held. */
  constructor(length: number, onOver: () => void) {
    this.#left = length;
    this.#onOver = onOver;
    this.#go();
  }

  /** Time does not count until `work` is done. */
  async hold<Value>(work: Promise<Value>): Promise<Value> {
    if (this.#holds++ === 0) this.#stop();
    try {
      return await work;
    } finally {
      if (--this.#holds === 0) this.#go();
    }
  }

  /** It does not come to its end any more. */
  cancel(): void {
    this.#holds = Number.POSITIVE_INFINITY;
    this.#stop();
  }

  #go(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(this.#onOver, Math.max(0, this.#left));
  }

  #stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#left -= performance.now() - this.#since;
  }
}
