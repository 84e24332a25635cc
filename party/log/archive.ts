/**
 * Copies the journal to D1, behind the conversation: in batches, exactly once, for as long as it takes (promise 6).
 *
 * A batch and the room's `last_seq` are one D1 transaction, and a message that is already there is left alone; so a
 * crash between D1's answer and our mark costs a repetition that changes nothing. All SQL for D1's `messages` is here.
 */

import { LIMITS, type Seq } from "../protocol.ts";
import type { Journal, StoredMessage } from "./journal.ts";
import type { Database, Statement } from "./sql.ts";

/** Messages of one D1 batch; as soon as this many wait, they are copied without waiting for the alarm. */
export const ARCHIVE_BATCH = 1_000;
/** Bytes of content of one D1 batch: a bound parameter and a row may have 2 MB, with JSON's escapes. */
const ARCHIVE_BATCH_LENGTH = 250_000;
/** After a failure the next try comes after this, doubled each time, in ms. */
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 60_000;
/** So many failures in a row with D1 answering mean that a row is to blame. */
const SUSPECT_ROWS_AFTER = 3;

const INSERT = `INSERT OR IGNORE INTO messages (room_id, seq, id, kind, sender, content, ref, created_at)
  SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
  FROM json_each(?2)`;

const UPDATE_ROOM = `UPDATE rooms SET last_seq = ?2, last_message_at = ?3, epoch = ?4
  WHERE id = ?1 AND (last_seq < ?2 OR epoch IS NOT ?4)`;

/** A copied deletion takes its effect in the same transaction: it may be long after the message that it empties. */
const BLANK = `UPDATE messages SET content = ''
  WHERE room_id = ?1 AND seq IN (SELECT value FROM json_each(?2)) AND content != ''`;

const COLUMNS = "seq, id, kind, sender, content, ref, created_at";

/** A message as it lies in D1. */
export type ArchivedRow = {
  seq: number;
  id: string;
  kind: string;
  sender: string;
  content: string;
  ref: number | null;
  created_at: string;
};

export interface ArchiveDeps {
  readonly room: string;
  readonly journal: Journal;
  readonly db: Database;
  /** Lets a run go on after the event that started it. */
  keepAlive(run: Promise<void>): void;
  /** Asks for `run` in `delay` ms, over hibernation and restart. */
  wakeIn(delay: number): void;
  /** How far behind the archive may be, in ms. */
  readonly delay: number;
  /** D1 has no such room any more. */
  gone(): Promise<void>;
}

export class Archive {
  readonly #deps: ArchiveDeps;
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(deps: ArchiveDeps) {
    this.#deps = deps;
  }

  /** How many messages D1 does not have yet. */
  get lag(): number {
    const { head, archived } = this.#deps.journal;
    return head - archived;
  }

  /** How many tries in a row have failed; 0 when D1 takes what it is given. */
  get failures(): number {
    return this.#failures;
  }

  /** Tells it that the journal has grown. */
  grown(): void {
    if (this.lag === 0) return;
    this.#deps.wakeIn(this.#failures > 0 ? this.#retryDelay() : this.#deps.delay);
    if (this.lag >= ARCHIVE_BATCH && this.#failures === 0) this.#deps.keepAlive(this.run());
  }

  /** Copies until D1 has `seq`; whether it has. */
  async reach(seq: Seq): Promise<boolean> {
    const { journal } = this.#deps;
    while (journal.archived < seq) {
      const before = journal.archived;
      await this.run();
      if (journal.archived <= before) return false;
    }
    return true;
  }

  /** Copies all that waits. Never rejects: what fails is tried again later. */
  run(): Promise<void> {
    this.#running ??= this.#drain()
      .catch((error) => console.error("archive: a run failed", { room: this.#deps.room, error }))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #drain(): Promise<void> {
    if (this.lag > 0) await this.#followBack();
    const { journal } = this.#deps;
    // What comes meanwhile may wait for company, unless it is a batch by itself: each copy has its bookkeeping.
    const end = journal.head;
    let goOn = true;
    while (goOn && (journal.archived < end || this.lag >= ARCHIVE_BATCH)) goOn = await this.#copyNext();
    if (goOn) journal.prune();
  }

  /** Where D1 has been set back to an earlier time, copies again what it has lost, as far as it is still here. */
  async #followBack(): Promise<void> {
    const { db, room, journal } = this.#deps;
    const query = "SELECT last_seq FROM rooms WHERE id = ?";
    // An outage is the copy's to find; a room that is gone, too.
    const row = await db
      .prepare(query)
      .bind(room)
      .first<{ last_seq: number }>()
      .catch(() => null);
    if (!row) return;
    const parked = new Set(journal.parked().map(({ seq }) => seq));
    let copied = journal.archived;
    while (parked.has(copied)) copied--;
    if (row.last_seq >= copied) return;
    const from = Math.max(row.last_seq, journal.oldest - 1);
    console.warn("archive: D1 was set back", { room, to: row.last_seq, from: copied, copiedAgainAfter: from });
    journal.markArchived(from);
  }

  /** Copies one batch; whether to go on with the next. */
  async #copyNext(): Promise<boolean> {
    const batch = this.#nextBatch();
    try {
      await this.#copy(batch);
      return true;
    } catch (error) {
      return this.#survive(batch, error);
    }
  }

  #nextBatch(): StoredMessage[] {
    const waiting = this.#deps.journal.after(this.#deps.journal.archived, ARCHIVE_BATCH);
    let length = 0;
    const end = waiting.findIndex((message, index) => {
      length += message.content.length;
      return index > 0 && length > ARCHIVE_BATCH_LENGTH;
    });
    return end === -1 ? waiting : waiting.slice(0, end);
  }

  async #copy(batch: StoredMessage[]): Promise<void> {
    const { db, room, journal } = this.#deps;
    const last = batch.at(-1);
    if (!last) return;
    const rows = batch.map(({ seq, id, kind, sender, content, ref, at }) => {
      return [seq, id, kind, sender, content, ref, new Date(at).toISOString()];
    });
    const deleted = batch.filter(({ kind }) => kind === "deletion").map(({ ref }) => ref);
    await db.batch([
      db.prepare(INSERT).bind(room, JSON.stringify(rows)),
      ...(deleted.length > 0 ? [db.prepare(BLANK).bind(room, JSON.stringify(deleted))] : []),
      db.prepare(UPDATE_ROOM).bind(room, last.seq, new Date(last.at).toISOString(), journal.epoch),
    ]);
    journal.markArchived(last.seq);
    this.#failures = 0;
  }

  /** After a failed batch: whether to go on at once. */
  async #survive(batch: StoredMessage[], error: unknown): Promise<boolean> {
    this.#failures++;
    const { room, journal } = this.#deps;
    const detail = error instanceof Error ? error.message : String(error);
    console.warn("archive: a batch failed", {
      room,
      from: batch[0]?.seq,
      count: batch.length,
      failures: this.#failures,
      detail,
    });
    if (await isRoomGone(this.#deps.db, room)) {
      await this.#deps.gone();
      return false;
    }
    if (this.#failures >= SUSPECT_ROWS_AFTER && (await this.#parkBadRows(batch))) return true;
    this.#deps.wakeIn(this.#retryDelay());
    console.warn("archive: behind", { room, lag: this.lag, head: journal.head });
    return false;
  }

  /** Copies a batch that keeps failing row by row, and sets aside what D1 refuses while it takes others. */
  async #parkBadRows(batch: StoredMessage[]): Promise<boolean> {
    const { room, journal } = this.#deps;
    for (const message of batch) {
      const refusal = await this.#tryCopy(message);
      if (refusal === undefined) continue;
      // Whether D1 takes another in its place tells a bad row from an outage; a second try, from one that has just ended.
      if (!(await this.#takesOneLike(message))) return false;
      const reason = await this.#tryCopy(message);
      if (reason === undefined) continue;
      console.error("archive: D1 refuses a message, which stays in the room", { room, seq: message.seq, reason });
      journal.park(message.seq, reason);
      journal.markArchived(message.seq);
    }
    this.#failures = 0;
    return true;
  }

  /** Copies one message; why not, if D1 does not take it. */
  async #tryCopy(message: StoredMessage): Promise<string | undefined> {
    try {
      await this.#copy([message]);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /**
   * Whether D1 takes a harmless message of the same length, which nobody ever sees. It has to be a write: a locked, full
   * or used-up database goes on answering queries.
   */
  async #takesOneLike({ content }: StoredMessage): Promise<boolean> {
    const { db, room } = this.#deps;
    const harmless = [0, "", "text", "", "x".repeat(content.length), null, ""];
    try {
      await db.batch([
        db.prepare(INSERT).bind(room, JSON.stringify([harmless])),
        db.prepare("DELETE FROM messages WHERE room_id = ? AND seq = 0").bind(room),
      ]);
      return true;
    } catch {
      return false;
    }
  }

  #retryDelay(): number {
    return Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** (this.#failures - 1));
  }
}

/** Whether D1 says that there is no such room (any more); `undefined` when it does not answer. */
export async function isRoomGone(db: Database, room: string): Promise<boolean | undefined> {
  try {
    return (await db.prepare("SELECT 1 FROM rooms WHERE id = ?").bind(room).first()) === null;
  } catch {
    return undefined;
  }
}

/** Tells D1 that the room goes on under another epoch, so that pages of D1's carry it at once. Rejects when D1 does. */
export async function announceEpoch(db: Database, room: string, epoch: string): Promise<void> {
  await db.prepare("UPDATE rooms SET epoch = ? WHERE id = ?").bind(epoch, room).first();
}

/** The query for the newest `limit` rows of `room` with a seq below `before`, newest first. */
export function messagesBefore<S extends Statement>(db: Database<S>, room: string, before: Seq, limit: number): S {
  const query = `SELECT ${COLUMNS} FROM messages WHERE room_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?`;
  return db.prepare(query).bind(room, before, limit) as S;
}

/** Rows of one query for old messages: with the longest content they are still a few MB. */
const READ_AT_ONCE = 500;

/**
 * The messages of `room` in D1 with a seq below `before`, newest `limit` of them, oldest first. Fewer when they are more
 * than `LIMITS.resumeBytes` long together.
 */
export async function archivedBefore(db: Database, room: string, before: Seq, limit: number): Promise<StoredMessage[]> {
  const newestFirst: StoredMessage[] = [];
  let length = 0;
  while (newestFirst.length < limit && length < LIMITS.resumeBytes) {
    const asked = Math.min(READ_AT_ONCE, limit - newestFirst.length);
    const bound = newestFirst.at(-1)?.seq ?? before;
    const { results } = await messagesBefore(db, room, bound, asked).all<ArchivedRow>();
    newestFirst.push(...results.map(fromRow));
    length += results.reduce((sum, row) => sum + row.content.length, 0);
    if (results.length < asked) break;
  }
  return newestFirst.reverse();
}

/** The messages of `room` in D1 with a seq above `after`, oldest `limit` of them, oldest first. */
export async function archivedAfter(db: Database, room: string, after: Seq, limit: number): Promise<StoredMessage[]> {
  const query = `SELECT ${COLUMNS} FROM messages WHERE room_id = ? AND seq > ? ORDER BY seq LIMIT ?`;
  const { results } = await db.prepare(query).bind(room, after, limit).all<ArchivedRow>();
  return results.map(fromRow);
}

/** One message of `room` in D1. */
export async function archivedMessage(db: Database, room: string, seq: Seq): Promise<StoredMessage | undefined> {
  const [message] = await archivedAfter(db, room, seq - 1, 1);
  return message?.seq === seq ? message : undefined;
}

/** A row of D1 as it is used here. */
export function fromRow({ created_at, ...row }: ArchivedRow): StoredMessage {
  return { ...row, kind: row.kind as StoredMessage["kind"], at: Date.parse(created_at) };
}
