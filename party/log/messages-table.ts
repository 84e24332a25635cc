/**
 * The room's messages in its SQLite: one table, by seq. All SQL for it is here.
 *
 * Each query reads a bounded number of rows, however long the log is.
 */

import type { AskClosed, Seq } from "../protocol.ts";
import { isTaken, takenNames } from "./erasure.ts";
import { CHANGERS_INDEX } from "./log-tables.ts";
import type { Sql } from "./sql.ts";
import { chosenBy, type StoredKind, type StoredMessage } from "./stored-message.ts";

const COLUMNS = "seq, id, kind, sender, content, ref, at";

/** Of an ask, the entry that has closed it is read along. */
const SELECT = `SELECT m.seq, m.id, m.kind, m.sender, m.content, m.ref, m.at, m.changed, c.kind AS closing, c.sender AS closer
  FROM messages AS m LEFT JOIN messages AS c ON c.seq = CASE WHEN m.kind = 'ask' AND m.content <> '' THEN m.changed END`;

type Row = {
  seq: number;
  id: string;
  kind: StoredKind;
  sender: string;
  content: string;
  ref: number | null;
  at: number;
  changed: number | null;
  closing: StoredKind | null;
  closer: string | null;
};

/** An entry that may change another message: the one that its `ref` names. */
export type Changer = Pick<StoredMessage, "seq" | "kind" | "ref">;

export class MessagesTable {
  readonly #sql: () => Sql;

  /** `sql` throws `Closed` where the log is closed. */
  constructor(sql: () => Sql) {
    this.#sql = sql;
  }

  /** Adds messages behind the newest one. In a transaction. */
  append(messages: readonly StoredMessage[]): void {
    this.#insert("INSERT", messages);
  }

  /** Adds older messages. Those that are here stay as they are. In a transaction. */
  fill(messages: readonly StoredMessage[]): void {
    this.#insert("INSERT OR IGNORE", messages);
  }

  /**
   * Lets entries, in their order, take their effect on what they are about. The first deletion of a message counts, and goes
   * before what has closed it; of what closes an ask, the first counts. In a transaction.
   */
  change(entries: readonly Changer[]): void {
    const remove = `UPDATE messages SET content = '', changed = ?1
      WHERE seq = ?2 AND NOT EXISTS (SELECT 1 FROM messages AS d WHERE d.seq = messages.changed AND d.kind = 'deletion')`;
    const close = "UPDATE messages SET changed = ?1 WHERE seq = ?2 AND changed IS NULL AND kind = 'ask'";
    for (const { seq, kind, ref } of entries) {
      if (ref === null) continue;
      if (kind === "deletion") this.#sql().exec(remove, seq, ref);
      else if (closes(kind)) this.#sql().exec(close, seq, ref);
    }
  }

  /** The entries that are about messages from `first` to `last`, oldest first. By the index, which has to be there. */
  changersOf(first: Seq, last: Seq): Changer[] {
    const query = `SELECT seq, kind, ref FROM messages
      WHERE kind NOT IN ('text', 'ask') AND ref BETWEEN ? AND ? ORDER BY seq`;
    return this.#sql().exec<{ seq: number; kind: StoredKind; ref: number }>(query, first, last).toArray();
  }

  /** Makes the index, which is there while older messages are to come. In a transaction. */
  index(): void {
    this.#sql().exec(CHANGERS_INDEX);
  }

  dropIndex(): void {
    this.#sql().exec("DROP INDEX IF EXISTS changers");
  }

  /** Writes other messages in the place of those with their seqs. In a transaction. */
  overwrite(messages: readonly StoredMessage[]): void {
    const update = "UPDATE messages SET id = ?, sender = ?, content = ?, ref = ? WHERE seq = ?";
    for (const { seq, id, sender, content, ref } of messages) this.#sql().exec(update, id, sender, content, ref, seq);
  }

  get(seq: Seq): StoredMessage | undefined {
    return this.#select("m.seq = ?", seq)[0];
  }

  /** Up to `limit` messages from `from` on, oldest first. */
  from(from: Seq, limit: number): StoredMessage[] {
    return this.#select("m.seq >= ? ORDER BY m.seq LIMIT ?", from, limit);
  }

  /** The newest `limit` messages below `end` and from `from` on, oldest first. */
  before(end: Seq, from: Seq, limit: number): StoredMessage[] {
    return this.#select("m.seq < ? AND m.seq >= ? ORDER BY m.seq DESC LIMIT ?", end, from, limit).reverse();
  }

  /** The newest message. */
  newest(): StoredMessage | undefined {
    return this.#select("TRUE ORDER BY m.seq DESC LIMIT 1")[0];
  }

  /** The entry that has deleted the message `seq`. */
  deletionOf(seq: Seq): StoredMessage | undefined {
    return this.#select("m.seq = (SELECT changed FROM messages WHERE seq = ?) AND m.kind = 'deletion'", seq)[0];
  }

  /** The oldest message from `first` on that is from `time` (ms since 1970) or later. By halves: times never decrease. */
  since(time: number, first: Seq, head: Seq): StoredMessage | undefined {
    let found: StoredMessage | undefined;
    for (let [low, high] = [first, head + 1]; low < high; ) {
      const middle = low + Math.floor((high - low) / 2);
      const [message] = this.from(middle, 1);
      if (message && message.at < time) low = message.seq + 1;
      else {
        high = middle;
        found = message ?? found;
      }
    }
    return found;
  }

  /** Who the messages from `from` on are by, with their ids, oldest first. */
  pairsFrom(from: Seq): Pick<StoredMessage, "seq" | "sender" | "id">[] {
    const query = "SELECT seq, sender, id FROM messages WHERE seq >= ? ORDER BY seq";
    return this.#sql().exec<{ seq: number; sender: string; id: string }>(query, from).toArray();
  }

  /** The names among those that an erasure of `sender` takes under which something was said after `seq`. */
  writersAfter(seq: Seq, sender: string): string[] {
    const query = `SELECT DISTINCT sender FROM messages WHERE seq > ?1 AND ${isTaken(2)} AND kind <> 'erasure'`;
    const rows = this.#sql()
      .exec<{ sender: string }>(query, seq, ...takenNames(sender))
      .toArray();
    return rows.map((row) => row.sender);
  }

  /** Removes messages below `first`, with seqs of up to `limit` at once. Whether some are left. In a transaction. */
  removeBelow(first: Seq, limit: number): boolean {
    const [row] = this.#sql().exec<{ seq: number | null }>("SELECT MIN(seq) AS seq FROM messages").toArray();
    const end = Math.min(first, (row?.seq ?? first) + limit);
    this.#sql().exec("DELETE FROM messages WHERE seq < ?", end);
    return end < first;
  }

  #insert(insert: string, messages: readonly StoredMessage[]): void {
    const query = `${insert} INTO messages (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`;
    for (const { seq, id, kind, sender, content, ref, at } of messages) {
      this.#sql().exec(query, seq, id, kind, sender, content, ref, at);
    }
  }

  #select(where: string, ...bindings: number[]): StoredMessage[] {
    return this.#sql()
      .exec<Row>(`${SELECT} WHERE ${where}`, ...bindings)
      .toArray()
      .map(toStored);
  }
}

/** Whether an entry of this kind closes the ask that its `ref` names. */
export const closes = (kind: StoredKind): boolean => kind === "expiry" || chosenBy(kind) !== undefined;

/**
 * How an entry closes an ask; `undefined` when it closes none. `seq` is never the first field: by `{"seq":` a message is found
 * in a frame that nobody parses.
 */
export function closingBy({
  seq,
  kind,
  sender,
}: Pick<StoredMessage, "seq" | "kind" | "sender">): AskClosed | undefined {
  if (kind === "expiry") return { expired: true, seq };
  const option = chosenBy(kind);
  return option === undefined ? undefined : { option, by: sender, seq };
}

function toStored({ changed, closing, closer, ...message }: Row): StoredMessage {
  if (changed === null || closing === null || closer === null) return message;
  const closed = closingBy({ seq: changed, kind: closing, sender: closer });
  return closed ? { ...message, closed } : message;
}
