/**
 * The members and the invites of one room, in its own SQLite: what is true. D1 has a copy.
 *
 * A room without members has no tables for them and costs nothing. Each question reads a bounded number of rows, however
 * many members there are; roles that were asked for lately are in memory. All of it is synchronous, and each change is one
 * transaction.
 */

import { isGuest } from "../identity/sender.ts";
import { BoundedMap } from "../limits/bounded-map.ts";
import { Closed } from "../log/closed.ts";
import type { Sql } from "../log/sql.ts";
import type { MemberRole } from "../protocol.ts";
import { markPart } from "../storage/dirty.ts";
import type { RoomStorage } from "../storage/room-storage.ts";
import {
  hasRoster,
  INVITE_COLUMNS,
  type InviteRow,
  inviteOf,
  MEMBER_COLUMNS,
  type MemberRow,
  makeRoster,
  memberOf,
  type StoredInvite,
  type StoredMember,
} from "./roster-tables.ts";

/** Revoked invites that are kept. */
export const REVOKED_KEPT = 1_000;

/** Guests whose invite is over that are let go in one step, when their places are needed. */
const LET_GO_AT_ONCE = 500;
/** Where no such guest was found, they are looked for again after this, ms: each look reads every guest's row. */
const LOOK_AGAIN_AFTER = 60_000;

/** Roles that are remembered. */
const REMEMBERED = 2_000;

/** All members and invites that a room has. */
export interface RosterRows {
  readonly members: readonly Omit<MemberRow, "change">[];
  readonly invites: readonly Omit<InviteRow, "change">[];
}

/** A role, and until when it holds without another question, ms since 1970. */
interface Remembered {
  readonly role: MemberRole | undefined;
  readonly until: number;
}

export class Roster {
  readonly #storage: RoomStorage;
  readonly #roles = new BoundedMap<string, Remembered>(REMEMBERED);
  #isClosed = false;
  /** Until then no guest's place is given to another: none was found whose invite is over. */
  #isFullUntil = 0;

  constructor(storage: RoomStorage) {
    this.#storage = storage;
  }

  /** From now on each use throws `Closed`: the tables may be another room's, of the same id. */
  close(): void {
    this.#isClosed = true;
  }

  /** Whether its room is gone. Ask again after each `await`. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What `sender` (a person or a guest) is at `now`; `undefined`: not a member. */
  roleOf(sender: string, now: number): MemberRole | undefined {
    if (!this.#isThere) return undefined;
    const known = this.#roles.get(sender);
    if (known && now < known.until) return known.role;
    const role = this.#look(sender, now);
    this.#roles.set(sender, role);
    return role.role;
  }

  /** Until when `sender` is what they are, ms since 1970; `undefined`: until it is changed. */
  endOf(sender: string): number | undefined {
    const until = this.#roles.get(sender)?.until;
    return until === undefined || until === Number.POSITIVE_INFINITY ? undefined : until;
  }

  /** The row of `sender`, who may have left. */
  member(sender: string): MemberRow | undefined {
    if (!this.#isThere) return undefined;
    const query = `SELECT ${MEMBER_COLUMNS} FROM members WHERE sender = ?`;
    const [row] = this.#sql.exec<StoredMember>(query, sender).toArray();
    return row && memberOf(row);
  }

  /** Up to `limit` members after the sender `after`, in the order of their names. */
  members(after: string, limit: number): MemberRow[] {
    if (!this.#isThere) return [];
    const query = `SELECT ${MEMBER_COLUMNS} FROM members WHERE sender > ? AND role IS NOT NULL ORDER BY sender LIMIT ?`;
    return this.#sql.exec<StoredMember>(query, after, limit).toArray().map(memberOf);
  }

  /** How many members and how many live or spent invites there are. */
  get counts(): { readonly members: number; readonly invites: number } {
    if (!this.#isThere) return { members: 0, invites: 0 };
    const query = "SELECT members, invites FROM roster";
    return this.#sql.exec<{ members: number; invites: number }>(query).toArray()[0] ?? { members: 0, invites: 0 };
  }

  /** Whether there is a place for one more of `most` members. Guests whose invite is over at `now` give theirs. */
  hasPlace(most: number, now: number): boolean {
    if (this.counts.members < most) return true;
    if (now >= this.#isFullUntil) this.#letGoEnded(now);
    return this.counts.members < most;
  }

  /** Writes what `sender` is from now on. */
  put(member: Omit<MemberRow, "change">): void {
    this.#change(() => this.#put(member));
  }

  /**
   * Forgets that `sender`, who has been erased, was a member before `now`. Not while they are one, nor while they could come
   * back by an invite although somebody has removed them. Returns whether there was anything to forget.
   */
  forgetFormer(sender: string, now: number): boolean {
    const row = this.member(sender);
    if (!row || this.roleOf(sender, now) !== undefined) return false;
    if (row.removed && row.uses.some((id) => this.#opens(id, now))) return false;
    this.#change(() => {
      this.#nextChange(row.role === null ? 0 : -1, 0);
      this.#sql.exec("DELETE FROM members WHERE sender = ?", sender);
      markPart(this.#storage, "members");
    });
    return true;
  }

  /** Takes the name of `sender`, who has been erased, off the invites that they made. Returns whether there were any. */
  forgetInviter(sender: string): boolean {
    if (!this.#isThere) return false;
    const query = `SELECT ${INVITE_COLUMNS} FROM invites WHERE created_by = ?`;
    const theirs = this.#sql.exec<StoredInvite>(query, sender).toArray().map(inviteOf);
    if (theirs.length > 0)
      this.#change(() => theirs.forEach((invite) => void this.#putInvite({ ...invite, createdBy: "" })));
    return theirs.length > 0;
  }

  /** The invite `id`, whatever has become of it. */
  invite(id: string): InviteRow | undefined {
    if (!this.#isThere) return undefined;
    const query = `SELECT ${INVITE_COLUMNS} FROM invites WHERE id = ?`;
    const [row] = this.#sql.exec<StoredInvite>(query, id).toArray();
    return row && inviteOf(row);
  }

  /** All invites that were not revoked, oldest first: they are bounded. */
  invites(): InviteRow[] {
    if (!this.#isThere) return [];
    const query = `SELECT ${INVITE_COLUMNS} FROM invites WHERE revoked = 0 ORDER BY created_at, id`;
    return this.#sql.exec<StoredInvite>(query).toArray().map(inviteOf);
  }

  /** Writes an invite. */
  putInvite(invite: Omit<InviteRow, "change">): void {
    this.#change(() => this.#putInvite(invite));
  }

  /** Revokes the invites that have expired at `now`. */
  revokeExpired(now: number): void {
    const expired = this.invites().filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now);
    if (expired.length === 0) return;
    this.#change(() => {
      for (const invite of expired) this.#putInvite({ ...invite, revoked: true });
    });
  }

  /** A member and the invite that they have just used, in one step. */
  putBoth(member: Omit<MemberRow, "change">, invite: Omit<InviteRow, "change">): void {
    this.#change(() => {
      this.#put(member);
      this.#putInvite(invite);
    });
  }

  /** A member in the place of a guest, who is none any more, in one step. */
  replace(guest: MemberRow, member: Omit<MemberRow, "change">): void {
    this.#change(() => {
      const uses = guest.uses.filter((used) => !member.uses.includes(used));
      this.#put({ ...guest, role: null, invite: null, uses });
      this.#put(member);
    });
  }

  get #isThere(): boolean {
    if (this.#isClosed) throw new Closed();
    return hasRoster(this.#storage);
  }

  get #sql(): Sql {
    return this.#storage.sql;
  }

  /** Whether the invite `id` still makes members at `now`. */
  #opens(id: string, now: number): boolean {
    const invite = this.invite(id);
    if (!invite || invite.revoked || invite.used >= invite.uses) return false;
    return invite.expiresAt === null || invite.expiresAt > now;
  }

  #look(sender: string, now: number): Remembered {
    const row = this.member(sender);
    if (!row || row.role === null) return { role: undefined, until: Number.POSITIVE_INFINITY };
    if (!isGuest(sender)) return { role: row.role, until: Number.POSITIVE_INFINITY };
    const invite = row.invite === null ? undefined : this.invite(row.invite);
    if (!invite || invite.revoked) return { role: undefined, until: Number.POSITIVE_INFINITY };
    const until = invite.expiresAt ?? Number.POSITIVE_INFINITY;
    return until > now ? { role: row.role, until } : { role: undefined, until: Number.POSITIVE_INFINITY };
  }

  /** Guests are members for as long as their invite lives. Nobody is told when it ends, so their rows stay until now. */
  #letGoEnded(now: number): void {
    const columns = MEMBER_COLUMNS.split(", ").map((column) => `members.${column}`);
    // A guest's name is the only one with a `~`, which comes after every other character that a name begins with.
    const query = `SELECT ${columns.join(", ")} FROM members LEFT JOIN invites ON invites.id = members.invite
      WHERE sender >= '~' AND members.role IS NOT NULL
        AND (invites.id IS NULL OR invites.revoked = 1 OR invites.expires_at <= ?) LIMIT ?`;
    const ended = this.#sql.exec<StoredMember>(query, now, LET_GO_AT_ONCE).toArray().map(memberOf);
    if (ended.length === 0) {
      this.#isFullUntil = now + LOOK_AGAIN_AFTER;
      return;
    }
    this.#change(() => {
      for (const member of ended) this.#put({ ...member, role: null });
    });
  }

  /** Does `work` in one transaction, with tables to do it in. Afterwards nothing is remembered that was so before. */
  #change(work: () => void): void {
    if (this.#isClosed) throw new Closed();
    this.#storage.transaction(() => {
      makeRoster(this.#storage);
      work();
    });
    this.#isFullUntil = 0;
    this.#roles.clear();
  }

  #put(member: Omit<MemberRow, "change">): void {
    const { sql } = this.#storage;
    const query = "SELECT role FROM members WHERE sender = ?";
    const [before] = sql.exec<{ role: string | null }>(query, member.sender).toArray();
    const was = (before?.role ?? null) !== null;
    const is = member.role !== null;
    this.#insert({ ...member, change: this.#nextChange(Number(is) - Number(was), 0) });
    markPart(this.#storage, "members");
  }

  #putInvite(invite: Omit<InviteRow, "change">): void {
    const { sql } = this.#storage;
    const query = "SELECT revoked FROM invites WHERE id = ?";
    const [before] = sql.exec<{ revoked: number }>(query, invite.id).toArray();
    const was = before?.revoked === 0;
    this.#insertInvite({ ...invite, change: this.#nextChange(0, Number(!invite.revoked) - Number(was)) });
    markPart(this.#storage, "invites");
    if (invite.revoked) this.#forgetRevoked();
  }

  /** A revoked invite stays for a while, so that a copy that comes late to D1 does not bring it back. */
  #forgetRevoked(): void {
    const { sql } = this.#storage;
    const [{ count } = { count: 0 }] = sql
      .exec<{ count: number }>("SELECT COUNT(*) AS count FROM invites WHERE revoked = 1")
      .toArray();
    if (count <= REVOKED_KEPT) return;
    const oldest = "SELECT id FROM invites WHERE revoked = 1 ORDER BY change LIMIT ?";
    sql.exec(`DELETE FROM invites WHERE id IN (${oldest})`, REVOKED_KEPT / 2);
  }

  #nextChange(members: number, invites: number): number {
    const query = `UPDATE roster SET members = members + ?, invites = invites + ?, change = change + 1 RETURNING change`;
    return this.#sql.exec<{ change: number }>(query, members, invites).toArray()[0]?.change as number;
  }

  #insert({ sender, role, since, invite, uses, removed, change }: MemberRow): void {
    const query = `INSERT OR REPLACE INTO members (${MEMBER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`;
    this.#sql.exec(query, sender, role, since, invite, JSON.stringify(uses), removed ? 1 : 0, change);
  }

  #insertInvite(invite: InviteRow): void {
    const query = `INSERT OR REPLACE INTO invites (${INVITE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const { id, secretHash, role, uses, used, createdBy, createdAt, expiresAt, revoked, change } = invite;
    const values = [id, secretHash, role, uses, used, createdBy, createdAt, expiresAt, revoked ? 1 : 0, change];
    this.#sql.exec(query, ...values);
  }
}
