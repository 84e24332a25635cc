/**
 * The asks of a room in its own SQLite, beside the log: those that are open, and what has closed others. It follows from the
 * log, in the same transaction, and is begun with what D1 has of it where the room has lost its own storage.
 *
 * The tables are made with a room's first ask, so a room without any costs nothing. All SQL for them is here.
 */

import { isTaken, takenNames } from "../log/erasure.ts";
import { ASK_VERSION } from "../log/room-tables.ts";
import type { Sql } from "../log/sql.ts";
import type { AskClosed, Seq } from "../protocol.ts";
import { type Closing, type OpenAsk, readTerms, termsText } from "./ask.ts";

const TABLES = [
  // `until` in ms since 1970; `terms` is JSON, with its version in `v`.
  `CREATE TABLE open_asks (seq INTEGER PRIMARY KEY, sender TEXT NOT NULL, until INTEGER NOT NULL, terms TEXT NOT NULL)`,
  // `closed` is the seq of what has closed it: an answer that chose `option`, or an expiry, which has none.
  `CREATE TABLE closed_asks (seq INTEGER PRIMARY KEY, closed INTEGER NOT NULL, option TEXT, sender TEXT NOT NULL)`,
];

type OpenRow = { seq: number; sender: string; until: number; terms: string };
export type ClosedRow = { seq: number; closed: number; option: string | null; sender: string };

/** What D1 has of a room's asks. */
export interface KnownAsks {
  readonly open: readonly OpenAsk[];
  readonly closed: readonly Closing[];
}

export class AskTable {
  readonly #sql: () => Sql;
  #isThere = false;

  /** `sql` throws `Closed` where the log is closed. */
  constructor(sql: () => Sql) {
    this.#sql = sql;
  }

  /** Looks whether there are tables, and reads what is open. */
  open(): OpenAsk[] {
    const query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'open_asks'";
    this.#isThere = this.#sql().exec(query).toArray().length > 0;
    if (!this.#isThere) return [];
    const rows = this.#sql().exec<OpenRow>("SELECT seq, sender, until, terms FROM open_asks ORDER BY seq").toArray();
    return rows.map(({ terms, ...row }) => ({ ...row, ...readTerms(terms) }));
  }

  /** Whether the room has ever had an ask. */
  get isThere(): boolean {
    return this.#isThere;
  }

  /** Makes the tables where they are not there. In a transaction; `made` follows it. */
  make(): void {
    if (this.#isThere) return;
    for (const table of TABLES) this.#sql().exec(table);
    this.#sql().exec("UPDATE log SET version = ?", ASK_VERSION);
  }

  /** The transaction in which they were made is over. */
  made(): void {
    this.#isThere = true;
  }

  /** In a transaction. */
  add(asks: Iterable<OpenAsk>): void {
    const insert = "INSERT OR REPLACE INTO open_asks (seq, sender, until, terms) VALUES (?, ?, ?, ?)";
    for (const ask of asks) this.#sql().exec(insert, ask.seq, ask.sender, ask.until, termsText(ask));
  }

  /** In a transaction. The first closing of an ask stays. */
  close(closings: Iterable<Closing>): void {
    const insert = "INSERT OR IGNORE INTO closed_asks (seq, closed, option, sender) VALUES (?, ?, ?, ?)";
    for (const closing of closings) {
      const { seq, closed, option, sender } = closedRow(closing);
      this.#sql().exec(insert, seq, closed, option, sender);
    }
  }

  /** Removes open asks. In a transaction. */
  remove(seqs: Iterable<Seq>): void {
    for (const seq of seqs) this.#sql().exec("DELETE FROM open_asks WHERE seq = ?", seq);
  }

  /** Takes the name of a sender, and of their agents, away from answers up to the seq `upTo`. In a transaction. */
  forget(sender: string, upTo: Seq): void {
    const query = `UPDATE closed_asks SET sender = '' WHERE closed <= ?1 AND ${isTaken(2)}`;
    this.#sql().exec(query, upTo, ...takenNames(sender));
  }

  /** What has closed the asks from `first` to `last` that are closed. */
  closedBetween(first: Seq, last: Seq): Map<Seq, AskClosed> {
    if (!this.#isThere) return new Map();
    const query = "SELECT seq, closed, option, sender FROM closed_asks WHERE seq BETWEEN ? AND ?";
    return closingsOf(this.#sql().exec<ClosedRow>(query, first, last).toArray());
  }

  /** Removes what is about asks below `first`. In a transaction. */
  removeBelow(first: Seq): void {
    if (!this.#isThere) return;
    this.#sql().exec("DELETE FROM open_asks WHERE seq < ?", first);
    this.#sql().exec("DELETE FROM closed_asks WHERE seq < ?", first);
  }

  /** Removes closed asks below `oldest` whose closing D1 has, as it has everything up to `archived` but what is `parked`. */
  prune(oldest: Seq, archived: Seq, parked: readonly Seq[]): void {
    if (!this.#isThere) return;
    const query = `DELETE FROM closed_asks WHERE seq < ?1 AND closed <= ?2
      AND seq NOT IN (SELECT value FROM json_each(?3)) AND closed NOT IN (SELECT value FROM json_each(?3))`;
    this.#sql().exec(query, oldest, archived, JSON.stringify(parked));
  }
}

/** A closing as a row, here and in D1. */
export function closedRow({ ask, by }: Closing): ClosedRow {
  if ("expired" in by) return { seq: ask, closed: by.seq, option: null, sender: "" };
  return { seq: ask, closed: by.seq, option: by.option, sender: by.by };
}

/**
 * Closings by the ask that is closed. `seq` is never the first field: by `{"seq":` a message is found in a frame that nobody
 * parses.
 */
export function closingsOf(rows: readonly ClosedRow[]): Map<Seq, AskClosed> {
  return new Map(
    rows.map(({ seq, closed, option, sender }) => [
      seq,
      option === null ? { expired: true, seq: closed } : { option, by: sender, seq: closed },
    ]),
  );
}
