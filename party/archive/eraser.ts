/**
 * Carries erasures out in what D1 has of a room, from its first message on, a few packs at a time. Readers see nothing of
 * what is not done yet: what they read of D1, they read through the erasures.
 *
 * A pack whose revision is that of the erasure's entry or later was written after it, and so has nothing that it takes.
 * What is written here has the revision of the archive's end: a copy from before the erasure that arrives late changes
 * nothing any more. How far it is survives a restart; a step that was cut off is done again.
 */

import { takes, tombstone } from "../log/erasure.ts";
import type { Journal } from "../log/journal.ts";
import type { Database, Statement } from "../log/sql.ts";
import {
  type ArchivedRoom,
  type ArchivedRow,
  archivedMark,
  fromRow,
  type Mark,
  messagesBetween,
  overwriteRows,
  type RevisedPackRow,
  savePack,
} from "./d1-messages.ts";
import { endErasure, erasuresOf, toErasures } from "./d1-senders.ts";
import { firstOf, PACK, pack, unpack } from "./pack.ts";

/** Packs of one step: with the longest messages they are several MB. */
const PACKS_AT_ONCE = 4;

export interface EraserDeps {
  readonly db: Database;
  readonly journal: Journal;
  readonly room: ArchivedRoom;
}

export class Eraser {
  readonly #deps: EraserDeps;
  #wasSetBack = false;

  constructor(deps: EraserDeps) {
    this.#deps = deps;
  }

  /** Whether D1 has an erasure that it has not carried out. */
  get isDue(): boolean {
    return this.#wasSetBack || this.#next !== undefined;
  }

  get #next() {
    const { archived, erasures } = this.#deps.journal;
    return erasures.find((erasure) => erasure.seq <= archived && erasure.archived < erasure.upTo);
  }

  /** D1 was set back: what it had carried out it may not have any more. */
  startOver(): void {
    this.#wasSetBack = true;
  }

  /** Asks a D1 that was set back which erasures it has to carry out again. Rejects when it does not answer. */
  async lookAgain(): Promise<void> {
    const { db, journal, room } = this.#deps;
    if (!this.#wasSetBack) return;
    const { results } = await erasuresOf(db, room.id).all();
    journal.eraser.again(toErasures(results), journal.head);
    this.#wasSetBack = false;
  }

  /** Does the next step of the oldest erasure that is due. Rejects when D1 does not answer. */
  async step(): Promise<void> {
    const { db, journal, room } = this.#deps;
    await this.lookAgain();
    const erasure = this.#next;
    if (!erasure) return;
    const { seq, upTo, archived } = erasure;
    // A step ends with a pack.
    const done = Math.max(archived, journal.first - 1);
    const first = firstOf(done + 1);
    const last = first + PACKS_AT_ONCE * PACK - 1;
    const [marks, packs, rows] = await db.batch<unknown>([
      archivedMark(db, room),
      ...messagesBetween(db, room.id, { first, last, revision: seq }),
    ]);
    const [mark] = (marks?.results ?? []) as Mark[];
    if (!mark || mark.last_seq < seq) throw new Error("D1 has been set back to before the erasure.");
    const written: Statement[] = [];
    const revision = mark.last_seq;
    for (const row of (packs?.results ?? []) as RevisedPackRow[]) {
      const messages = (await unpack(row)).filter(({ seq }) => seq >= journal.first);
      if (!messages.some((message) => takes(erasure, message))) continue;
      const body = await pack(messages.map((message) => (takes(erasure, message) ? tombstone(message) : message)));
      written.push(savePack(db, room, { first: row.first, revision, from: revision, body }));
    }
    const taken = ((rows?.results ?? []) as ArchivedRow[]).map(fromRow).filter((message) => takes(erasure, message));
    if (taken.length > 0) written.push(overwriteRows(db, room, taken.map(tombstone)));
    if (last >= upTo) written.push(endErasure(db, room, seq));
    if (written.length > 0) await db.batch(written);
    journal.eraser.markErased(seq, last);
  }
}
