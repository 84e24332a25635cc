/** The migrations on this machine: the files of `migrations/` in order, each once, in one transaction with its mark. */

import { globSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** What of a D1 database is used here. */
interface Database {
  prepare(query: string): { bind(...values: unknown[]): unknown; all<Row>(): Promise<{ results: Row[] }> };
  batch(statements: unknown[]): Promise<unknown>;
}

/** Applies what has not been applied. The table of marks is wrangler's, so that `wrangler d1 migrations` agrees. */
export async function applyMigrations(database: unknown, folder: string): Promise<void> {
  const db = database as Database;
  await db.batch([
    db.prepare(`CREATE TABLE IF NOT EXISTS d1_migrations (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
      applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`),
  ]);
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const name of (await migrationsIn(folder)).filter((name) => !applied.has(name))) {
    const statements = splitStatements(await readFile(join(folder, name), "utf8"));
    const mark = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    await db.batch([...statements.map((statement) => db.prepare(statement)), mark]);
  }
}

/**
 * Whether the database under `stateDir` has all migrations of `folder`. Its file is read, past the runtime: a runtime
 * that has just started writes to D1 before it reads, which fails while another process has locked the file.
 */
export async function isMigrated(stateDir: string, folder: string): Promise<boolean> {
  const files = globSync("d1/*/*.sqlite", { cwd: stateDir });
  const applied = new Set(files.flatMap((file) => marksIn(join(stateDir, file))));
  return (await migrationsIn(folder)).every((name) => applied.has(name));
}

const migrationsIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();

function marksIn(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database
      .prepare("SELECT name FROM d1_migrations")
      .all()
      .map(({ name }) => String(name));
  } catch {
    // Another database, or one without marks. If it is broken, the runtime will say so.
    return [];
  } finally {
    database.close();
  }
}

/** Our migrations have neither triggers nor semicolons in strings: a statement ends with the line. */
function splitStatements(sql: string): string[] {
  const withoutComments = sql.replace(/--.*$/gm, "");
  return withoutComments.split(/;\s*$/m).filter((statement) => statement.trim() !== "");
}
