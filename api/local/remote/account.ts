/** A Cloudflare account and its D1 database, as `npm run import` and `npm run restore` are told of them. */

import { setTimeout as pause } from "node:timers/promises";
import { wholeNumber } from "../command-line.ts";
import { Failure } from "../failure.ts";
import { D1OverHttp, type D1OverHttpOptions } from "./d1-over-http.ts";
import { type BudgetStore, KeptBudget } from "./daily-budget.ts";

export interface AccountOptions extends Pick<D1OverHttpOptions, "api" | "account" | "token" | "wait"> {
  /** The database's name. */
  readonly database: string;
  /** Rows that may be written on a day of UTC. */
  readonly rowsADay: number;
  /** ms since 1970. */
  now(): number;
}

/** What a command takes to reach an account, as `parseArgs` has it. */
export const ACCOUNT_ARGUMENTS = {
  remote: { type: "boolean", default: false },
  database: { type: "string", default: "meet-ai" },
  "rows-a-day": { type: "string", default: "90000" },
} as const;

/** The account that the environment and the command line name. Throws `Failure` when it is not named whole. */
export function namedAccount(values: { database: string; "rows-a-day": string }): AccountOptions {
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_BASE_URL: api } = process.env;
  if (!token || !account) {
    throw new Failure("--remote takes CLOUDFLARE_API_TOKEN (with the permission D1 Edit) and CLOUDFLARE_ACCOUNT_ID.");
  }
  return {
    api: api ?? "https://api.cloudflare.com/client/v4",
    account,
    token,
    database: values.database,
    rowsADay: wholeNumber("rows-a-day", values["rows-a-day"]),
    now: () => Date.now(),
    wait: (delay) => pause(delay),
  };
}

/** The database, with the tables of this version. Throws `Failure` when it has not, or can't be reached. */
export async function openDatabase(
  { rowsADay, now, database, ...options }: AccountOptions,
  written: BudgetStore,
): Promise<D1OverHttp> {
  const db = await D1OverHttp.byName(database, { ...options, budget: new KeptBudget(written, rowsADay, now) });
  const query = "SELECT COUNT(*) AS count FROM sqlite_master WHERE name IN ('api_keys', 'rooms', 'packs', 'secrets')";
  const tables = await db.prepare(query).first<{ count: number }>();
  if (tables?.count === 4) return db;
  throw new Failure(`${database} has not the tables of this version: run npm run deploy first.`);
}
