/**
 * The table `sites` in D1: the only SQL for it, but for what a restore writes. Every function rejects when D1 does not
 * answer.
 */

import { inTime } from "../limits/deadline.ts";
import type { Database } from "../log/sql.ts";
import type { SiteKey } from "./site-key.ts";

/** A site as its row has it. */
export interface SiteRow {
  readonly name: string;
  /** The id of the key's row whose person registered it. */
  readonly owner: string;
  /** None once it was removed. */
  readonly keys: readonly SiteKey[];
  /** Whose pages may come with its tokens; empty: any. */
  readonly origins: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  readonly removedAt: string | null;
}

/** A site that vouches for its users now. */
export interface Site extends SiteRow {
  readonly ownerHandle: string;
  /** What makes guests' handles this deployment's own: a room that the site's users make needs it. */
  readonly guestPepper: string;
}

type Row = {
  name: string;
  owner: string;
  keys: string;
  origins: string;
  created_at: string;
  removed_at: string | null;
};

const COLUMNS = "name, owner, keys, origins, sites.created_at, removed_at";

export class SiteTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The site `name`, also one that was removed. */
  async find(name: string): Promise<SiteRow | undefined> {
    const row = await this.#first<Row>(`SELECT ${COLUMNS} FROM sites WHERE name = ?`, name);
    return row && siteOf(row);
  }

  /** The site `name` while it vouches: not when it was removed, nor when its owner's key was revoked. */
  async standing(name: string): Promise<Site | undefined> {
    const query = `SELECT ${COLUMNS}, handle, (SELECT value FROM secrets WHERE name = 'guest_pepper') AS pepper FROM sites JOIN api_keys ON api_keys.id = owner
      WHERE name = ? AND removed_at IS NULL AND revoked_at IS NULL`;
    const row = await this.#first<Row & { handle: string; pepper: string }>(query, name);
    return row && { ...siteOf(row), ownerHandle: row.handle, guestPepper: row.pepper };
  }

  /** How many sites this person has. */
  async countOf(owner: string): Promise<number> {
    const query = "SELECT count(*) AS sites FROM sites WHERE owner = ? AND removed_at IS NULL";
    return (await this.#first<{ sites: number }>(query, owner))?.sites ?? 0;
  }

  /** Whether somebody else than `owner` has this handle, or had it. */
  async isHandleOfAnother(name: string, owner: string): Promise<boolean> {
    return (await this.#first("SELECT 1 FROM api_keys WHERE handle = ? AND id <> ?", name, owner)) !== undefined;
  }

  /** Makes the site; nothing happens when the name is taken. */
  async insert({ name, owner, keys, origins, createdAt }: Omit<SiteRow, "removedAt">): Promise<void> {
    const query = `INSERT INTO sites (name, owner, keys, origins, created_at) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (name) DO NOTHING RETURNING name`;
    await this.#first(query, name, owner, JSON.stringify(keys), JSON.stringify(origins), createdAt);
  }

  /** Gives the site other keys and origins, also one that was removed. Two at once: the later one holds. */
  async change(name: string, keys: readonly SiteKey[], origins: readonly string[]): Promise<void> {
    const query = "UPDATE sites SET keys = ?2, origins = ?3, removed_at = NULL WHERE name = ?1 RETURNING name";
    await this.#first(query, name, JSON.stringify(keys), JSON.stringify(origins));
  }

  /** Removes the site. Its name stays its owner's: its users' messages stand under it. */
  async remove(name: string, at: string): Promise<void> {
    const query = "UPDATE sites SET keys = '[]', origins = '[]', removed_at = ?2 WHERE name = ?1 RETURNING name";
    await this.#first(query, name, at);
  }

  /** Up to `limit` sites in the order of their names, with a name above `after`. */
  async rowsAfter(after: string, limit: number): Promise<SiteRow[]> {
    const query = `SELECT ${COLUMNS} FROM sites WHERE name > ? ORDER BY name LIMIT ?`;
    const answer = this.#db.prepare(query).bind(after, limit).all<Row>();
    return (await inTime(query, answer)).results.map(siteOf);
  }

  async #first<Result>(query: string, ...values: string[]): Promise<Result | undefined> {
    const answer = this.#db
      .prepare(query)
      .bind(...values)
      .first<Result>();
    return (await inTime(query, answer)) ?? undefined;
  }
}

const siteOf = ({ name, owner, keys, origins, created_at, removed_at }: Row): SiteRow => ({
  name,
  owner,
  keys: JSON.parse(keys) as SiteKey[],
  origins: JSON.parse(origins) as string[],
  createdAt: created_at,
  removedAt: removed_at,
});
