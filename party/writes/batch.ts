/**
 * When a room commits and sends: at once after a quiet moment, else a window after the first message that waits.
 *
 * Sending is what a room's time goes to: one transaction and one frame for everything that came in a window cost hardly
 * more than for one message. The window begins with the first message that waits, not with the flush before: a crowd
 * answers what it has just been sent, so its next messages come close together, and a window that is over when the first
 * of them comes would send that one alone.
 *
 * A flush is synchronous, from its first line to its last frame: so what was gathered first is in the order first, and
 * no author can make another one wait.
 */

import { logEvent } from "../operator-log/operator-log.ts";

/** The window's length in ms: a part for committing, a part for each socket, and at most so much. */
const SHORTEST_WINDOW = 2;
const WINDOW_PER_SOCKET = 0.02;
const LONGEST_WINDOW = 50;

/** After this long without a sign of a crowd the moment is quiet, ms: longer than a crowd takes to answer. */
const QUIET_AFTER = 1_000;

export interface BatchDeps<Item> {
  /** The id of the room. */
  room(): string;
  /** ms; need not be exact. */
  now(): number;
  /** Calls `run` once, about `delay` ms from now. */
  schedule(delay: number, run: () => void): void;
  /** How many sockets hear of a flush. */
  audience(): number;
  /** Handles everything gathered since the last flush, in order. Empty when only something else wants to ride along. */
  flush(items: readonly Item[]): void;
}

export class Batch<Item> {
  readonly #deps: BatchDeps<Item>;
  #gathered: Item[] = [];
  #scheduled = false;
  #flushing = false;
  #wanted = false;
  /** Until when more than one message at a time must be expected, ms. */
  #crowdUntil = Number.NEGATIVE_INFINITY;
  #lastAuthor: string | undefined;
  #lastFlushAt = Number.NEGATIVE_INFINITY;

  constructor(deps: BatchDeps<Item>) {
    this.#deps = deps;
  }

  /**
   * Takes `items` of one author into the next flush. Another author than the last flush's, within one window of it, is a
   * crowd, and so are several items at once: from then on the room gathers. An author who sends one message at a time,
   * after each answer, never waits.
   */
  add(author: string, items: readonly Item[]): void {
    const now = this.#deps.now();
    this.#gathered.push(...items);
    if (this.#gathered.length > 1 || this.#followsAnother(author, now)) this.#crowdUntil = now + QUIET_AFTER;
    this.#lastAuthor = author;
    this.wake();
  }

  /** Asks for a flush although nothing is gathered: something else wants to ride in it. */
  wake(): void {
    if (this.#flushing) this.#wanted = true;
    else if (this.#deps.now() >= this.#crowdUntil) this.#flush();
    else this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#deps.schedule(windowFor(this.#deps.audience()), () => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #followsAnother(author: string, now: number): boolean {
    if (this.#lastAuthor === undefined || this.#lastAuthor === author) return false;
    return now - this.#lastFlushAt <= windowFor(this.#deps.audience());
  }

  #flush(): void {
    const items = this.#gathered;
    this.#gathered = [];
    this.#wanted = false;
    this.#flushing = true;
    try {
      this.#deps.flush(items);
    } catch (error) {
      // It has settled what it could; whatever went wrong, the next flush must not wait for ever.
      logEvent("room.flush_failed", { room: this.#deps.room(), error });
    } finally {
      this.#flushing = false;
      this.#lastFlushAt = this.#deps.now();
    }
    // Never at once: what a flush leads to must not lead to a flush without end.
    if (this.#wanted) this.#schedule();
  }
}

/** The length of the window, in ms, before `audience` sockets. */
export function windowFor(audience: number): number {
  return Math.min(LONGEST_WINDOW, SHORTEST_WINDOW + audience * WINDOW_PER_SOCKET);
}
