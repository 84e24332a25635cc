/**
 * Notices a peer that has died without a word (promise 8 of docs/guarantees.md, seen from here), and nobody else.
 *
 * A browser lets the chained timers of a hidden page fire once a minute. So the next ping is armed by the answer to the
 * last one, which is no timer, and silence is measured from the ping, not from the last timer that happened to fire.
 * https://developer.chrome.com/blog/timer-throttling-in-chrome-88
 */

import { HEARTBEAT } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";

export interface HeartbeatDeps {
  readonly clock: Clock;
  /** Asks the peer for a sign of life. */
  ping(): void;
  /** It has given none for too long. */
  onDead(): void;
}

/** A timer that fires so much later than it was set for says that the page or the machine has slept, ms. */
const LATE = 2_000;
/** How often a deadline that fires late asks once more instead of giving up. */
const SECOND_LOOKS = 2;

export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  /** When the peer was asked, or said something, last. */
  #lastSign = 0;
  #looks = 0;
  #cancel = () => {};

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps;
  }

  /** A connection begins. It pings at once: the room sees a peer that has pinged go sooner. */
  start(): void {
    this.#looks = 0;
    this.#ping();
  }

  /** The peer has said something. */
  heard(): void {
    this.#lastSign = this.#deps.clock.now();
    this.#looks = 0;
  }

  /** The peer has answered the ping. */
  answered(): void {
    this.heard();
    this.#cancel();
    this.#cancel = this.#deps.clock.after(HEARTBEAT.every, () => this.#ping());
  }

  stop(): void {
    this.#cancel();
  }

  #ping(): void {
    const { clock, ping } = this.#deps;
    this.#lastSign = clock.now();
    this.#wait(HEARTBEAT.deadAfter);
    ping();
  }

  #wait(duration: number): void {
    this.#cancel();
    this.#cancel = this.#deps.clock.after(duration, () => this.#onDeadline());
  }

  #onDeadline(): void {
    const silence = this.#deps.clock.now() - this.#lastSign;
    if (silence < HEARTBEAT.deadAfter) {
      // It has spoken meanwhile, and owes the answer to the ping still.
      this.#wait(HEARTBEAT.deadAfter - silence);
    } else if (silence > HEARTBEAT.deadAfter + LATE && this.#looks < SECOND_LOOKS) {
      // After a sleep the answer may lie behind this timer in the queue: only a fresh ping shows who is there.
      this.#looks++;
      this.#ping();
    } else this.#deps.onDead();
  }
}
