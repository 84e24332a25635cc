/**
 * Reads what D1 has of a room's log, whichever form it has there: packs, and rows of the older form where the room has not
 * packed them yet. What is in both is in a pack, which is newer.
 */

import type { ArchivedErasures, ArchivedPair } from "../log/journal.ts";
import { RECENT } from "../log/recent-ids.ts";
import type { Database } from "../log/sql.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import type { Seq } from "../protocol.ts";
import { type ArchivedRow, fromRow, messageRow, messagesAfter, messagesBefore, packsAt } from "./d1-messages.ts";
import { archivedErasures } from "./d1-senders.ts";
import { firstOf, PACK, type PackRow, packsBetween, unpack } from "./pack.ts";

/** Messages of one question: with the longest content they are still a few MB. */
const READ_AT_ONCE = 300;
/** Characters that are read at most, but for one question: they are all in memory together. */
export const READ_LENGTH = 8 * 1024 * 1024;

/** What two queries have given of one room, oldest first. */
export async function together(packs: readonly PackRow[], rows: readonly ArchivedRow[]): Promise<StoredMessage[]> {
  const found = new Map(rows.map((row) => [row.seq, fromRow(row)]));
  for (const pack of packs) for (const message of await unpack(pack)) found.set(message.seq, message);
  return [...found.values()].sort((a, b) => a.seq - b.seq);
}

/**
 * The messages of `room` in D1 with a seq below `before`, newest `limit` of them, oldest first. Fewer when they are more
 * than `READ_LENGTH` characters long together.
 */
export async function archivedBefore(db: Database, room: string, before: Seq, limit: number): Promise<StoredMessage[]> {
  let messages: StoredMessage[] = [];
  let length = 0;
  for await (const older of backwards(db, room, before, limit)) {
    messages = [...older, ...messages];
    length += older.reduce((sum, { content }) => sum + content.length, 0);
    if (length >= READ_LENGTH) break;
  }
  return messages;
}

/** The messages of `room` in D1 with a seq above `after`, oldest `limit` of them, oldest first. */
export async function archivedAfter(db: Database, room: string, after: Seq, limit: number): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = [];
  for (let known = after; messages.length < limit && known < Number.POSITIVE_INFINITY; ) {
    const asked = limit - messages.length;
    const { packs, rows } = await ask(db, messagesAfter(db, room, known, asked));
    // A query that has given all that was asked for says nothing of what comes behind that.
    const lastPack = packs.length < packsBetween(known + 1, known + asked) ? undefined : packs.at(-1);
    const lastRow = rows.length < asked ? undefined : rows.at(-1);
    const end = Math.min(
      lastPack ? lastPack.first + PACK - 1 : Number.POSITIVE_INFINITY,
      lastRow?.seq ?? Number.POSITIVE_INFINITY,
    );
    const newer = (await together(packs, rows)).filter(({ seq }) => seq > known && seq <= end);
    messages.push(...newer.slice(0, asked));
    known = end;
  }
  return messages;
}

/** One message of `room` in D1. */
export async function archivedMessage(db: Database, room: string, seq: Seq): Promise<StoredMessage | undefined> {
  const { packs, rows } = await ask(db, [packsAt(db, room, [firstOf(seq)]), messageRow(db, room, seq)]);
  return (await together(packs, rows)).find((message) => message.seq === seq);
}

/** Messages that a rebuilt room takes up whole, at least: what newcomers and short resumes are sent. Others stay in D1. */
const REBUILT_MESSAGES = 200;

/** What a room that has lost its own log begins with. */
export interface ArchivedHistory {
  /** The newest messages, oldest first. They begin with a pack, so that the room can go on with the newest one. */
  readonly messages: StoredMessage[];
  /** The pairs of the newest `RECENT` messages, oldest first: by these retries are recognised. */
  readonly pairs: ArchivedPair[];
  readonly erasures: ArchivedErasures;
}

/** What a room that has lost its own log begins with, of the messages up to `last`. Rejects when D1 does not answer. */
export async function archivedHistory(db: Database, room: string, last: Seq): Promise<ArchivedHistory> {
  let messages: StoredMessage[] = [];
  let pairs: ArchivedPair[] = [];
  for await (const older of backwards(db, room, last + 1, RECENT)) {
    if (messages.length < REBUILT_MESSAGES + PACK) messages = [...older, ...messages];
    pairs = [...older.map(({ seq, sender, id }) => ({ seq, sender, id })), ...pairs];
  }
  const erasures = await archivedErasures(db, room);
  const first = firstOf(messages.at(-REBUILT_MESSAGES)?.seq ?? 1);
  return { messages: messages.filter(({ seq }) => seq >= first), pairs, erasures };
}

/** The newest `limit` messages below `before`, some at a time: each time oldest first, the newest of all first. */
async function* backwards(db: Database, room: string, before: Seq, limit: number): AsyncGenerator<StoredMessage[]> {
  for (let left = limit, known = before; left > 0 && known > 1; ) {
    const asked = Math.min(READ_AT_ONCE, left);
    const { packs, rows } = await ask(db, messagesBefore(db, room, known, asked));
    // A query that has given all that was asked for says nothing of what lies before that.
    const firstPack = packs.length < packsBetween(Math.max(1, known - asked), known - 1) ? undefined : packs.at(-1);
    const firstRow = rows.length < asked ? undefined : rows.at(-1);
    const end = Math.max(firstPack?.first ?? 1, firstRow?.seq ?? 1);
    const older = (await together(packs, rows)).filter(({ seq }) => seq >= end && seq < known).slice(-left);
    yield older;
    left -= older.length;
    known = end;
  }
}

/** What a pair of queries gives, in one round trip. */
async function ask(db: Database, queries: Parameters<Database["batch"]>[0]) {
  const [packs, rows] = await db.batch<unknown>(queries);
  return { packs: (packs?.results ?? []) as PackRow[], rows: (rows?.results ?? []) as ArchivedRow[] };
}
