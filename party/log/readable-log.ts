/**
 * The room's log as it is read, from memory where it can be. Nobody else reads messages, whatever way they come to a reader.
 */

import { isAgent } from "../identity/sender.ts";
import type { Seq } from "../protocol.ts";
import type { RoomStorage } from "../storage/room-storage.ts";
import { agentRunAfter, LONGEST_AGENT_RUN } from "./agent-run.ts";
import { Closed } from "./closed.ts";
import { isTombstone } from "./erasure.ts";
import { Erasures } from "./erasures.ts";
import { KnownPairs } from "./known-pairs.ts";
import { LOG_VERSION, type LogState, NOT_STARTED, readState } from "./log-tables.ts";
import { MessagesTable } from "./messages-table.ts";
import { OpenAsks } from "./open-asks.ts";
import { RECENT } from "./recent-ids.ts";
import type { Sql } from "./sql.ts";
import { isSaid, type StoredMessage, toMessage } from "./stored-message.ts";
import { TAIL_MESSAGES, Tail } from "./tail.ts";

/** So many messages are looked at first for the run of agents' messages; then twice as many, and so on. */
const RUN_AT_FIRST = 25;

export class ReadableLog {
  /** The asks of this log that are open. */
  readonly asks: OpenAsks;
  protected readonly storage: RoomStorage;
  protected readonly table: MessagesTable;
  protected readonly erasing: Erasures;
  protected readonly pairs: KnownPairs;
  /** The row of the log, as it is stored. */
  protected state: LogState = NOT_STARTED;
  protected tail = new Tail(0);
  protected newest: Seq = 0;
  protected newestAt = 0;
  /** What is below is hidden, and may be stored still. */
  protected begin: Seq = 1;
  protected run: number | undefined;
  #isClosed = false;

  /**
   * Opens the log. Synchronous, so that a constructor can call it. Writes nothing where no log is, so that a look leaves no
   * trace, and brings a log of an earlier form into today's. Throws when a later version has written it.
   */
  constructor(storage: RoomStorage) {
    this.storage = storage;
    const sql = () => this.sql;
    this.table = new MessagesTable(sql);
    this.erasing = new Erasures(sql);
    this.asks = new OpenAsks(storage);
    this.pairs = new KnownPairs({ sql, messages: this.table, head: () => this.newest, oldest: () => this.oldest });
    this.open();
  }

  /** From now on each use throws `Closed`: a room that was wiped must not be written to by a late caller. */
  close(): void {
    this.#isClosed = true;
  }

  /** Whether this log has ever been started. Until then there is nothing else to ask it. */
  get started(): boolean {
    this.assertOpen();
    return this.state !== NOT_STARTED;
  }

  get epoch(): string {
    this.assertOpen();
    return this.state.epoch;
  }

  /** The newest seq; 0 in an empty room. */
  get head(): Seq {
    this.assertOpen();
    return this.newest;
  }

  /** When the newest message was written down, ms since 1970; 0 in an empty room. */
  get lastAt(): number {
    this.assertOpen();
    return this.newestAt;
  }

  /** Messages with a lower seq are gone, here and everywhere. */
  get first(): Seq {
    this.assertOpen();
    return this.begin;
  }

  /** Everything from here on is here; older messages, from `first` on, are only in D1. `head + 1` when none is here. */
  get oldest(): Seq {
    this.assertOpen();
    return Math.min(Math.max(this.state.oldest, this.begin), this.newest + 1);
  }

  /** Whether all messages that are not gone are here. */
  get isWhole(): boolean {
    return this.oldest === this.begin;
  }

  /** How many texts by agents came since the last text by anyone else, among the newest `LONGEST_AGENT_RUN` entries. */
  get agentRun(): number {
    this.assertOpen();
    this.run ??= this.#countAgentRun();
    return this.run;
  }

  /** The seq of the newest erasure that is known, ended or not; 0 when there is none. */
  get newestErasure(): Seq {
    this.assertOpen();
    return this.erasing.newest;
  }

  /**
   * The seq of the newest erasure whose entry says no longer whom it has erased; 0 when there is none. Whoever has read up to
   * a seq before it must start over: the entry does not tell them what to forget.
   */
  get newestErased(): Seq {
    this.assertOpen();
    return this.erasing.newestErased;
  }

  /**
   * The message that `sender` has sent as `id`, if it is among the recent ones and here. What was erased says of itself
   * neither sender nor id, so there the number decides, which is nearly certainly right.
   */
  find(sender: string, id: string): StoredMessage | undefined {
    this.assertOpen();
    for (const seq of this.pairs.recent.candidates(sender, id)) {
      const message = this.get(seq);
      if (message?.sender === sender && message.id === id) return message;
      if (message && isTombstone(message)) return message;
    }
    return undefined;
  }

  /**
   * Whether D1 alone has a message that is, nearly certainly, the message `id` of `sender`: it must not be stored a second
   * time. Only in a log that is not whole.
   */
  isAwaited(sender: string, id: string): boolean {
    this.assertOpen();
    return this.pairs.recent.candidates(sender, id).some((seq) => seq >= this.begin && seq < this.oldest);
  }

  /** Whether all of the newest messages are here whose retries are recognised (promise 3, docs/guarantees.md). */
  get knowsRetries(): boolean {
    return this.isWhole || this.newest - this.oldest >= RECENT;
  }

  /** A dump of the pairs up to `seq`. */
  pairsUpTo(seq: Seq): ArrayBuffer {
    this.assertOpen();
    return this.pairs.recent.dump(seq);
  }

  /** The message `seq`, if it is here. */
  get(seq: Seq): StoredMessage | undefined {
    this.assertOpen();
    if (seq < this.begin) return undefined;
    const stored = this.tail.get(seq) ?? this.table.get(seq);
    return stored && this.erasing.read([stored])[0];
  }

  /** Up to `limit` messages with a seq above `seq`, oldest first. None when the next one is only in D1. */
  after(seq: Seq, limit: number): StoredMessage[] {
    const from = Math.max(seq + 1, this.first);
    if (from > this.newest || from < this.oldest) return [];
    if (this.newest - from < Math.min(limit, TAIL_MESSAGES)) this.#extendTail(from);
    if (from >= this.tail.first) return this.tail.from(from, limit);
    return this.erasing.read(this.table.from(from, limit));
  }

  /** The newest `limit` messages with a seq below `seq`, oldest first. None that is older than one that is only in D1. */
  before(seq: Seq, limit: number): StoredMessage[] {
    const from = this.#tailBefore(seq, limit);
    if (from !== undefined) return this.tail.from(from, Math.min(seq, this.newest + 1) - from);
    return this.erasing.read(this.table.before(Math.min(seq, this.newest + 1), this.oldest, limit));
  }

  /** As `after`, each message as the JSON that clients see. Of the newest it is made once for all callers. */
  jsonAfter(seq: Seq, limit: number): readonly string[] {
    const from = Math.max(seq + 1, this.first);
    if (from >= this.oldest && this.newest - from < TAIL_MESSAGES) this.#extendTail(from);
    if (from >= this.tail.first) return this.tail.json(from).slice(0, limit);
    return this.after(seq, limit).map(toJson);
  }

  /** As `before`, each message as the JSON that clients see. Of the newest it is made once for all callers. */
  jsonBefore(seq: Seq, limit: number): readonly string[] {
    const from = this.#tailBefore(seq, limit);
    if (from === undefined) return this.before(seq, limit).map(toJson);
    return this.tail.json(from).slice(0, Math.min(seq, this.newest + 1) - from);
  }

  /** The entry that has deleted the message `seq`, if both are here. */
  deletionOf(seq: Seq): StoredMessage | undefined {
    this.assertOpen();
    const deletion = this.table.deletionOf(seq);
    return deletion && this.erasing.read([deletion])[0];
  }

  /** The oldest message that is here, not gone, and from `time` (ms since 1970) or later. */
  since(time: number): StoredMessage | undefined {
    const found = this.table.since(time, this.oldest, this.newest);
    return found && this.erasing.read([found])[0];
  }

  /** The last seq that is here and was written down at `at` (ms since 1970) or before; one before the oldest when none was. */
  lastAtOrBefore(at: number): Seq {
    return (this.since(at + 1)?.seq ?? this.newest + 1) - 1;
  }

  /** What is stored, as it is opened. Also after a transaction that was not kept. */
  protected open(): void {
    this.state = this.storage.has("log", LOG_VERSION) ? readState(this.sql) : NOT_STARTED;
    if (this.state === NOT_STARTED) return;
    const newest = this.table.newest();
    this.begin = Math.max(this.begin, this.state.first);
    this.newest = Math.max(newest?.seq ?? 0, this.state.head, this.begin - 1);
    this.newestAt = Math.max(newest?.at ?? 0, this.state.lastAt);
    this.tail = new Tail(this.newest);
    this.erasing.refresh();
    this.asks.refresh();
    this.pairs.open();
  }

  protected get sql(): Sql {
    this.assertOpen();
    return this.storage.sql;
  }

  protected assertOpen(): void {
    if (this.#isClosed) throw new Closed();
  }

  #countAgentRun(): number {
    for (let size = RUN_AT_FIRST; ; size *= 2) {
      const limit = Math.min(size, LONGEST_AGENT_RUN);
      const entries = this.before(this.newest + 1, limit);
      const isEnded = entries.some(({ kind, sender }) => isSaid(kind) && sender !== "" && !isAgent(sender));
      if (isEnded || entries.length < limit || limit < size) return agentRunAfter(0, entries);
    }
  }

  /** The first seq of a page below `seq`, when all of it is in the tail. The newest page is brought there. */
  #tailBefore(seq: Seq, limit: number): Seq | undefined {
    const end = Math.min(seq, this.newest + 1);
    const from = Math.max(this.oldest, end - limit);
    if (from > end) return undefined;
    if (end > this.newest && this.newest - from < TAIL_MESSAGES) this.#extendTail(from);
    return from >= this.tail.first ? from : undefined;
  }

  /** Lets the tail begin at `from`, or as near to it as there is place. */
  #extendTail(from: Seq): void {
    const { first } = this.tail;
    if (from < first) this.tail.prepend(this.erasing.read(this.table.before(first, from, first - from)));
  }
}

const toJson = (message: StoredMessage): string => JSON.stringify(toMessage(message));
