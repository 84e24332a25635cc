/** A Cloudflare account as the place where an import goes. */

import { Failure } from "../failure.ts";
import { D1OverHttp, type D1OverHttpOptions } from "./d1-over-http.ts";
import { StagedBudget } from "./daily-budget.ts";
import type { ImportOptions } from "./run.ts";
import type { Staging } from "./staging.ts";
import { knownKeys } from "./target.ts";

export interface AccountOptions extends Pick<D1OverHttpOptions, "api" | "account" | "token" | "wait"> {
  /** The database's name. */
  readonly database: string;
  /** Rows that may be written on a day of UTC. */
  readonly rowsADay: number;
  /** ms since 1970. */
  now(): number;
}

/** What `runImport` is told of an account. Throws `Failure` from there when the account can't be used. */
export function openAccount({
  rowsADay,
  now,
  database,
  ...options
}: AccountOptions): Pick<ImportOptions, "knownKeys" | "openTarget"> {
  let db: D1OverHttp | undefined;
  const open = async (staging: Staging): Promise<D1OverHttp> => {
    db ??= await D1OverHttp.byName(database, { ...options, budget: new StagedBudget(staging, rowsADay, now) });
    await requireTables(db, database);
    return db;
  };
  return {
    knownKeys: async (staging) => knownKeys(await open(staging)),
    // A room's object is out of reach.
    openTarget: async (staging) => ({
      db: await open(staging),
      objectOf: () => undefined,
      removeObject: () => undefined,
    }),
  };
}

async function requireTables(db: D1OverHttp, name: string): Promise<void> {
  const query = "SELECT COUNT(*) AS count FROM sqlite_master WHERE name IN ('api_keys', 'rooms', 'packs', 'secrets')";
  const tables = await db.prepare(query).first<{ count: number }>();
  if (tables?.count !== 4) throw new Failure(`${name} has not the tables of this version: run npm run deploy first.`);
}
