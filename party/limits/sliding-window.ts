/**
 * An exact sliding window: never more than `limit` in any `length` ms, and never a refusal while there is room.
 *
 * It remembers when each grant was made until that leaves the window. Nothing is estimated, but for a limit above
 * `EXACT_TIMES`: then times are rounded up to a 600th of the window, so that what is stored stays small.
 *
 * Places may also be lent: they count from then until a whole window after their use, or after the end of the lease for
 * those of which nobody says what became of them. So what is granted and lent is never more than `limit` together.
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

/** [time in ms since 1970, how many]: grants, oldest first. The first version kept these alone. */
export type WindowGrants = [at: number, count: number][];

/** Places that were lent and not settled. */
export interface Loan {
  readonly id: string;
  readonly places: number;
  /** When they were lent, and until when they may be used, ms since 1970. */
  readonly at: number;
  readonly until: number;
}

/** What to keep over a restart. */
export interface WindowState {
  readonly version: 2;
  readonly grants: WindowGrants;
  readonly loans: Loan[];
}

/** The largest limit for which times are kept as they are. */
const EXACT_TIMES = 600;

export class SlidingWindow {
  readonly #limit: number;
  readonly #length: number;
  /** Times are multiples of this, ms. */
  readonly #step: number;
  #grants: WindowGrants;
  #loans: Loan[];
  #used: number;

  /** `length` in ms. `state` is what `state()` gave earlier, perhaps before a restart, or in the first version. */
  constructor(limit: number, length: number, state: WindowState | WindowGrants = []) {
    this.#limit = limit;
    this.#length = length;
    this.#step = limit > EXACT_TIMES ? Math.max(1, Math.ceil(length / EXACT_TIMES)) : 1;
    const { grants, loans } = Array.isArray(state) ? { grants: state, loans: [] } : state;
    this.#grants = grants.map(([at, count]) => [at, count]);
    this.#loans = [...loans];
    this.#used = sum(this.#grants.map(([, count]) => count)) + sum(this.#loans.map(({ places }) => places));
  }

  /** Grants as many of `asked` as fit, at `now`. */
  take(asked: number, now: number): Grant {
    this.#forget(now);
    const granted = Math.max(0, Math.min(asked, this.#limit - this.#used));
    const at = this.#timeOf(now);
    if (granted > 0) {
      const last = this.#grants.at(-1);
      if (last && last[0] === at) last[1] += granted;
      else this.#grants.push([at, granted]);
      this.#used += granted;
    }
    const remaining = Math.max(0, this.#limit - this.#used);
    return { granted, remaining, wait: remaining > 0 ? 0 : this.#wait(now), at };
  }

  /** Takes back `count` of those that were granted at `at`: what they were for has not happened. */
  giveBack(count: number, at: number): void {
    const newest = this.#grants.at(-1)?.[0] ?? at;
    // Later than the newest it is only when the clock was set back since: then it is one with the newest.
    const index = this.#grants.findIndex(([time]) => time === Math.min(at, newest));
    const grant = this.#grants[index];
    // It has left the window by itself.
    if (!grant) return;
    const back = Math.min(count, grant[1]);
    grant[1] -= back;
    this.#used -= back;
    if (grant[1] === 0) this.#grants.splice(index, 1);
  }

  /** Lends up to `places`, as many as fit, to be used within `duration` ms; `undefined` when none fits. */
  lend(id: string, places: number, duration: number, now: number): Loan | undefined {
    this.#forget(now);
    const lent = Math.min(places, this.#limit - this.#used);
    if (!(lent >= 1)) return undefined;
    const at = this.#timeOf(now);
    const loan = { id, places: lent, at, until: at + duration };
    this.#loans.push(loan);
    this.#used += lent;
    return loan;
  }

  /**
   * Ends the loan `id`: its places were used at `times` (ms since 1970), and the others not at all. Does nothing when
   * there is no such loan, or not any more.
   */
  settle(id: string, times: readonly number[], now: number): void {
    const index = this.#loans.findIndex((loan) => loan.id === id);
    const [loan] = index === -1 ? [] : this.#loans.splice(index, 1);
    if (!loan) return;
    this.#used -= loan.places;
    const latest = Math.max(loan.at, Math.min(now, loan.until));
    for (const time of times.slice(0, loan.places)) {
      // Not a number counts as the latest that it can be.
      const at = this.#rounded(time >= loan.at && time <= latest ? time : time < loan.at ? loan.at : latest);
      this.#insert(at);
    }
    this.#forget(now);
  }

  /** What is lent and not settled, oldest first. */
  loans(now: number): readonly Loan[] {
    this.#forget(now);
    return this.#loans;
  }

  /** What to keep over a restart. */
  state(now: number): WindowState {
    this.#forget(now);
    return { version: 2, grants: this.#grants, loans: this.#loans };
  }

  /** Whether nothing stands against the limit any more. */
  isEmpty(now: number): boolean {
    this.#forget(now);
    return this.#grants.length === 0 && this.#loans.length === 0;
  }

  /** The time that a grant at `now` counts from. */
  #timeOf(now: number): number {
    return Math.max(this.#rounded(now), this.#grants.at(-1)?.[0] ?? 0);
  }

  #rounded(time: number): number {
    return Math.ceil(time / this.#step) * this.#step;
  }

  #insert(at: number): void {
    this.#used++;
    const after = this.#grants.findIndex(([time]) => time >= at);
    const grant = this.#grants[after];
    if (grant?.[0] === at) grant[1]++;
    else this.#grants.splice(after === -1 ? this.#grants.length : after, 0, [at, 1]);
  }

  /** ms until something leaves the window. */
  #wait(now: number): number {
    const ends = [...this.#grants.slice(0, 1).map(([at]) => at), ...this.#loans.map(({ until }) => until)];
    return ends.length === 0 ? 0 : Math.max(1, Math.min(...ends) + this.#length - now);
  }

  /**
   * After the clock was set back, what was granted or lent before lies in the future. How long ago it was cannot be told, so
   * it counts as if it were of `now`: for a whole window more, and not until the clock has caught up.
   */
  #followBack(now: number): void {
    const latest = this.#rounded(now);
    const isAhead = ([at]: WindowGrants[number]) => at > latest;
    if (this.#grants.some(isAhead)) {
      const ahead = sum(this.#grants.filter(isAhead).map(([, count]) => count));
      const behind = this.#grants.filter((grant) => grant[0] < latest);
      const same = sum(this.#grants.filter(([at]) => at === latest).map(([, count]) => count));
      this.#grants = [...behind, [latest, same + ahead]];
    }
    if (this.#loans.some(({ at }) => at > latest)) {
      const brought = ({ at, until, ...loan }: Loan) => ({ ...loan, at: latest, until: latest + until - at });
      this.#loans = this.#loans.map((loan) => (loan.at > latest ? brought(loan) : loan));
    }
  }

  #forget(now: number): void {
    this.#followBack(now);
    const stands = (at: number) => at > now - this.#length;
    let gone = 0;
    for (const [at, count] of this.#grants) {
      if (stands(at)) break;
      this.#used -= count;
      gone++;
    }
    if (gone > 0) this.#grants.splice(0, gone);
    if (this.#loans.every(({ until }) => stands(until))) return;
    for (const { until, places } of this.#loans) if (!stands(until)) this.#used -= places;
    this.#loans = this.#loans.filter(({ until }) => stands(until));
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
