/**
 * Tables from before a room had a list of its parts (0.1.0 and 0.2.0): they are brought into today's form, and listed. A
 * deferred deploy hands old tables to new code, so this may happen whenever a room is opened.
 */

import { migrateLog } from "../log/earlier-forms.ts";
import { LOG_VERSION } from "../log/log-tables.ts";
import type { Sql } from "../log/sql.ts";

/** The list of a room's parts that have their tables. */
export const SCHEMA =
  "CREATE TABLE IF NOT EXISTS schema (part TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID";

/**
 * Takes up what the tables `names` hold. Whether there was anything; nothing is written where there is not. Throws when a
 * later version has written it. In a transaction.
 */
export function adoptEarlier(sql: Sql, names: ReadonlySet<string>): boolean {
  const parts: [part: string, version: number][] = [];
  if (names.has("roster")) {
    sql.exec("DROP TABLE roster_changes");
    parts.push(["roster", versionOf(sql, "roster")]);
  }
  if (names.has("moderation")) {
    const version = versionOf(sql, "moderation");
    // The first one held texts alone, and no asks.
    if (version === 1) sql.exec("ALTER TABLE held ADD COLUMN kind TEXT NOT NULL DEFAULT 'text'");
    for (const table of ["moderation", "moderation_changes"]) sql.exec(`DROP TABLE ${table}`);
    parts.push(["moderation", Math.max(2, version)]);
  }
  if (names.has("address_book")) parts.push(["addresses", versionOf(sql, "address_book")]);
  if (names.has("site_users_1")) parts.push(["site_users", 1]);
  if (names.has("open_asks")) parts.push(["asks", 1]);
  if (names.has("log")) {
    migrateLog(sql, names);
    parts.push(["log", LOG_VERSION]);
  }
  if (parts.length === 0) return false;
  sql.exec(SCHEMA);
  for (const part of parts) sql.exec("INSERT INTO schema (part, version) VALUES (?, ?)", ...part);
  return true;
}

const versionOf = (sql: Sql, table: string): number =>
  sql.exec<{ version: number }>(`SELECT version FROM ${table}`).toArray()[0]?.version ?? 1;
