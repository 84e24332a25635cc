/** What all rooms know beside their messages, as D1 has it, a page at a time, for a backup. */

import { withDeadline } from "../party/limits/deadline.ts";
import type { StateRecord } from "./format/records.ts";

/** D1 that does not answer within this time counts as away, ms. */
const PATIENCE = 5_000;
/** Characters of one page, but for one part: D1 bounds what it answers. */
const LENGTH_AT_ONCE = 1_000_000;

/** Where the last page ended. */
export interface StatePlace {
  readonly room: string;
  readonly part: string;
}

/**
 * Parts in the order of their rooms and names, at most `limit`. Not those that follow from the messages, which a backup has:
 * a part would be of another moment than the room's file.
 */
export async function statesAfter(db: D1Database, { room, part }: StatePlace, limit: number): Promise<StateRecord[]> {
  const query = `WITH next AS (SELECT room_id, part, length(body) AS size FROM room_state
      WHERE (room_id, part) > (?1, ?2) AND part NOT IN ('asks', 'pairs') ORDER BY room_id, part LIMIT ?3),
    page AS (SELECT room_id, part FROM (
      SELECT room_id, part, size, sum(size) OVER (ORDER BY room_id, part) AS sum FROM next)
      WHERE sum - size < ${LENGTH_AT_ONCE})
    SELECT 'state' AS type, room_id AS room, part, body FROM page JOIN room_state USING (room_id, part)
    ORDER BY room_id, part`;
  const answer = db.prepare(query).bind(room, part, limit).all<Omit<StateRecord, "body"> & { body: string }>();
  const { results } = await withDeadline(answer, PATIENCE, "D1");
  return results.map(({ body, ...row }) => ({ ...row, body: JSON.parse(body) as unknown }));
}
