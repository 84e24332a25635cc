/**
 * The newest messages in memory, each with its JSON once a client has been sent it. A crowd that connects, an update for
 * everybody and the next copy to D1 need these and nothing else, so they read no row and serialise nothing twice.
 *
 * The tail is one run of seqs without a gap that ends at the log's head. It may be empty, as after a wake.
 */

import type { Seq } from "../protocol.ts";
import { withoutClosing } from "./erasure.ts";
import { type StoredMessage, toMessage } from "./stored-message.ts";

/** At least so many messages are kept, when they are not too long together. */
export const TAIL_MESSAGES = 256;
/** So many more may gather before the oldest go, so that letting go costs next to nothing a message. */
export const TAIL_SLACK = 64;
/**
 * At most so many characters are kept, where a message counts as its content and its other fields. Fifty messages of the
 * longest content fit, so a `welcome` always comes from memory. The JSON may take as much again.
 */
export const TAIL_LENGTH = 1024 * 1024;

/** Characters of a message beside its content, at most about so many. */
const OTHER_FIELDS = 256;

interface Entry {
  readonly message: StoredMessage;
  /** Made when it is first asked for. */
  json?: string;
}

export class Tail {
  #entries: Entry[] = [];
  #length = 0;
  #next: Seq;

  /** An empty tail behind `head`. */
  constructor(head: Seq) {
    this.#next = head + 1;
  }

  /** The oldest seq in here; `head + 1` when the tail is empty. */
  get first(): Seq {
    return this.#next - this.#entries.length;
  }

  /** Adds the messages that follow the head. The oldest ones go when there are too many. */
  push(messages: readonly StoredMessage[]): void {
    for (const message of messages) {
      this.#entries.push({ message });
      this.#length += lengthOf(message);
    }
    this.#next += messages.length;
    if (this.#entries.length > TAIL_MESSAGES + TAIL_SLACK || this.#length > TAIL_LENGTH) this.#letOldestGo();
  }

  /** Adds messages that lie right before `first`, oldest first: as many of the newest of them as there is place for. */
  prepend(messages: readonly StoredMessage[]): void {
    const added: Entry[] = [];
    let expected = this.first - 1;
    for (const message of messages.toReversed()) {
      const length = lengthOf(message);
      const isFull = this.#entries.length + added.length >= TAIL_MESSAGES || this.#length + length > TAIL_LENGTH;
      // A rebuilt log may have gaps, where D1 had refused a message.
      if (isFull || message.seq !== expected) break;
      added.push({ message });
      this.#length += length;
      expected--;
    }
    this.#entries.unshift(...added.reverse());
  }

  /** Lets the messages below `seq` go. */
  dropBefore(seq: Seq): void {
    const gone = Math.min(seq - this.first, this.#entries.length);
    if (gone <= 0) return;
    for (const { message } of this.#entries.splice(0, gone)) this.#length -= lengthOf(message);
  }

  /** The message `seq`, if it is in here. */
  get(seq: Seq): StoredMessage | undefined {
    return this.#entries[seq - this.first]?.message;
  }

  /** Up to `limit` messages from `from` on, which must not be below `first`. */
  from(from: Seq, limit: number): StoredMessage[] {
    const start = from - this.first;
    return this.#entries.slice(start, start + limit).map(({ message }) => message);
  }

  /** The JSON of each message from `from` on, which must not be below `first`, as clients see it. */
  json(from: Seq): string[] {
    return this.#entries.slice(from - this.first).map((entry) => {
      entry.json ??= JSON.stringify(toMessage(entry.message));
      return entry.json;
    });
  }

  /** Takes the content out of the message `seq`, and out of its JSON. */
  blank(seq: Seq): void {
    const index = seq - this.first;
    const entry = this.#entries[index];
    if (!entry) return;
    this.#length -= entry.message.content.length;
    this.#entries[index] = { message: { ...withoutClosing(entry.message), content: "" } };
  }

  /** Puts other messages in the place of those that `change` changes. */
  replace(change: (message: StoredMessage) => StoredMessage): void {
    this.#entries = this.#entries.map((entry) => {
      const message = change(entry.message);
      if (message === entry.message) return entry;
      this.#length += lengthOf(message) - lengthOf(entry.message);
      return { message };
    });
  }

  #letOldestGo(): void {
    let gone = 0;
    while (this.#entries.length - gone > TAIL_MESSAGES || this.#length > TAIL_LENGTH) {
      this.#length -= lengthOf((this.#entries[gone] as Entry).message);
      gone++;
    }
    this.#entries.splice(0, gone);
  }
}

const lengthOf = ({ content }: StoredMessage): number => content.length + OTHER_FIELDS;
