/**
 * The messages beyond the window that messages in it reply to. A room counts requests, not messages, so messages that
 * stand close together are read with one request.
 */

import type { Seq } from "../../party/protocol.ts";
import { type Clock, systemClock } from "../stay/clock.ts";
import type { LogPagesDeps } from "./log-pages.ts";
import { quotedAt } from "./room-state.ts";

/** Messages that one request reads at most, those between the requested ones among them. */
const MOST = 25;
/** A message that could not be read is requested again after this, ms: a row asks each time it is rendered. */
const PAUSE = 5_000;

export interface QuotesDeps extends Pick<LogPagesDeps, "page" | "state" | "dispatch"> {
  readonly clock?: Clock;
}

export class Quotes {
  readonly #deps: QuotesDeps;
  readonly #clock: Clock;
  /** The history that the two below are about. */
  #epoch: string | undefined;
  /** What was requested, and when it may be requested again, ms since 1970. */
  #asked = new Map<Seq, number>();
  #waiting = new Set<Seq>();
  #isReading = false;

  constructor(deps: QuotesDeps) {
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
  }

  /** Reads a message, soon. If that fails, a later call tries again. */
  ask(seq: Seq): void {
    const state = this.#deps.state();
    if (state.epoch !== this.#epoch) {
      this.#epoch = state.epoch;
      this.#asked = new Map();
      this.#waiting = new Set();
    }
    // A row may ask that is about to render what was read just now.
    if (quotedAt(state, seq) || this.#clock.now() < (this.#asked.get(seq) ?? 0)) return;
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
    const { page, state, dispatch } = this.#deps;
    const asked = this.#asked;
    const { epoch } = state();
    try {
      const { messages, reset } = await page({
        before: newest + 1,
        limit: newest - Math.min(...wanted) + 1,
      });
      for (const message of reset || state().epoch !== epoch ? [] : messages) {
        if (!wanted.delete(message.seq)) continue;
        asked.delete(message.seq);
        dispatch({ type: "quoted", message });
      }
    } catch {
      // Their quotes say "an earlier message", and ask again.
    }
    for (const seq of wanted) asked.set(seq, this.#clock.now() + PAUSE);
  }
}
