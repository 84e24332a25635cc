/**
 * Counts what the deployment uses, without a write for each thing: of 500 requests one is drawn by chance and counts 500.
 * So nothing is lost when an isolate or an object ends, and the sum is right on average: of 100,000 to within some 7 %.
 */

/** What is counted, and how much of it is one write: of what has a limit, a two-hundredth of what the free plan has a day. */
export const STEPS = {
  workerRequests: 500,
  objectRequests: 500,
  objectMs: 500_000,
  objectRowsWritten: 500,
  databaseRowsRead: 25_000,
  databaseRowsWritten: 500,
  socketsOpened: 50,
} as const;

export type Measure = keyof typeof STEPS;

/** How much was used of what. */
export type Amounts = Readonly<Partial<Record<Measure, number>>>;

export class UsageSampler {
  readonly #chance: () => number;
  #waiting: Partial<Record<Measure, number>> = {};

  /** `chance` draws from 0 to 1, like `Math.random`. */
  constructor(chance: () => number) {
    this.#chance = chance;
  }

  /** So much was used. */
  count(measure: Measure, amount: number): void {
    const step = STEPS[measure];
    const steps = Math.floor(amount / step + this.#chance());
    if (steps > 0) this.#waiting[measure] = (this.#waiting[measure] ?? 0) + steps * step;
  }

  /** What is to be written down, which is then forgotten here; `undefined` when there is nothing. */
  take(): Amounts | undefined {
    const waiting = this.#waiting;
    if (Object.keys(waiting).length === 0) return undefined;
    this.#waiting = {};
    return waiting;
  }
}

/** Of this isolate, whichever objects and requests are in it. */
export const usage = new UsageSampler(() => Math.random());
