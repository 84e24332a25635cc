/**
 * The rooms in D1: the only SQL for the table `rooms`, but for how far each one's archive is (`party/archive/d1-messages.ts`)
 * and what the operator sees of all of them (`directory-figures.ts`).
 */

import { removeRoom } from "../party/archive/d1-removal.ts";
import { READS_WITHIN, withDeadline } from "../party/limits/deadline.ts";
import type { Database } from "../party/log/sql.ts";
import { type Access, fault } from "../party/protocol.ts";
import { DEFAULT_SETTINGS, type RoomRecord, type RoomSettings } from "../party/room-record.ts";
import { Refused } from "./errors.ts";
import type { RoomRow, SecretRecord } from "./format/records.ts";
import type { ListCursor } from "./schemas/rooms.ts";

/** A room as the directory has it. */
export type DirectoryEntry = RoomRecord;

type Row = {
  id: string;
  name: string;
  topic: string;
  listed: number;
  access: Access;
  created_by: string | null;
  handle: string | null;
  created_at: string;
  settings: string;
  revision: number;
  last_seq: number;
  epoch: string | null;
  last_message_at: string | null;
  first_seq: number;
  gone_before: string | null;
  known_keep_days: number;
  /** `null` while a backup is restored into this database. */
  pepper: string | null;
};

const select = (settings: string) => `SELECT rooms.id, name, topic, listed, access, created_by, handle,
  rooms.created_at, ${settings} AS settings, revision, last_seq, epoch, last_message_at, first_seq, gone_before, known_keep_days,
  (SELECT value FROM secrets WHERE name = 'guest_pepper') AS pepper
  FROM rooms LEFT JOIN api_keys ON api_keys.id = created_by`;
const SELECT = select("settings");
/** For lists, which show no instructions: those of a hundred rooms would be megabytes. */
const SELECT_SHORT = select("json_remove(settings, '$.instructions')");

/** A restore takes the pepper away until it has come to its end (`api/local/restore/account-database.ts`). */
const BEING_RESTORED = fault("unavailable", "This server is being restored from a backup; try again later.", 600);

/** What orders the list: the newest message, or the room's beginning. */
export const ACTIVITY = "COALESCE(last_message_at, rooms.created_at)";

/** D1 that does not answer within this time counts as away, ms. It may hang rather than fail. */
const PATIENCE = 5_000;
/** The same where many messages are deleted: D1 bounds a statement at 30 s. */
const DELETE_PATIENCE = 30_000;

/** The room `id`, `undefined` when there is none. Rejects when D1 does not answer. */
export async function findRoom(db: D1Database, id: string): Promise<DirectoryEntry | undefined> {
  const row = await withPatience(db.prepare(`${SELECT} WHERE rooms.id = ?`).bind(id).first<Row>(), READS_WITHIN);
  return row ? fromRow(row) : undefined;
}

/** Listed rooms that anybody may read, whose id, name or topic contains `search`, most recently active first. */
export async function listRooms(
  db: D1Database,
  search: string,
  cursor: ListCursor | undefined,
  limit: number,
): Promise<DirectoryEntry[]> {
  const where = ["listed = 1 AND access = 'open'"];
  const bindings: unknown[] = [];
  if (search !== "") {
    // Not LIKE: D1 refuses its patterns from 50 bytes on.
    where.push("instr(lower(rooms.id || char(10) || name || char(10) || topic), lower(?1)) > 0");
    bindings.push(search);
  }
  if (cursor) {
    const [activity, id] = [bindings.length + 1, bindings.length + 2];
    where.push(`(${ACTIVITY} < ?${activity} OR (${ACTIVITY} = ?${activity} AND rooms.id > ?${id}))`);
    bindings.push(cursor.activity, cursor.id);
  }
  const query = `${SELECT_SHORT} WHERE ${where.join(" AND ")} ORDER BY ${ACTIVITY} DESC, rooms.id LIMIT ?${bindings.length + 1}`;
  const statement = db.prepare(query).bind(...bindings, limit);
  const { results } = await withPatience(statement.all<Row>());
  return results.map(fromRow);
}

/** A room that is made. */
export interface NewRoomRow {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly listed: boolean;
  readonly access: Access;
  /** The id of the key that makes it. */
  readonly createdBy: string;
  /** What differs from the defaults. */
  readonly settings: Partial<RoomSettings>;
  /** The deployment's `KEEP_DAYS`, or -1 where the room has to look at its row although nothing is said in it. */
  readonly knownKeepDays: number;
}

/** Makes a room; `undefined` when its id is taken. */
export async function insertRoom(db: D1Database, room: NewRoomRow): Promise<DirectoryEntry | undefined> {
  const query = `INSERT INTO rooms (id, name, topic, listed, access, created_by, created_at, settings, known_keep_days)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;
  const createdAt = new Date().toISOString();
  const { id, name, topic, listed, access, createdBy, settings, knownKeepDays } = room;
  const made = [access, createdBy, createdAt];
  const values = [id, name, topic, listed ? 1 : 0, ...made, JSON.stringify(settings), knownKeepDays];
  const { meta } = await withPatience(
    db
      .prepare(query)
      .bind(...values)
      .run(),
  );
  return meta.changes === 0 ? undefined : findRoom(db, room.id);
}

/** What an owner may change of a room's row. */
export interface RoomChange {
  readonly name?: string;
  readonly topic?: string;
  readonly listed?: boolean;
  readonly access?: Access;
  /** Whose it is from now on: the id of their key, and their handle. Both or neither. */
  readonly createdBy?: string;
  readonly createdByHandle?: string;
  readonly settings?: Partial<RoomSettings>;
  /** The room is to look again at what it keeps; what is from before `goneBefore` (ISO 8601) is gone, whatever it finds. */
  readonly retention?: { readonly goneBefore: string | null };
}

/** So often a change is tried while others change the same room. On Cloudflare a request has 50 queries (free plan). */
const CHANGE_TRIES = 10;

/**
 * Changes `room` as `change` says of what it is now; two changes at once both take effect. `undefined` when the room is
 * gone, also when another has its id by now. Rejects when D1 does not answer.
 */
export async function updateRoom(
  db: D1Database,
  { id, createdAt }: DirectoryEntry,
  change: (now: DirectoryEntry) => RoomChange,
): Promise<DirectoryEntry | undefined> {
  const query = `UPDATE rooms SET name = ?, topic = ?, listed = ?, access = ?, created_by = ?, settings = ?, gone_before = ?, known_keep_days = ?,
    revision = revision + 1 WHERE id = ? AND created_at = ? AND revision = ?`;
  for (let tried = 0; tried < CHANGE_TRIES; tried++) {
    const now = await findRoom(db, id);
    if (now?.createdAt !== createdAt) return undefined;
    const { settings, retention, ...row } = change(now);
    const kept = retention ? { ...retention, knownKeepDays: -1 } : {};
    const next = { ...now, ...row, ...kept, settings: { ...now.settings, ...settings } };
    const { name, topic, listed, access, createdBy, goneBefore, knownKeepDays } = next;
    const values = [
      name,
      topic,
      listed ? 1 : 0,
      access,
      createdBy,
      JSON.stringify(next.settings),
      goneBefore,
      knownKeepDays,
      id,
      createdAt,
    ];
    const statement = db.prepare(query).bind(...values, now.revision);
    const { meta } = await withPatience(statement.run());
    if (meta.changes > 0) return { ...next, revision: now.revision + 1 };
  }
  throw new Error("A room is changed too often at once.");
}

/**
 * Deletes `room` with all its messages; whether it was there. Never touches another room that has its id by now. Rejects
 * when it is so long that one request does not suffice: done halfway, it can be done again.
 */
export function deleteRoom(db: D1Database, { id, createdAt }: DirectoryEntry): Promise<boolean> {
  return removeRoom(db as Database, { id, createdAt }, (answer) => withPatience(answer, DELETE_PATIENCE));
}

/**
 * Rooms that do not go by the deployment's `keepDays` yet, or have yet to look at what has changed in their row. Those in
 * which nothing was ever said are noted as told: they look when something is.
 */
export async function roomsToTell(db: D1Database, keepDays: number, limit: number): Promise<DirectoryEntry[]> {
  const differs = "(known_keep_days < ?1 OR known_keep_days > ?1)";
  const silent = `UPDATE rooms SET known_keep_days = ?1 WHERE id IN (SELECT id FROM rooms
    WHERE ${differs} AND known_keep_days >= 0 AND last_seq = 0 AND epoch IS NULL LIMIT ?2)`;
  const [, found] = await withPatience(
    db.batch<Row>([
      db.prepare(silent).bind(keepDays, limit),
      db.prepare(`${SELECT} WHERE ${differs} LIMIT ?2`).bind(keepDays, limit),
    ]),
  );
  return (found?.results ?? []).map(fromRow);
}

/** Rooms in the order of their ids, with an id above `after`. The whole directory is read by this, a page at a time. */
export async function roomsAfter(db: D1Database, after: string, limit: number): Promise<RoomRow[]> {
  const query = `${SELECT} WHERE rooms.id > ? ORDER BY rooms.id LIMIT ?`;
  const { results } = await withPatience(db.prepare(query).bind(after, limit).all<Row>());
  return results.map((row) => ({
    type: "room",
    id: row.id,
    name: row.name,
    topic: row.topic,
    listed: row.listed === 1,
    access: row.access,
    owner: row.created_by,
    createdAt: row.created_at,
    settings: JSON.parse(row.settings) as object,
    revision: row.revision,
    epoch: row.epoch,
    lastSeq: row.last_seq,
    first: row.first_seq,
    goneBefore: row.gone_before,
    lastMessageAt: row.last_message_at,
  }));
}

/** What the deployment keeps to itself. */
export async function secretsOf(db: D1Database): Promise<SecretRecord[]> {
  const statement = db.prepare("SELECT 'secret' AS type, name, value FROM secrets ORDER BY name");
  const { results } = await withPatience(statement.all<SecretRecord>());
  if (!results.some(({ name }) => name === "guest_pepper")) throw new Refused(BEING_RESTORED);
  return results;
}

function fromRow(row: Row): DirectoryEntry {
  if (row.pepper === null) throw new Refused(BEING_RESTORED);
  return {
    id: row.id,
    name: row.name,
    topic: row.topic,
    listed: row.listed === 1,
    access: row.access,
    createdBy: row.created_by,
    createdByHandle: row.handle,
    createdAt: row.created_at,
    settings: { ...DEFAULT_SETTINGS, ...(JSON.parse(row.settings) as Partial<RoomSettings>) },
    revision: row.revision,
    lastSeq: row.last_seq,
    epoch: row.epoch,
    lastMessageAt: row.last_message_at,
    firstSeq: row.first_seq,
    goneBefore: row.gone_before,
    knownKeepDays: row.known_keep_days,
    guestPepper: row.pepper,
  };
}

/** An answer of D1's, or a rejection where it does not come. */
export const withPatience = <T>(answer: Promise<T>, patience = PATIENCE): Promise<T> =>
  withDeadline(answer, patience, "D1");
