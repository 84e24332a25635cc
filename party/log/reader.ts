/**
 * What a client is told of the log: what it missed, and pages of it. The newest messages are here, older ones in D1, and
 * what D1 has refused is here for good.
 */

import { LIMITS, type Seq } from "../protocol.ts";
import type { Cursor, Page } from "../room-rpc.ts";
import { archivedAfter, archivedBefore } from "./archive.ts";
import { type Journal, type StoredMessage, toMessage } from "./journal.ts";
import type { Database } from "./sql.ts";

/** A backlog that is always sent, and what all that are not read yet may hold together, in bytes. */
const SMALL_BACKLOG = 512 * 1024;
const BACKLOGS_TOGETHER = 48 * 1024 * 1024;

export interface ReaderDeps {
  readonly room: string;
  readonly journal: Journal;
  readonly db: Database;
  /** What is waiting in memory for clients that have not read it yet, in bytes. */
  burden(): number;
}

export class Reader {
  readonly #deps: ReaderDeps;

  constructor(deps: ReaderDeps) {
    this.#deps = deps;
  }

  /** The newest messages, for somebody who has just come. */
  latest(): StoredMessage[] {
    const { journal } = this.#deps;
    return journal.before(journal.head + 1, LIMITS.welcome);
  }

  /** Everything after the cursor (promise 4); `undefined` when that can't be said, or is too much. */
  resume({ after, epoch }: Cursor): StoredMessage[] | undefined {
    const { journal } = this.#deps;
    if (epoch !== undefined && epoch !== journal.epoch) return undefined;
    if (after > journal.head || after < journal.oldest - 1 || journal.head - after > LIMITS.resume) return undefined;
    return this.#isTooMuch(after) ? undefined : journal.after(after, LIMITS.resume);
  }

  /** A page of at most `limit` messages: the newest, or those after or before a seq. Rejects when it needs D1 in vain. */
  page(at: Cursor | { before: Seq } | undefined, limit: number): Promise<Page> {
    if (at && "after" in at) return this.#pageAfter(at, limit);
    return this.#pageBefore(at?.before ?? this.#deps.journal.head + 1, limit);
  }

  async #pageAfter({ after, epoch }: Cursor, limit: number): Promise<Page> {
    const { journal, db, room } = this.#deps;
    if (after > journal.head || (epoch !== undefined && epoch !== journal.epoch)) {
      return { ...(await this.#pageBefore(journal.head + 1, limit)), reset: true };
    }
    // From D1 up to where the log here begins; the next page goes on from there.
    const here = journal.after(after, limit);
    const stored =
      after >= journal.oldest - 1
        ? here
        : merge(await archivedAfter(db, room, after, limit), this.#parkedIn(here)).slice(0, limit);
    const last = stored.at(-1)?.seq ?? after;
    return this.#page(stored, last < journal.head);
  }

  async #pageBefore(before: Seq, limit: number): Promise<Page> {
    const { journal, db, room } = this.#deps;
    const here = journal.before(before, limit);
    const dense = here.filter(({ seq }) => seq >= journal.oldest);
    const first = dense[0]?.seq ?? Math.min(before, journal.oldest);
    const missing = Math.min(limit - dense.length, first - 1);
    const older =
      missing === 0 ? [] : merge(await archivedBefore(db, room, first, missing), this.#parkedIn(here)).slice(-missing);
    const stored = [...older, ...dense];
    return this.#page(stored, (stored[0]?.seq ?? 1) > 1);
  }

  /** Messages that D1 refused, and that stayed here when their neighbours were pruned. */
  #parkedIn(here: readonly StoredMessage[]): StoredMessage[] {
    return here.filter(({ seq }) => seq < this.#deps.journal.oldest);
  }

  #page(stored: readonly StoredMessage[], more: boolean): Page {
    const { head, epoch } = this.#deps.journal;
    return { messages: stored.map(toMessage), head, epoch, more };
  }

  /** Whether what comes after `after` would take more memory, until it is read, than there is for it. */
  #isTooMuch(after: Seq): boolean {
    const { journal, burden } = this.#deps;
    // So many can't be too long, and need not be added up.
    if ((journal.head - after) * LIMITS.contentBytes < SMALL_BACKLOG) return false;
    const bytes = journal.bytesAfter(after);
    return bytes > LIMITS.resumeBytes || bytes + burden() > BACKLOGS_TOGETHER;
  }
}

function merge(archived: readonly StoredMessage[], parked: readonly StoredMessage[]): StoredMessage[] {
  return [...archived, ...parked].sort((a, b) => a.seq - b.seq);
}
