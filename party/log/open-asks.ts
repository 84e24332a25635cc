/**
 * Which asks of the room are open, in its own SQLite. It follows the log: what is appended opens and ends asks, in the
 * transaction of the append, so that no crash leaves the two of different minds. What has closed an ask is in the log alone.
 */

import { type OpenAsk, openUntil, readAsk, readTerms, termsText } from "../asks/ask.ts";
import type { Seq } from "../protocol.ts";
import type { RoomStorage } from "../storage/room-storage.ts";
import { erasuresIn, takes } from "./erasure.ts";
import { ASK_TABLES } from "./log-tables.ts";
import { closes } from "./messages-table.ts";
import type { StoredMessage } from "./stored-message.ts";

/** The version of the table. */
const ASK_VERSION = 1;

type OpenRow = { seq: number; sender: string; until: number; terms: string };

export class OpenAsks {
  readonly #storage: RoomStorage;
  #open: ReadonlyMap<Seq, OpenAsk> = new Map();

  /** Knows nothing before `refresh`. */
  constructor(storage: RoomStorage) {
    this.#storage = storage;
  }

  /** Looks at what is stored: when the log is opened, and after a transaction that was not kept. */
  refresh(): void {
    const query = "SELECT seq, sender, until, terms FROM open_asks ORDER BY seq";
    const isThere = this.#storage.has("asks", ASK_VERSION);
    const rows = isThere ? this.#storage.sql.exec<OpenRow>(query).toArray() : [];
    this.#open = new Map(rows.map(({ terms, ...row }) => [row.seq, { ...row, ...readTerms(terms) }]));
  }

  /** The asks that are open, by their seq, oldest first. Another map whenever that changes. */
  get opened(): ReadonlyMap<Seq, OpenAsk> {
    return this.#open;
  }

  /** Adds open asks. In a transaction. */
  add(asks: readonly OpenAsk[]): void {
    if (asks.length === 0) return;
    this.#storage.make("asks", ASK_VERSION, ASK_TABLES);
    const insert = "INSERT OR REPLACE INTO open_asks (seq, sender, until, terms) VALUES (?, ?, ?, ?)";
    for (const ask of asks) this.#storage.sql.exec(insert, ask.seq, ask.sender, ask.until, termsText(ask));
    this.#storage.dirty.markPart("asks");
    this.refresh();
  }

  /** Follows messages that are appended. In their transaction. */
  follow(messages: readonly StoredMessage[]): void {
    const open = new Map(this.#open);
    for (const message of messages) {
      const { seq, kind, ref, content } = message;
      if (kind === "ask" && content !== "") open.set(seq, openedBy(message));
      if (ref !== null && (kind === "deletion" || closes(kind))) open.delete(ref);
      for (const erasure of erasuresIn([message])) {
        for (const ask of open.values()) if (takes(erasure, ask)) open.delete(ask.seq);
      }
    }
    const opened = [...open.values()].filter(({ seq }) => !this.#open.has(seq));
    const ended = [...this.#open.keys()].filter((seq) => !open.has(seq));
    this.add(opened);
    this.#remove(ended);
  }

  /** Removes asks below `first`. In a transaction. */
  removeBelow(first: Seq): void {
    this.#remove([...this.#open.keys()].filter((seq) => seq < first));
  }

  #remove(seqs: readonly Seq[]): void {
    if (seqs.length === 0) return;
    for (const seq of seqs) this.#storage.sql.exec("DELETE FROM open_asks WHERE seq = ?", seq);
    this.#storage.dirty.markPart("asks");
    this.refresh();
  }
}

function openedBy({ seq, sender, at, content }: StoredMessage): OpenAsk {
  const { terms } = readAsk(content);
  const { options, from, guests } = terms;
  return { seq, sender, until: openUntil(terms, at), options, from, ...(guests && { guests }) };
}
