/**
 * Pages of the log, and single messages of it. The newest messages are here, older ones in D1, and what D1 has refused is
 * here for good. What a socket is sent of the log is decided in `audience/flow`.
 *
 * A reader holds nothing of its own: when its journal is closed, each use throws `Closed`, or rejects with it.
 */

import { withArchivedClosings } from "../archive/d1-asks.ts";
import { archivedAfter, archivedBefore, archivedMessage } from "../archive/d1-reader.ts";
import type { Seq } from "../protocol.ts";
import type { Cursor, Page } from "../room-rpc.ts";
import { isTombstone, withErasures } from "./erasure.ts";
import type { Journal } from "./journal.ts";
import type { Database } from "./sql.ts";
import { type StoredMessage, toMessage } from "./stored-message.ts";

export interface ReaderDeps {
  readonly room: string;
  readonly journal: Journal;
  readonly db: Database;
  readonly retention: ReaderRetention;
}

/** What is gone because of its age. */
export interface ReaderRetention {
  /** Hides what is too old by now, as far as it is here. */
  hide(): void;
  /** Whether a message that D1 gives is gone. */
  isGone(message: StoredMessage): boolean;
}

export class Reader {
  readonly #deps: ReaderDeps;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  /** A page of at most `limit` messages: the newest, or those after or before a seq. Rejects when it needs D1 in vain. */
  page(at: Cursor | { before: Seq } | undefined, limit: number): Promise<Page> {
    if (at && "after" in at) return this.#pageAfter(at, limit);
    return this.#pageBefore(at?.before, limit);
  }

  /** The message `seq`, wherever it is. Rejects when it needs D1 in vain. */
  async message(seq: Seq): Promise<StoredMessage | undefined> {
    const { journal, db, room, retention } = this.#deps;
    retention.hide();
    if (seq < journal.first || seq >= journal.oldest) return journal.get(seq);
    const here = journal.get(seq);
    const found = here ?? (await archivedMessage(db, room, seq));
    if (!found || retention.isGone(found)) return undefined;
    return here ?? (await this.#known([found]))[0];
  }

  /**
   * The message that `sender` has sent as `id`, when only D1 has it: of a retry that `Journal.find` does not find. Asks D1
   * only when the message is nearly certainly there; `undefined`, and not a promise of it, otherwise. The promise rejects
   * when D1 does not answer: then nothing may be stored, as it might be a second time.
   */
  findInD1(sender: string, id: string): Promise<StoredMessage | undefined> | undefined {
    const nominated = this.#deps.journal.nominatedInD1(sender, id);
    return nominated.length === 0 ? undefined : this.#firstOf(nominated, sender, id);
  }

  async #firstOf(seqs: readonly Seq[], sender: string, id: string): Promise<StoredMessage | undefined> {
    for (const seq of seqs) {
      const archived = await archivedMessage(this.#deps.db, this.#deps.room, seq);
      if (!archived || this.#deps.retention.isGone(archived)) continue;
      const [message = archived] = await this.#known([archived]);
      if (isTombstone(message) || (message.sender === sender && message.id === id)) return message;
    }
    return undefined;
  }

  async #pageAfter({ after, epoch }: Cursor, limit: number): Promise<Page> {
    const { journal, db, room, retention } = this.#deps;
    retention.hide();
    const startOver = async (): Promise<Page> => ({ ...(await this.#pageBefore(undefined, limit)), reset: true });
    const isOfAnotherHistory = after > journal.head || (epoch !== undefined && epoch !== journal.epoch);
    if (isOfAnotherHistory || after < journal.first - 1) return startOver();
    // From D1 up to where the log here begins; the next page goes on from there.
    const here = journal.after(after, limit);
    // Before the question to D1: pruning may go on meanwhile.
    const parked = this.#parkedIn(here);
    const isHere = after >= journal.oldest - 1;
    const stored = isHere
      ? here
      : (await this.#merge(await archivedAfter(db, room, after, limit), parked)).slice(0, limit);
    // What comes next is gone, as far as only D1 could tell, or has gone meanwhile.
    if (!isHere && (after < journal.first - 1 || stored.some((message) => retention.isGone(message))))
      return startOver();
    const last = stored.at(-1)?.seq ?? after;
    return this.#page(stored, last < journal.head);
  }

  async #pageBefore(bound: Seq | undefined, limit: number): Promise<Page> {
    const { journal, db, room, retention } = this.#deps;
    retention.hide();
    const before = bound ?? journal.head + 1;
    const here = journal.before(before, limit);
    const dense = here.filter(({ seq }) => seq >= journal.oldest);
    const first = dense[0]?.seq ?? Math.min(before, journal.oldest);
    const missing = Math.max(0, Math.min(limit - dense.length, first - journal.first));
    const parked = this.#parkedIn(here);
    const older =
      missing === 0 ? [] : (await this.#merge(await archivedBefore(db, room, first, missing), parked)).slice(-missing);
    const stored = [...older, ...dense].filter((message) => !retention.isGone(message));
    // Where some are gone, nothing older is there.
    const isEnd = stored.length < older.length + dense.length;
    return this.#page(stored, !isEnd && (stored[0]?.seq ?? journal.first) > journal.first);
  }

  /** Messages that D1 refused, and that stayed here when their neighbours were pruned. */
  #parkedIn(here: readonly StoredMessage[]): StoredMessage[] {
    return here.filter(({ seq }) => seq < this.#deps.journal.oldest);
  }

  /**
   * What D1 has and what is parked, in order. A message whose deletion D1 does not have yet comes without its content: the
   * archive may be behind for as long as D1 takes no writes, and its readers need not see that.
   */
  async #merge(archived: readonly StoredMessage[], parked: readonly StoredMessage[]): Promise<StoredMessage[]> {
    return [...(await this.#known(archived)), ...parked].sort((a, b) => a.seq - b.seq);
  }

  /** What D1 gives, as it is by all that the room knows. What has closed an ask may be in D1 alone, or here alone. */
  async #known(archived: readonly StoredMessage[]): Promise<StoredMessage[]> {
    const { db, room, journal } = this.#deps;
    const closed = await withArchivedClosings(db, room, archived);
    const [first, last] = [archived[0], archived.at(-1)];
    // Nothing is waited for from here on: it may be deleted or answered meanwhile.
    const deleted = new Set(first && last ? journal.deletedBetween(first.seq, last.seq) : []);
    const { erasures } = journal;
    const told = closed
      .map((message) => (deleted.has(message.seq) ? { ...message, content: "" } : message))
      .map((message) => withErasures(message, erasures));
    return journal.asks.read(told);
  }

  #page(stored: readonly StoredMessage[], more: boolean): Page {
    const { head, epoch } = this.#deps.journal;
    return { messages: stored.map(toMessage), head, epoch, more };
  }
}
