/** The table `moderation` in D1: the only SQL for it, but for what deletes or restores a room as a whole. */

import type { Database } from "../log/sql.ts";
import type { ModerationKind } from "./moderation-tables.ts";

/** A room as D1 knows it: one of the same id that was made later is another. */
interface RoomOf {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A row of the room's tables, or that it is gone. */
export interface ModerationChange {
  readonly kind: ModerationKind;
  readonly id: string;
  /** The row, in the form of `v`; `null`: gone. */
  readonly body: ({ readonly v: 1 | 2 } & Readonly<Record<string, string | number | null>>) | null;
}

const SAVE = `INSERT INTO moderation (room_id, kind, id, body)
  SELECT ?1, value ->> 'kind', value ->> 'id', value ->> 'body' FROM json_each(?3)
  WHERE EXISTS (SELECT 1 FROM rooms WHERE id = ?1 AND created_at = ?2)
  ON CONFLICT (room_id, kind, id) DO UPDATE SET body = excluded.body`;

const REMOVE = `DELETE FROM moderation WHERE room_id = ?1 AND EXISTS (SELECT 1 FROM rooms WHERE id = ?1 AND created_at = ?2)
  AND (kind, id) IN (SELECT value ->> 'kind', value ->> 'id' FROM json_each(?3))`;

/** Copies changed rows of a room, in one transaction. Rejects when D1 does not take them. */
export async function copyModeration(
  db: Database,
  { id, createdAt }: RoomOf,
  changes: readonly ModerationChange[],
): Promise<void> {
  const saved = changes.filter(({ body }) => body !== null);
  const gone = changes.filter(({ body }) => body === null).map(({ kind, id }) => ({ kind, id }));
  const rows = saved.map(({ body, ...row }) => ({ ...row, body: JSON.stringify(body) }));
  await db.batch([
    db.prepare(SAVE).bind(id, createdAt, JSON.stringify(rows)),
    db.prepare(REMOVE).bind(id, createdAt, JSON.stringify(gone)),
  ]);
}

/** All that D1 has of a room's moderation: at most some two thousand rows. Rejects when D1 does not answer. */
export async function archivedModeration(db: Database, room: string): Promise<ModerationChange[]> {
  const query = "SELECT kind, id, body FROM moderation WHERE room_id = ?";
  const { results } = await db.prepare(query).bind(room).all<{ kind: ModerationKind; id: string; body: string }>();
  return results.map(({ body, ...row }) => ({ ...row, body: JSON.parse(body) as ModerationChange["body"] }));
}
