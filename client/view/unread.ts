/** What a reader has not seen: the line above it, how many messages it is, and where they left off the last time. */

import type { Message, Seq, WelcomeFrame } from "../../party/protocol.ts";
import type { KeyValueStorage } from "../stay/storage.ts";
import type { RoomState } from "./room-state.ts";

export interface UnreadDeps {
  /** Where it outlives the view how far the reader has read in this room, and under which name. */
  readonly storage: KeyValueStorage;
  readonly name: string;
  /** Whether the reader can see the view now. */
  isVisible(): boolean;
  /** `count` has changed. */
  changed?(count: number): void;
}

export class Unread {
  readonly #deps: UnreadDeps;
  /** The first seq that was not there when the reader looked last. */
  unreadFrom: Seq | undefined;
  #epoch: string | undefined;
  #count = 0;
  #isAway = false;

  constructor(deps: UnreadDeps) {
    this.#deps = deps;
  }

  /** Messages that have come since the reader last saw the newest one. */
  get count(): number {
    return this.#count;
  }

  /** A log begins, with these messages: the first one since the last visit gets the line, even if it is not among them. */
  begin({ epoch, messages }: Pick<WelcomeFrame, "epoch" | "messages">): void {
    this.#setCount(0);
    // In another history the same seqs are other messages.
    if (this.#epoch !== undefined && this.#epoch !== epoch) this.unreadFrom = undefined;
    this.#epoch = epoch;
    const [read, readIn] = this.#deps.storage.get(this.#deps.name)?.split(" ") ?? [];
    const after = readIn === epoch ? Number(read) : 0;
    if (after > 0 && messages.some(({ seq, kind }) => seq > after && kind === "text")) this.unreadFrom = after + 1;
  }

  /** A message has come. A reader who follows the newest messages and looks has seen it. */
  add({ seq }: Message, following: boolean): void {
    if (following && this.#deps.isVisible()) return;
    if (!this.#isAway) this.unreadFrom = seq;
    this.#isAway = true;
    this.#setCount(this.#count + 1);
  }

  /** The reader is at the newest message. */
  caughtUp(): void {
    this.#isAway = false;
    this.#setCount(0);
  }

  /** The reader has said something, so the line is not needed any more. */
  answered(): void {
    this.unreadFrom = undefined;
  }

  /** The page is shown or hidden. */
  looked(state: RoomState): void {
    if (!this.#deps.isVisible()) this.remember(state);
    else if (state.following) this.caughtUp();
  }

  /** Remembers how far the reader has come, for their next visit. */
  remember({ following, head, epoch }: RoomState): void {
    if (following && head > 0 && !this.#isAway) this.#deps.storage.set(this.#deps.name, `${head} ${epoch}`);
  }

  #setCount(count: number): void {
    if (count === this.#count) return;
    this.#count = count;
    this.#deps.changed?.(count);
  }
}
