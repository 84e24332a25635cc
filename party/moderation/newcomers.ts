/**
 * Who has a message in the room already. A person's agents count as the person. The answer comes from memory, from the
 * messages that D1 does not have yet, and from D1's index of who wrote where: one row, however long the room is.
 */

import { personOf } from "../identity/sender.ts";
import { BoundedMap } from "../limits/bounded-map.ts";
import type { Journal } from "../log/journal.ts";

/** People and guests that are remembered. */
const REMEMBERED = 2_000;
/** Of the messages that D1 does not have yet, so many are looked at. */
const LOOKED_AT = 500;

export interface NewcomersDeps {
  readonly journal: Pick<Journal, "after" | "head" | "archived">;
  /** Whether D1 knows that `person`, or an agent of theirs, wrote here. Rejects when it does not answer. */
  wroteInD1(person: string): Promise<boolean>;
}

export class Newcomers {
  readonly #deps: NewcomersDeps;
  readonly #known = new BoundedMap<string, true>(REMEMBERED);

  constructor(deps: NewcomersDeps) {
    this.#deps = deps;
  }

  /** Finds out whether `sender` is one; `undefined` when that is known. Never rejects: who is not known is a newcomer. */
  look(sender: string): Promise<void> | undefined {
    const person = personOf(sender);
    if (this.#known.get(person) || this.#isInTail(person)) return undefined;
    return this.#ask(person);
  }

  /** Whether nothing is known of `sender`. */
  isOne(sender: string): boolean {
    return !this.#known.get(personOf(sender));
  }

  /** `sender` has a message in the log. */
  note(sender: string): void {
    this.#known.set(personOf(sender), true);
  }

  /** Everything by `sender` was erased. */
  forget(sender: string): void {
    this.#known.delete(personOf(sender));
  }

  #isInTail(person: string): boolean {
    const { journal } = this.#deps;
    const from = Math.max(journal.archived, journal.head - LOOKED_AT);
    const isThere = journal.after(from, LOOKED_AT).some(({ kind, sender }) => {
      return kind === "text" && personOf(sender) === person;
    });
    if (isThere) this.note(person);
    return isThere;
  }

  async #ask(person: string): Promise<void> {
    try {
      if (await this.#deps.wroteInD1(person)) this.note(person);
    } catch (error) {
      console.error("It can't be looked up who wrote here: a message is held", { error });
    }
  }
}
