/** Members, invites and the moderation of all rooms in D1, a page at a time, for a backup. */

import { withDeadline } from "../party/limits/deadline.ts";
import type { InviteRecord, MemberRecord, ModerationRecord } from "./format/records.ts";

/** D1 that does not answer within this time counts as away, ms. */
const PATIENCE = 5_000;

/** Where the last page ended: the id of a room, and a sender or the id of an invite. */
export interface RosterPlace {
  readonly room: string;
  readonly id: string;
}

/** Members in the order of their rooms and names. */
export async function membersAfter(db: D1Database, { room, id }: RosterPlace, limit: number): Promise<MemberRecord[]> {
  const query = `SELECT 'member' AS type, room_id AS room, sender, role, since, invite, uses, removed, change FROM members
    WHERE (room_id, sender) > (?, ?) ORDER BY room_id, sender LIMIT ?`;
  const answer = db
    .prepare(query)
    .bind(room, id, limit)
    .all<Omit<MemberRecord, "uses" | "removed"> & { uses: string; removed: number }>();
  const { results } = await withDeadline(answer, PATIENCE, "D1");
  return results.map((row) => ({ ...row, uses: JSON.parse(row.uses) as string[], removed: row.removed === 1 }));
}

/** Invites in the order of their rooms and ids. */
export async function invitesAfter(db: D1Database, { room, id }: RosterPlace, limit: number): Promise<InviteRecord[]> {
  const query = `SELECT 'invite' AS type, room_id AS room, id, secret_hash AS secretHash, role, uses, used,
      created_by AS createdBy, created_at AS createdAt, expires_at AS expiresAt, revoked, change FROM invites
    WHERE (room_id, id) > (?, ?) ORDER BY room_id, id LIMIT ?`;
  const answer = db.prepare(query).bind(room, id, limit).all<Omit<InviteRecord, "revoked"> & { revoked: number }>();
  const { results } = await withDeadline(answer, PATIENCE, "D1");
  return results.map((row) => ({ ...row, revoked: row.revoked === 1 }));
}

/** What is known of the moderation, in the order of the rooms, the kinds and the ids. */
export async function moderationAfter(
  db: D1Database,
  { room, kind, id }: RosterPlace & { readonly kind: string },
  limit: number,
): Promise<ModerationRecord[]> {
  const query = `SELECT 'moderation' AS type, room_id AS room, kind, id, body FROM moderation
    WHERE (room_id, kind, id) > (?, ?, ?) ORDER BY room_id, kind, id LIMIT ?`;
  const answer = db.prepare(query).bind(room, kind, id, limit).all<Omit<ModerationRecord, "body"> & { body: string }>();
  const { results } = await withDeadline(answer, PATIENCE, "D1");
  return results.map(({ body, ...row }) => ({ ...row, body: JSON.parse(body) as object }));
}
