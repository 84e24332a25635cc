/**
 * The room's log in the room's own SQLite: the truth about the live room, and the only place that gives out `seq`.
 *
 * It appends, reads and prunes. When to do so, for whom, and what D1 has of it is decided elsewhere.
 */

import { nanoid } from "nanoid";
import type { KnownAsks } from "../asks/ask-table.ts";
import { RoomAsks, withClosing } from "../asks/room-asks.ts";
import { READING, type Seq } from "../protocol.ts";
import { agentRunAfter } from "./agent-run.ts";
import { Closed } from "./closed.ts";
import { type Erasure, erasuresIn, isTombstone, withErasures } from "./erasure.ts";
import { ErasureTable, type ErasureUnderWay } from "./erasure-table.ts";
import { type ArchivedPair, addPairs, KnownPairs } from "./known-pairs.ts";
import { ParkedMessages } from "./parked-messages.ts";
import { RecentIds } from "./recent-ids.ts";
import { RoomEraser } from "./room-eraser.ts";
import { createLog, migrateLog } from "./room-tables.ts";
import { SEGMENT, Segments, type SegmentsDeps } from "./segments.ts";
import type { Sql } from "./sql.ts";
import type { StoredMessage, Unplaced } from "./stored-message.ts";
import { TAIL_MESSAGES, Tail } from "./tail.ts";

export type { ArchivedPair } from "./known-pairs.ts";
export { type StoredMessage, toMessage, type Unplaced } from "./stored-message.ts";

/**
 * The newest messages stay in the journal however many D1 has: enough for every resume and every retry. Up to a segment
 * more are there before pruning takes any.
 */
export const KEPT = READING.resume + 1_000;

/** The most messages that a room with a healthy D1 keeps, but for a batch. */
export const KEPT_AT_MOST = KEPT + SEGMENT;

/** Messages that one `removeGone` removes at most, beside whole segments: each is a row written. */
export const REMOVED_AT_ONCE = 5_000;

/** What D1 has of a room, from which a log begins anew. */
export interface Earlier {
  /** Its newest messages, oldest first. */
  readonly messages: readonly StoredMessage[];
  /** The pairs of more of them, oldest first; those of `messages` where there are no others. */
  readonly pairs?: readonly ArchivedPair[];
  /** The newest seq that was ever given. It is no message's where that one is gone. */
  readonly head?: Seq;
  /** Messages with a lower seq are gone. */
  readonly first?: Seq;
  /** When the newest message was written, ms since 1970, where it is gone. */
  readonly lastAt?: number;
  /** What it has that is about erasures. */
  readonly erasures?: ArchivedErasures;
  /** What it has of asks: all that are open, and what has closed those among `messages`. */
  readonly asks?: KnownAsks;
}

/** What D1 has of a room that is about erasures. */
export interface ArchivedErasures {
  /** Those that are not carried out in D1. */
  readonly underWay: readonly Erasure[];
  /** A dump of the pairs from before the newest of all: what it has erased is recognised by these alone. */
  readonly pairs: ArrayBuffer | undefined;
}

/** Of a room's SQLite. */
export type JournalDeps = SegmentsDeps;

export class Journal {
  /** Erasures, as far as this room's own storage goes. */
  readonly eraser: RoomEraser;
  /** The asks of this log. */
  readonly asks: RoomAsks;
  readonly #deps: JournalDeps;
  readonly #segments: Segments;
  readonly #parked: ParkedMessages;
  readonly #pairs: KnownPairs;
  #isClosed = false;
  #epoch = "";
  #first: Seq = 1;
  #head: Seq = 0;
  #lastAt = 0;
  #archived: Seq = 0;
  #unpacked = false;
  #retentionDue = 0;
  /** Nothing is stored here below this, as far as this instance knows. */
  #removedBelow: Seq = 0;
  #tail: Tail;
  #agentRun: number | undefined;

  /**
   * Opens the log. Synchronous, so that a constructor can call it. Writes nothing where no log is, so that a look leaves no
   * trace, and migrates a log of an older form. Throws when the log was written by a later version.
   */
  constructor(deps: JournalDeps) {
    this.#deps = deps;
    const { sql } = deps;
    this.#segments = new Segments(deps);
    this.#parked = new ParkedMessages(() => this.#sql);
    this.eraser = new RoomEraser({ sql: () => this.#sql, segments: this.#segments, parked: this.#parked });
    this.asks = new RoomAsks(() => this.#sql);
    this.#pairs = new KnownPairs({
      sql: () => this.#sql,
      segments: this.#segments,
      head: () => this.#head,
      oldest: () => this.oldest,
    });
    if (migrateLog(sql, this.#segments)) this.#open();
    this.#tail = new Tail(this.#head);
  }

  /** From now on each use throws `Closed`: a room that was wiped must not be written to by a late caller. */
  close(): void {
    this.#isClosed = true;
  }

  /** Whether this log has ever been started. Until then there is nothing else to ask it. */
  get started(): boolean {
    this.#assertOpen();
    return this.#epoch !== "";
  }

  get epoch(): string {
    this.#assertOpen();
    return this.#epoch;
  }

  /** The newest seq; 0 in an empty room. */
  get head(): Seq {
    this.#assertOpen();
    return this.#head;
  }

  /** When the newest message was written down, ms since 1970; 0 in an empty room. */
  get lastAt(): number {
    this.#assertOpen();
    return this.#lastAt;
  }

  /** Messages with a lower seq are gone, here and everywhere. */
  get first(): Seq {
    this.#assertOpen();
    return this.#first;
  }

  /** Everything from here on is here; older messages, from `first` on, are in D1. `head + 1` when none is here. */
  get oldest(): Seq {
    this.#assertOpen();
    return Math.min(Math.max(this.#segments.oldest, this.#first), this.#head + 1);
  }

  /** The oldest message that is here. */
  get oldestMessage(): StoredMessage | undefined {
    return this.after(this.oldest - 1, 1)[0];
  }

  /** D1 has everything up to here, but for what is parked. */
  get archived(): Seq {
    this.#assertOpen();
    return this.#archived;
  }

  /** How many messages D1 has yet to be given. */
  get lag(): number {
    return this.#head - Math.max(this.archived, this.#first - 1);
  }

  /** When old messages are to be removed next, ms since 1970; 0: not noted. */
  get retentionDue(): number {
    this.#assertOpen();
    return this.#retentionDue;
  }

  /** Whether D1 may have messages in its older form, as rows of their own. */
  get unpacked(): boolean {
    this.#assertOpen();
    return this.#unpacked;
  }

  /** How many texts by agents came since the last text by anyone else; counted up to 1,000. */
  get agentRun(): number {
    this.#assertOpen();
    if (this.#agentRun === undefined) {
      const query = "SELECT counted, agent_run FROM log";
      const [log] = this.#sql.exec<{ counted: number; agent_run: number }>(query).toArray();
      const counted = log?.counted ?? this.#head;
      this.#agentRun = agentRunAfter(log?.agent_run ?? 0, this.after(counted, this.#head - counted));
    }
    return this.#agentRun;
  }

  /**
   * Starts a new log, behind what D1 has of the room. A new log is a new epoch. Throws, and starts nothing, when storage
   * refuses.
   */
  start({ messages: archived, pairs = archived, ...earlier }: Earlier): void {
    this.#assertOpen();
    const epoch = nanoid(10);
    const last = archived.at(-1);
    const head = Math.max(last?.seq ?? 0, earlier.head ?? 0);
    const first = earlier.first ?? 1;
    const lastAt = last?.at ?? earlier.lastAt ?? 0;
    const { underWay, pairs: dump } = earlier.erasures ?? { underWay: [], pairs: undefined };
    const recent = (dump && RecentIds.from(dump, head)) ?? new RecentIds();
    addPairs(
      recent,
      pairs.filter(({ seq }) => seq > recent.last),
    );
    const agentRun = agentRunAfter(0, archived);
    // Of what D1 has from an earlier life, this one does not know the form.
    const unpacked = head > 0;
    this.#segments.transaction(() => {
      this.#segments.begin(archived[0]?.seq ?? head + 1);
      this.#segments.append(archived.map((message) => withErasures(message, underWay)));
      createLog(this.#sql, {
        epoch,
        archived: head,
        first,
        lastAt,
        agentRun,
        counted: head,
        unpacked,
        pairs: recent.last === head ? recent.dump() : null,
      });
      new ErasureTable(this.#sql).add(underWay, head + 1);
      if (earlier.asks) this.asks.begin(earlier.asks);
    });
    this.eraser.open();
    this.asks.refresh();
    this.#epoch = epoch;
    this.#first = first;
    this.#head = this.#archived = head;
    this.#unpacked = unpacked;
    this.#lastAt = lastAt;
    this.#tail = new Tail(head);
    this.#pairs.begin(recent);
    this.#agentRun = agentRun;
  }

  /**
   * Appends all of `messages` in their order, or throws and appends none. The caller sends right after it, without an
   * `await` between (promise 2, docs/guarantees.md); the runtime holds back what is sent until this is on disk (promise 1).
   */
  append(messages: readonly Unplaced[], now: number): StoredMessage[] {
    this.#assertOpen();
    // What can fail comes first: after the transaction the messages are kept, so nothing may throw.
    const { recent } = this.#pairs;
    const runBefore = this.agentRun;
    const at = Math.max(now, this.#lastAt);
    let seq = this.#head;
    const placed = messages.map(({ id, kind, sender, content, ref }) => ({
      seq: ++seq,
      id,
      kind,
      sender,
      content,
      ref,
      at,
    }));
    const deleted = placed.flatMap(({ kind, ref }) => (kind === "deletion" && ref !== null ? [ref] : []));
    const erasures = erasuresIn(placed);
    // What is erased says no longer whose it was, so the pairs can't be made of the messages again.
    const isCheckpointDue = erasures.length > 0 || this.#pairs.isCheckpointDue;
    const closed = this.#segments.transaction(() => {
      this.#segments.append(placed);
      for (const target of deleted) this.#blank(target);
      this.eraser.begin(erasures);
      if (isCheckpointDue) this.#writeCheckpoint(runBefore);
      return this.asks.follow(placed);
    });
    this.asks.refresh();
    if (isCheckpointDue) this.#pairs.noteCheckpoint();
    this.#head = seq;
    this.#lastAt = at;
    for (const message of placed) recent.add(message.seq, message.sender, message.id);
    this.#agentRun = agentRunAfter(runBefore, placed);
    this.#tail.push(placed);
    for (const target of deleted) this.#tail.blank(target);
    if (closed.size > 0) this.#tail.replace((message) => withClosing(message, closed));
    if (erasures.length > 0) {
      this.eraser.refresh();
      this.#tail.replace((message) => withErasures(message, erasures));
    }
    return placed;
  }

  /** The erasures that have not been carried out everywhere. What is read of D1 has to be read through them. */
  get erasures(): readonly ErasureUnderWay[] {
    return this.eraser.underWay;
  }

  /** The last message that is here and was written down at `at` (ms) or before; one before the oldest when none was. */
  lastAtOrBefore(at: number): Seq {
    this.#assertOpen();
    return this.#segments.lastAtOrBefore(at) ?? this.oldest - 1;
  }

  /** The erasures that are here with a seq above `seq`, carried out or not. */
  erasuresAfter(seq: Seq): Erasure[] {
    this.#assertOpen();
    return erasuresIn(this.#segments.erasuresAfter(seq));
  }

  /** A dump of the pairs up to `seq`. */
  pairsUpTo(seq: Seq): ArrayBuffer {
    this.#assertOpen();
    return this.#pairs.recent.dump(seq);
  }

  /**
   * The message that `sender` has sent as `id`, if it is among the recent ones and here. See `nominatedInD1`, too. What was
   * erased says of itself neither sender nor id, so there the number decides, which is nearly certainly right.
   */
  find(sender: string, id: string): StoredMessage | undefined {
    this.#assertOpen();
    for (const seq of this.#pairs.recent.candidates(sender, id)) {
      const message = this.get(seq);
      if (message?.sender === sender && message.id === id) return message;
      if (message && isTombstone(message)) return message;
    }
    return undefined;
  }

  /**
   * The seqs of recent messages that D1 alone has and that are, nearly certainly, the message `id` of `sender`. Empty but for
   * the retry of a message that was pruned, or that a rebuilt room has not copied. Newest first.
   */
  nominatedInD1(sender: string, id: string): readonly Seq[] {
    this.#assertOpen();
    return this.#pairs.recent.candidates(sender, id).filter((seq) => seq >= this.#first && seq < this.oldest);
  }

  get(seq: Seq): StoredMessage | undefined {
    this.#assertOpen();
    if (seq < this.#first) return undefined;
    if (seq < this.oldest) return this.#read([this.#parked.get(seq)])[0];
    return this.#tail.get(seq) ?? this.#read([this.#segments.get(seq)])[0];
  }

  /** Up to `limit` messages with a seq above `seq`, oldest first. Only what is still here: see `oldest`. */
  after(seq: Seq, limit: number): StoredMessage[] {
    this.#assertOpen();
    if (seq + 1 >= this.#tail.first) return this.#tail.from(Math.min(seq, this.#head) + 1, limit);
    const { oldest } = this;
    if (seq >= oldest - 1) return this.#denseAfter(seq, limit);
    const from = Math.max(seq, this.#first - 1);
    const parked = this.#read(this.#parked.between(from, oldest, limit));
    return [...parked, ...this.#denseAfter(oldest - 1, limit - parked.length)];
  }

  /** Up to `limit` messages with a seq below `seq`, oldest first. Only what is still here: see `oldest`. */
  before(seq: Seq, limit: number): StoredMessage[] {
    this.#assertOpen();
    const { oldest } = this;
    const end = Math.min(seq, this.#head + 1);
    const from = Math.max(oldest, end - limit);
    const dense = from < end ? this.#dense(from, end, limit) : [];
    if (dense.length >= limit || oldest <= this.#first) return dense;
    const parked = this.#parked.before(Math.min(seq, oldest), this.#first, limit - dense.length);
    return [...this.#read(parked), ...dense];
  }

  /**
   * The JSON of each message after `seq`, oldest first, as clients see it. It comes from memory and is made once for all
   * callers. `undefined` when these messages are too many or too long to be kept there, or not here any more.
   */
  jsonAfter(seq: Seq): string[] | undefined {
    this.#assertOpen();
    if (seq > this.#head || seq < this.oldest - 1 || this.#head - seq > TAIL_MESSAGES) return undefined;
    if (seq + 1 < this.#tail.first) this.#extendTail(seq + 1);
    return seq + 1 < this.#tail.first ? undefined : this.#tail.json(seq + 1);
  }

  /** The message that deleted `seq`, if it is still here. */
  deletionOf(seq: Seq): StoredMessage | undefined {
    this.#assertOpen();
    return this.#read([this.#segments.deletionOf(seq)])[0];
  }

  /** The messages from `first` to `last` that were deleted by a deletion that is still here, in no order. */
  deletedBetween(first: Seq, last: Seq): Seq[] {
    this.#assertOpen();
    return this.#segments.deletedBetween(first, last);
  }

  /** Notes that D1 has everything up to `seq`. One row written. */
  markArchived(seq: Seq): void {
    const run = this.agentRun;
    this.#sql.exec("UPDATE log SET archived = ?, counted = ?, agent_run = ?", seq, this.#head, run);
    this.#archived = seq;
  }

  /** Notes whether D1 may have messages as rows of their own. */
  setUnpacked(unpacked: boolean): void {
    this.#sql.exec("UPDATE log SET unpacked = ?", unpacked ? 1 : 0);
    this.#unpacked = unpacked;
  }

  /** Sets a message aside that D1 refuses, so that the others can go on. It stays here for good. */
  park(seq: Seq, reason: string): void {
    const message = this.get(seq);
    if (message) this.#parked.add(message, reason);
  }

  parked(): { seq: Seq; reason: string }[] {
    return this.#parked.list(this.first);
  }

  /**
   * Hides everything from before `time`, ms since 1970, where that ends among the messages that are here. Writes nothing:
   * `removeGone` does.
   */
  hideBefore(time: number): void {
    const { oldestMessage } = this;
    // Of what is in D1 alone, some may be from after that time.
    if (!oldestMessage || oldestMessage.at >= time) return;
    this.hideBelow(this.#segments.since(time)?.seq ?? this.#head + 1);
  }

  /** Hides the messages below `first`. What is hidden once stays so. Writes nothing: `removeGone` does. */
  hideBelow(first: Seq): void {
    this.#assertOpen();
    if (first <= this.#first) return;
    this.#first = first;
    this.#tail.dropBefore(first);
  }

  /** Removes what is hidden, for good, as much of it as `REMOVED_AT_ONCE`. Whether some is left. */
  removeGone(): boolean {
    this.#assertOpen();
    if (this.#removedBelow === this.#first) return false;
    const isLeft = this.#segments.transaction(() => {
      this.#sql.exec("UPDATE log SET first = ?, last_at = ?", this.#first, this.#lastAt);
      this.#parked.removeBelow(this.#first);
      this.eraser.endBefore(this.#first, this.#archived);
      this.asks.removeBelow(this.#first);
      return this.#segments.remove(this.#first, REMOVED_AT_ONCE);
    });
    this.eraser.refresh();
    this.asks.refresh();
    if (!isLeft) this.#removedBelow = this.#first;
    return isLeft;
  }

  /** Notes when old messages are to be removed next, ms since 1970. */
  setRetentionDue(at: number): void {
    if (at !== this.#retentionDue) this.#sql.exec("UPDATE log SET retention_due = ?", at);
    this.#retentionDue = at;
  }

  /** Drops old messages that D1 has, a whole segment at a time. Returns how many seqs were let go. */
  prune(): number {
    this.#assertOpen();
    const dropped = this.#segments.dropUpTo(Math.min(this.#archived, this.#head - KEPT));
    if (dropped > 0) {
      const parked = this.parked().map(({ seq }) => seq);
      this.asks.prune(this.oldest, this.#archived, parked);
    }
    return dropped;
  }

  get #sql(): Sql {
    this.#assertOpen();
    return this.#deps.sql;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Closed();
  }

  #open(): void {
    const query = "SELECT epoch, archived, unpacked, first, last_at, retention_due FROM log";
    const [log] = this.#sql.exec<LogRow>(query).toArray();
    const newest = this.#segments.newest();
    this.#epoch = log?.epoch ?? "";
    this.#archived = log?.archived ?? 0;
    this.#unpacked = log?.unpacked === 1;
    this.eraser.open();
    this.asks.open();
    this.#pairs.open();
    this.#first = log?.first ?? 1;
    this.#retentionDue = log?.retention_due ?? 0;
    // The newest messages may be gone, also such that D1 never had.
    this.#head = Math.max(newest?.seq ?? this.#archived, this.#first - 1);
    this.#lastAt = newest?.at ?? log?.last_at ?? 0;
  }

  /** Messages of the dense run after `seq`, by way of the tail where that will do for the next caller, too. */
  #denseAfter(seq: Seq, limit: number): StoredMessage[] {
    if (this.#head - seq > Math.min(limit, TAIL_MESSAGES)) return this.#read(this.#segments.after(seq, limit));
    return this.#dense(seq + 1, this.#head + 1, limit);
  }

  /** The messages from `from` on and below `end`, all of which are here. */
  #dense(from: Seq, end: Seq, limit: number): StoredMessage[] {
    if (from >= this.#tail.first) return this.#tail.from(from, end - from);
    if (end <= this.#head || this.#head - from >= TAIL_MESSAGES) {
      return this.#read(this.#segments.before(end, limit)).filter(({ seq }) => seq >= this.#first);
    }
    const older = this.#extendTail(from);
    const inTail = this.#tail.from(this.#tail.first, TAIL_MESSAGES);
    return [...older.filter(({ seq }) => seq < this.#tail.first), ...inTail.filter(({ seq }) => seq >= from)];
  }

  /** Lets the tail begin at `from`, or as near to it as there is place. The messages between `from` and its old beginning. */
  #extendTail(from: Seq): StoredMessage[] {
    const older = this.#read(this.#segments.after(from - 1, this.#tail.first - from));
    this.#tail.prepend(older);
    return older;
  }

  /** Messages of this room's storage as readers see them. */
  #read(stored: readonly (StoredMessage | undefined)[]): StoredMessage[] {
    return this.asks.read(this.eraser.read(stored));
  }

  #blank(seq: Seq): void {
    this.#segments.blank(seq);
    this.#parked.blank(seq);
  }

  #writeCheckpoint(agentRun: number): void {
    this.#pairs.writeCheckpoint();
    this.#sql.exec("UPDATE log SET counted = ?, agent_run = ?", this.#head, agentRun);
  }
}

type LogRow = {
  epoch: string;
  archived: number;
  unpacked: number;
  first: number;
  last_at: number;
  retention_due: number;
};
