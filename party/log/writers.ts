/**
 * Who has something in the room's log: each name once, so that it need not be looked for in a long log. D1 is told of them,
 * so that the operator finds every room in which somebody wrote.
 */

import { BoundedMap } from "../limits/bounded-map.ts";
import { type Erasure, isTaken, takenNames } from "./erasure.ts";
import type { Sql } from "./sql.ts";

/** Names of which it is known in memory that they are written down. */
const REMEMBERED = 2_000;

export class Writers {
  readonly #sql: () => Sql;
  readonly #known = new BoundedMap<string, true>(REMEMBERED);

  /** `sql` throws `Closed` where the log is closed. */
  constructor(sql: () => Sql) {
    this.#sql = sql;
  }

  /** Writes down those of `senders` who are new. A known one costs nothing. In a transaction; `remember` follows it. */
  add(senders: readonly string[], d1: "told" | "untold" = "untold"): void {
    const unknown = senders.filter((sender) => !this.#known.get(sender));
    const insert = "INSERT OR IGNORE INTO writers (sender, told) SELECT value, ? FROM json_each(?)";
    if (unknown.length > 0) this.#sql().exec(insert, d1 === "told" ? 1 : 0, JSON.stringify(unknown));
  }

  /** The transaction in which they were added is over. */
  remember(senders: readonly string[]): void {
    for (const sender of senders) this.#known.set(sender, true);
  }

  /** Forgets those whom an erasure takes, but for those who have said something `since`. In a transaction. */
  erase({ sender }: Pick<Erasure, "sender">, since: readonly string[]): void {
    this.#known.clear();
    this.#sql().exec(`DELETE FROM writers WHERE ${isTaken(1)}`, ...takenNames(sender));
    this.add(since);
  }

  /** Whether `sender`, or an agent of theirs, has something in the log. */
  hasWritten(sender: string): boolean {
    const query = `SELECT 1 FROM writers WHERE ${isTaken(1)} LIMIT 1`;
    return (
      this.#sql()
        .exec(query, ...takenNames(sender))
        .toArray().length > 0
    );
  }

  /** Up to `limit` of those of whom D1 may not know. */
  untold(limit: number): string[] {
    const query = "SELECT sender FROM writers WHERE told = 0 LIMIT ?";
    return this.#sql()
      .exec<{ sender: string }>(query, limit)
      .toArray()
      .map(({ sender }) => sender);
  }

  /** D1 knows of these. */
  markTold(senders: readonly string[]): void {
    const update = "UPDATE writers SET told = 1 WHERE told = 0 AND sender IN (SELECT value FROM json_each(?))";
    if (senders.length > 0) this.#sql().exec(update, JSON.stringify(senders));
  }

  /** D1 may not know any more of `sender` and their agents. */
  forgetTold(sender: string): void {
    this.#sql().exec(`UPDATE writers SET told = 0 WHERE told = 1 AND ${isTaken(1)}`, ...takenNames(sender));
  }

  /** D1 may not know of anybody any more. */
  forgetAllTold(): void {
    this.#sql().exec("UPDATE writers SET told = 0 WHERE told = 1");
  }
}
