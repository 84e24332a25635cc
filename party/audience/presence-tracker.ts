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
  #version = 0;

  /** Grows whenever what is told changes. */
  get version(): number {
    return this.#version;
  }

  /** Whether anyone with a name is here. */
  get hasPeople(): boolean {
    return this.#sockets.size > 0;
  }

  /** Counts a socket in: of `sender`, or of a spectator when there is none. */
  enter(sender: string | undefined): void {
    if (sender === undefined) this.#spectators++;
    else this.#count(sender, 1);
  }

  /** Counts a socket out again. */
  leave(sender: string | undefined): void {
    if (sender === undefined) this.#spectators--;
    else this.#count(sender, -1);
  }

  /** Counts a socket in of which everyone has been told, and that was not counted until now. */
  enterTold(sender: string | undefined): void {
    this.#version++;
    if (sender === undefined) {
      this.#spectators++;
      this.#toldSpectators++;
      return;
    }
    const before = this.socketsOf(sender);
    this.#sockets.set(sender, before + 1);
    // A newcomer may not have been told, so another socket's joining is told all the same.
    if (before === 0) this.#changed.delete(sender);
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
    return this.#changed.size > 0 || this.#spectators !== this.#toldSpectators;
  }

  /** What has changed since the last call, which is told with this; `undefined` when nothing has. */
  takeChange(): PresenceChange | undefined {
    if (!this.hasChanged) return undefined;
    const change: PresenceChange = {};
    const joined = [...this.#changed].filter(([, told]) => told === "away").map(([sender]) => sender);
    const left = [...this.#changed].filter(([, told]) => told === "here").map(([sender]) => sender);
    if (joined.length > 0) change.joined = joined;
    if (left.length > 0) change.left = left;
    if (this.#spectators !== this.#toldSpectators) change.spectators = this.#spectators;
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
