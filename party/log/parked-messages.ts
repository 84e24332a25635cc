/** The messages that D1 has refused, so that the others could go on. They stay in the room's own SQLite, as they are stored. */

import { type Seq, takesSender } from "../protocol.ts";
import type { Sql } from "./sql.ts";
import { MESSAGE_COLUMNS, type MessageRow, type StoredMessage } from "./stored-message.ts";

export class ParkedMessages {
  readonly #sql: () => Sql;

  /** `sql` throws `Closed` where the log is closed. */
  constructor(sql: () => Sql) {
    this.#sql = sql;
  }

  /** Sets a message aside. `reason` is what D1 has said. */
  add({ seq, id, kind, sender, content, ref, at }: StoredMessage, reason: string): void {
    const insert = `INSERT OR REPLACE INTO parked_messages (reason, ${MESSAGE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
    this.#sql().exec(insert, reason, seq, id, kind, sender, content, ref, at);
  }

  /** Those from `first` on, and why D1 has refused each. */
  list(first: Seq): { seq: Seq; reason: string }[] {
    const query = "SELECT seq, reason FROM parked_messages WHERE seq >= ? ORDER BY seq";
    return this.#sql().exec<{ seq: number; reason: string }>(query, first).toArray();
  }

  get(seq: Seq): StoredMessage | undefined {
    return this.#select("seq = ?", seq)[0];
  }

  /** Up to `limit` with a seq above `after` and below `end`, oldest first. */
  between(after: Seq, end: Seq, limit: number): StoredMessage[] {
    return this.#select("seq > ? AND seq < ? ORDER BY seq LIMIT ?", after, end, limit);
  }

  /** The newest with a seq below `end` and from `first` on, up to `limit`, oldest first. */
  before(end: Seq, first: Seq, limit: number): StoredMessage[] {
    return this.#select("seq < ? AND seq >= ? ORDER BY seq DESC LIMIT ?", end, first, limit).reverse();
  }

  /** Those that an erasure of `sender` would take. */
  by(sender: string): StoredMessage[] {
    return this.#select("TRUE").filter((message) => takesSender(sender, message.sender));
  }

  /** Takes the words of a message away. */
  blank(seq: Seq): void {
    this.#sql().exec("UPDATE parked_messages SET content = '' WHERE seq = ?", seq);
  }

  /** Puts messages in the place of those with their seqs. */
  overwrite(messages: readonly StoredMessage[]): void {
    const update = "UPDATE parked_messages SET id = ?, sender = ?, content = ?, ref = ? WHERE seq = ?";
    for (const { seq, id, sender, content, ref } of messages) this.#sql().exec(update, id, sender, content, ref, seq);
  }

  /** Removes those with a seq below `first`. */
  removeBelow(first: Seq): void {
    this.#sql().exec("DELETE FROM parked_messages WHERE seq < ?", first);
  }

  #select(where: string, ...bindings: number[]): StoredMessage[] {
    const query = `SELECT ${MESSAGE_COLUMNS} FROM parked_messages WHERE ${where}`;
    return this.#sql()
      .exec<MessageRow>(query, ...bindings)
      .toArray();
  }
}
