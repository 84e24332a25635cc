/**
 * Pages of the log, and single messages of it. The newest messages are here, older ones in D1, and what D1 has refused is
 * here for good. What a socket is sent of the log is decided in `audience/flow`.
 *
 * A reader holds nothing of its own: when its journal is closed, each use throws `Closed`, or rejects with it.
 */

import type { Seq } from "../protocol.ts";
import type { Cursor, Page } from "../room-rpc.ts";
import { archivedAfter, archivedBefore, archivedMessage } from "./d1-reader.ts";
import type { Journal } from "./journal.ts";
import type { Database } from "./sql.ts";
import { type StoredMessage, toMessage } from "./stored-message.ts";

export interface ReaderDeps {
  readonly room: string;
  readonly journal: Journal;
  readonly db: Database;
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
    const { journal, db, room } = this.#deps;
    return journal.get(seq) ?? (seq < journal.oldest ? await archivedMessage(db, room, seq) : undefined);
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
      const message = await archivedMessage(this.#deps.db, this.#deps.room, seq);
      if (message?.sender === sender && message.id === id) return message;
    }
    return undefined;
  }

  async #pageAfter({ after, epoch }: Cursor, limit: number): Promise<Page> {
    const { journal, db, room } = this.#deps;
    if (after > journal.head || (epoch !== undefined && epoch !== journal.epoch)) {
      return { ...(await this.#pageBefore(undefined, limit)), reset: true };
    }
    // From D1 up to where the log here begins; the next page goes on from there.
    const here = journal.after(after, limit);
    // Before the question to D1: pruning may go on meanwhile.
    const parked = this.#parkedIn(here);
    const stored =
      after >= journal.oldest - 1
        ? here
        : this.#merge(await archivedAfter(db, room, after, limit), parked).slice(0, limit);
    const last = stored.at(-1)?.seq ?? after;
    return this.#page(stored, last < journal.head);
  }

  async #pageBefore(bound: Seq | undefined, limit: number): Promise<Page> {
    const { journal, db, room } = this.#deps;
    const before = bound ?? journal.head + 1;
    const here = journal.before(before, limit);
    const dense = here.filter(({ seq }) => seq >= journal.oldest);
    const first = dense[0]?.seq ?? Math.min(before, journal.oldest);
    const missing = Math.min(limit - dense.length, first - 1);
    const parked = this.#parkedIn(here);
    const older =
      missing === 0 ? [] : this.#merge(await archivedBefore(db, room, first, missing), parked).slice(-missing);
    const stored = [...older, ...dense];
    return this.#page(stored, (stored[0]?.seq ?? 1) > 1);
  }

  /** Messages that D1 refused, and that stayed here when their neighbours were pruned. */
  #parkedIn(here: readonly StoredMessage[]): StoredMessage[] {
    return here.filter(({ seq }) => seq < this.#deps.journal.oldest);
  }

  /**
   * What D1 has and what is parked, in order. A message whose deletion D1 does not have yet comes without its content: the
   * archive may be behind for as long as D1 takes no writes, and its readers need not see that.
   */
  #merge(archived: readonly StoredMessage[], parked: readonly StoredMessage[]): StoredMessage[] {
    const [first, last] = [archived[0], archived.at(-1)];
    const deleted = new Set(first && last ? this.#deps.journal.deletedBetween(first.seq, last.seq) : []);
    const told = archived.map((message) => (deleted.has(message.seq) ? { ...message, content: "" } : message));
    return [...told, ...parked].sort((a, b) => a.seq - b.seq);
  }

  #page(stored: readonly StoredMessage[], more: boolean): Page {
    const { head, epoch } = this.#deps.journal;
    return { messages: stored.map(toMessage), head, epoch, more };
  }
}
