/** What replies answer from beyond the window. A room counts requests, not messages: what stands together is read at once. */

import type { Message, Seq } from "../../party/protocol.ts";
import type { Page, PageRequest } from "../stay/page.ts";

/** Messages that one request reads at most, those between the ones that are asked for among them. */
const MOST = 25;
/** What could not be read is not asked for again before, ms: a row asks whenever it is rendered, as under a pointer. */
const PAUSE = 5_000;

export interface QuotesDeps {
  page(request: PageRequest): Promise<Page>;
  /** Whether the message is known already. */
  isKnown(seq: Seq): boolean;
  /** A message was read. */
  found(message: Message): void;
}

export class Quotes {
  readonly #deps: QuotesDeps;
  /** What was asked for, and when it may be again, ms since 1970. */
  readonly #asked = new Map<Seq, number>();
  readonly #waiting = new Set<Seq>();
  #isReading = false;

  constructor(deps: QuotesDeps) {
    this.#deps = deps;
  }

  /** Reads a message, soon. Without it, it is called an earlier one. */
  ask(seq: Seq): void {
    // A row may ask that is about to render what was read just now.
    if (this.#deps.isKnown(seq)) return;
    if (Date.now() < (this.#asked.get(seq) ?? 0)) return;
    this.#asked.set(seq, Number.POSITIVE_INFINITY);
    this.#waiting.add(seq);
    if (!this.#isReading) void this.#readAll();
  }

  /** One request after the other, the newest first, as the rows are shown. */
  async #readAll(): Promise<void> {
    this.#isReading = true;
    // The rows that are rendered together have all asked by then.
    await new Promise((resolve) => setTimeout(resolve));
    while (this.#waiting.size > 0) {
      const newest = Math.max(...this.#waiting);
      const wanted = new Set([...this.#waiting].filter((seq) => seq > newest - MOST));
      for (const seq of wanted) this.#waiting.delete(seq);
      await this.#read(wanted, newest);
    }
    this.#isReading = false;
  }

  async #read(wanted: Set<Seq>, newest: Seq): Promise<void> {
    const { page, found } = this.#deps;
    try {
      const { messages, reset } = await page({
        before: newest + 1,
        limit: newest - Math.min(...wanted) + 1,
      });
      for (const message of reset ? [] : messages) {
        if (!wanted.delete(message.seq)) continue;
        this.#asked.delete(message.seq);
        found(message);
      }
    } catch {
      // They are called earlier ones, and asked for again.
    }
    for (const seq of wanted) this.#asked.set(seq, Date.now() + PAUSE);
  }
}
