/**
 * A D1 database of a Cloudflare account, over its HTTP API
 * (https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/query). What fails for a moment is
 * asked again: everything that an import or a restore sends can be done twice.
 *
 * The free plan has a limit of rows written a day (UTC). What was written is counted from the answers, and before the limit
 * is reached the command stops, so that the rooms have something left for themselves.
 */

import { databaseLimit } from "../../../party/archive/database-limit.ts";
import type { Database, Statement } from "../../../party/log/sql.ts";
import { Failure } from "../failure.ts";

export interface D1OverHttpOptions {
  /** The API's address, as `https://api.cloudflare.com/client/v4`. */
  readonly api: string;
  readonly account: string;
  /** Goes into the header of each request, and nowhere else. */
  readonly token: string;
  /** The database's id. */
  readonly database: string;
  readonly budget: DailyBudget;
  /** Waits so many ms before a request is repeated. */
  wait(delay: number): Promise<unknown>;
}

/** The rows that may be written today. */
export interface DailyBudget {
  /** Throws `DayIsOver` when so many rows are too many. */
  require(rows: number): void;
  /** So many have been written. */
  spend(rows: number): void;
}

/** No more rows can be written today. Run again tomorrow, the command goes on. */
export class DayIsOver extends Error {}

/** So often a request is made, and so long is waited before it is repeated for the first time, ms: then twice as long. */
const TRIES = 6;
const FIRST_DELAY = 1_000;
/**
 * At least as many rows as a batch writes. One of the directory has 200 records with their places in indexes; one of messages
 * has some packs, and at most a thousand senders who are new to their room.
 */
export const ROWS_OF_A_BATCH = 1_100;

interface Answer {
  readonly success: boolean;
  readonly errors?: readonly { readonly code?: number; readonly message: string }[];
  readonly result?: readonly { readonly results?: unknown[]; readonly meta?: { readonly rows_written?: number } }[];
}

export class D1OverHttp implements Database {
  readonly #options: D1OverHttpOptions;

  constructor(options: D1OverHttpOptions) {
    this.#options = options;
  }

  /** The database called `name`. Throws `Failure` when the account has none, or the token may not see it. */
  static async byName(name: string, options: Omit<D1OverHttpOptions, "database">): Promise<D1OverHttp> {
    const { api, account } = options;
    const url = `${api}/accounts/${account}/d1/database?name=${encodeURIComponent(name)}`;
    const { result } = await request(url, { method: "GET" }, options);
    const databases = (result ?? []) as readonly { readonly name?: string; readonly uuid?: string }[];
    const database = databases.find((found) => found.name === name)?.uuid;
    if (database === undefined) throw new Failure(`The account has no D1 database ${name}: run npm run deploy first.`);
    return new D1OverHttp({ ...options, database });
  }

  prepare(query: string): HttpStatement {
    return new HttpStatement(this, query, []);
  }

  async batch<Row>(statements: Statement[]): Promise<{ results: Row[] }[]> {
    const { api, account, database, budget } = this.#options;
    const batch = (statements as HttpStatement[]).map(inJson);
    if (batch.some(({ sql }) => !/^\s*SELECT/i.test(sql))) budget.require(ROWS_OF_A_BATCH);
    const url = `${api}/accounts/${account}/d1/database/${database}/query`;
    const body = JSON.stringify({ batch });
    const { result = [] } = await request(url, { method: "POST", body }, this.#options);
    budget.spend(result.reduce((sum, { meta }) => sum + (meta?.rows_written ?? 0), 0));
    return result.map(({ results = [] }) => ({ results: results as Row[] }));
  }
}

/** No value may have more than 2 MB. */
const DIGITS_AT_MOST = 1_800_000;

/** A statement as the API takes it. JSON has no bytes, so a blob goes as hexadecimal digits, in two pieces. */
function inJson({ query, values }: HttpStatement): { sql: string; params: unknown[] } {
  const params = [...values];
  let sql = query;
  for (const [index, value] of values.entries()) {
    if (!(value instanceof ArrayBuffer)) continue;
    const digits = Buffer.from(value).toString("hex");
    params[index] = digits.slice(0, DIGITS_AT_MOST);
    const rest = params.push(digits.slice(DIGITS_AT_MOST));
    const blob = `CAST(unhex(?${index + 1}) || unhex(?${rest}) AS BLOB)`;
    sql = sql.replaceAll(new RegExp(`\\?${index + 1}\\b`, "g"), blob);
  }
  return { sql, params };
}

class HttpStatement implements Statement {
  readonly #db: D1OverHttp;
  readonly query: string;
  readonly values: unknown[];

  constructor(db: D1OverHttp, query: string, values: unknown[]) {
    this.#db = db;
    this.query = query;
    this.values = values;
  }

  bind(...values: unknown[]): HttpStatement {
    return new HttpStatement(this.#db, this.query, values);
  }

  async all<Row>(): Promise<{ results: Row[] }> {
    const [answer] = await this.#db.batch<Row>([this]);
    return answer ?? { results: [] };
  }

  async first<Row>(): Promise<Row | null> {
    return (await this.all<Row>()).results[0] ?? null;
  }
}

async function request(
  url: string,
  init: RequestInit,
  { token, wait }: Pick<D1OverHttpOptions, "token" | "wait">,
): Promise<Answer> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  let trouble = "";
  for (let tried = 0; tried < TRIES; tried++) {
    if (tried > 0) await wait(FIRST_DELAY * 2 ** (tried - 1));
    const response = await fetch(url, { ...init, headers }).catch((error: Error) => error);
    if (response instanceof Error) {
      trouble = String((response.cause as Error | undefined)?.message ?? response.message);
      continue;
    }
    const answer = (await response.json().catch(() => ({ success: false }))) as Answer;
    if (response.ok && answer.success) return answer;
    trouble = answer.errors?.map(({ message }) => message).join(" ") || `status ${response.status}`;
    refuse(response.status, trouble);
  }
  throw new Error(`D1_ERROR: the API does not answer (${trouble})`);
}

/** Throws for what does not pass when it is asked again. */
function refuse(status: number, message: string): void {
  const limit = databaseLimit(message);
  if (limit === "day") throw new DayIsOver(message);
  if (status === 401 || status === 403) {
    throw new Failure(`The account does not accept the token (${message}): it needs the permission D1 Edit.`);
  }
  if (status === 404) throw new Failure(`The account or its database was not found (${message}).`);
  if (limit === "full") throw new Error(`D1_ERROR: the database is full (${message})`);
  const passes = status === 429 || status >= 500 || /network|overloaded|reset|timeout|transient/i.test(message);
  if (!passes) throw new Error(`D1_ERROR: ${message}`);
}
