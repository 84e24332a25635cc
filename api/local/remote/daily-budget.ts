/** How many rows a command has written into an account's D1 on a day, over its runs. */

import { type DailyBudget, DayIsOver } from "./d1-over-http.ts";

/** Where it is kept. */
export interface BudgetStore {
  load(): string | undefined;
  save(text: string): void;
}

export class KeptBudget implements DailyBudget {
  readonly #store: BudgetStore;
  readonly #limit: number;
  readonly #now: () => number;

  /** `limit` rows a day of UTC; `now` in ms since 1970. */
  constructor(store: BudgetStore, limit: number, now: () => number) {
    this.#store = store;
    this.#limit = limit;
    this.#now = now;
  }

  require(rows: number): void {
    if (this.#written + rows > this.#limit) {
      throw new DayIsOver(`${this.#written} of ${this.#limit} rows for today have been written`);
    }
  }

  spend(rows: number): void {
    if (rows > 0) this.#store.save(`${this.#today} ${this.#written + rows}`);
  }

  get #written(): number {
    const [day, rows] = (this.#store.load() ?? "").split(" ");
    return day === this.#today ? Number(rows) : 0;
  }

  get #today(): string {
    return new Date(this.#now()).toISOString().slice(0, 10);
  }
}

/** The line that says when to go on. `now` in ms since 1970. */
export function untilTomorrow(reason: string, now: number): string {
  const minutes = Math.ceil((86_400_000 - (now % 86_400_000)) / 60_000);
  const wait = `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `D1 takes no more rows today (${reason}). Run the same command after 00:00 UTC, in ${wait}: it goes on.`;
}
