/**
 * When a room commits and sends: at once after a quiet moment, else a window after the first that waits (design §6,
 * "Coalescing").
 *
 * Sending is what a room's time goes to: one transaction and one frame for everything that came in a window cost hardly
 * more than for one message. The window begins with the first message that waits, not with the flush before: a crowd
 * answers what it has just been sent, so its next messages come close together, and a window that is over when the first
 * of them comes would send that one alone. What a flush does is the caller's; one is under way at a time, so that what
 * was gathered first is in the order first.
 */

/** The window's length in ms: a part for committing, a part for each socket, and at most so much. */
const SHORTEST_WINDOW = 2;
const WINDOW_PER_SOCKET = 0.02;
const LONGEST_WINDOW = 50;

/** After this long without a flush of several the moment is quiet, ms: longer than a crowd takes to answer. */
const QUIET_AFTER = 1_000;

export interface BatchDeps<Entry> {
  /** ms; need not be exact. */
  now(): number;
  /** Calls `run` once, about `delay` ms from now. */
  schedule(delay: number, run: () => void): void;
  /** How many sockets hear of a flush. */
  audience(): number;
  /** Handles everything gathered since the last flush, in order, and settles each entry itself. */
  flush(entries: Entry[]): Promise<void>;
}

export class Batch<Entry> {
  readonly #deps: BatchDeps<Entry>;
  #gathered: Entry[] = [];
  #wanted = false;
  #scheduled = false;
  #flushing = false;
  /** Until when more than one message at a time must be expected. */
  #busyUntil = 0;

  constructor(deps: BatchDeps<Entry>) {
    this.#deps = deps;
  }

  /** Takes an entry into the next flush. */
  add(entry: Entry): void {
    this.#gathered.push(entry);
    this.wake();
  }

  /** Asks for a flush although nothing is gathered: something else wants to ride in it. */
  wake(): void {
    this.#wanted = true;
    if (this.#flushing || this.#scheduled) return;
    if (this.#deps.now() >= this.#busyUntil) {
      void this.#flush();
      return;
    }
    this.#scheduled = true;
    this.#deps.schedule(windowFor(this.#deps.audience()), () => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const entries = this.#gathered;
    this.#gathered = [];
    this.#wanted = false;
    this.#flushing = true;
    try {
      await this.#deps.flush(entries);
    } catch (error) {
      // It has settled what it could; whatever went wrong, the next must not wait for ever.
      console.error("A flush failed", { error });
    } finally {
      this.#flushing = false;
      // One message in a flush is no crowd: whoever sends one at a time, after each answer, does not wait.
      if (entries.length > 1) this.#busyUntil = this.#deps.now() + QUIET_AFTER;
      if (this.#wanted) this.wake();
    }
  }
}

/** The length of the window, in ms, before `audience` sockets. */
export function windowFor(audience: number): number {
  return Math.min(LONGEST_WINDOW, SHORTEST_WINDOW + audience * WINDOW_PER_SOCKET);
}
