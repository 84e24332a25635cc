/** Durations in buckets that are each 1 % wider than the one before: any quantile to 1 %, in little memory. */

const GROWTH = Math.log(1.01);

export class Histogram {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** `value` in any unit, at least 1 of it. */
  add(value: number): void {
    const bucket = Math.round(Math.log(Math.max(1, value)) / GROWTH);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count++;
  }

  /** The value that `share` of all do not exceed, `share` from 0 to 1. `NaN` when there is none. */
  quantile(share: number): number {
    let left = Math.max(1, Math.ceil(this.#count * share));
    for (const [bucket, count] of [...this.#buckets].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.exp(bucket * GROWTH);
    }
    return Number.NaN;
  }
}
