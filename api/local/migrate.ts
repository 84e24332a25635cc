/** The migrations on this machine: the files of `migrations/` in order, each once, in one transaction with its mark. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

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
  const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  for (const name of files.filter((name) => !applied.has(name))) {
    const statements = splitStatements(await readFile(join(folder, name), "utf8"));
    const mark = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    await db.batch([...statements.map((statement) => db.prepare(statement)), mark]);
  }
}

/** Our migrations have neither triggers nor semicolons in strings: a statement ends with the line. */
function splitStatements(sql: string): string[] {
  const withoutComments = sql.replace(/--.*$/gm, "");
  return withoutComments.split(/;\s*$/m).filter((statement) => statement.trim() !== "");
}
