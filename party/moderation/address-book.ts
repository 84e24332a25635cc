/**
 * From which addresses the room's senders wrote lately, as tags: so that a mute reaches the address of a troll who has left
 * already. It is kept in the room alone, is bounded, and forgets after some days.
 */

import type { Participant } from "../identity/sender.ts";
import { BoundedMap } from "../limits/bounded-map.ts";
import { isTaken, takenNames } from "../log/erasure.ts";
import type { Sql } from "../log/sql.ts";
import type { RoomStorage } from "../storage/room-storage.ts";

/** Senders that are remembered. */
export const MOST_SENDERS = 2_000;
/** So many are forgotten at once when there are more. */
const FORGOTTEN_AT_ONCE = 500;
/** Addresses of one sender. */
export const MOST_TAGS = 3;
/** An address that nobody of that name has written from for so long is forgotten, ms: a week. */
export const REMEMBERED_FOR = 7 * 86_400_000;
/** How often it is written down again that somebody still writes from there, ms. */
const NOTED_EVERY = 86_400_000;
/** What is too old is looked for at most so often, ms: each look reads every row. */
const SWEPT_EVERY = 3_600_000;
/** Senders of whom it is known in memory that they are written down. */
const KNOWN = 2_000;

export interface AddressBookDeps {
  readonly storage: RoomStorage;
  now(): number;
}

/** A tag, and when somebody wrote from there last, ms since 1970. */
type Place = [tag: string, at: number];

export class AddressBook {
  readonly #deps: AddressBookDeps;
  /** What stands in the table, by sender. */
  readonly #places = new BoundedMap<string, Place[]>(KNOWN);
  /** Before this nothing is looked for that is too old, ms since 1970. */
  #sweepAt = 0;

  constructor(deps: AddressBookDeps) {
    this.#deps = deps;
  }

  /** Notes from where `author` writes. Two rows written for a new sender, one for a new address and once a day. */
  note({ sender, behind }: Pick<Participant, "sender" | "behind">): void {
    if (behind === undefined) return;
    const now = this.#deps.now();
    const places = this.#placesOf(sender);
    const at = places.find(([tag]) => tag === behind)?.[1];
    if (at !== undefined && now - at < NOTED_EVERY) return;
    const others = places.filter(([tag, at]) => tag !== behind && now - at < REMEMBERED_FOR);
    this.#save(sender, [[behind, now] as Place, ...others].slice(0, MOST_TAGS), now);
  }

  /** The tags of the addresses from which `sender`, or for a person also their agents, wrote lately. */
  tagsOf(sender: string): string[] {
    if (!this.#isThere) return [];
    const query = `SELECT places FROM senders WHERE ${isTaken(1)} LIMIT 20`;
    const rows = this.#sql.exec<{ places: string }>(query, ...takenNames(sender)).toArray();
    const since = this.#deps.now() - REMEMBERED_FOR;
    const places = rows.flatMap(({ places }) => JSON.parse(places) as Place[]).filter(([, at]) => at > since);
    return [...new Set(places.sort(([, a], [, b]) => b - a).map(([tag]) => tag))];
  }

  /** Forgets `sender` and their agents: they have been erased. */
  forget(sender: string): void {
    if (!this.#isThere) return;
    this.#deps.storage.transaction(() => {
      this.#sql.exec(`DELETE FROM senders WHERE ${isTaken(1)}`, ...takenNames(sender));
      this.#recount();
    });
    this.#places.clear();
  }

  /** Forgets what is too old. In how many ms there may be more to forget; `undefined`: nobody is remembered. */
  sweep(): number | undefined {
    if (!this.#isThere) return undefined;
    const now = this.#deps.now();
    if (now >= this.#sweepAt) {
      if ((this.#oldestAt ?? now) <= now - REMEMBERED_FOR) this.#forgetOld(now);
      const oldest = this.#oldestAt;
      if (oldest === undefined) return undefined;
      this.#sweepAt = Math.max(oldest + REMEMBERED_FOR, now + SWEPT_EVERY);
    }
    return this.#sweepAt - now;
  }

  #forgetOld(now: number): void {
    this.#deps.storage.transaction(() => {
      this.#sql.exec("DELETE FROM senders WHERE at <= ?", now - REMEMBERED_FOR);
      this.#recount();
    });
    this.#places.clear();
  }

  get #oldestAt(): number | undefined {
    const query = "SELECT MIN(at) AS at FROM senders";
    return this.#sql.exec<{ at: number | null }>(query).toArray()[0]?.at ?? undefined;
  }

  get #isThere(): boolean {
    return this.#deps.storage.has("addresses", VERSION);
  }

  get #sql(): Sql {
    return this.#deps.storage.sql;
  }

  #placesOf(sender: string): Place[] {
    const known = this.#places.get(sender);
    if (known || !this.#isThere) return known ?? [];
    const query = "SELECT places FROM senders WHERE sender = ?";
    const [row] = this.#sql.exec<{ places: string }>(query, sender).toArray();
    const places = row ? (JSON.parse(row.places) as Place[]) : [];
    this.#places.set(sender, places);
    return places;
  }

  #save(sender: string, places: Place[], now: number): void {
    const { storage } = this.#deps;
    const isNew = this.#placesOf(sender).length === 0;
    storage.transaction(() => {
      storage.make("addresses", VERSION, TABLES);
      const insert = "INSERT OR REPLACE INTO senders (sender, places, at) VALUES (?, ?, ?)";
      this.#sql.exec(insert, sender, JSON.stringify(places), now);
      if (isNew) this.#count();
    });
    this.#places.set(sender, places);
  }

  /** Counts a new sender, and lets the oldest go when there are too many. */
  #count(): void {
    const sql = this.#sql;
    const update = "UPDATE address_book SET senders = senders + 1 RETURNING senders";
    const [book] = sql.exec<{ senders: number }>(update).toArray();
    if ((book?.senders ?? 0) <= MOST_SENDERS) return;
    sql.exec("DELETE FROM senders WHERE sender IN (SELECT sender FROM senders ORDER BY at LIMIT ?)", FORGOTTEN_AT_ONCE);
    this.#recount();
    this.#places.clear();
  }

  #recount(): void {
    this.#sql.exec("UPDATE address_book SET senders = (SELECT COUNT(*) FROM senders)");
  }
}

/** The version of these tables. */
const VERSION = 1;

const TABLES = [
  // One row: the version of these tables, and how many senders there are.
  `CREATE TABLE address_book (
    one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, senders INTEGER NOT NULL)`,
  "INSERT INTO address_book (one, version, senders) VALUES (1, 1, 0)",
  // `places` is JSON, the newest first: [[tag, ms since 1970], …]. `at` is the newest.
  "CREATE TABLE senders (sender TEXT PRIMARY KEY, places TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
];
