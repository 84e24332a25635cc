/**
 * The journal as readers are sent it: each message as the JSON that clients see. The newest ones come from memory, where
 * their JSON is made once for all readers; older ones are read and serialised.
 */

import type { Seq } from "../protocol.ts";
import type { Journal } from "./journal.ts";
import { type StoredMessage, toMessage } from "./stored-message.ts";

export class JsonLog {
  readonly #journal: Journal;
  readonly #hide: () => void;

  /** `hide` hides what is too old by now; it is called before anything is read. */
  constructor(journal: Journal, hide: () => void) {
    this.#journal = journal;
    this.#hide = hide;
  }

  get epoch(): string {
    return this.#journal.epoch;
  }

  /** The newest seq; 0 in an empty room. */
  get head(): Seq {
    return this.#journal.head;
  }

  /** Everything from here on can be read here. */
  get oldest(): Seq {
    this.#hide();
    return this.#journal.oldest;
  }

  /** The seq of the newest erasure that is known here; 0 when there is none. */
  get newestErasure(): Seq {
    return this.#journal.eraser.newest;
  }

  /** Up to `limit` messages with a seq above `seq`, oldest first. */
  jsonAfter(seq: Seq, limit: number): readonly string[] {
    this.#hide();
    return this.#journal.jsonAfter(seq)?.slice(0, limit) ?? this.#journal.after(seq, limit).map(toJson);
  }

  /** Up to `limit` messages with a seq below `seq`, the newest of them, oldest first. */
  jsonBefore(seq: Seq, limit: number): readonly string[] {
    const first = Math.max(this.oldest, seq - limit);
    const kept = seq > this.head ? this.#journal.jsonAfter(first - 1) : undefined;
    return kept ?? this.#journal.before(seq, limit).map(toJson);
  }
}

const toJson = (message: StoredMessage): string => JSON.stringify(toMessage(message));
