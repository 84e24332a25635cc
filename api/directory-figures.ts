/** What the rooms of the deployment are together, and which of them are large or busy, by D1. */

import type { Access } from "../party/protocol.ts";
import { ACTIVITY, withPatience } from "./directory.ts";

/** A room as the operator sees it in a list. */
export interface RoomFigures {
  readonly id: string;
  readonly name: string;
  readonly access: Access;
  readonly listed: boolean;
  /** What the operator has decided of it. */
  readonly closed: boolean;
  readonly hidden: boolean;
  /** The owner's handle; `null`: the room is nobody's. */
  readonly owner: string | null;
  readonly createdAt: string;
  /** Messages that D1 has and keeps. */
  readonly messages: number;
  readonly lastMessageAt: string | null;
}

/** What the rooms of the deployment are together, and which of them are the largest and the busiest. */
export interface DirectoryFigures {
  /** Rooms that were looked at, and their messages in D1. */
  readonly rooms: number;
  readonly messages: number;
  /** There are no older rooms than these. */
  readonly isWhole: boolean;
  readonly largest: readonly RoomFigures[];
  readonly busiest: readonly RoomFigures[];
}

/** Of a room, in D1. */
const MESSAGES = "MAX(0, last_seq - first_seq + 1)";
const FIGURES = `SELECT rooms.id, name, access, listed, COALESCE(settings ->> '$.closed', 0) AS closed,
  COALESCE(settings ->> '$.hidden', 0) AS hidden, handle AS owner, rooms.created_at AS createdAt,
  ${MESSAGES} AS messages, last_message_at AS lastMessageAt
  FROM rooms LEFT JOIN api_keys ON api_keys.id = created_by`;

/**
 * Looks at the `lookedAt` newest rooms, which reads each about five times, and at the listed rooms that were active last.
 * Rejects when D1 does not answer.
 */
export async function directoryFigures(db: D1Database, lookedAt: number, shown: number): Promise<DirectoryFigures> {
  // Of the numbers that SQLite gives to rows. Where rooms were deleted, fewer are looked at.
  const last = "(SELECT rowid FROM rooms ORDER BY rowid DESC LIMIT 1) - ?1";
  const newest = `rooms.rowid > ${last}`;
  const sums = `SELECT COUNT(*) AS rooms, COALESCE(SUM(${MESSAGES}), 0) AS messages,
    EXISTS (SELECT 1 FROM rooms WHERE rowid <= ${last}) AS isPart FROM rooms WHERE ${newest}`;
  const first = (order: string) => {
    // The owners are looked up of those alone that are shown.
    const shownOnes = `SELECT rowid FROM rooms WHERE ${newest} ORDER BY ${order}, rooms.id LIMIT ?2`;
    return db
      .prepare(`${FIGURES} WHERE rooms.rowid IN (${shownOnes}) ORDER BY ${order}, rooms.id`)
      .bind(lookedAt, shown);
  };
  const [counted, largest, busiest, listed] = await withPatience(
    db.batch<unknown>([
      db.prepare(sums).bind(lookedAt),
      first(`${MESSAGES} DESC`),
      first(`${ACTIVITY} DESC`),
      busiestListed(db, shown),
    ]),
  );
  const [sum] = (counted?.results ?? []) as { rooms: number; messages: number; isPart: number }[];
  const active = [...(busiest?.results ?? []), ...(listed?.results ?? [])] as FiguresRow[];
  const once = [...new Map(active.map((row) => [row.id, row])).values()];
  once.sort((one, other) => (activityOf(one) > activityOf(other) ? -1 : 1));
  return {
    rooms: sum?.rooms ?? 0,
    messages: sum?.messages ?? 0,
    isWhole: sum?.isPart !== 1,
    largest: ((largest?.results ?? []) as FiguresRow[]).map(figuresOf),
    busiest: once.slice(0, shown).map(figuresOf),
  };
}

/** The listed rooms that anybody may read and that were active last. Reads `limit` rows. Rejects when D1 does not answer. */
export async function busiestRooms(db: D1Database, limit: number): Promise<RoomFigures[]> {
  const { results } = await withPatience(busiestListed(db, limit).all<FiguresRow>());
  return results.map(figuresOf);
}

const busiestListed = (db: D1Database, limit: number): D1PreparedStatement =>
  db.prepare(`${FIGURES} WHERE listed = 1 AND access = 'open' ORDER BY ${ACTIVITY} DESC, rooms.id LIMIT ?`).bind(limit);

type FiguresRow = Omit<RoomFigures, "listed" | "closed" | "hidden"> & {
  readonly listed: number;
  readonly closed: number;
  readonly hidden: number;
};
const figuresOf = (row: FiguresRow): RoomFigures => ({
  ...row,
  listed: row.listed === 1,
  closed: row.closed === 1,
  hidden: row.hidden === 1,
});
const activityOf = ({ lastMessageAt, createdAt }: FiguresRow): string => lastMessageAt ?? createdAt;
