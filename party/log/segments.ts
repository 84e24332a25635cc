/**
 * The room's messages in its SQLite, in segments: tables of a few thousand seqs each, named by the first one. Old messages
 * go by dropping a whole table, which costs a few rows written, where a `DELETE` costs one a message
 * (test/runtime/log-cost.test.ts counts them). All SQL for these tables is here.
 *
 * Each query reads all of its rows at once: a cursor that is left open keeps SQLite from dropping any table.
 */

import type { Seq } from "../protocol.ts";
import { isTaken, takenNames } from "./erasure.ts";
import type { Sql } from "./sql.ts";
import { MESSAGE_COLUMNS, type MessageRow, type StoredMessage } from "./stored-message.ts";

/** How many seqs a segment has. One that was a table of the first form may have more. */
export const SEGMENT = 4_096;

const PREFIX = "messages_";

export interface SegmentsDeps {
  readonly sql: Sql;
  /** Runs `work` in one transaction: all of it is stored, or it throws and nothing is. */
  transaction<T>(work: () => T): T;
}

export class Segments {
  readonly #deps: SegmentsDeps;
  /** The first seq of each segment, ascending. Never changed in place, so that a transaction can put it back. */
  #firsts: readonly Seq[] = [];
  /** The statement that adds a message to the newest segment. */
  #insert = "";

  /** Opens what is there, which may be nothing. Writes nothing. */
  constructor(deps: SegmentsDeps) {
    this.#deps = deps;
    const query = `SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '${PREFIX}[0-9]*'`;
    const tables = deps.sql.exec<{ name: string }>(query).toArray();
    this.#setFirsts(tables.map(({ name }) => Number(name.slice(PREFIX.length))).sort((a, b) => a - b));
  }

  /** Everything from this seq on is here. 1 before there is any segment. */
  get oldest(): Seq {
    return this.#firsts[0] ?? 1;
  }

  /** Runs `work` in one transaction. A segment that it has begun is forgotten again when it throws. */
  transaction<T>(work: () => T): T {
    const firsts = this.#firsts;
    try {
      return this.#deps.transaction(work);
    } catch (error) {
      this.#setFirsts(firsts);
      throw error;
    }
  }

  /** Adds messages behind the newest one; a new segment is begun where the last is full. In a transaction. */
  append(messages: readonly StoredMessage[]): void {
    for (const { seq, id, kind, sender, content, ref, at } of messages) {
      if (seq >= this.#endOfNewest) this.begin(seq);
      this.#deps.sql.exec(this.#insert, seq, id, kind, sender, content, ref, at);
    }
  }

  /** Begins a segment for the messages from `first` on. In a transaction. */
  begin(first: Seq): void {
    this.#deps.sql.exec(`CREATE TABLE ${PREFIX}${first} (
      seq INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL,
      content TEXT NOT NULL, ref INTEGER, at INTEGER NOT NULL)`);
    this.#indexDeletions(first);
    this.#setFirsts([...this.#firsts, first]);
  }

  /** Makes the table `name` of the first form, which begins at `first`, a segment. Copies no row. In a transaction. */
  adopt(name: string, first: Seq): void {
    this.#deps.sql.exec(`ALTER TABLE ${name} RENAME TO ${PREFIX}${first}`);
    this.#indexDeletions(first);
    this.#setFirsts([first, ...this.#firsts]);
  }

  /** Empties the content of the message `seq`, if it is here. In a transaction. */
  blank(seq: Seq): void {
    const first = this.#segmentOf(seq);
    if (first !== undefined) this.#deps.sql.exec(`UPDATE ${PREFIX}${first} SET content = '' WHERE seq = ?`, seq);
  }

  /** Writes other messages in the place of those with their seqs, which must be here. In a transaction. */
  overwrite(messages: readonly StoredMessage[]): void {
    for (const { seq, id, sender, content, ref } of messages) {
      const update = `UPDATE ${PREFIX}${this.#segmentOf(seq)} SET id = ?, sender = ?, content = ?, ref = ? WHERE seq = ?`;
      this.#deps.sql.exec(update, id, sender, content, ref, seq);
    }
  }

  /** Whether there is a message after `seq` that an erasure of `sender` would take. Reads all of them until there is one. */
  hasSender(sender: string, after: Seq): boolean {
    return this.#firsts.some((first) => {
      const query = `SELECT seq FROM ${PREFIX}${first} WHERE seq > ?1 AND ${isTaken(2)} AND kind <> 'erasure' LIMIT 1`;
      return this.#deps.sql.exec<{ seq: number }>(query, after, ...takenNames(sender)).toArray().length > 0;
    });
  }

  /** The seq of the last message that was written down at `at` (ms) or before. */
  lastAtOrBefore(at: number): Seq | undefined {
    for (const first of this.#firsts.toReversed()) {
      const query = `SELECT seq FROM ${PREFIX}${first} WHERE at <= ? ORDER BY seq DESC LIMIT 1`;
      const [found] = this.#deps.sql.exec<{ seq: number }>(query, at).toArray();
      if (found) return found.seq;
    }
    return undefined;
  }

  /** Who has written the messages up to `seq`, each with the last of theirs. Once for each segment. */
  lastOfEachSender(seq: Seq): { sender: string; last: Seq }[] {
    return this.#firsts.flatMap((first) => {
      const query = `SELECT sender, MAX(seq) AS last FROM ${PREFIX}${first} WHERE seq <= ? AND kind <> 'erasure' GROUP BY sender`;
      return this.#deps.sql.exec<{ sender: string; last: number }>(query, seq).toArray();
    });
  }

  /** The entries of erasures with a seq above `seq`. Reads all messages after it. */
  erasuresAfter(seq: Seq): StoredMessage[] {
    return this.#firsts.flatMap((first) => this.#select(first, "kind = 'erasure' AND seq > ?", seq));
  }

  get(seq: Seq): StoredMessage | undefined {
    const first = this.#segmentOf(seq);
    return first === undefined ? undefined : this.#select(first, "seq = ?", seq)[0];
  }

  /** The newest message. */
  newest(): StoredMessage | undefined {
    return this.before(Number.MAX_SAFE_INTEGER, 1)[0];
  }

  /** Up to `limit` messages with a seq above `seq`, oldest first. */
  after(seq: Seq, limit: number): StoredMessage[] {
    const found: StoredMessage[] = [];
    for (const [index, first] of this.#firsts.entries()) {
      const isBelow = (this.#firsts[index + 1] ?? Number.POSITIVE_INFINITY) <= seq + 1;
      if (isBelow) continue;
      if (found.length >= limit) break;
      found.push(...this.#select(first, "seq > ? ORDER BY seq LIMIT ?", seq, limit - found.length));
    }
    return found;
  }

  /** Up to `limit` messages with a seq below `seq`, oldest first. */
  before(seq: Seq, limit: number): StoredMessage[] {
    let found: StoredMessage[] = [];
    for (const first of this.#firsts.toReversed()) {
      if (first >= seq) continue;
      if (found.length >= limit) break;
      const older = this.#select(first, "seq < ? ORDER BY seq DESC LIMIT ?", seq, limit - found.length);
      found = [...older.reverse(), ...found];
    }
    return found;
  }

  /** The first deletion of the message `target` that is here. One look-up in the index of each segment. */
  deletionOf(target: Seq): StoredMessage | undefined {
    const since = this.#segmentOf(target) ?? 0;
    for (const first of this.#firsts) {
      if (first < since) continue;
      const [found] = this.#select(first, "kind = 'deletion' AND ref = ? ORDER BY seq LIMIT 1", target);
      if (found) return found;
    }
    return undefined;
  }

  /** The messages from `first` to `last` whose deletion is here, in no order. Reads the indexes, and only such deletions. */
  deletedBetween(first: Seq, last: Seq): Seq[] {
    return this.#firsts.flatMap((segment) => {
      const query = `SELECT ref FROM ${PREFIX}${segment} WHERE kind = 'deletion' AND ref BETWEEN ? AND ?`;
      const rows = this.#deps.sql.exec<{ ref: number }>(query, first, last).toArray();
      return rows.map(({ ref }) => ref);
    });
  }

  /** The oldest message that is here and from `time` (ms since 1970) or later. By halves: a few rows of each segment. */
  since(time: number): StoredMessage | undefined {
    for (const first of this.#firsts) {
      const [newest] = this.#select(first, "seq > ? ORDER BY seq DESC LIMIT 1", 0);
      if (!newest || newest.at < time) continue;
      let found = newest;
      for (let [low, high] = [first, newest.seq]; low < high; ) {
        const middle = low + Math.floor((high - low) / 2);
        const message = this.#select(first, "seq >= ? ORDER BY seq LIMIT 1", middle)[0] as StoredMessage;
        if (message.at < time) low = message.seq + 1;
        else [found, high] = [message, middle];
      }
      return found;
    }
    return undefined;
  }

  /**
   * Removes the messages below `seq`: whole segments by dropping them, and up to `limit` of the oldest messages of the one
   * that has others, too. Whether some are left. In a transaction.
   */
  remove(seq: Seq, limit: number): boolean {
    this.dropUpTo(seq - 1);
    const [first] = this.#firsts;
    if (first === undefined || first >= seq) return false;
    const query = `SELECT seq FROM ${PREFIX}${first} WHERE seq < ? ORDER BY seq LIMIT 1 OFFSET ?`;
    const [beyond] = this.#deps.sql.exec<{ seq: number }>(query, seq, limit).toArray();
    this.#deps.sql.exec(`DELETE FROM ${PREFIX}${first} WHERE seq < ?`, beyond?.seq ?? seq);
    return beyond !== undefined;
  }

  /** Drops the segments that hold nothing above `seq`, but never the newest. How many seqs were let go. */
  dropUpTo(seq: Seq): number {
    const before = this.oldest;
    for (;;) {
      const [first, next] = this.#firsts;
      if (first === undefined || next === undefined || next - 1 > seq) break;
      this.#deps.sql.exec(`DROP TABLE ${PREFIX}${first}`);
      this.#setFirsts(this.#firsts.slice(1));
    }
    return this.oldest - before;
  }

  /** An index that has deletions alone: a text costs no second row, and a repeated deletion reads one row, not all. */
  #indexDeletions(first: Seq): void {
    this.#deps.sql.exec(`CREATE INDEX deletions_${first} ON ${PREFIX}${first} (ref) WHERE kind = 'deletion'`);
  }

  #setFirsts(firsts: readonly Seq[]): void {
    this.#firsts = firsts;
    this.#insert = `INSERT INTO ${PREFIX}${firsts.at(-1)} (${MESSAGE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`;
  }

  /** The first seq that has no place in the newest segment. */
  get #endOfNewest(): Seq {
    const newest = this.#firsts.at(-1);
    return newest === undefined ? 0 : newest + SEGMENT;
  }

  #segmentOf(seq: Seq): Seq | undefined {
    return this.#firsts.findLast((first) => first <= seq);
  }

  #select(first: Seq, where: string, ...bindings: number[]): StoredMessage[] {
    const query = `SELECT ${MESSAGE_COLUMNS} FROM ${PREFIX}${first} WHERE ${where}`;
    return this.#deps.sql.exec<MessageRow>(query, ...bindings).toArray();
  }
}
