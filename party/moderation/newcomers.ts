/**
 * Who has a message in the room already. A person's agents count as the person. The answer comes from memory, from the
 * messages that D1 does not have yet, and from D1's index of who wrote where: one row, however long the room is.
 */

import { personOf } from "../identity/sender.ts";
import { BoundedMap } from "../limits/bounded-map.ts";
import type { Journal } from "../log/journal.ts";
import { isSaid } from "../log/stored-message.ts";
import { logEvent } from "../operator-log/operator-log.ts";

/** People and guests that are remembered. */
const REMEMBERED = 2_000;
/** Of the messages that D1 does not have yet, so many are looked at. */
const LOOKED_AT = 500;
/** A newcomer is taken for one without another question for so long, ms: a flood of theirs is one question. */
export const TAKEN_FOR_ONE = 5_000;

export interface NewcomersDeps {
  /** The id of the room. */
  room(): string;
  now(): number;
  readonly journal: Pick<Journal, "after" | "head" | "archived">;
  /** Whether D1 knows that `person`, or an agent of theirs, wrote here. Rejects when it does not answer. */
  wroteInD1(person: string): Promise<boolean>;
}

export class Newcomers {
  readonly #deps: NewcomersDeps;
  readonly #known = new BoundedMap<string, true>(REMEMBERED);
  /** People and guests of whom D1 knew nothing, and when that was, ms since 1970. */
  readonly #unknown = new BoundedMap<string, number>(REMEMBERED);
  readonly #asked = new Map<string, Promise<void>>();

  constructor(deps: NewcomersDeps) {
    this.#deps = deps;
  }

  /** Finds out whether `sender` is one; `undefined` when that is known. Never rejects: who is not known is a newcomer. */
  look(sender: string): Promise<void> | undefined {
    const person = personOf(sender);
    if (this.#known.get(person)) return undefined;
    const asked = this.#asked.get(person);
    if (asked) return asked;
    if (this.#isInTail(person)) return undefined;
    const unknownAt = this.#unknown.get(person);
    if (unknownAt !== undefined && this.#deps.now() - unknownAt < TAKEN_FOR_ONE) return undefined;
    const asking = this.#ask(person).finally(() => this.#asked.delete(person));
    this.#asked.set(person, asking);
    return asking;
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
      return isSaid(kind) && personOf(sender) === person;
    });
    if (isThere) this.note(person);
    return isThere;
  }

  async #ask(person: string): Promise<void> {
    try {
      if (await this.#deps.wroteInD1(person)) {
        this.note(person);
        return;
      }
    } catch (error) {
      logEvent("room.newcomer_unknown", { room: this.#deps.room(), error });
    }
    this.#unknown.set(person, this.#deps.now());
  }
}
