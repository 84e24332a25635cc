/**
 * Writes what a deployment has to know into D1: the directory, and rooms' messages. Nothing is written into the rooms'
 * own storage, because a room that finds none begins behind what D1 has.
 *
 * Only for rooms that nobody is in: a room that is awake would not hear of it. Everything can be done again, and goes on
 * where it was cut off.
 */

import { FORM, firstOf, PACK, pack } from "../../../party/archive/pack.ts";
import { type OpenAsk, openUntil, readAsk, termsText } from "../../../party/asks/ask.ts";
import { sendersOf } from "../../../party/log/erasure.ts";
import type { Database, Statement } from "../../../party/log/sql.ts";
import { chosenBy, type StoredMessage } from "../../../party/log/stored-message.ts";
import type { Seq } from "../../../party/protocol.ts";
import type { DirectoryRecord, RoomRow } from "../../format/records.ts";

/**
 * Records of the directory in one batch. Each is a row written in D1, and each of its places in an index another one: a batch
 * must not have more than a day may have left.
 */
export const RECORDS_AT_ONCE = 200;
/** Characters of the parts of one batch, but for one part. */
const STATE_AT_ONCE = 1_000_000;
/** Packs of one batch of messages, and characters of content behind which it has no further pack. */
const BATCH = { packs: 10, length: 250_000 } as const;

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

/**
 * How far D1 has a room stays as it is: that is what `writeRoom` goes on from. `copied_at` is never less than the revision of
 * anything that is written of the room, so that what the room copies itself later is newer, whatever the clocks say.
 */
const ROOMS = `INSERT INTO rooms (id, name, topic, listed, access, created_by, created_at, settings, revision,
    first_seq, gone_before, last_message_at, known_keep_days, copied_at)
  SELECT value ->> 'id', value ->> 'name', value ->> 'topic', value ->> 'listed',
    COALESCE(value ->> 'access', 'open'), value ->> 'owner', value ->> 'createdAt', value -> 'settings',
    value ->> 'revision', COALESCE(value ->> 'first', 1), value ->> 'goneBefore', value ->> 'lastMessageAt',
    -- Its object has no alarm, so the room is asked to look.
    iif(value ->> '$.settings.keepDays' IS NULL AND value ->> '$.settings.ending' IS NULL, 0, -1),
    CAST(unixepoch('subsec') * 1000 AS INTEGER)
  FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, topic = excluded.topic, listed = excluded.listed,
    access = excluded.access, created_by = excluded.created_by, created_at = excluded.created_at, settings = excluded.settings,
    revision = excluded.revision, first_seq = excluded.first_seq, gone_before = excluded.gone_before,
    last_message_at = COALESCE(excluded.last_message_at, last_message_at), known_keep_days = excluded.known_keep_days,
    copied_at = max(copied_at, excluded.copied_at)`;

const STATE = `INSERT INTO room_state (room_id, part, body, revision) SELECT id, ?2, ?3, copied_at FROM rooms WHERE id = ?1
  ON CONFLICT (room_id, part) DO UPDATE SET body = excluded.body, revision = excluded.revision`;

const ERASURE_ORDERS = `INSERT INTO erasure_orders (sender_hash, at, sender)
  SELECT value ->> 'senderHash', value ->> 'at', value ->> 'sender' FROM json_each(?1) WHERE true
  ON CONFLICT (sender_hash) DO UPDATE SET at = excluded.at, sender = excluded.sender`;

const OPERATOR_DEEDS = `INSERT INTO operator_deeds (id, at, method, path, target, detail, status)
  SELECT value ->> 'id', value ->> 'at', value ->> 'method', value ->> 'path', value ->> 'target', value ->> 'detail',
    value ->> 'status' FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO UPDATE SET target = excluded.target`;

const NOTICE = `INSERT INTO notice (name, text, since)
  SELECT 'notice', value ->> 'text', value ->> 'since' FROM json_each(?1) WHERE true
  ON CONFLICT (name) DO UPDATE SET text = excluded.text, since = excluded.since`;

/** Those that take an array of records. */
const STATEMENTS: Record<Exclude<DirectoryRecord["type"], "state">, string> = {
  secret: SECRETS,
  key: KEYS,
  site: SITES,
  room: ROOMS,
  erasureOrder: ERASURE_ORDERS,
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
  let length = 0;
  const flush = async () => {
    if (waiting.length > 0) await db.batch(statementsOf(db, waiting));
    waiting = [];
    length = 0;
  };
  for await (const record of records) {
    const isFull = waiting.length >= RECORDS_AT_ONCE || length >= STATE_AT_ONCE;
    if (isFull || (waiting[0] && waiting[0].type !== record.type)) await flush();
    waiting.push(record);
    if (record.type === "state") length += JSON.stringify(record.body).length;
  }
  await flush();
}

/** The statements that write records of one type. A part of a room has one of its own: it may be as long as a value may be. */
function statementsOf(db: Database, records: readonly WrittenRecord[]): Statement[] {
  return records.flatMap((record, index) => {
    if (record.type === "state") return [stateStatement(db, record.room, record.part, record.body)];
    return index > 0 ? [] : [db.prepare(STATEMENTS[record.type]).bind(JSON.stringify(records))];
  });
}

const stateStatement = (db: Database, room: string, part: string, body: unknown): Statement =>
  db.prepare(STATE).bind(room, part, JSON.stringify(body));

/** A room whose messages are written, as the directory has it. */
export interface WrittenRoom {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The name of its history. The room gives it another one when it first wakes. */
  readonly epoch: string;
}

const SAVE = `INSERT INTO packs (room_id, first, revision, form, body)
  SELECT id, ?3, ?4, ${FORM}, ?5 FROM rooms WHERE id = ?1 AND created_at = ?2
  ON CONFLICT (room_id, first) DO UPDATE SET revision = excluded.revision, form = excluded.form, body = excluded.body`;

const NOTE_SENDERS = `INSERT INTO senders (room_id, sender) SELECT ?1, value FROM json_each(?3)
  WHERE EXISTS (SELECT 1 FROM rooms WHERE id = ?1 AND created_at = ?2) ON CONFLICT (room_id, sender) DO NOTHING`;

const ADVANCE = `UPDATE rooms SET last_seq = max(last_seq, ?3), epoch = ?4, copied_at = max(copied_at, ?6),
    last_message_at = max(COALESCE(last_message_at, ''), ?5)
  WHERE id = ?1 AND created_at = ?2 RETURNING id`;

/**
 * Writes the messages of `room`, from its first one on with seqs that rise, behind those that D1 has: `from` is the room's
 * `last_seq` there, and what is up to there is passed over. A message that was deleted or erased must be so already. Each
 * batch is one transaction with the room's `last_seq`; at most one batch is in memory. `written` is told after each batch how
 * many messages it had. Throws when D1 does not have the room, or another one under its id.
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
  const asks = new Map<Seq, OpenAsk>();
  let waiting: StoredMessage[] = [];
  const send = async () => {
    const added = waiting.filter(({ seq }) => seq > from).length;
    if (added > 0) await writeBatch(db, room, waiting);
    if (added > 0) written(added);
    waiting = [];
  };
  for await (const message of messages) {
    follow(asks, message);
    // The pack in which an earlier run has ended is written again, whole.
    if (message.seq < firstOf(from + 1)) continue;
    if (isFull(waiting, message.seq)) await send();
    waiting.push(message);
  }
  await send();
  const open = [...asks.values()].map(({ seq, sender, until, ...terms }) => {
    return { seq, sender, until, terms: JSON.parse(termsText(terms)) as object };
  });
  if (open.length > 0) await db.batch([stateStatement(db, room.id, "asks", open)]);
}

/** Whether a batch is full with these messages, and `next` begins another pack. */
function isFull(messages: readonly StoredMessage[], next: Seq): boolean {
  const [first, last] = [messages[0], messages.at(-1)];
  if (!first || !last || firstOf(last.seq) === firstOf(next)) return false;
  const length = messages.reduce((sum, { content }) => sum + content.length, 0);
  return length >= BATCH.length || firstOf(next) - firstOf(first.seq) >= BATCH.packs * PACK;
}

async function writeBatch(db: Database, room: WrittenRoom, messages: readonly StoredMessage[]): Promise<void> {
  const { id, createdAt, epoch } = room;
  const revision = Date.now();
  const packs: Statement[] = [];
  for (const [first, some] of Map.groupBy(messages, ({ seq }) => firstOf(seq))) {
    packs.push(db.prepare(SAVE).bind(id, createdAt, first, revision, await pack(some)));
  }
  const { seq, at } = messages.at(-1) as StoredMessage;
  const senders = db.prepare(NOTE_SENDERS).bind(id, createdAt, JSON.stringify(sendersOf(messages)));
  const advance = db.prepare(ADVANCE).bind(id, createdAt, seq, epoch, new Date(at).toISOString(), revision);
  const answers = await db.batch([...packs, senders, advance]);
  if (answers.at(-1)?.results.length !== 1) throw new Error(`D1 has no room ${id} that was made at ${createdAt}.`);
}

/** What a message does to the asks that are open before it. One that was deleted asks nothing. */
function follow(open: Map<Seq, OpenAsk>, { seq, kind, sender, content, ref, at }: StoredMessage): void {
  if (kind === "ask" && content !== "") {
    const { terms } = readAsk(content);
    open.set(seq, { ...terms, seq, sender, until: openUntil(terms, at) });
  } else if (ref !== null && (kind === "expiry" || chosenBy(kind) !== undefined)) open.delete(ref);
}

/** Notes that all of `room` is written, up to a seq whose message may be gone. */
export async function endRoom(db: Database, { id, createdAt, epoch }: WrittenRoom, upTo: Seq): Promise<void> {
  const query = `UPDATE rooms SET last_seq = ?3, epoch = COALESCE(epoch, ?4)
    WHERE id = ?1 AND created_at = ?2 AND last_seq < ?3`;
  await db.batch([db.prepare(query).bind(id, createdAt, upTo, epoch)]);
}
