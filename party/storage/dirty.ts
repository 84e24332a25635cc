/**
 * What D1's copy of the room is not up to date with, beside the messages that it has yet to be given: packs with a message
 * that has changed since, and parts of the room beside its log. Each is marked in the transaction that changes it.
 */

import { firstOf } from "../archive/pack.ts";
import type { Seq } from "../protocol.ts";
import type { RoomStorage } from "./room-storage.ts";

/** What of a room is copied as one piece, beside the packs. */
export type Part = (typeof PARTS)[number];

export const PARTS = ["room", "members", "invites", "deeds", "held", "asks", "pairs"] as const;

/** Its tables, which are made with the log. */
export const DIRTY_TABLES = [
  // `refused`: when D1 refused the pack last, ms since 1970, with what it said.
  "CREATE TABLE dirty (first INTEGER PRIMARY KEY, refused INTEGER, reason TEXT)",
  "CREATE TABLE dirty_parts (part TEXT PRIMARY KEY) WITHOUT ROWID",
];

/** A copy that is under way. */
export interface Flight {
  /** D1 has these packs (by their first seqs) and parts, as they were when the flight began. What was marked since stays marked. */
  end(packs: readonly Seq[], parts: readonly Part[]): void;
}

export class Dirty {
  readonly #storage: RoomStorage;
  /** What was marked since the newest flight began. */
  #sinceFlight = new Set<Seq | Part>();

  constructor(storage: RoomStorage) {
    this.#storage = storage;
  }

  /** Marks the pack of `seq`. One that D1 has refused is tried again. In a transaction; without a log it does nothing. */
  markPack(seq: Seq): void {
    if (!this.#storage.has("log")) return;
    const first = firstOf(seq);
    this.#sinceFlight.add(first);
    const insert = `INSERT INTO dirty (first) VALUES (?)
      ON CONFLICT (first) DO UPDATE SET refused = NULL, reason = NULL WHERE refused IS NOT NULL`;
    this.#storage.sql.exec(insert, first);
  }

  /** Marks the packs of `seqs`. In a transaction. */
  markPacks(seqs: readonly Seq[]): void {
    for (const first of new Set(seqs.map(firstOf))) this.markPack(first);
  }

  /** Marks a part. In a transaction; without a log it does nothing. */
  markPart(part: Part): void {
    if (!this.#storage.has("log")) return;
    this.#sinceFlight.add(part);
    this.#storage.sql.exec("INSERT OR IGNORE INTO dirty_parts (part) VALUES (?)", part);
  }

  /** Notes that D1 has refused the pack `first` at `at`, ms since 1970. */
  refuse(first: Seq, at: number, reason: string): void {
    const insert = "INSERT OR REPLACE INTO dirty (first, refused, reason) VALUES (?, ?, ?)";
    this.#storage.sql.exec(insert, first, at, reason);
  }

  /** Up to `limit` packs from `from` on, oldest first, without those that D1 refused at `refusedBefore` (ms since 1970) or later. */
  packs(limit: number, refusedBefore: number, from: Seq = 1): Seq[] {
    const query = `SELECT first FROM dirty WHERE first >= ? AND (refused IS NULL OR refused < ?)
      ORDER BY first LIMIT ?`;
    const rows = this.#storage.sql.exec<{ first: number }>(query, from, refusedBefore, limit).toArray();
    return rows.map(({ first }) => first);
  }

  /** The packs that D1 has refused, and what it said. */
  refused(): { first: Seq; reason: string }[] {
    const query = "SELECT first, reason FROM dirty WHERE refused IS NOT NULL ORDER BY first";
    return this.#storage.sql.exec<{ first: number; reason: string }>(query).toArray();
  }

  /** When D1 refused the one of them that it refused first, ms since 1970; `undefined`: there is none. */
  get refusedAt(): number | undefined {
    const query = "SELECT MIN(refused) AS at FROM dirty";
    return this.#storage.sql.exec<{ at: number | null }>(query).toArray()[0]?.at ?? undefined;
  }

  parts(): Part[] {
    const rows = this.#storage.sql.exec<{ part: Part }>("SELECT part FROM dirty_parts").toArray();
    return rows.map(({ part }) => part);
  }

  /** Begins a copy. Where the one before has not ended it never will: its end does nothing. */
  beginFlight(): Flight {
    const marked = new Set<Seq | Part>();
    this.#sinceFlight = marked;
    return {
      end: (packs, parts) => {
        if (this.#sinceFlight !== marked) return;
        this.#sinceFlight = new Set();
        this.#forget("dirty", "first", packs, marked);
        this.#forget("dirty_parts", "part", parts, marked);
      },
    };
  }

  #forget(table: string, key: string, copied: readonly (Seq | Part)[], marked: ReadonlySet<Seq | Part>): void {
    const done = copied.filter((one) => !marked.has(one));
    const query = `DELETE FROM ${table} WHERE ${key} IN (SELECT value FROM json_each(?))`;
    if (done.length > 0) this.#storage.sql.exec(query, JSON.stringify(done));
  }
}

/** Marks a part of the room that has changed. In the transaction that changes it. */
export const markPart = (storage: RoomStorage, part: Part): void => storage.dirty.markPart(part);
