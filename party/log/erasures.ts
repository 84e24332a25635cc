/**
 * The erasures that are under way, in the room's own SQLite: how far each is. What they take is not shown from the moment at
 * which the erasure is in the log, because whatever is read is read through them; so the overwriting may take its time.
 */

import type { Seq } from "../protocol.ts";
import { type Erasure, withErasures } from "./erasure.ts";
import type { Sql } from "./sql.ts";
import type { StoredMessage } from "./stored-message.ts";

/** An erasure that is under way. */
export interface ErasureUnderWay extends Erasure {
  /** What is here of the log has been looked at up to this seq. */
  readonly here: Seq;
}

type Row = { seq: number; up_to: number; sender: string; here: number };

export class Erasures {
  readonly #sql: () => Sql;
  #underWay: readonly ErasureUnderWay[] = [];
  #newest: Seq = 0;
  #newestErased: Seq = 0;

  /** `sql` throws `Closed` where the log is closed. Knows nothing before `refresh`. */
  constructor(sql: () => Sql) {
    this.#sql = sql;
  }

  /** Looks at what is stored: when the log is opened, and after a transaction that was not kept. */
  refresh(): void {
    const query = "SELECT seq, up_to, sender, here FROM erasures ORDER BY seq";
    const rows = this.#sql().exec<Row>(query).toArray();
    this.#newest = rows.at(-1)?.seq ?? 0;
    this.#newestErased = rows.findLast(({ sender }) => sender === "")?.seq ?? 0;
    this.#underWay = rows
      .filter(({ sender }) => sender !== "")
      .map(({ up_to: upTo, ...row }): ErasureUnderWay => ({ ...row, upTo }));
  }

  /** Those that have not ended, oldest first. Another array whenever that changes. */
  get underWay(): readonly ErasureUnderWay[] {
    return this.#underWay;
  }

  /** The seq of the newest erasure that is known, ended or not; 0 when there is none. */
  get newest(): Seq {
    return this.#newest;
  }

  /** The seq of the newest erasure whose entry says no longer whom it has erased; 0 when there is none. */
  get newestErased(): Seq {
    return this.#newestErased;
  }

  /** Messages as readers see them. */
  read(messages: StoredMessage[]): StoredMessage[] {
    const underWay = this.#underWay;
    return underWay.length === 0 ? messages : messages.map((message) => withErasures(message, underWay));
  }

  /** Notes erasures: one without a name has ended, and others begin. In a transaction. */
  add(erasures: readonly Erasure[]): void {
    const insert = `INSERT INTO erasures (seq, up_to, sender, here) VALUES (?, ?, ?, 0)
      ON CONFLICT (seq) DO UPDATE SET sender = excluded.sender, here = 0 WHERE erasures.sender = ''`;
    if (erasures.length === 0) return;
    for (const { seq, upTo, sender } of erasures) this.#sql().exec(insert, seq, upTo, sender);
    this.#forgetEnded();
  }

  /** Notes how far an erasure is. In a transaction. */
  advance(seq: Seq, here: Seq): void {
    this.#sql().exec("UPDATE erasures SET here = ? WHERE seq = ?", here, seq);
    this.refresh();
  }

  /** Ends an erasure. In a transaction. */
  end(seq: Seq): void {
    this.#sql().exec("UPDATE erasures SET sender = '' WHERE seq = ?", seq);
    this.#forgetEnded();
  }

  /** Forgets those before `first`: what they take is gone, too. In a transaction. */
  removeBelow(first: Seq): void {
    this.#sql().exec("DELETE FROM erasures WHERE seq < ?", first);
    this.refresh();
  }

  /** Of those that have ended, the newest one says all that is asked for. */
  #forgetEnded(): void {
    const newest = "SELECT MAX(seq) FROM erasures WHERE sender = ''";
    this.#sql().exec(`DELETE FROM erasures WHERE sender = '' AND seq < (${newest})`);
    this.refresh();
  }
}
