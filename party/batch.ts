/**
 * When a room commits and sends: at once after a quiet moment, else once a window (design §6, "Coalescing").
 *
 * Sending is what a room's time goes to: one transaction and one frame for everything that came in a window cost hardly
 * more than for one message. What a flush does is the caller's; one is under way at a time, so that what was gathered
 * first is in the order first.
 */

/** The window's length per socket, and its bounds, in ms. */
const WINDOW_PER_SOCKET = 0.02;
const SHORTEST_WINDOW = 2;
const LONGEST_WINDOW = 50;

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
  /** When the window that the last flush opened is over. */
  #windowEnd = 0;

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
    const wait = this.#windowEnd - this.#deps.now();
    if (wait <= 0) {
      void this.#flush();
      return;
    }
    this.#scheduled = true;
    this.#deps.schedule(wait, () => {
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
      // One message in a flush is no crowd: whoever sends one at a time, after each answer, never waits.
      this.#windowEnd = entries.length > 1 ? this.#deps.now() + windowFor(this.#deps.audience()) : 0;
      if (this.#wanted) this.wake();
    }
  }
}

/** The length of the window, in ms, before `audience` sockets. */
export function windowFor(audience: number): number {
  return Math.min(LONGEST_WINDOW, Math.max(SHORTEST_WINDOW, audience * WINDOW_PER_SOCKET));
}
