/**
 * Deletions on their way, one at a time: a room's refusal of one does not say which, so only one may be unanswered.
 */

import type { DeleteFrame, Seq } from "../../party/protocol.ts";
import type { RoomError } from "./room-error.ts";

interface Waiting {
  readonly done: Promise<void>;
  settle(): void;
  refuse(error: RoomError): void;
}

export class Deletions {
  readonly #say: (frame: DeleteFrame) => void;
  readonly #waiting = new Map<Seq, Waiting>();
  #current: Seq | undefined;

  constructor(say: (frame: DeleteFrame) => void) {
    this.#say = say;
  }

  /** The message of which the deletion was said and not answered. */
  get current(): Seq | undefined {
    return this.#current;
  }

  /** Asks for a deletion, at once or when the room is ready. The same one twice is one. */
  add(seq: Seq, isReady: boolean): Promise<void> {
    const before = this.#waiting.get(seq);
    if (before) return before.done;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Its refusal is told by an event, too: it is not an unhandled one.
    promise.catch(() => {});
    this.#waiting.set(seq, { done: promise, settle: resolve, refuse: reject });
    if (isReady && this.#current === undefined) this.#next();
    return promise;
  }

  /** The room is ready. */
  begin(): void {
    this.#next();
  }

  /** The connection is gone: what was said is said again over the next one. */
  lost(): void {
    this.#current = undefined;
  }

  /** The message `seq` is deleted, by this stay or by another. */
  done(seq: Seq): void {
    this.#waiting.get(seq)?.settle();
    this.#waiting.delete(seq);
    if (seq === this.#current) this.#next();
  }

  /** The room has refused the one that was said. */
  refuse(error: RoomError): void {
    const seq = this.#current as Seq;
    this.#waiting.get(seq)?.refuse(error);
    this.#waiting.delete(seq);
    this.#next();
  }

  /** Gives up all of them. */
  giveUp(errorOf: (seq: Seq) => RoomError): void {
    for (const [seq, waiting] of this.#waiting) waiting.refuse(errorOf(seq));
    this.#waiting.clear();
    this.#current = undefined;
  }

  #next(): void {
    [this.#current] = this.#waiting.keys();
    if (this.#current !== undefined) this.#say({ type: "delete", seq: this.#current });
  }
}
