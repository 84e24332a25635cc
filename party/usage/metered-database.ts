/**
 * D1 as the Worker and the objects use it: every answer says how many rows it has cost and how large D1 is, which is
 * counted here. What has gathered is written into D1 now and then, behind an answer that has just come.
 */

import type { Configuration } from "../configuration.ts";
import { addErrors } from "../errors/error-table.ts";
import type { ErrorTally, Tally } from "../errors/error-tally.ts";
import type { Database } from "../log/sql.ts";
import { worthTelling } from "./daily-limits.ts";
import { DatabaseGauge, sizeWarning, warn } from "./fullness.ts";
import type { Amounts, UsageSampler } from "./usage-sampler.ts";
import { addUsage } from "./usage-table.ts";

/** The gauge of this isolate. */
export const gauge = new DatabaseGauge();

export interface MeterDeps {
  readonly usage: UsageSampler;
  readonly gauge: DatabaseGauge;
  readonly errors: ErrorTally;
  readonly limits: Pick<Configuration, "databaseBytes" | "dailyLimits">;
  /** ms since 1970. */
  now(): number;
  /** Lets `work` go on after the answer, and after the request. */
  keepAlive(work: Promise<unknown>): void;
}

/** What D1 says of an answer. */
type Meta = Pick<D1Meta, "rows_read" | "rows_written" | "size_after">;

/** `db`, whose answers are counted. What is asked of it is the same. */
export function metered(db: D1Database, deps: MeterDeps): D1Database {
  return new MeteredDatabase(db, deps) as unknown as D1Database;
}

class MeteredDatabase {
  readonly #db: D1Database;
  readonly #deps: MeterDeps;

  constructor(db: D1Database, deps: MeterDeps) {
    this.#db = db;
    this.#deps = deps;
  }

  prepare(query: string): MeteredStatement {
    return new MeteredStatement(this.#db.prepare(query), this.#note);
  }

  async batch<Row>(statements: MeteredStatement[]): Promise<D1Result<Row>[]> {
    const results = await this.#db.batch<Row>(statements.map(({ inner }) => inner));
    this.#note(...results.map(({ meta }) => meta));
    return results;
  }

  readonly #note = (...metas: Meta[]): void => {
    const { usage, gauge, errors, limits, now } = this.#deps;
    for (const { rows_read, rows_written } of metas) {
      usage.count("databaseRowsRead", rows_read);
      usage.count("databaseRowsWritten", rows_written);
    }
    const bytes = metas.at(-1)?.size_after;
    const limit = limits.databaseBytes;
    if (bytes && gauge.note(bytes, limit, now()) && limit) {
      this.#behind(warn(this.#raw, "warned_of_size", sizeWarning({ bytes, limit }), now()));
    }
    const amounts = usage.take();
    if (amounts) this.#behind(this.#add(amounts));
    const tally = errors.takeIfDue(now());
    if (tally) this.#behind(this.#tell(tally));
  };

  /** Past the meter. */
  get #raw(): Database {
    return this.#db as unknown as Database;
  }

  async #add(amounts: Amounts): Promise<void> {
    const { gauge, limits, now } = this.#deps;
    const today = await addUsage(this.#raw, amounts, now());
    const nearest = limits.dailyLimits ? worthTelling(today) : undefined;
    if (!nearest || !gauge.noteDay(now())) return;
    const percent = Math.floor(100 * nearest.share);
    const see = '"What it costs" in docs/self-hosting.md';
    await warn(this.#raw, "warned_of_day", { percent, of: nearest.words, see }, now());
  }

  /** What could not be written comes with a later answer. */
  async #tell(tally: Tally): Promise<void> {
    const { errors, now } = this.#deps;
    await addErrors(this.#raw, tally, now()).catch(() => errors.giveBack(tally));
  }

  /** An estimate that could not be written down is no reason to trouble anybody. */
  #behind(work: Promise<unknown>): void {
    this.#deps.keepAlive(work.catch(() => undefined));
  }
}

class MeteredStatement {
  readonly inner: D1PreparedStatement;
  readonly #note: (meta: Meta) => void;

  constructor(inner: D1PreparedStatement, note: (meta: Meta) => void) {
    this.inner = inner;
    this.#note = note;
  }

  bind(...values: unknown[]): MeteredStatement {
    return new MeteredStatement(this.inner.bind(...values), this.#note);
  }

  async all<Row>(): Promise<D1Result<Row>> {
    const result = await this.inner.all<Row>();
    this.#note(result.meta);
    return result;
  }

  async run<Row>(): Promise<D1Result<Row>> {
    const result = await this.inner.run<Row>();
    this.#note(result.meta);
    return result;
  }

  raw(options?: { columnNames?: false }): Promise<unknown[][]> {
    return this.inner.raw(options);
  }

  /** Without the runtime's own `first`, which says nothing of the cost. */
  async first<Row>(column?: string): Promise<Row | null> {
    const [row] = (await this.all<Record<string, unknown>>()).results;
    if (row === undefined) return null;
    return (column === undefined ? row : (row[column] ?? null)) as Row | null;
  }
}
