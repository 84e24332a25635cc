/**
 * How much one client has been sent and not read. The runtime keeps what a client does not take in memory and says
 * nothing about it, so the room asks: it sends `check` with a number, which only a client that has read this far can
 * send back.
 *
 * The room asks when half of the client's window is used, so that a client which reads is never held up. What would not
 * fit into the window is not sent (promise 9, docs/guarantees.md).
 */

import type { PausedState } from "../socket-state.ts";

interface Question {
  readonly n: number;
  /** The unread bytes when it was asked: the answer confirms them. */
  readonly unread: number;
  /** Since when the client owes the answer, ms since 1970; `undefined` while it is only asked for a sign of life. */
  since: number | undefined;
}

export class FlowControl {
  #unread: number;
  #question: Question | undefined;

  /** `paused` is what was kept of it over a sleep of the room. */
  constructor(paused?: PausedState) {
    this.#unread = paused?.unread ?? 0;
    if (paused) this.#question = { n: paused.n, since: paused.since, unread: paused.unread };
  }

  /** Bytes that were sent and are not confirmed. */
  get unread(): number {
    return this.#unread;
  }

  /** Since when the client owes an answer, ms since 1970; `undefined` when it owes none. */
  get owesSince(): number | undefined {
    return this.#question?.since;
  }

  /** For how long the client has owed an answer at `now`, ms; `undefined` when it owes none. */
  owesFor(now: number): number | undefined {
    const question = this.#question;
    if (question?.since === undefined) return undefined;
    // The clock may have been set back since.
    question.since = Math.min(question.since, now);
    return now - question.since;
  }

  /** The number of the check that is not answered. */
  get askedNumber(): number | undefined {
    return this.#question?.n;
  }

  /** Whether a frame of so many bytes may be sent. A client that has read everything may be sent any frame. */
  fits(bytes: number, window: number): boolean {
    return this.#unread === 0 || this.#unread + bytes <= window;
  }

  /** Notes that so many bytes were sent. */
  sent(bytes: number): void {
    this.#unread += bytes;
  }

  /** Whether half of the window is used and the client does not owe an answer yet. */
  isCheckDue(window: number): boolean {
    return this.#unread >= window / 2 && this.#question?.since === undefined;
  }

  /** From now on the client owes an answer. Returns the number to send; `undefined` when a check is under way already. */
  ask(now: number): number | undefined {
    if (this.#question) {
      this.#question.since ??= now;
      return undefined;
    }
    this.#question = { n: randomNumber(), unread: this.#unread, since: now };
    return this.#question.n;
  }

  /** Asks for a sign of life, for which the client has any time. Returns the number to send, as `ask` does. */
  probe(): number | undefined {
    if (this.#question) return undefined;
    this.#question = { n: randomNumber(), unread: this.#unread, since: undefined };
    return this.#question.n;
  }

  /** Takes the answer to a check. Returns whether it was the right one. */
  answer(n: number): boolean {
    if (this.#question?.n !== n) return false;
    this.#unread -= this.#question.unread;
    this.#question = undefined;
    return true;
  }
}

/** Random numbers are drawn many at a time: one alone costs more than the check that it is for. */
const numbers = new Uint32Array(256);
let used = numbers.length;

function randomNumber(): number {
  if (used === numbers.length) {
    crypto.getRandomValues(numbers);
    used = 0;
  }
  return numbers[used++] as number;
}
