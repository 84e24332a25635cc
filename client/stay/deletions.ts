/**
 * Deletions on their way, one at a time: an older room's refusal of one does not say which, so only one may be unanswered.
 * Over quota, and while the room is unavailable, they wait and are tried again.
 */

import type { DeleteFrame, Seq } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";
import { passes, passesAfter, type RoomError } from "./room-error.ts";
import { unlessAborted, withResolvers } from "./signal.ts";

export interface DeletionsDeps {
  readonly clock: Clock;
  /** Whether the room can be told now. */
  isReady(): boolean;
  say(frame: DeleteFrame): void;
}

interface Waiting extends PromiseWithResolvers<void> {
  /** So many wait for it. */
  askers: number;
}

export class Deletions {
  readonly #deps: DeletionsDeps;
  readonly #waiting = new Map<Seq, Waiting>();
  #current: Seq | undefined;
  #stopHold: (() => void) | undefined;

  constructor(deps: DeletionsDeps) {
    this.#deps = deps;
  }

  /** The message of which the deletion was said and not answered. */
  get current(): Seq | undefined {
    return this.#current;
  }

  /**
   * Asks for a deletion, at once or when the room is ready. The same one twice is one. The signal ends the wait; when nobody
   * waits any more, one that was not said is not said.
   */
  add(seq: Seq, signal: AbortSignal | undefined): Promise<void> {
    const waiting: Waiting = this.#waiting.get(seq) ?? { ...withResolvers(), askers: 0 };
    this.#waiting.set(seq, waiting);
    waiting.askers++;
    const done = unlessAborted(waiting.promise, signal, () => {
      if (this.#waiting.get(seq) !== waiting) return false;
      if (--waiting.askers === 0 && seq !== this.#current) this.#waiting.delete(seq);
      return true;
    });
    this.next();
    return done;
  }

  /** Says the next one, when the room is ready and none is on its way. */
  next(): void {
    if (this.#current !== undefined || this.#stopHold || !this.#deps.isReady()) return;
    [this.#current] = this.#waiting.keys();
    if (this.#current !== undefined) this.#deps.say({ type: "delete", seq: this.#current });
  }

  /** The connection is gone: what was said is said again over the next one. */
  lost(): void {
    this.#current = undefined;
  }

  /** The message `seq` is deleted, by this stay or by another. */
  done(seq: Seq): void {
    this.#waiting.get(seq)?.resolve();
    this.#answered(seq);
  }

  /** The room has refused the deletion of `seq`, for good or for now. */
  refuse(seq: Seq, error: RoomError): void {
    const waiting = this.#waiting.get(seq);
    if (!waiting || !passes(error.code) || waiting.askers === 0) {
      waiting?.reject(error);
      this.#answered(seq);
      return;
    }
    this.#current = undefined;
    this.#stopHold ??= this.#deps.clock.after(passesAfter(error), () => {
      this.#stopHold = undefined;
      this.next();
    });
  }

  /** Gives up all of them. */
  giveUp(errorOf: (seq: Seq) => RoomError): void {
    this.#stopHold?.();
    this.#stopHold = this.#current = undefined;
    for (const [seq, waiting] of this.#waiting) waiting.reject(errorOf(seq));
    this.#waiting.clear();
  }

  #answered(seq: Seq): void {
    this.#waiting.delete(seq);
    if (seq === this.#current) this.#current = undefined;
    this.next();
  }
}
