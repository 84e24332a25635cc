/** The tables `members` and `invites` in D1: the only SQL for them, but for what deletes or restores a room as a whole. */

import type { Database } from "../log/sql.ts";
import type { MemberRole } from "../protocol.ts";
import type { RosterChanges } from "./roster.ts";
import type { InviteRow, MemberRow } from "./roster-tables.ts";

/** A room as D1 knows it: one of the same id that was made later is another. */
interface RoomOf {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Only into the room that is meant, and over nothing that is newer: a copy may arrive late, or twice. */
const MEMBERS = `INSERT INTO members (room_id, sender, role, since, invite, uses, removed, change)
  SELECT ?1, value ->> 'sender', value ->> 'role', value ->> 'since', value ->> 'invite', value ->> 'uses',
    value ->> 'removed', value ->> 'change' FROM json_each(?3)
  WHERE EXISTS (SELECT 1 FROM rooms WHERE id = ?1 AND created_at = ?2)
  ON CONFLICT (room_id, sender) DO UPDATE SET role = excluded.role, since = excluded.since, invite = excluded.invite,
    uses = excluded.uses, removed = excluded.removed, change = excluded.change WHERE excluded.change > members.change`;

const INVITES = `INSERT INTO invites (room_id, id, secret_hash, role, uses, used, created_by, created_at, expires_at,
    revoked, change)
  SELECT ?1, value ->> 'id', value ->> 'secretHash', value ->> 'role', value ->> 'uses', value ->> 'used',
    value ->> 'createdBy', value ->> 'createdAt', value ->> 'expiresAt', value ->> 'revoked', value ->> 'change'
    FROM json_each(?3)
  WHERE EXISTS (SELECT 1 FROM rooms WHERE id = ?1 AND created_at = ?2)
  ON CONFLICT (room_id, id) DO UPDATE SET used = excluded.used, revoked = excluded.revoked,
    created_by = excluded.created_by, change = excluded.change
    WHERE excluded.change > invites.change`;

const FORGOTTEN = `DELETE FROM invites WHERE room_id = ?1 AND id IN (SELECT value FROM json_each(?3))
  AND EXISTS (SELECT 1 FROM rooms WHERE id = ?1 AND created_at = ?2)`;

const ERASED = `DELETE FROM members WHERE room_id = ?1 AND EXISTS (SELECT 1 FROM rooms WHERE id = ?1 AND created_at = ?2)
  AND sender IN (SELECT value ->> 'sender' FROM json_each(?3))
  AND change <= (SELECT max(value ->> 'change') FROM json_each(?3))`;

/** Copies changed rows of a room, in one transaction. Rejects when D1 does not take them. */
export async function copyRoster(db: Database, { id, createdAt }: RoomOf, changes: RosterChanges): Promise<void> {
  const members = changes.members.map(({ since, uses, removed, ...row }) => {
    return { ...row, since: iso(since), uses: JSON.stringify(uses), removed: removed ? 1 : 0 };
  });
  const invites = changes.invites.map(({ createdAt, expiresAt, revoked, ...row }) => {
    const expires = expiresAt === null ? null : iso(expiresAt);
    return { ...row, createdAt: iso(createdAt), expiresAt: expires, revoked: revoked ? 1 : 0 };
  });
  await db.batch([
    db.prepare(MEMBERS).bind(id, createdAt, JSON.stringify(members)),
    db.prepare(INVITES).bind(id, createdAt, JSON.stringify(invites)),
    db.prepare(FORGOTTEN).bind(id, createdAt, JSON.stringify(changes.forgotten)),
    db.prepare(ERASED).bind(id, createdAt, JSON.stringify(changes.erased)),
  ]);
}

/** All that D1 has of a room's members and invites: at most some ten thousand rows. Rejects when D1 does not answer. */
export async function archivedRoster(db: Database, room: string): Promise<Pick<RosterChanges, "members" | "invites">> {
  const [members, invites] = await db.batch<unknown>([
    db.prepare("SELECT sender, role, since, invite, uses, removed, change FROM members WHERE room_id = ?").bind(room),
    db
      .prepare(
        `SELECT id, secret_hash, role, uses, used, created_by, created_at, expires_at, revoked, change
          FROM invites WHERE room_id = ?`,
      )
      .bind(room),
  ]);
  return {
    members: ((members?.results ?? []) as ArchivedMember[]).map(memberOf),
    invites: ((invites?.results ?? []) as ArchivedInvite[]).map(inviteOf),
  };
}

type ArchivedMember = {
  sender: string;
  role: MemberRole | null;
  since: string;
  invite: string | null;
  uses: string;
  removed: number;
  change: number;
};
type ArchivedInvite = {
  id: string;
  secret_hash: string;
  role: MemberRole;
  uses: number;
  used: number;
  created_by: string;
  created_at: string;
  expires_at: string | null;
  revoked: number;
  change: number;
};

const memberOf = ({ since, uses, removed, ...row }: ArchivedMember): MemberRow => ({
  ...row,
  since: Date.parse(since),
  uses: JSON.parse(uses) as string[],
  removed: removed === 1,
});

const inviteOf = (row: ArchivedInvite): InviteRow => ({
  id: row.id,
  secretHash: row.secret_hash,
  role: row.role,
  uses: row.uses,
  used: row.used,
  createdBy: row.created_by,
  createdAt: Date.parse(row.created_at),
  expiresAt: row.expires_at === null ? null : Date.parse(row.expires_at),
  revoked: row.revoked === 1,
  change: row.change,
});

const iso = (at: number): string => new Date(at).toISOString();
