/** D1 on this machine, opened before a server runs. */

import { Miniflare } from "miniflare";
import type { Database } from "../../party/log/sql.ts";
import { end } from "./end.ts";
import { applyMigrations } from "./migrate.ts";
import { MIGRATIONS } from "./root.ts";
import { databaseOptions } from "./worker-options.ts";

/**
 * Opens the database of the folder `stateDir`, which this process has taken, and gives it to `work` with all migrations
 * applied. Ends the process with one line when D1 refuses those.
 */
export async function withDatabase<T>(stateDir: string, work: (db: Database) => Promise<T>): Promise<T> {
  const runtime = new Miniflare(databaseOptions(stateDir));
  try {
    const db = await runtime.getD1Database("DB");
    await applyMigrations(db, MIGRATIONS).catch(({ message }: Error) => {
      end(`The database in ${stateDir} can't be migrated (${message}): another process may have locked its file.`);
    });
    return await work(db as unknown as Database);
  } finally {
    await runtime.dispose();
  }
}
