/**
 * The table `api_keys` in D1: the only SQL for it. Each change is one statement, which is its commit point; and it says
 * which key it expects, so that of two changes at once one finds that the other was first.
 *
 * Every function rejects when D1 does not answer in time, or answers with an error. A change may then have happened all the
 * same: ask `keysOf`.
 */

import { inTime } from "../limits/deadline.ts";
import type { Database } from "../log/sql.ts";

/** Who holds a key. */
export interface KeyOwner {
  /** The id of the person's row. It stays when the key is rotated. */
  readonly id: string;
  readonly handle: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** The keys that a person has, as SHA-256 in hex. */
export interface PersonKeys {
  readonly owner: KeyOwner;
  readonly current: string;
  /** Made by a rotation and not used yet. */
  readonly next: string | undefined;
  readonly revoked: boolean;
}

/** A person's row. Keys are SHA-256 in hex, times ISO 8601. */
export interface KeyRow extends KeyOwner {
  readonly hash: string;
  readonly lastUsed: string | null;
  readonly revokedAt: string | null;
  /** A key that a rotation has made and that was not used yet. */
  readonly nextHash: string | null;
}

export class KeyTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The id of the person whose key has this hash; `undefined` when no valid key has it. Reads at most one row. */
  async personOf(hash: string): Promise<string | undefined> {
    const row = await this.#first<{ id: string }>(PERSON_OF, hash);
    return row?.id;
  }

  /** The keys of the person `id`; `undefined` when there is no such person. */
  async keysOf(id: string): Promise<PersonKeys | undefined> {
    const row = await this.#first<{
      handle: string;
      created_at: string;
      key_hash: string;
      next_key_hash: string | null;
      revoked_at: string | null;
    }>("SELECT handle, created_at, key_hash, next_key_hash, revoked_at FROM api_keys WHERE id = ?", id);
    if (!row) return undefined;
    return {
      owner: { id, handle: row.handle, createdAt: row.created_at },
      current: row.key_hash,
      next: row.next_key_hash ?? undefined,
      revoked: row.revoked_at !== null,
    };
  }

  /** The id of the person with this handle; `undefined` when there is none, or they have no valid key any more. */
  async findHandle(handle: string): Promise<string | undefined> {
    const query = "SELECT id FROM api_keys WHERE handle = ? AND revoked_at IS NULL";
    return (await this.#first<{ id: string }>(query, handle))?.id;
  }

  /** When the key of `id` was last used, ISO 8601, to within an hour; `null` when never. */
  async lastUsed(id: string): Promise<string | null> {
    const row = await this.#first<{ last_used: string | null }>("SELECT last_used FROM api_keys WHERE id = ?", id);
    return row?.last_used ?? null;
  }

  /** Everything of up to `limit` people, in the order of their ids, with an id above `after`. */
  async rowsAfter(after: string, limit: number): Promise<KeyRow[]> {
    const query = `SELECT id, key_hash AS hash, handle, created_at AS createdAt, last_used AS lastUsed,
      revoked_at AS revokedAt, next_key_hash AS nextHash FROM api_keys WHERE id > ? ORDER BY id LIMIT ?`;
    const answer = this.#db.prepare(query).bind(after, limit).all<KeyRow>();
    return (await inTime(query, answer)).results;
  }

  /** Makes a person with their first key; false when the handle is taken, or the key another's. */
  async insert({ id, handle, createdAt }: KeyOwner, hash: string): Promise<boolean> {
    const query = `INSERT INTO api_keys (id, key_hash, handle, created_at) SELECT ?1, ?2, ?3, ?4
      WHERE NOT EXISTS (SELECT 1 FROM api_keys WHERE next_key_hash = ?2)
      ON CONFLICT DO NOTHING RETURNING id`;
    return (await this.#first(query, id, hash, handle, createdAt)) !== undefined;
  }

  /** Whose the key with this hash is, or was; `undefined` when nobody has it. Also one that is only offered. */
  async holderOf(hash: string): Promise<(KeyOwner & { readonly isValid: boolean }) | undefined> {
    const query = `SELECT id, handle, created_at, key_hash = ?1 AND revoked_at IS NULL AS valid FROM api_keys
      WHERE key_hash = ?1 OR next_key_hash = ?1`;
    const row = await this.#first<{ id: string; handle: string; created_at: string; valid: number }>(query, hash);
    return row && { id: row.id, handle: row.handle, createdAt: row.created_at, isValid: row.valid === 1 };
  }

  /** Puts the key `to` in the place of `from`, and withdraws a key that was offered; false when nothing has changed. */
  async swap(id: string, from: string, to: string): Promise<boolean> {
    const query = `UPDATE api_keys SET key_hash = ?3, next_key_hash = NULL
      WHERE id = ?1 AND key_hash = ?2 AND revoked_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM api_keys WHERE id <> ?1 AND (key_hash = ?3 OR next_key_hash = ?3)) RETURNING id`;
    return (await this.#first(query, id, from, to)) !== undefined;
  }

  /** Lets the key `next` be valid beside `current`, in place of one that was offered before. */
  async offer(id: string, current: string, next: string): Promise<boolean> {
    const query = `UPDATE api_keys SET next_key_hash = ?3
      WHERE id = ?1 AND key_hash = ?2 AND revoked_at IS NULL RETURNING id`;
    return (await this.#first(query, id, current, next)) !== undefined;
  }

  /** Makes the key that was offered the only one. */
  async promote(id: string, next: string): Promise<boolean> {
    const query = `UPDATE api_keys SET key_hash = next_key_hash, next_key_hash = NULL
      WHERE id = ?1 AND next_key_hash = ?2 AND revoked_at IS NULL RETURNING id`;
    return (await this.#first(query, id, next)) !== undefined;
  }

  /** Ends all keys of the person `id`, whose current one is `current`. `at` is ISO 8601. */
  async revoke(id: string, current: string, at: string): Promise<boolean> {
    const query = `UPDATE api_keys SET revoked_at = ?3
      WHERE id = ?1 AND key_hash = ?2 AND revoked_at IS NULL RETURNING id`;
    return (await this.#first(query, id, current, at)) !== undefined;
  }

  /** Notes when the key of `id` was used. `at` is ISO 8601. */
  async noteUse(id: string, at: string): Promise<void> {
    await this.#first("UPDATE api_keys SET last_used = ?2 WHERE id = ?1 RETURNING id", id, at);
  }

  async #first<Row>(query: string, ...values: string[]): Promise<Row | undefined> {
    const answer = this.#db
      .prepare(query)
      .bind(...values)
      .first<Row>();
    return (await inTime(query, answer)) ?? undefined;
  }
}

/** Each side of the OR is looked up in an index of its own. */
export const PERSON_OF = `SELECT id FROM api_keys
  WHERE (key_hash = ?1 OR next_key_hash = ?1) AND revoked_at IS NULL`;
