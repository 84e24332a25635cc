/**
 * The room's log in the room's own SQLite: the whole truth about its messages, and the only place that gives out `seq`.
 *
 * It appends, erases, and lets old messages go. D1 has a copy; what that copy lacks is noted here, and brought there elsewhere.
 * A room that has lost its storage begins with the newest messages of that copy and is filled with the others.
 */

import { firstOf, PACK } from "../archive/pack.ts";
import type { Seq } from "../protocol.ts";
import type { Dirty } from "../storage/dirty.ts";
import { PARTS } from "../storage/dirty.ts";
import type { RoomStorage } from "../storage/room-storage.ts";
import { agentRunAfter } from "./agent-run.ts";
import { erasuresIn, sendersOf, takes, tombstone, withErasures } from "./erasure.ts";
import type { ErasureUnderWay } from "./erasures.ts";
import { closingBy } from "./messages-table.ts";
import { type Order, Orders } from "./orders.ts";
import { ReadableLog } from "./readable-log.ts";
import { type Beginning, beginLog, fillLog, type LogParts } from "./rebuild.ts";
import { isLiveAsk, type StoredMessage, type Unplaced } from "./stored-message.ts";
import { Writers } from "./writers.ts";

/** Messages that one `removeGone` removes at most: each is a row written. */
export const REMOVED_AT_ONCE = 5_000;

/** So many messages are looked at, at once, for those that an erasure takes: the room does nothing else meanwhile. */
export const ERASED_AT_ONCE = 512;

export class RoomLog extends ReadableLog {
  /** Who has something in this log. */
  readonly writers = new Writers(() => this.sql);
  readonly #orders = new Orders(() => this.sql);
  /** Nothing is stored here below this, as far as this instance knows. */
  #removedBelow: Seq = 0;

  /** Opens the log, as the constructor does. */
  static open(storage: RoomStorage): RoomLog {
    return new RoomLog(storage);
  }

  /** What D1's copy is not up to date with, beside what is above `copied`. */
  get dirty(): Dirty {
    this.assertOpen();
    return this.storage.dirty;
  }

  /** D1 has everything up to here. */
  get copied(): Seq {
    this.assertOpen();
    return this.state.copied;
  }

  /** The first seq of the oldest pack of which nothing is in D1 alone. No pack before it may be written there. */
  get packsFrom(): Seq {
    return this.isWhole ? firstOf(this.first) : firstOf(this.oldest + PACK - 1);
  }

  /** The revision of the newest copy that D1 has: ms since 1970. */
  get revision(): number {
    this.assertOpen();
    return this.state.revision;
  }

  /** When old messages are to be removed next, ms since 1970; 0: not noted. */
  get retentionDue(): number {
    this.assertOpen();
    return this.state.retentionDue;
  }

  /** Starts a new log, behind what D1 has of the room. Throws, and starts nothing, when storage refuses. */
  start(beginning: Beginning): void {
    this.assertOpen();
    const recent = this.transaction(() => beginLog(this.#parts, beginning));
    this.open();
    this.pairs.begin(recent);
  }

  /**
   * Appends all of `unplaced` in their order, or throws and appends none. The caller sends right after it, without an
   * `await` between (promise 2, docs/guarantees.md); the runtime holds back what is sent until this is on disk (promise 1).
   */
  append(unplaced: readonly Unplaced[], now: number): StoredMessage[] {
    this.assertOpen();
    // What can fail comes first: after the transaction the messages are kept, so nothing may throw.
    const { recent } = this.pairs;
    const at = Math.max(now, this.newestAt);
    let seq = this.newest;
    const placed = unplaced.map(({ id, kind, sender, content, ref }) => {
      return { seq: ++seq, id, kind, sender, content, ref, at };
    });
    const deleted = placed.flatMap(({ kind, ref }) => (kind === "deletion" && ref !== null ? [ref] : []));
    const erasures = erasuresIn(placed);
    const senders = sendersOf(placed);
    // What is erased says no longer whose it was, so the pairs can't be made of the messages again.
    const isCheckpointDue = erasures.length > 0 || this.pairs.isCheckpointDue;
    this.transaction(() => {
      this.table.append(placed);
      this.table.change(placed);
      this.dirty.markPacks(deleted);
      this.writers.add(senders);
      this.erasing.add(erasures);
      for (const erasure of erasures) {
        this.writers.erase(erasure, this.table.writersAfter(erasure.upTo, erasure.sender));
        this.dirty.markPart("pairs");
      }
      if (isCheckpointDue) this.pairs.writeCheckpoint();
      this.asks.follow(placed);
    });
    if (isCheckpointDue) this.pairs.noteCheckpoint();
    this.newest = seq;
    this.newestAt = at;
    for (const message of placed) recent.add(message.seq, message.sender, message.id);
    if (erasures.length > 0) this.run = undefined;
    else {
      if (this.run !== undefined) this.run = agentRunAfter(this.run, placed);
      this.writers.remember(senders);
    }
    this.tail.push(placed);
    for (const target of deleted) this.tail.blank(target);
    this.#tellClosings(placed);
    if (erasures.length > 0) this.tail.replace((message) => withErasures(message, erasures));
    return placed;
  }

  /** Hides what is from before `time`, ms since 1970, where that ends among the messages that are here. Writes nothing. */
  hideBefore(time: number): void {
    const [oldest] = this.after(this.oldest - 1, 1);
    // Of what is in D1 alone, some may be from after that time.
    if (!oldest || oldest.at >= time) return;
    this.hideBelow(this.since(time)?.seq ?? this.newest + 1);
  }

  /** Hides the messages below `first`. What is hidden once stays so. Writes nothing: `removeGone` does. */
  hideBelow(first: Seq): void {
    this.assertOpen();
    if (first <= this.begin) return;
    this.begin = Math.min(first, this.newest + 1);
    this.tail.dropBefore(this.begin);
  }

  /** Whether something is hidden that is not removed yet. */
  get isHiding(): boolean {
    this.assertOpen();
    return this.begin > this.state.first;
  }

  /** Removes what is hidden, for good, as much of it as `REMOVED_AT_ONCE`. Whether some is left. */
  removeGone(): boolean {
    this.assertOpen();
    const first = this.begin;
    if (this.#removedBelow === first) return false;
    const isLeft = this.transaction(() => {
      if (this.state.first < first) {
        this.sql.exec("UPDATE log SET first = ?, last_at = ?", first, this.newestAt);
        this.dirty.markPart("room");
        // Of the pack with the first message that is left, or that comes next, others may be gone.
        this.dirty.markPack(first);
        this.erasing.removeBelow(first);
        this.asks.removeBelow(first);
      }
      if (first >= this.state.oldest) this.table.dropIndex();
      return this.table.removeBelow(first, REMOVED_AT_ONCE);
    });
    this.state = { ...this.state, first };
    if (!isLeft) this.#removedBelow = first;
    return isLeft;
  }

  /** Notes when old messages are to be removed next, ms since 1970. */
  setRetentionDue(at: number): void {
    if (at !== this.retentionDue) this.sql.exec("UPDATE log SET retention_due = ?", at);
    this.state = { ...this.state, retentionDue: at };
  }

  /** The erasures that are under way, oldest first. Another array whenever that changes. */
  get erasures(): readonly ErasureUnderWay[] {
    this.assertOpen();
    return this.erasing.underWay;
  }

  /**
   * Overwrites what the oldest erasure takes that has not been carried out here, as far as one step goes. Whether there is
   * more to do.
   */
  eraseStep(): boolean {
    const erasure = this.erasures.find(({ here, upTo }) => here < upTo);
    if (!erasure) return false;
    const { seq, upTo, here } = erasure;
    const looked = this.table.from(here + 1, ERASED_AT_ONCE);
    const last = looked.length < ERASED_AT_ONCE ? upTo : (looked.at(-1)?.seq ?? upTo);
    const taken = looked.filter((message) => takes(erasure, message));
    this.transaction(() => {
      this.table.overwrite(taken.map(tombstone));
      this.dirty.markPacks(taken.map((message) => message.seq));
      this.erasing.advance(seq, Math.min(upTo, last));
    });
    return this.erasures.some((erasure) => erasure.here < erasure.upTo);
  }

  /**
   * Ends an erasure that has been carried out everywhere: its entry says no longer whom it has erased. Does nothing while it
   * has something to take, which may also be among messages that are still to come back from D1.
   */
  endErasure(seq: Seq): void {
    const erasure = this.erasures.find((erasure) => erasure.seq === seq);
    if (!erasure || erasure.here < erasure.upTo || !this.isWhole) return;
    const entry = this.table.get(seq);
    const ended = entry && { ...entry, id: `erased:${seq}`, content: "" };
    this.transaction(() => {
      if (ended) this.table.overwrite([ended]);
      this.dirty.markPack(seq);
      this.erasing.end(seq);
    });
    this.tail.replace((message) => (ended && message.seq === seq ? ended : message));
  }

  /** Whom the operator has erased, where that has not become an entry of the log yet. */
  get orders(): Order[] {
    return this.#orders.list();
  }

  /** Adds such orders. */
  addOrders(orders: readonly Order[]): void {
    this.transaction(() => this.#orders.add(orders));
  }

  /** The order about `sender` has become an entry of the log. */
  removeOrder(sender: string): void {
    this.#orders.remove(sender);
  }

  /** Notes that D1 has everything up to `copied`, by a copy of the revision `revision` (ms since 1970). One row written. */
  markCopied(copied: Seq, revision: number): void {
    this.sql.exec("UPDATE log SET copied = ?, revision = ?", copied, revision);
    this.state = { ...this.state, copied, revision };
  }

  /** Notes that D1 may have lost all of it: it was set back to `revision`. What is in D1 alone is not touched. */
  copyAgain(revision: number): void {
    const copied = this.oldest - 1;
    this.transaction(() => {
      this.sql.exec("UPDATE log SET copied = ?, revision = ?", copied, revision);
      this.writers.forgetAllTold();
      for (const part of PARTS) this.dirty.markPart(part);
    });
    this.state = { ...this.state, copied, revision };
  }

  /**
   * Takes up older messages that D1 has, oldest first, all of them below `oldest`; from `from` on, everything is here then.
   * May be called again with the same.
   */
  fill(messages: readonly StoredMessage[], from: Seq): void {
    const { oldest, first } = this;
    if (from >= oldest) return;
    const older = messages.filter(({ seq }) => seq >= Math.max(first, from) && seq < oldest);
    this.transaction(() => {
      fillLog(this.#parts, older, { from, end: oldest });
      this.pairs.learn(older);
      this.sql.exec("UPDATE log SET oldest = ?", from);
      if (from <= first) this.table.dropIndex();
    });
    this.state = { ...this.state, oldest: from };
  }

  /** Everything below `end` is to be taken up from D1, perhaps again: what is here of it stays. */
  expectAll(end: Seq): void {
    const oldest = Math.min(end, this.head + 1);
    this.transaction(() => {
      this.table.index();
      this.sql.exec("UPDATE log SET oldest = ?", oldest);
    });
    this.state = { ...this.state, oldest };
    this.tail.dropBefore(oldest);
  }

  get #parts(): LogParts {
    const { storage, table, erasing, asks, writers } = this;
    return { storage, messages: table, erasures: erasing, asks, writers };
  }

  /** Runs `work` in one transaction, which may be within another. When it throws, all is as it was, here and in memory. */
  transaction<T>(work: () => T): T {
    this.assertOpen();
    try {
      return this.storage.transaction(work);
    } catch (error) {
      this.open();
      throw error;
    }
  }

  /** Has the asks in the tail say what has closed them. The first closing stays. */
  #tellClosings(entries: readonly StoredMessage[]): void {
    for (const entry of entries) {
      const closed = closingBy(entry);
      if (!closed) continue;
      this.tail.replace((message) => {
        return message.seq === entry.ref && isLiveAsk(message) && !message.closed ? { ...message, closed } : message;
      });
    }
  }
}
