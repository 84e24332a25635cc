/**
 * Slow mode: one message in so many seconds, for each sender.
 *
 * All agents of a person share one clock, and so do the guests of one address: another name is no way around it. The clocks
 * are in memory. A room that wakes reads them back from its log, so it writes nothing for them; what it forgets is only that
 * two guests were one address.
 */

import { isAgent, isGuest, type Participant, personOf } from "../identity/sender.ts";
import { BoundedMap } from "../limits/bounded-map.ts";

/** The largest slow mode that a room may have, in seconds. */
export const SLOWEST = 3_600;
/** So many messages are read back at most. */
export const MOST_READ_BACK = 5_000;
/** Clocks that are remembered: one for each message that is read back, and as many again of those who write since. */
const CLOCKS = 2 * MOST_READ_BACK;

export interface PaceDeps {
  now(): number;
  /** The messages since `since`, newest first, at most `MOST_READ_BACK`. Of each its sender and its time, ms since 1970. */
  writtenSince(since: number): Iterable<{ readonly sender: string; readonly at: number }>;
}

export class Pace {
  readonly #deps: PaceDeps;
  readonly #clocks = new BoundedMap<string, number>(CLOCKS);
  /** The clocks know what was written within so many seconds before the room woke. */
  #readBack = 0;

  constructor(deps: PaceDeps) {
    this.#deps = deps;
  }

  /** In how many seconds `author` may write again where one message comes in `slow` seconds; 0: now. */
  wait(author: Participant, slow: number): number {
    if (slow === 0) return 0;
    if (slow > this.#readBack) this.#read(slow);
    const last = Math.max(...clocksOf(author).map((clock) => this.#clocks.get(clock) ?? Number.NEGATIVE_INFINITY));
    return Math.max(0, Math.ceil((last + slow * 1_000 - this.#deps.now()) / 1_000));
  }

  /** `author` has just written. */
  note(author: Participant): void {
    for (const clock of clocksOf(author)) this.#clocks.set(clock, this.#deps.now());
  }

  #read(slow: number): void {
    const now = this.#deps.now();
    for (const { sender, at } of this.#deps.writtenSince(now - slow * 1_000)) {
      const clock = nameOf(sender);
      // Times in a log never go back. Where they are ahead of the clock, they do not say when a message was written.
      if (at <= now && this.#clocks.get(clock) === undefined) this.#clocks.set(clock, at);
    }
    this.#readBack = slow;
  }
}

const clocksOf = ({ sender, principal }: Participant): string[] =>
  isGuest(sender) ? [nameOf(sender), principal] : [nameOf(sender)];

const nameOf = (sender: string): string => (isAgent(sender) ? `${personOf(sender)}/` : sender);
