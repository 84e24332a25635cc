/**
 * Where one author's messages wait for that author's Limiter, and for nobody else's.
 *
 * A lane has one question to the Limiter in flight. What comes meanwhile waits and shares the next question, in the
 * order of its coming. A Limiter that does not answer in time, or is not reached, costs its own author a refusal; the
 * batch, and so every other author, never waits for it.
 */

import type { Admission } from "../limits/limiter.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Fault, fault, isFault } from "../protocol.ts";
import { type Admitted, costs, type Entry } from "./entry.ts";

/** An author's Limiter has so long to answer, ms. It is one call to another object, which takes some 50 ms when it is far. */
export const ANSWER_WITHIN = 5_000;

/** Messages that may wait in one lane, and their length in characters. A client has 256 unanswered at most. */
export const LANE_BOUND = { messages: 256, characters: 1024 * 1024 };

export interface LaneDeps {
  /** The id of the room. */
  room(): string;
  /** Asks the author's Limiter whether `count` messages are in. Rejects when it can't be reached. */
  ask(count: number): Promise<Admission | Fault>;
  /** Takes what the Limiter has admitted into the next batch, in order. */
  admit(admitted: readonly Admitted[]): void;
  /** Calls `run` once, `delay` ms from now, unless the returned function is called before. */
  schedule(delay: number, run: () => void): () => void;
  /** So many characters wait here no more. */
  left(characters: number): void;
}

export class Lane {
  readonly #deps: LaneDeps;
  #waiting: Entry[] = [];
  #characters = 0;
  #asking = false;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
  }

  /** Whether nothing waits here, neither for a question nor for its answer. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Lets an entry wait for the Limiter; why it may not, when too much waits already. */
  add(entry: Entry): Fault | undefined {
    const { length } = entry.message.content;
    if (this.#waiting.length >= LANE_BOUND.messages || this.#characters + length > LANE_BOUND.characters) {
      return fault("rate_limited", "Too many of your messages are waiting; slow down.", 1);
    }
    this.#waiting.push(entry);
    this.#characters += length;
    if (!this.#asking) void this.#ask();
    return undefined;
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    while (this.#waiting.length > 0) {
      const count = this.#waiting.length;
      const answer = await this.#answerTo(this.#waiting.filter(costs).length);
      // What came while an unreachable Limiter was asked would only wait for the same: all are told now, in order.
      const answered = this.#take(isFault(answer) ? this.#waiting.length : count);
      if (isFault(answer)) for (const entry of answered) entry.settle(answer);
      else this.#share(answered, answer);
    }
    this.#asking = false;
  }

  /** Gives the places that were granted to the first who need one. A deletion needs none, only a key that still holds. */
  #share(entries: readonly Entry[], { granted, retryAfter, quota }: Admission): void {
    const refusal = fault("rate_limited", `At most ${quota.limit} messages in ${quota.window} seconds.`, retryAfter);
    const admitted: Admitted[] = [];
    const refused: Entry[] = [];
    let left = granted;
    for (const entry of entries) {
      if (!costs(entry)) admitted.push({ entry, quota });
      else if (left-- > 0) admitted.push({ entry, quota });
      else refused.push(entry);
    }
    if (admitted.length > 0) this.#deps.admit(admitted);
    for (const entry of refused) entry.settle(refusal);
  }

  /** The Limiter's answer, or `unavailable` when there is none in time. */
  async #answerTo(count: number): Promise<Admission | Fault> {
    const late = Promise.withResolvers<Fault>();
    const cancel = this.#deps.schedule(ANSWER_WITHIN, () => late.resolve(NOT_ASKED));
    try {
      return await Promise.race([this.#deps.ask(count), late.promise]);
    } catch (error) {
      logEvent("quota.limiter_unreachable", { room: this.#deps.room(), error });
      return NOT_ASKED;
    } finally {
      cancel();
    }
  }

  #take(count: number): Entry[] {
    const taken = this.#waiting.splice(0, count);
    const characters = taken.reduce((sum, { message }) => sum + message.content.length, 0);
    this.#characters -= characters;
    this.#deps.left(characters);
    return taken;
  }
}

const NOT_ASKED = fault("unavailable", "Quotas can't be checked at the moment; nothing was kept.", 5);
