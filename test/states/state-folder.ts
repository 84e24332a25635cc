/**
 * State folders as text: what an earlier version has left on a disk, to see that a later one goes on from it. Each database
 * is written down as the statements that make it again.
 */

import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The files of a state folder: databases as statements, any other file as its text. By their path in the folder. */
interface StateFolder {
  readonly databases: Readonly<Record<string, readonly string[]>>;
  readonly texts: Readonly<Record<string, string>>;
}

/** Makes the folder that `file` tells of at `path`, which must be empty. */
export function restore(file: string, path: string): void {
  const { databases, texts } = JSON.parse(readFileSync(file, "utf8")) as StateFolder;
  for (const name of [...Object.keys(databases), ...Object.keys(texts)]) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
  }
  for (const [name, statements] of Object.entries(databases)) {
    const database = new DatabaseSync(join(path, name));
    database.exec("PRAGMA journal_mode = WAL");
    for (const statement of statements) database.exec(statement);
    database.close();
  }
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(path, name), text);
}

/** What is in the folder of a server that is stopped. */
export function read(path: string): StateFolder {
  const names = globSync("**/*", { cwd: path, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .filter((name) => !/\.sqlite-(?:wal|shm)$/.test(name) && !name.startsWith("cache/"))
    .sort();
  const isDatabase = (name: string): boolean => name.endsWith(".sqlite");
  return {
    databases: Object.fromEntries(names.filter(isDatabase).map((name) => [name, statementsOf(join(path, name))])),
    texts: Object.fromEntries(
      names.filter((name) => !isDatabase(name)).map((name) => [name, readFileSync(join(path, name), "utf8")]),
    ),
  };
}

function statementsOf(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const objects = database
    .prepare(
      "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
    )
    .all() as { type: string; name: string; sql: string }[];
  const rows = objects.filter(({ type }) => type === "table").flatMap(({ name }) => insertsInto(database, name));
  database.close();
  const [tables, others] = [true, false].map((wanted) => objects.filter(({ type }) => (type === "table") === wanted));
  return [...(tables ?? []).map(({ sql }) => sql), ...rows, ...(others ?? []).map(({ sql }) => sql)];
}

function insertsInto(database: DatabaseSync, table: string): string[] {
  const columns = (database.prepare(`PRAGMA table_info("${table}")`).all() as { name: string }[]).map(
    ({ name }) => name,
  );
  const quoted = columns.map((column) => `quote("${column}")`).join(" || ', ' || ");
  const rows = database.prepare(`SELECT ${quoted} AS row FROM "${table}"`).all() as { row: string }[];
  return rows.map(
    ({ row }) => `INSERT INTO "${table}" (${columns.map((name) => `"${name}"`).join(", ")}) VALUES (${row})`,
  );
}
