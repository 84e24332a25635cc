/**
 * Copies the journal to D1, behind the conversation: in batches, exactly once, for as long as it takes (promise 6,
 * docs/guarantees.md).
 *
 * A copy and the room's `last_seq` are one D1 transaction, and what is already there is left alone; so a crash between
 * D1's answer and the journal's mark costs a repetition that changes nothing. Whatever fails, the archive asks to be woken
 * again; a D1 that is full or over its day is left alone for longer (`database-hold.ts`). What a copy writes is in `copy.ts`,
 * the SQL in `d1-messages.ts`, and what is done to messages that D1 has already in `upkeep.ts`.
 */

import { Closed } from "../log/closed.ts";
import type { Journal } from "../log/journal.ts";
import type { Database } from "../log/sql.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import type { Seq } from "../protocol.ts";
import { ARCHIVE_BATCH, Copy, type Sent } from "./copy.ts";
import { type ArchivedRoom, isRoomGone, removePack, savePack } from "./d1-messages.ts";
import type { Order } from "./d1-senders.ts";
import { DatabaseHold } from "./database-hold.ts";
import { databaseLimit } from "./database-limit.ts";
import type { HoldReport, HoldStore, Stored } from "./hold.ts";
import { retryDelay, spread } from "./retry-delay.ts";
import { Upkeep } from "./upkeep.ts";

/** So many failures in a row with D1 answering mean that a row is to blame. */
const SUSPECT_ROWS_AFTER = 3;

export interface ArchiveDeps {
  readonly room: string;
  /** When the room was made, as its row in D1 says (ISO 8601). */
  readonly createdAt: string;
  readonly journal: Journal;
  readonly db: Database;
  /** ms since 1970. */
  now(): number;
  readonly holds: HoldStore;
  /** How full the room's own storage is. */
  stored(): Stored;
  /** Lets a run go on after the event that started it. */
  keepAlive(run: Promise<void>): void;
  /** Asks for `run` in `delay` ms, over hibernation and restart. */
  wakeIn(delay: number): void;
  /** How far behind the archive may be, in ms. */
  readonly delay: number;
  /** D1 has no such room any more. */
  gone(): Promise<void>;
  /** D1 was set back to an earlier time: what else the room has copied there may be lost, too. */
  setBack(): void;
  /** The operator has erased senders who have just been found to have written here. */
  ordered(orders: readonly Order[]): void;
  /** What is removed from D1 because of its age. It and a copy never ask D1 at the same time. */
  readonly retention: RetentionRun;
}

/** A run of the retention in D1. */
export interface RetentionRun {
  /** Whether `run` has something to do. Not right after a run, however that ended. */
  readonly isDue: boolean;
  /** Rejects with `Closed` at most. */
  run(): Promise<void>;
}

export class Archive {
  readonly #deps: ArchiveDeps;
  readonly #upkeep: Upkeep;
  readonly #hold: DatabaseHold;
  #isClosed = false;
  #running: Promise<void> | undefined;
  #failures = 0;
  #hasCopied = false;
  /** Where D1 says that it was set back to; what is not here any more to be copied again it will never have. */
  #setBackTo: Seq | undefined;
  /** A run goes on until D1 has this seq. */
  #upTo: Seq = 0;
  /** While a row is looked for that D1 refuses: where the copy ends that has it, and how many are copied at a time. */
  #suspect: { readonly end: Seq; readonly copySize: number } | undefined;

  constructor(deps: ArchiveDeps) {
    this.#deps = deps;
    const { db, journal, wakeIn } = deps;
    this.#hold = new DatabaseHold(deps);
    this.#upkeep = new Upkeep({ db, journal, room: this.#room, wakeIn });
  }

  /** Asks to be woken when there is something to do from before a restart: the alarm for it may have been lost. */
  start(): void {
    this.#assertOpen();
    const hasWork = this.lag > 0 || this.#deps.journal.erasures.length > 0;
    if (hasWork) this.#deps.wakeIn(this.#hold.left || this.#nextWait());
  }

  /**
   * Stops: a run that is under way writes nothing more, asks for nothing more and ends quietly. From now on each use throws
   * `Closed`, or rejects with it. Close the journal, too.
   */
  close(): void {
    this.#isClosed = true;
    this.#upkeep.close();
  }

  /** How many messages D1 does not have yet. */
  get lag(): number {
    return this.#deps.journal.lag;
  }

  /** How many tries in a row have failed; 0 when D1 takes what it is given. */
  get failures(): number {
    this.#assertOpen();
    return this.#failures;
  }

  /** What is to be said of a D1 that has reached a limit; `null` while it has reached none. */
  get hold(): HoldReport | null {
    const { journal } = this.#deps;
    return this.#hold.report(journal.head - journal.oldest + 1);
  }

  /** Tells it that the journal has grown. */
  grown(): void {
    this.#assertOpen();
    if (this.lag === 0) return;
    const isFailing = this.#failures > 0 || this.#hold.isThere;
    this.#deps.wakeIn(this.#hold.left || (this.#failures > 0 ? this.#retryDelay() : this.#nextWait()));
    if (this.lag >= ARCHIVE_BATCH && !isFailing) this.#deps.keepAlive(this.run());
  }

  /** Copies until D1 has `seq`; whether it has. */
  async reach(seq: Seq): Promise<boolean> {
    while (this.#reached < seq) {
      const before = this.#reached;
      await this.run();
      if (this.#reached <= before) return false;
    }
    return true;
  }

  /**
   * Copies everything up to the journal's present head. A run that is under way goes on as far; so a deletion is in D1
   * within moments, also when it comes during a copy. What fails is tried again later; rejects only with `Closed`. A D1
   * that has reached a limit is not asked before its time, whoever wants to.
   */
  run(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Closed());
    if (this.#hold.left > 0 && this.lag > 0) {
      this.#deps.wakeIn(this.#hold.left);
      // What is removed because of its age makes place.
      if (!this.#deps.retention.isDue) return Promise.resolve();
    }
    this.#upTo = this.#deps.journal.head;
    // In a turn of its own, so that a run that has nothing to wait for does not end before it is noted.
    this.#running ??= Promise.resolve().then(() => this.#drain());
    return this.#running;
  }

  async #drain(): Promise<void> {
    const { retention } = this.#deps;
    try {
      await this.#upkeep.erase();
      // From the last look at these conditions to the end nothing waits, so that no `run` comes too late to be heard.
      for (;;) {
        while (this.#isCopyWanted) if (!(await this.#copyNext())) return;
        if (!retention.isDue) break;
        await retention.run();
      }
      this.#prune();
      this.#upkeep.goOn();
    } catch (error) {
      this.#rearm(error);
    } finally {
      this.#running = undefined;
    }
  }

  /** Something that is not D1 has thrown: the room's own storage, most likely. */
  #rearm(error: unknown): void {
    if (this.#isClosed || error instanceof Closed) return;
    this.#failures++;
    logEvent("archive.run_failed", { room: this.#deps.room, failures: this.#failures, error });
    this.#deps.wakeIn(this.#retryDelay());
  }

  /** Finds out of older messages who wrote them, until that is known of all or the run has done enough. Whether it is known. */
  index(): Promise<boolean> {
    return this.#upkeep.index();
  }

  /** What can't be dropped now, perhaps because SQLite is still reading, goes after the next copy. */
  #prune(): void {
    try {
      this.#deps.journal.prune();
    } catch (error) {
      logEvent("archive.pruning_delayed", { room: this.#deps.room, error });
    }
  }

  get #isCopyWanted(): boolean {
    return this.#hold.left === 0 && (this.#reached < this.#upTo || this.lag >= ARCHIVE_BATCH);
  }

  /** D1 has everything up to here that is not gone. */
  get #reached(): Seq {
    return this.#deps.journal.head - this.lag;
  }

  /** The newest seq that D1 should have: what it has refused is set aside, and not there. */
  get #expected(): Seq {
    if (this.#setBackTo !== undefined) return this.#setBackTo;
    const { journal } = this.#deps;
    const parked = new Set(journal.parked().map(({ seq }) => seq));
    let expected = journal.archived;
    while (parked.has(expected)) expected--;
    return expected;
  }

  /** Where D1 turns out to have been set back to an earlier time: begins again there, as far as the messages are still here. */
  #followBack(to: Seq): void {
    const { room, journal } = this.#deps;
    const from = Math.max(to, journal.oldest - 1);
    logEvent("archive.set_back", { room, to, from: journal.archived, copiedAgainAfter: from });
    journal.eraser.again(journal.erasuresAfter(from), journal.head);
    this.#upkeep.startOver();
    this.#deps.setBack();
    // Perhaps to a time when its messages were rows.
    journal.setUnpacked(true);
    // Last: if anything of this can't be noted, D1 turns out again to have been set back.
    journal.markArchived(from);
    this.#setBackTo = to;
  }

  /** Makes one copy; whether to go on with the next. */
  async #copyNext(): Promise<boolean> {
    const copy = Copy.next(this.#deps.journal, this.#suspect?.copySize ?? ARCHIVE_BATCH);
    if (!copy) return true;
    const refusal = await this.#send(copy);
    if (refusal !== undefined) return this.#survive(copy, refusal);
    // D1 has taken all of them, so it was an outage after all.
    if (this.#suspect && this.#deps.journal.archived >= this.#suspect.end) this.#suspect = undefined;
    if (copy.fillsPack) await this.#upkeep.afterPack();
    return true;
  }

  /** Sends a copy and notes that D1 has it. Why not, if D1 does not take it; throws when it can't be noted. */
  async #send(copy: Copy): Promise<string | undefined> {
    const { db, journal } = this.#deps;
    const expected = this.#expected;
    const underWay = journal.erasures.length;
    let sent: Sent;
    try {
      sent = await copy.send(db, this.#room, expected, this.#upkeep.newcomers(copy.senders));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const { before, orders } = sent;
    if (before.last_seq < expected) this.#followBack(before.last_seq);
    else {
      journal.markArchived(copy.last);
      this.#upkeep.took(copy, before, underWay);
      this.#setBackTo = undefined;
      if (orders.length > 0) this.#deps.ordered(orders);
    }
    this.#hasCopied = true;
    this.#failures = 0;
    this.#hold.end(this.lag);
    return undefined;
  }

  /** After a failed copy: whether to go on at once. */
  async #survive(copy: Copy, detail: string): Promise<boolean> {
    if (this.#isClosed) return false;
    this.#failures++;
    const limit = databaseLimit(detail);
    // No row is to blame, though D1 might take a smaller one: none may be set aside.
    if (limit) {
      this.#hold.begin(limit, this.lag, detail);
      this.#deps.wakeIn(this.#hold.left);
      return false;
    }
    const { room, journal } = this.#deps;
    logEvent("archive.batch_failed", {
      room,
      from: copy.first,
      count: copy.size,
      failures: this.#failures,
      error: detail,
    });
    const isGone = await isRoomGone(this.#deps.db, this.#room);
    if (this.#isClosed) return false;
    if (isGone) {
      await this.#deps.gone();
      return false;
    }
    if ((this.#suspect || this.#failures >= SUSPECT_ROWS_AFTER) && (await this.#narrowDown(copy))) return true;
    if (this.#isClosed) return false;
    this.#deps.wakeIn(this.#retryDelay());
    logEvent("archive.behind", { room, lag: this.lag, head: journal.head });
    return false;
  }

  /**
   * Looks for the message that D1 refuses in a copy that keeps failing, by halves: an invocation on the free plan may ask D1 50
   * times. The last one left is set aside. Whether to go on: `false` when D1 takes nothing at all.
   */
  async #narrowDown(copy: Copy): Promise<boolean> {
    const { room, journal } = this.#deps;
    if (!(await this.#takesAnother())) return false;
    if (copy.size > 1) {
      this.#suspect = { end: this.#suspect?.end ?? copy.last, copySize: Math.ceil(copy.size / 2) };
      return true;
    }
    // A second try tells a row that D1 refuses from an outage that has just ended.
    const reason = await this.#send(copy);
    if (reason === undefined) return true;
    const seq = copy.first;
    logEvent("archive.message_refused", { room, seq, error: reason });
    journal.park(seq, reason);
    journal.markArchived(seq);
    this.#failures = 0;
    this.#suspect = undefined;
    return true;
  }

  /**
   * Whether D1 takes a harmless pack, which no reader ever sees. It has to be a write: a locked, full or used-up database
   * goes on answering queries.
   */
  async #takesAnother(): Promise<boolean> {
    const { db } = this.#deps;
    const harmless = { first: 0, revision: 0, from: 0, body: new ArrayBuffer(1) };
    try {
      await db.batch([savePack(db, this.#room, harmless), removePack(db, this.#room, harmless.first)]);
      return true;
    } catch {
      return false;
    }
  }

  get #room(): ArchivedRoom {
    return { id: this.#deps.room, createdAt: this.#deps.createdAt };
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Closed();
  }

  /**
   * Rooms that were woken together, by a deployment or by a crowd, do not all ask D1 in the same second: until a room's first
   * copy it waits a shorter time of its own, and keeps the distance to others from then on.
   */
  #nextWait(): number {
    return this.#hasCopied ? this.#deps.delay : spread(this.#deps.delay);
  }

  #retryDelay(): number {
    return retryDelay(this.#failures);
  }
}
