/**
 * Whether a folder of state holds anything that somebody would miss. Only an empty one is written into from outside,
 * because a room that has a log of its own never looks into D1.
 *
 * The files are read, past the runtime, and nothing is written.
 */

import { globSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Where rooms keep their logs, below the folder of state. */
const ROOM_OBJECTS = "do/meet-ai-ChatRoom";

/** What there is in the folder that a restore would overwrite, in a few words; `undefined` in an empty one. */
export function contentOf(stateDir: string): string | undefined {
  for (const file of globSync("d1/*/*.sqlite", { cwd: stateDir })) {
    const content = withFile(join(stateDir, file), contentOfD1);
    if (content) return content;
  }
  for (const file of globSync(`${ROOM_OBJECTS}/*.sqlite`, { cwd: stateDir })) {
    if (withFile(join(stateDir, file), hasMessages)) return "messages";
  }
  return undefined;
}

/** Removes the logs of rooms in which nothing was said, so that they begin behind what D1 will have. */
export function removeEmptyLogs(stateDir: string): void {
  rmSync(join(stateDir, ROOM_OBJECTS), { recursive: true, force: true });
}

function contentOfD1(db: DatabaseSync): string | undefined {
  const tables = tablesOf(db);
  if (!tables.includes("rooms")) return undefined;
  if (isThere(db, "SELECT 1 FROM api_keys")) return "keys";
  if (isThere(db, "SELECT 1 FROM rooms WHERE last_seq > 0")) return "messages";
  // The migrations make the lobby, which nobody owns.
  return isThere(db, "SELECT 1 FROM rooms WHERE id <> 'lobby' OR revision > 1") ? "rooms" : undefined;
}

/** Whether the log of a room has messages. */
export function hasMessages(db: DatabaseSync): boolean {
  const logs = tablesOf(db).filter((name) => /^messages(_\d+)?$/.test(name));
  return logs.some((name) => isThere(db, `SELECT 1 FROM ${name}`));
}

const tablesOf = (db: DatabaseSync): string[] =>
  db
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all()
    .map(({ name }) => String(name));

const isThere = (db: DatabaseSync, query: string): boolean => db.prepare(`${query} LIMIT 1`).get() !== undefined;

/** Gives the SQLite file to `look`, and writes nothing. */
export function withFile<T>(file: string, look: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return look(db);
  } finally {
    db.close();
  }
}
