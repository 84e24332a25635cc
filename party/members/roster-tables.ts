/** The tables of a room's members and invites in its own SQLite, and their version. Made when the first member comes. */

import type { MemberRole } from "../protocol.ts";
import type { RoomStorage } from "../storage/room-storage.ts";

/** The version of these tables. */
const ROSTER_VERSION = 1;

/** Somebody who is, or was, a member. Those who are no more keep their row, by which their invites are still used. */
export interface MemberRow {
  /** A person, or a guest; never an agent. */
  readonly sender: string;
  /** `null`: not a member any more. */
  readonly role: MemberRole | null;
  /** Since when, ms since 1970. */
  readonly since: number;
  /** The invite by which they came. A guest is a member for as long as it lives. */
  readonly invite: string | null;
  /** The ids of all invites that they have used. */
  readonly uses: readonly string[];
  /** Somebody else has removed them, or given them another role than what they have used: that lets them in no more. */
  readonly removed: boolean;
  /** The number of the change that made this row what it is: it grows with each change of the room's roster. */
  readonly change: number;
}

/** An invite. The secret itself is nowhere. */
export interface InviteRow {
  readonly id: string;
  /** SHA-256 of its secret, in hex. */
  readonly secretHash: string;
  readonly role: MemberRole;
  /** How many people may use it, and how many have. */
  readonly uses: number;
  readonly used: number;
  readonly createdBy: string;
  /** ms since 1970. `null`: it does not expire. */
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revoked: boolean;
  readonly change: number;
}

/** A row as SQLite gives it. */
export type StoredMember = {
  sender: string;
  role: MemberRole | null;
  since: number;
  invite: string | null;
  uses: string;
  removed: number;
  change: number;
};
export type StoredInvite = {
  id: string;
  secret_hash: string;
  role: MemberRole;
  uses: number;
  used: number;
  created_by: string;
  created_at: number;
  expires_at: number | null;
  revoked: number;
  change: number;
};

export const MEMBER_COLUMNS = "sender, role, since, invite, uses, removed, change";
export const INVITE_COLUMNS = "id, secret_hash, role, uses, used, created_by, created_at, expires_at, revoked, change";

const TABLES = [
  // One row. `members` and `invites` count those that are, `change` numbers the changes.
  `CREATE TABLE roster (
    one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, members INTEGER NOT NULL,
    invites INTEGER NOT NULL, change INTEGER NOT NULL)`,
  `CREATE TABLE members (
    sender TEXT PRIMARY KEY, role TEXT, since INTEGER NOT NULL, invite TEXT, uses TEXT NOT NULL,
    removed INTEGER NOT NULL, change INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE invites (
    id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL, role TEXT NOT NULL, uses INTEGER NOT NULL, used INTEGER NOT NULL,
    created_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER, revoked INTEGER NOT NULL,
    change INTEGER NOT NULL) WITHOUT ROWID`,
  `INSERT INTO roster (one, version, members, invites, change) VALUES (1, ${ROSTER_VERSION}, 0, 0, 0)`,
];

/** Makes the tables, empty, where they are not there. In a transaction. */
export const makeRoster = (storage: RoomStorage): void => storage.make("roster", ROSTER_VERSION, TABLES);

/** Whether the tables are there. */
export const hasRoster = (storage: RoomStorage): boolean => storage.has("roster", ROSTER_VERSION);

export const memberOf = ({ uses, removed, ...row }: StoredMember): MemberRow => ({
  ...row,
  uses: JSON.parse(uses) as string[],
  removed: removed === 1,
});

export const inviteOf = (row: StoredInvite): InviteRow => ({
  id: row.id,
  secretHash: row.secret_hash,
  role: row.role,
  uses: row.uses,
  used: row.used,
  createdBy: row.created_by,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revoked: row.revoked === 1,
  change: row.change,
});
