/**
 * How far behind one client is: nothing else bounds what the runtime keeps for a socket that has stopped reading
 * (promise 9). The room asks now and then with a number that only a client that has read this far can give back.
 */

import { FLOW } from "../protocol.ts";

/** What all clients that owe an answer may be behind together, in characters: a room has 128 MB for everything. */
const BEHIND_TOGETHER = 48 * 1024 * 1024;

export class FlowControl {
  /** What had been broadcast when this client last showed that it reads. */
  #confirmed: number;
  /** What was sent to this client alone since then. */
  #alone = 0;
  /** How much of that came at once, before it could have answered anything. */
  #backlog = 0;
  #asked: { n: number; broadcast: number; alone: number } | undefined;

  /** `broadcast`: characters that the room has sent to everybody so far. */
  constructor(broadcast: number) {
    this.#confirmed = broadcast;
  }

  /** Notes that so many characters went to this client alone. */
  sentAlone(characters: number): void {
    this.#alone += characters;
  }

  /** Notes a backlog of so many characters. The room chose to send it at once, so it makes nobody slow. */
  sentBacklog(characters: number): void {
    this.#alone += characters;
    this.#backlog += characters;
  }

  /** Characters sent and not confirmed. */
  behind(broadcast: number): number {
    return broadcast - this.#confirmed + this.#alone;
  }

  /** Those of them that a client can be blamed for. */
  overdue(broadcast: number): number {
    return this.behind(broadcast) - this.#backlog;
  }

  /** Whether a `check` is under way. */
  get owesAnswer(): boolean {
    return this.#asked !== undefined;
  }

  /** Whether it is time for a `check`. */
  isCheckDue(broadcast: number): boolean {
    return this.#asked === undefined && this.behind(broadcast) >= FLOW.checkEvery;
  }

  /** Begins a check; returns the number to send with it. */
  ask(broadcast: number): number {
    const [n] = crypto.getRandomValues(new Uint32Array(1)) as unknown as [number];
    this.#asked = { n, broadcast, alone: this.#alone };
    return n;
  }

  /** Takes the answer to a check; whether it was the right one. */
  answer(n: number): boolean {
    if (this.#asked?.n !== n) return false;
    this.#confirmed = this.#asked.broadcast;
    this.#alone -= this.#asked.alone;
    this.#backlog = 0;
    this.#asked = undefined;
    return true;
  }
}

/** How far behind one client may be when `owing` clients owe an answer, in characters. */
export function closeAt(owing: number): number {
  return Math.max(FLOW.checkEvery, Math.min(FLOW.closeAt, BEHIND_TOGETHER / Math.max(1, owing)));
}
