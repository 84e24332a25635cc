/**
 * The D1 of a Cloudflare account as the place where a backup goes. The Worker may be there and answer meanwhile, so it must
 * not let anybody into a room that is half restored.
 *
 * While a restore is under way the secrets have its mark and no pepper. The Worker reads the pepper with every room, and
 * refuses all of them without one (`api/directory.ts`). Mark and pepper change places in one transaction.
 */

import type { Database } from "../../../party/log/sql.ts";
import type { DirectoryRecord } from "../../format/records.ts";
import type { Place } from "./restore.ts";

/** The name of the secret that marks a restore, and of the pepper, also while it is put aside. */
const MARK = "restore_begun";
const PEPPER = "guest_pepper";
const ASIDE = "guest_pepper_before";

/** What a mark has: of which backup, and since when the lobby is one that no object knows (ISO 8601). */
interface Mark {
  readonly backup: string;
  readonly lobbySince: string;
}

export class AccountDatabase implements Place {
  readonly name: string;
  readonly anew: string;
  readonly another: string;
  readonly #db: Database;
  #lobbySince = "";
  #pepper: string | undefined;

  /** `name` is the database's. */
  constructor(db: Database, name: string) {
    this.#db = db;
    this.name = `${name} on Cloudflare`;
    this.anew = `delete the database (npx wrangler d1 delete ${name}), run npm run deploy`;
    this.another = "a restore needs an empty database, as npm run deploy makes one under a new database_name";
  }

  async mark(): Promise<string | undefined> {
    const kept = await this.#secret(MARK);
    if (kept === undefined) return undefined;
    const { backup, lobbySince } = JSON.parse(kept) as Mark;
    this.#lobbySince = lobbySince;
    return backup;
  }

  async content(): Promise<string | undefined> {
    // The migrations make the lobby, which nobody owns.
    const query = `SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM api_keys LIMIT 1)) AS keys,
      (SELECT COUNT(*) FROM (SELECT 1 FROM rooms WHERE last_seq > 0 LIMIT 1)) AS messages,
      (SELECT COUNT(*) FROM (SELECT 1 FROM rooms WHERE id <> 'lobby' OR revision > 1 LIMIT 1)) AS rooms`;
    const there = await this.#db.prepare(query).first<Record<string, number>>();
    return ["keys", "messages", "rooms"].find((what) => (there?.[what] ?? 0) > 0);
  }

  async begin(backup: string): Promise<void> {
    const lobby = await this.#db
      .prepare("SELECT created_at AS at FROM rooms WHERE id = 'lobby'")
      .first<{ at: string }>();
    // An object of the lobby that was opened knows itself, and would not look into D1 for the same or an earlier room.
    this.#lobbySince = new Date(Date.parse(lobby?.at ?? "1970-01-01") + 1).toISOString();
    const mark: Mark = { backup, lobbySince: this.#lobbySince };
    await this.#db.batch([
      this.#db.prepare("UPDATE secrets SET name = ? WHERE name = ?").bind(ASIDE, PEPPER),
      this.#db
        .prepare("INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
        .bind(MARK, JSON.stringify(mark)),
    ]);
  }

  withDatabase(work: (db: Database) => Promise<void>): Promise<void> {
    return work(this.#db);
  }

  recordOf(record: DirectoryRecord): DirectoryRecord | undefined {
    if (record.type === "secret" && record.name === PEPPER) {
      this.#pepper = record.value;
      return undefined;
    }
    if (record.type !== "room" || record.id !== "lobby" || record.createdAt >= this.#lobbySince) return record;
    return { ...record, createdAt: this.#lobbySince };
  }

  /** Puts the backup's pepper into its place, or the one of before where the backup has none. */
  async end(): Promise<void> {
    const pepper = this.#pepper ?? (await this.#secret(ASIDE));
    await this.#db.batch([
      this.#db
        .prepare(
          "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(PEPPER, pepper),
      this.#db.prepare("DELETE FROM secrets WHERE name IN (?, ?)").bind(MARK, ASIDE),
    ]);
  }

  async #secret(name: string): Promise<string | undefined> {
    const row = await this.#db
      .prepare("SELECT value FROM secrets WHERE name = ?")
      .bind(name)
      .first<{ value: string }>();
    return row?.value;
  }
}
