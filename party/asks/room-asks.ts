/**
 * Which asks of the room are open, and what has closed the others. It follows the log: what is appended opens and closes
 * asks, in the transaction of the append, so that no crash leaves the two of different minds.
 */

import { erasuresIn, takes } from "../log/erasure.ts";
import type { Sql } from "../log/sql.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import { chosenBy } from "../log/stored-message.ts";
import type { AskClosed, Seq } from "../protocol.ts";
import { type Closing, type OpenAsk, openUntil, readAsk } from "./ask.ts";
import { AskTable, type KnownAsks } from "./ask-table.ts";

/** What messages do to asks, in the order of the log. */
export interface AskChanges {
  readonly opened: ReadonlyMap<Seq, OpenAsk>;
  readonly closings: readonly Closing[];
  /** The asks that are open no more: closed, deleted or erased. */
  readonly ended: ReadonlySet<Seq>;
}

/** What `messages` do, where `open` gives the asks that were open before them. `undefined` when it is nothing. */
export function askChanges(
  messages: readonly StoredMessage[],
  open: ReadonlyMap<Seq, OpenAsk> | "unknown",
): AskChanges | undefined {
  const opened = new Map<Seq, OpenAsk>();
  const closings: Closing[] = [];
  const ended = new Set<Seq>();
  const end = (seq: Seq) => {
    // Of what D1 has, nobody knows here whether it is an ask.
    if (opened.delete(seq) || open === "unknown" || open.has(seq)) ended.add(seq);
  };
  for (const message of messages) {
    const { seq, kind, ref, at, sender, content } = message;
    if (kind === "ask" && content !== "") {
      const { terms } = readAsk(content);
      const { options, from, guests } = terms;
      const until = openUntil(terms, at);
      opened.set(seq, { seq, sender, until, options, from, ...(guests && { guests }) });
    }
    const by = closingBy(message);
    if (by && ref !== null) {
      closings.push({ ask: ref, by });
      end(ref);
    }
    if (kind === "deletion" && ref !== null) end(ref);
    for (const erasure of erasuresIn([message])) {
      const asks = [...opened.values(), ...(open === "unknown" ? [] : open.values())];
      for (const ask of asks) if (takes(erasure, ask)) end(ask.seq);
    }
  }
  return opened.size + closings.length + ended.size === 0 ? undefined : { opened, closings, ended };
}

/** How an entry closes the ask that its `ref` names; `undefined` when it closes none. */
function closingBy({ seq, kind, sender }: StoredMessage): AskClosed | undefined {
  if (kind === "expiry") return { expired: true, seq };
  const option = chosenBy(kind);
  return option === undefined ? undefined : { option, by: sender, seq };
}

export class RoomAsks {
  readonly #table: AskTable;
  #open: ReadonlyMap<Seq, OpenAsk> = new Map();
  #next: ReadonlyMap<Seq, OpenAsk> | undefined;

  /** `sql` throws `Closed` where the log is closed. */
  constructor(sql: () => Sql) {
    this.#table = new AskTable(sql);
  }

  /** Takes up what a log that is there has of asks. */
  open(): void {
    this.#open = bySeq(this.#table.open());
  }

  /** The asks that are open, by their seq, oldest first. Another map whenever that changes. */
  get opened(): ReadonlyMap<Seq, OpenAsk> {
    return this.#open;
  }

  /** Begins with what D1 has. In a transaction; `refresh` follows it. */
  begin({ open, closed }: KnownAsks): void {
    if (open.length + closed.length === 0) return;
    this.#table.make();
    this.#table.add(open);
    this.#table.close(closed);
    this.#next = bySeq(open);
  }

  /** Follows messages that are appended. In their transaction; `refresh` follows it. What they have closed, by the ask. */
  follow(messages: readonly StoredMessage[]): ReadonlyMap<Seq, AskClosed> {
    this.#next = undefined;
    if (messages.every(({ kind }) => kind === "text")) return NONE;
    if (this.#table.isThere) {
      for (const { sender, upTo } of erasuresIn(messages)) this.#table.forget(sender, upTo);
    }
    const changes = askChanges(messages, this.#open);
    if (!changes) return NONE;
    const { opened, closings, ended } = changes;
    this.#table.make();
    this.#table.add(opened.values());
    this.#table.close(closings);
    this.#table.remove(ended);
    const left = [...this.#open.values()].filter(({ seq }) => !ended.has(seq));
    this.#next = bySeq([...left, ...opened.values()]);
    return new Map(closings.map(({ ask, by }) => [ask, by]));
  }

  /** The transaction is over. */
  refresh(): void {
    if (!this.#next) return;
    this.#open = this.#next;
    this.#next = undefined;
    this.#table.made();
  }

  /** What has closed the ask `seq`, as far as this room knows. */
  closingOf(seq: Seq): AskClosed | undefined {
    return this.#table.closedBetween(seq, seq).get(seq);
  }

  /** Messages of this room's with what has closed those that are asks. */
  read(messages: StoredMessage[]): StoredMessage[] {
    const asks = messages.filter(isLiveAsk);
    const [first, last] = [asks[0], asks.at(-1)];
    if (!first || !last) return messages;
    const closings = this.#table.closedBetween(first.seq, last.seq);
    return closings.size === 0 ? messages : messages.map((message) => withClosing(message, closings));
  }

  /** Removes what is about asks below `first`. In a transaction; `refresh` follows it. */
  removeBelow(first: Seq): void {
    // A transaction may have failed since.
    this.#next = undefined;
    this.#table.removeBelow(first);
    if (this.#table.isThere) this.#next = bySeq([...this.#open.values()].filter(({ seq }) => seq >= first));
  }

  /**
   * Lets go of what D1 knows: of closed asks below `oldest`, where it has everything up to `archived` but what is `parked`.
   * Where the ask is parked, or what has closed it, this room alone knows the two together.
   */
  prune(oldest: Seq, archived: Seq, parked: readonly Seq[]): void {
    this.#table.prune(oldest, archived, parked);
  }
}

/** Whether this is an ask that was neither deleted nor erased. */
export const isLiveAsk = ({ kind, content }: Pick<StoredMessage, "kind" | "content">): boolean =>
  kind === "ask" && content !== "";

/** A message, with what has closed it where it is an ask. */
export function withClosing(message: StoredMessage, closings: ReadonlyMap<Seq, AskClosed>): StoredMessage {
  const closed = closings.get(message.seq);
  return closed && isLiveAsk(message) ? { ...message, closed } : message;
}

const NONE: ReadonlyMap<Seq, AskClosed> = new Map();

const bySeq = (asks: Iterable<OpenAsk>): ReadonlyMap<Seq, OpenAsk> => new Map([...asks].map((ask) => [ask.seq, ask]));
