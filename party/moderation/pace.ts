/**
 * Slow mode: one message in so many seconds, for each sender.
 *
 * All agents of a person share one clock, and so do the guests of one address: another name is no way around it. The clocks
 * are in memory. A room that wakes reads them from its newest messages, so it writes nothing for them; what it forgets is
 * only that two guests were one address.
 */

import { isAgent, isGuest, type Participant, personOf } from "../identity/sender.ts";
import { BoundedMap } from "../limits/bounded-map.ts";

/** The largest slow mode that a room may have, in seconds. */
export const SLOWEST = 3_600;
/** Clocks that are remembered. */
const CLOCKS = 4_000;
/** So many of the newest messages are read when the room has just woken. */
export const READ_AT_WAKE = 64;

export interface PaceDeps {
  now(): number;
  /** The newest messages, at most `READ_AT_WAKE`. Of each its sender, and when it was written, ms since 1970. */
  recent(): readonly { readonly sender: string; readonly at: number }[];
}

export class Pace {
  readonly #deps: PaceDeps;
  #clocks: BoundedMap<string, number> | undefined;

  constructor(deps: PaceDeps) {
    this.#deps = deps;
  }

  /** In how many seconds `author` may write again where one message comes in `slow` seconds; 0: now. */
  wait(author: Participant, slow: number): number {
    if (slow === 0) return 0;
    const last = Math.max(...clocksOf(author).map((clock) => this.#read().get(clock) ?? Number.NEGATIVE_INFINITY));
    return Math.max(0, Math.ceil((last + slow * 1_000 - this.#deps.now()) / 1_000));
  }

  /** `author` has just written. */
  note(author: Participant): void {
    for (const clock of clocksOf(author)) this.#read().set(clock, this.#deps.now());
  }

  #read(): BoundedMap<string, number> {
    if (this.#clocks) return this.#clocks;
    const clocks = new BoundedMap<string, number>(CLOCKS);
    // Times in a log never go back. Where they are ahead of the clock, they do not say when a message was written.
    const now = this.#deps.now();
    for (const { sender, at } of this.#deps.recent()) if (at <= now) clocks.set(nameOf(sender), at);
    this.#clocks = clocks;
    return clocks;
  }
}

const clocksOf = ({ sender, principal }: Participant): string[] =>
  isGuest(sender) ? [nameOf(sender), principal] : [nameOf(sender)];

const nameOf = (sender: string): string => (isAgent(sender) ? `${personOf(sender)}/` : sender);
