/**
 * The erasures that have not been carried out everywhere, in the room's own SQLite: how far each is, here and in D1. Until
 * they are, whatever is read is read through them.
 */

import type { Seq } from "../protocol.ts";
import type { Erasure } from "./erasure.ts";
import type { Sql } from "./sql.ts";

/** Makes the table. In a transaction. */
export function createErasureTable(sql: Sql): void {
  // `here` and `archived`: up to which seq it has taken its effect, in the room and in D1. A finished one has no sender: it
  // stays as long as it is the newest.
  sql.exec(`CREATE TABLE erasures (seq INTEGER PRIMARY KEY, up_to INTEGER NOT NULL, sender TEXT NOT NULL,
    here INTEGER NOT NULL, archived INTEGER NOT NULL)`);
}

/** An erasure that is under way. */
export interface ErasureUnderWay extends Erasure {
  readonly here: Seq;
  readonly archived: Seq;
}

type Row = { seq: number; up_to: number; sender: string; here: number; archived: number };

export class ErasureTable {
  readonly #sql: Sql;
  #newest: Seq = 0;
  #underWay: readonly ErasureUnderWay[] = [];

  /** Opens what is there. */
  constructor(sql: Sql) {
    this.#sql = sql;
    this.#read();
  }

  /** The seq of the newest erasure that is known here, carried out or not; 0 when there is none. */
  get newest(): Seq {
    return this.#newest;
  }

  /** Those that have not been carried out everywhere, oldest first. Another array whenever that changes. */
  get underWay(): readonly ErasureUnderWay[] {
    return this.#underWay;
  }

  /** Adds erasures, which begin anew where they are there. `oldest`: what is before it is not here. In a transaction. */
  add(erasures: readonly Erasure[], oldest: Seq): void {
    for (const { seq, upTo, sender } of erasures) {
      const insert = "INSERT OR REPLACE INTO erasures (seq, up_to, sender, here, archived) VALUES (?, ?, ?, ?, 0)";
      this.#sql.exec(insert, seq, upTo, sender, Math.min(oldest - 1, upTo));
    }
  }

  /** Notes how far an erasure is. One that is at its end everywhere loses its sender's name. */
  advance({ seq, upTo, here, archived }: ErasureUnderWay): void {
    if (here < upTo || archived < upTo) {
      this.#sql.exec("UPDATE erasures SET here = ?, archived = ? WHERE seq = ?", here, archived, seq);
    } else {
      this.#sql.exec("UPDATE erasures SET here = up_to, archived = up_to, sender = '' WHERE seq = ?", seq);
      this.#sql.exec("DELETE FROM erasures WHERE sender = '' AND seq < (SELECT MAX(seq) FROM erasures)");
    }
  }

  /** Looks again at what is stored: after a transaction. */
  refresh(): void {
    this.#read();
  }

  #read(): void {
    const rows = this.#sql.exec<Row>("SELECT seq, up_to, sender, here, archived FROM erasures ORDER BY seq").toArray();
    this.#newest = rows.at(-1)?.seq ?? 0;
    this.#underWay = rows
      .filter(({ sender }) => sender !== "")
      .map(({ up_to: upTo, ...row }): ErasureUnderWay => ({ ...row, upTo }));
  }
}
