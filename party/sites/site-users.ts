/**
 * What a room remembers of the users for whom sites have vouched here: the name that others are shown, and the role, by
 * which nobody below it acts against them. The last 1,000 who came; of others only the sender is known.
 *
 * The table is made when the first of them comes, and read a user at a time.
 */

import type { ToldNames } from "../audience/flow/told-names.ts";
import type { Participant } from "../identity/sender.ts";
import { BoundedMap } from "../limits/bounded-map.ts";
import type { Sql } from "../log/sql.ts";
import type { MemberRole } from "../protocol.ts";
import type { RoomStorage } from "../storage/room-storage.ts";

/** Users who are remembered; of more, so many are forgotten at once. */
const MOST = 1_000;
const FORGOTTEN_AT_ONCE = 100;

/** When a user came last is kept to within this, ms. */
const SEEN_EVERY = 24 * 60 * 60_000;

/** Bytes that the names of one frame may take. Where there are more, the last ones are left out. */
export const NAMES_BYTES = 4 * 1024;

/** The version of the table. */
const VERSION = 1;
const TABLE = "site_users_1";

/** A site's user as a whole text of a frame's JSON. What somebody writes may look so, too; then a name is told in vain. */
const SENDER = /"([a-z0-9][a-z0-9._-]{0,63}@[a-z0-9-]{3,31})"/g;

interface SiteUser {
  readonly name: string | null;
  readonly role: MemberRole;
  /** Until when the role is theirs, ms since 1970. */
  readonly until: number;
  /** When they came last, ms since 1970. */
  readonly seen: number;
}

export class SiteUsers implements ToldNames {
  readonly #storage: RoomStorage;
  readonly #known = new BoundedMap<string, SiteUser | "unknown">(MOST);
  #count: number | undefined;
  #version = 0;
  #prunedAt = 0;

  constructor(storage: RoomStorage) {
    this.#storage = storage;
  }

  get reserved(): number {
    return this.#isThere ? NAMES_BYTES : 0;
  }

  get version(): number {
    return this.#version;
  }

  inFrame(json: string): string {
    if (!this.#isThere || !json.includes("@")) return json;
    const names = this.of([...json.matchAll(SENDER)].map(([, sender]) => sender as string));
    return names ? `${json.slice(0, -1)},"names":${JSON.stringify(names)}}` : json;
  }

  /** The names that are known of `senders`, as many as fit; `undefined` where there is none. */
  of(senders: Iterable<string>): Record<string, string> | undefined {
    if (!this.#isThere) return undefined;
    const names: Record<string, string> = {};
    let free = NAMES_BYTES - '"names":{},'.length;
    for (const sender of new Set(senders)) {
      const name = this.#find(sender)?.name;
      if (name === undefined || name === null) continue;
      // A character of UTF-16 is at most three bytes of UTF-8, or six where JSON escapes it.
      free -= sender.length + JSON.stringify(name).length * 3 + 4;
      if (free < 0) break;
      names[sender] = name;
    }
    return Object.keys(names).length > 0 ? names : undefined;
  }

  /** The role that a site has given `sender`, as long as it lasts. */
  roleOf(sender: string, now: number): MemberRole | undefined {
    const user = this.#isThere && sender.includes("@") ? this.#find(sender) : undefined;
    return user && user.until > now ? user.role : undefined;
  }

  /** A site's user has come. A token without a name takes none away. One row written when something is new. */
  note({ sender, vouched }: Participant, name: string | undefined, now: number): void {
    if (!vouched) return;
    const before = this.#isThere ? this.#find(sender) : undefined;
    const { role, until } = vouched;
    const user = { name: name ?? before?.name ?? null, role, until, seen: now };
    const isSame = before?.name === user.name && before.role === role && before.until >= until;
    if (isSame && now - before.seen < SEEN_EVERY) return;
    this.#make();
    if (!before && this.#counted() >= MOST) this.#forgetOldest();
    const query = `INSERT OR REPLACE INTO ${TABLE} (sender, name, role, until, seen) VALUES (?, ?, ?, ?, ?)`;
    this.#sql.exec(query, sender, user.name, role, until, now);
    if (!before && this.#count !== undefined) this.#count++;
    if (before?.name !== user.name) this.#version++;
    this.#known.set(sender, user);
  }

  /** Everything by `sender` was erased. */
  forget(sender: string): void {
    if (!this.#isThere || !this.#find(sender)) return;
    this.#sql.exec(`DELETE FROM ${TABLE} WHERE sender = ?`, sender);
    this.#changed();
  }

  /** Forgets those who came last before `time`, ms since 1970: no message of theirs is there any more. Once a day. */
  forgetBefore(time: number, now: number): void {
    if (!this.#isThere || now - this.#prunedAt < SEEN_EVERY) return;
    this.#prunedAt = now;
    this.#sql.exec(`DELETE FROM ${TABLE} WHERE seen < ? AND until < ?`, time, now);
    this.#changed();
  }

  #find(sender: string): SiteUser | undefined {
    const known = this.#known.get(sender);
    if (known !== undefined) return known === "unknown" ? undefined : known;
    const query = `SELECT name, role, until, seen FROM ${TABLE} WHERE sender = ?`;
    const [user] = this.#sql
      .exec<{ name: string | null; role: MemberRole; until: number; seen: number }>(query, sender)
      .toArray();
    this.#known.set(sender, user ?? "unknown");
    return user;
  }

  #forgetOldest(): void {
    const oldest = `SELECT sender FROM ${TABLE} ORDER BY seen LIMIT ${FORGOTTEN_AT_ONCE}`;
    this.#sql.exec(`DELETE FROM ${TABLE} WHERE sender IN (${oldest})`);
    this.#changed();
  }

  #changed(): void {
    this.#known.clear();
    this.#count = undefined;
    this.#version++;
  }

  #counted(): number {
    const query = `SELECT count(*) AS users FROM ${TABLE}`;
    this.#count ??= this.#sql.exec<{ users: number }>(query).toArray()[0]?.users ?? 0;
    return this.#count;
  }

  get #isThere(): boolean {
    return this.#storage.has("site_users", VERSION);
  }

  get #sql(): Sql {
    return this.#storage.sql;
  }

  #make(): void {
    if (this.#isThere) return;
    this.#storage.transaction(() => {
      this.#storage.make("site_users", VERSION, [
        `CREATE TABLE ${TABLE} (sender TEXT PRIMARY KEY, name TEXT, role TEXT NOT NULL, until INTEGER NOT NULL,
          seen INTEGER NOT NULL) WITHOUT ROWID`,
      ]);
    });
  }
}
