/**
 * Who wrote in the room, as D1 knows it. Each copy notes the senders of its messages; of what was archived before there was
 * such an index, it is found out from the oldest message on, a few packs at a time.
 */

import { sendersOf, withErasures } from "../log/erasure.ts";
import type { Journal } from "../log/journal.ts";
import type { Database } from "../log/sql.ts";
import { takesSender } from "../protocol.ts";
import type { Copy } from "./copy.ts";
import { type ArchivedRoom, archivedMark, type Mark } from "./d1-messages.ts";
import { archivedAfter } from "./d1-reader.ts";
import { noteIndexed, noteSenders } from "./d1-senders.ts";

/** Senders that are remembered as noted, so that D1 is not told of them again. */
const REMEMBERED = 1_000;
/** Messages of one step. */
const MESSAGES_AT_ONCE = 400;

export interface SenderIndexDeps {
  readonly db: Database;
  readonly journal: Journal;
  readonly room: ArchivedRoom;
}

export class SenderIndex {
  readonly #deps: SenderIndexDeps;
  #noted = new Set<string>();
  /** Whether D1 knows of all of its messages who wrote them. */
  #isWhole = false;

  constructor(deps: SenderIndexDeps) {
    this.#deps = deps;
  }

  /** Those of `senders` of whom D1 may not know that they wrote here. */
  newcomers(senders: readonly string[]): readonly string[] {
    return senders.filter((sender) => !this.#noted.has(sender));
  }

  /** D1 has taken a copy, before which it was as `mark` says. */
  learn(copy: Copy, mark: Mark): void {
    this.#isWhole = mark.unindexed_from === null;
    if (this.#noted.size + copy.senders.length > REMEMBERED) this.#noted.clear();
    for (const sender of copy.senders) this.#noted.add(sender);
    for (const { sender: erased } of copy.erasures) {
      for (const sender of this.#noted) if (takesSender(erased, sender)) this.#noted.delete(sender);
    }
  }

  /** D1 was set back, perhaps to before it knew of somebody. */
  startOver(): void {
    this.#noted.clear();
    this.#isWhole = false;
  }

  /** Notes who wrote the next of the messages of which that is not known. Whether there are more. Rejects when D1 does. */
  async step(): Promise<boolean> {
    if (this.#isWhole) return false;
    const { db, room, journal } = this.#deps;
    const [marks] = await db.batch<Mark>([archivedMark(db, room)]);
    const [mark] = marks?.results ?? [];
    this.#isWhole = !mark || mark.unindexed_from === null;
    if (this.#isWhole || !mark || mark.unindexed_from === null) return false;
    const found = await archivedAfter(db, room.id, mark.unindexed_from - 1, MESSAGES_AT_ONCE);
    const written = found.map((message) => withErasures(message, journal.erasures));
    const last = found.length < MESSAGES_AT_ONCE ? undefined : found.at(-1)?.seq;
    const next = last === undefined || last >= mark.last_seq ? null : last + 1;
    await db.batch([noteSenders(db, room, sendersOf(written)), noteIndexed(db, room, next)]);
    this.#isWhole = next === null;
    return next !== null;
  }
}
