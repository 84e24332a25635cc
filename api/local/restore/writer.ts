/**
 * Writes what a deployment has to know into D1: the directory, and rooms' messages. Nothing is written into the rooms'
 * own storage, because a room that finds none begins behind what D1 has.
 *
 * Only for rooms that nobody is in: a room that is awake would not hear of it. Everything can be done again, and goes on
 * where it was cut off.
 */

import { advanceRoom, blankDeleted, insertMessages, tellTime } from "../../../party/log/d1-messages.ts";
import type { Database, Statement } from "../../../party/log/sql.ts";
import type { StoredMessage } from "../../../party/log/stored-message.ts";
import type { Seq } from "../../../party/protocol.ts";
import type { DirectoryRecord, KeyRecord, RoomRow, SecretRecord } from "../../format/records.ts";

/** Messages of one D1 batch, and the characters of their content: a bound parameter may have 2 MB. */
const MESSAGES_AT_ONCE = 1_000;
const LENGTH_AT_ONCE = 250_000;
/** Records of the directory in one statement. */
const RECORDS_AT_ONCE = 500;

const SECRETS = `INSERT INTO secrets (name, value) SELECT value ->> 'name', value ->> 'value' FROM json_each(?1) WHERE true
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`;

const KEYS = `INSERT INTO api_keys (id, key_hash, handle, created_at, last_used, revoked_at, next_key_hash)
  SELECT value ->> 'id', value ->> 'hash', value ->> 'handle', value ->> 'createdAt', value ->> 'lastUsed',
    value ->> 'revokedAt', value ->> 'nextHash' FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO UPDATE SET key_hash = excluded.key_hash, handle = excluded.handle,
    created_at = excluded.created_at, last_used = excluded.last_used, revoked_at = excluded.revoked_at,
    next_key_hash = excluded.next_key_hash`;

/** How far the archive of a room is stays as it is: that is what `writeRoom` goes on from. */
const ROOMS = `INSERT INTO rooms (id, name, topic, listed, created_by, created_at, settings, revision)
  SELECT value ->> 'id', value ->> 'name', value ->> 'topic', value ->> 'listed', value ->> 'owner',
    value ->> 'createdAt', value -> 'settings', value ->> 'revision' FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, topic = excluded.topic, listed = excluded.listed,
    created_by = excluded.created_by, created_at = excluded.created_at, settings = excluded.settings,
    revision = excluded.revision`;

const STATEMENTS: Record<DirectoryRecord["type"], string> = { secret: SECRETS, key: KEYS, room: ROOMS };

/** Records that the directory takes, with what only files need left out. */
export type WrittenRecord = SecretRecord | KeyRecord | Omit<RoomRow, "epoch" | "lastSeq">;

/**
 * Writes records into the directory, in their order: a room's owner must be there or come before it. One that is there
 * already (a secret by its name, others by their id) is written over. Rejects when D1 refuses, as for a handle that is
 * taken; the batches before are kept.
 */
export async function writeDirectory(
  db: Database,
  records: Iterable<WrittenRecord> | AsyncIterable<WrittenRecord>,
): Promise<void> {
  let waiting: WrittenRecord[] = [];
  const flush = async () => {
    const [first] = waiting;
    if (first) await db.batch([db.prepare(STATEMENTS[first.type]).bind(JSON.stringify(waiting))]);
    waiting = [];
  };
  for await (const record of records) {
    if (waiting.length >= RECORDS_AT_ONCE || (waiting[0] && waiting[0].type !== record.type)) await flush();
    waiting.push(record);
  }
  await flush();
}

/** A room whose messages are written, as the directory has it. */
export interface WrittenRoom {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The name of its history. The room gives it another one when it first wakes. */
  readonly epoch: string;
}

/**
 * Writes messages of `room`, oldest first with seqs that rise, behind those that D1 has: `from` is the room's `last_seq`
 * there. Those up to `from` are passed over, so that a caller may begin at the beginning again. A deletion empties its
 * target. Each batch is one transaction with the room's `last_seq`; at most one batch is in memory. `written` is told
 * after each batch how many messages it had.
 *
 * This is the only place outside of a room that writes messages.
 */
export async function writeRoom(
  db: Database,
  room: WrittenRoom,
  messages: Iterable<StoredMessage> | AsyncIterable<StoredMessage>,
  from: Seq,
  written: (count: number) => void = () => undefined,
): Promise<void> {
  let last = from;
  let batch: StoredMessage[] = [];
  let length = 0;
  const flush = async () => {
    const newest = batch.at(-1);
    if (!newest) return;
    await db.batch(statementsOf(db, room, batch, last));
    last = newest.seq;
    written(batch.length);
    batch = [];
    length = 0;
  };
  for await (const message of messages) {
    if (message.seq <= from) continue;
    const isFull = batch.length >= MESSAGES_AT_ONCE || length + message.content.length > LENGTH_AT_ONCE;
    if (isFull) await flush();
    batch.push(message);
    length += message.content.length;
  }
  await flush();
}

function statementsOf(db: Database, room: WrittenRoom, batch: readonly StoredMessage[], from: Seq): Statement[] {
  const newest = batch.at(-1) as StoredMessage;
  return [
    insertMessages(db, room, batch),
    ...blankDeleted(db, room, batch),
    advanceRoom(db, room, { from, to: newest.seq, epoch: room.epoch }),
    tellTime(db, room, newest.at),
  ];
}
