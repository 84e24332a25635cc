/**
 * Who is here: a count of live sockets by sender, and what of it has changed since it was last told (promise 8).
 *
 * It is told of every socket that comes, goes, or says who it is, and stores nothing; after a wake the room tells it of
 * all sockets again.
 */

import type { Presence, PresenceChange } from "../protocol.ts";

export class PresenceTracker {
  readonly #sockets = new Map<string, number>();
  #spectators = 0;
  /** Senders whose being here differs from what the room was told, with what it was told. */
  readonly #changed = new Map<string, "here" | "away">();
  #toldSpectators = 0;
  /** Whether these senders are here is told with the next change, whatever was told before. */
  readonly #inDoubt = new Set<string>();
  /** How many spectators there are is told again, although it has not changed. */
  #tellsSpectators = false;
  #version = 0;

  /** Grows whenever what is told changes. */
  get version(): number {
    return this.#version;
  }

  /** Whether anyone with a name is here. */
  get hasPeople(): boolean {
    return this.#sockets.size > 0;
  }

  /** Whether anybody is here, named or not. */
  get hasAnybody(): boolean {
    return this.#sockets.size > 0 || this.#spectators > 0;
  }

  /** Counts a socket in: of `sender`, or of a spectator when there is none. */
  enter(sender: string | undefined): void {
    if (sender === undefined) this.#spectators++;
    else this.#count(sender, 1);
  }

  /**
   * Counts a socket in that was here before the room slept, and was not counted since. Readers of before list it, and those
   * who came since may not: so all are told how it is now with the next change.
   */
  recall(sender: string | undefined): void {
    this.#version++;
    if (sender === undefined) {
      this.#spectators++;
      this.#tellsSpectators = true;
      return;
    }
    this.#sockets.set(sender, this.socketsOf(sender) + 1);
    this.#changed.delete(sender);
    this.#inDoubt.add(sender);
  }

  /** Counts a socket out again. */
  leave(sender: string | undefined): void {
    if (sender === undefined) this.#spectators--;
    else this.#count(sender, -1);
  }

  /** How many sockets `sender` has here. */
  socketsOf(sender: string): number {
    return this.#sockets.get(sender) ?? 0;
  }

  /** Everybody who is here, as the room was last told: what comes after it makes it whole. */
  told(): Presence {
    const people = [...this.#sockets.keys()].filter((sender) => this.#changed.get(sender) !== "away");
    for (const [sender, told] of this.#changed) if (told === "here") people.push(sender);
    return { people: people.sort(), spectators: this.#toldSpectators };
  }

  /** Everybody who is here. */
  current(): Presence {
    return { people: [...this.#sockets.keys()].sort(), spectators: this.#spectators };
  }

  get hasChanged(): boolean {
    const isTold = this.#changed.size === 0 && this.#spectators === this.#toldSpectators;
    return !isTold || this.#inDoubt.size > 0 || this.#tellsSpectators;
  }

  /** What has changed since the last call, which is told with this; `undefined` when nothing has. */
  takeChange(): PresenceChange | undefined {
    if (!this.hasChanged) return undefined;
    const change: PresenceChange = {};
    const joined = [...this.#changed].filter(([, told]) => told === "away").map(([sender]) => sender);
    const left = [...this.#changed].filter(([, told]) => told === "here").map(([sender]) => sender);
    for (const sender of this.#inDoubt) {
      if (this.#changed.has(sender)) continue;
      if (this.socketsOf(sender) > 0) joined.push(sender);
      else left.push(sender);
    }
    this.#inDoubt.clear();
    if (joined.length > 0) change.joined = joined;
    if (left.length > 0) change.left = left;
    if (this.#tellsSpectators || this.#spectators !== this.#toldSpectators) change.spectators = this.#spectators;
    this.#tellsSpectators = false;
    this.#changed.clear();
    this.#toldSpectators = this.#spectators;
    this.#version++;
    return change;
  }

  #count(sender: string, difference: 1 | -1): void {
    const before = this.socketsOf(sender);
    const after = before + difference;
    if (after > 0) this.#sockets.set(sender, after);
    else this.#sockets.delete(sender);
    if (before > 0 === after > 0) return;
    // Back to what was told: nothing to tell.
    if (this.#changed.has(sender)) this.#changed.delete(sender);
    else this.#changed.set(sender, before > 0 ? "here" : "away");
  }
}
