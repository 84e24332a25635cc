/** How many rows an import has written on a day, kept with what it has staged. */

import { type DailyBudget, DayIsOver } from "./d1-over-http.ts";
import type { Staging } from "./staging.ts";

export class StagedBudget implements DailyBudget {
  readonly #staging: Staging;
  readonly #limit: number;
  readonly #now: () => number;

  /** `limit` rows a day of UTC; `now` in ms since 1970. */
  constructor(staging: Staging, limit: number, now: () => number) {
    this.#staging = staging;
    this.#limit = limit;
    this.#now = now;
  }

  require(rows: number): void {
    if (this.#written + rows > this.#limit) {
      throw new DayIsOver(`${this.#written} of ${this.#limit} rows for today have been written`);
    }
  }

  spend(rows: number): void {
    if (rows > 0) this.#staging.mark("rows today", `${this.#today} ${this.#written + rows}`);
  }

  get #written(): number {
    const [day, rows] = (this.#staging.marked("rows today") ?? "").split(" ");
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
