/**
 * Writes what a deployment has to know into D1: the directory, and rooms' messages. Nothing is written into the rooms'
 * own storage, because a room that finds none begins behind what D1 has.
 *
 * Only for rooms that nobody is in: a room that is awake would not hear of it. Everything can be done again, and goes on
 * where it was cut off.
 */

import { ARCHIVE_BATCH, Copy, type CopySource } from "../../../party/archive/copy.ts";
import type { Database } from "../../../party/log/sql.ts";
import type { StoredMessage } from "../../../party/log/stored-message.ts";
import type { Seq } from "../../../party/protocol.ts";
import type { DirectoryRecord, RoomRow } from "../../format/records.ts";

/**
 * Records of the directory in one statement; fewer of those that may have the text of a message. Each is a row written in D1,
 * and each of its places in an index another one: a batch must not have more than a day may have left.
 */
export const RECORDS_AT_ONCE = 200;
const LONG_AT_ONCE = 50;

const SECRETS = `INSERT INTO secrets (name, value) SELECT value ->> 'name', value ->> 'value' FROM json_each(?1) WHERE true
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`;

const KEYS = `INSERT INTO api_keys (id, key_hash, handle, created_at, last_used, revoked_at, next_key_hash)
  SELECT value ->> 'id', value ->> 'hash', value ->> 'handle', value ->> 'createdAt', value ->> 'lastUsed',
    value ->> 'revokedAt', value ->> 'nextHash' FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO UPDATE SET key_hash = excluded.key_hash, handle = excluded.handle,
    created_at = excluded.created_at, last_used = excluded.last_used, revoked_at = excluded.revoked_at,
    next_key_hash = excluded.next_key_hash`;

const SITES = `INSERT INTO sites (name, owner, keys, origins, created_at, removed_at)
  SELECT value ->> 'name', value ->> 'owner', value -> 'keys', value -> 'origins', value ->> 'createdAt',
    value ->> 'removedAt' FROM json_each(?1) WHERE true
  ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, keys = excluded.keys, origins = excluded.origins,
    created_at = excluded.created_at, removed_at = excluded.removed_at`;

/** How far the archive of a room is stays as it is: that is what `writeRoom` goes on from. */
const ROOMS = `INSERT INTO rooms (id, name, topic, listed, access, created_by, created_at, settings, revision,
    first_seq, gone_before, last_message_at, known_keep_days, unindexed_from)
  SELECT value ->> 'id', value ->> 'name', value ->> 'topic', value ->> 'listed',
    COALESCE(value ->> 'access', 'open'), value ->> 'owner', value ->> 'createdAt', value -> 'settings',
    value ->> 'revision', COALESCE(value ->> 'first', 1), value ->> 'goneBefore', value ->> 'lastMessageAt',
    -- Its object has no alarm, so the room is asked to look.
    iif(value ->> '$.settings.keepDays' IS NULL AND value ->> '$.settings.ending' IS NULL, 0, -1), NULL
  FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, topic = excluded.topic, listed = excluded.listed,
    access = excluded.access, created_by = excluded.created_by, created_at = excluded.created_at, settings = excluded.settings,
    revision = excluded.revision, first_seq = excluded.first_seq, gone_before = excluded.gone_before,
    last_message_at = COALESCE(excluded.last_message_at, last_message_at), known_keep_days = excluded.known_keep_days`;

const MEMBERS = `INSERT INTO members (room_id, sender, role, since, invite, uses, removed, change)
  SELECT value ->> 'room', value ->> 'sender', value ->> 'role', value ->> 'since', value ->> 'invite',
    value ->> 'uses', value ->> 'removed', value ->> 'change' FROM json_each(?1) WHERE true
  ON CONFLICT (room_id, sender) DO UPDATE SET role = excluded.role, since = excluded.since, invite = excluded.invite,
    uses = excluded.uses, removed = excluded.removed, change = excluded.change`;

const INVITES = `INSERT INTO invites (room_id, id, secret_hash, role, uses, used, created_by, created_at, expires_at,
    revoked, change)
  SELECT value ->> 'room', value ->> 'id', value ->> 'secretHash', value ->> 'role', value ->> 'uses',
    value ->> 'used', value ->> 'createdBy', value ->> 'createdAt', value ->> 'expiresAt', value ->> 'revoked',
    value ->> 'change' FROM json_each(?1) WHERE true
  ON CONFLICT (room_id, id) DO UPDATE SET secret_hash = excluded.secret_hash, role = excluded.role,
    uses = excluded.uses, used = excluded.used, created_by = excluded.created_by, created_at = excluded.created_at,
    expires_at = excluded.expires_at, revoked = excluded.revoked, change = excluded.change`;

const MODERATION = `INSERT INTO moderation (room_id, kind, id, body)
  SELECT value ->> 'room', value ->> 'kind', value ->> 'id', value -> 'body' FROM json_each(?1) WHERE true
  ON CONFLICT (room_id, kind, id) DO UPDATE SET body = excluded.body`;

const OPERATOR_DEEDS = `INSERT INTO operator_deeds (id, at, method, path, target, detail, status)
  SELECT value ->> 'id', value ->> 'at', value ->> 'method', value ->> 'path', value ->> 'target', value ->> 'detail',
    value ->> 'status' FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO UPDATE SET target = excluded.target`;

const NOTICE = `INSERT INTO notice (name, text, since)
  SELECT 'notice', value ->> 'text', value ->> 'since' FROM json_each(?1) WHERE true
  ON CONFLICT (name) DO UPDATE SET text = excluded.text, since = excluded.since`;

const STATEMENTS: Record<DirectoryRecord["type"], string> = {
  secret: SECRETS,
  key: KEYS,
  site: SITES,
  room: ROOMS,
  member: MEMBERS,
  invite: INVITES,
  moderation: MODERATION,
  operatorDeed: OPERATOR_DEEDS,
  notice: NOTICE,
};

/** Records that the directory takes, with what only files need left out. */
export type WrittenRecord = Exclude<DirectoryRecord, RoomRow> | Omit<RoomRow, "epoch" | "lastSeq">;

/**
 * Writes records into the directory, in their order: a room's owner must be there or come before it, and a room before
 * what belongs to it. One that is there already (a secret by its name, others by their id) is written over. Rejects when D1 refuses, as for a handle that is
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
    const most = record.type === "moderation" ? LONG_AT_ONCE : RECORDS_AT_ONCE;
    if (waiting.length >= most || (waiting[0] && waiting[0].type !== record.type)) await flush();
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
  let waiting: StoredMessage[] = [];
  /** Sends one copy of what waits; the rest goes on waiting, for a copy is bounded by its length, too. */
  const send = async () => {
    const copy = Copy.next(new Part(room.epoch, last, waiting), ARCHIVE_BATCH);
    if (!copy) return;
    const { before } = await copy.send(db, room, last);
    if (before.last_seq < last)
      throw new Error(`D1 has the messages of ${room.id} only up to ${before.last_seq}, and not up to ${last}.`);
    last = copy.last;
    written(copy.size);
    waiting = waiting.slice(copy.size);
  };
  for await (const message of messages) {
    if (message.seq <= from) continue;
    if (waiting.length >= ARCHIVE_BATCH) await send();
    waiting.push(message);
  }
  while (waiting.length > 0) await send();
}

/** Notes that all of `room` is written, up to a seq whose message may be gone. */
export async function endRoom(db: Database, { id, createdAt, epoch }: WrittenRoom, upTo: Seq): Promise<void> {
  const query = `UPDATE rooms SET last_seq = ?3, epoch = COALESCE(epoch, ?4)
    WHERE id = ?1 AND created_at = ?2 AND last_seq < ?3`;
  await db.batch([db.prepare(query).bind(id, createdAt, upTo, epoch)]);
}

/** Some messages of a log without a room. What is older is in D1. */
class Part implements CopySource {
  readonly epoch: string;
  readonly archived: Seq;
  readonly first = 1;
  readonly oldest: Seq;
  readonly erasures = [];
  readonly #messages: readonly StoredMessage[];
  readonly #deleted: ReadonlySet<Seq>;

  constructor(epoch: string, archived: Seq, messages: readonly StoredMessage[]) {
    this.epoch = epoch;
    this.archived = archived;
    this.oldest = archived + 1;
    this.#messages = messages;
    this.#deleted = new Set(messages.flatMap(({ kind, ref }) => (kind === "deletion" && ref !== null ? [ref] : [])));
  }

  /** Nobody who sent one of these messages waits for an answer. */
  pairsUpTo(): undefined {
    return undefined;
  }

  parked(): [] {
    return [];
  }

  after(seq: Seq, limit: number): StoredMessage[] {
    const found = this.#messages.filter((message) => message.seq > seq).slice(0, limit);
    return found.map((message) => (this.#deleted.has(message.seq) ? { ...message, content: "" } : message));
  }

  deletedBetween(first: Seq, last: Seq): Seq[] {
    return [...this.#deleted].filter((seq) => seq >= first && seq <= last);
  }
}
