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
  /** The newest seq that came, and the newest one that the reader has seen, on this visit or before. */
  #newest: Seq = 0;
  #read: Seq = 0;
  #count = 0;
  #isAway = false;

  constructor(deps: UnreadDeps) {
    this.#deps = deps;
  }

  /** Messages that have come since the reader last saw the newest one. */
  get count(): number {
    return this.#count;
  }

  /**
   * A log begins, with these messages: the first one since the reader has looked gets the line, even if it is not among them.
   * One who looks is shown the newest; for one who does not, those that are not of `me` count.
   */
  begin({ epoch, head, messages }: Pick<WelcomeFrame, "epoch" | "head" | "messages">, me?: string): void {
    if (this.#epoch !== epoch) {
      // In another history the same seqs are other messages.
      this.unreadFrom = undefined;
      this.#isAway = false;
      this.#read = 0;
      this.#epoch = epoch;
    }
    const read = Math.max(this.#read, this.#remembered(epoch));
    const unread = messages.filter(
      ({ seq, kind, sender }) => read > 0 && seq > read && kind === "text" && sender !== me,
    );
    if (unread.length > 0 && !this.#isAway) this.unreadFrom = read + 1;
    this.#newest = head;
    if (unread.length === 0 || this.#deps.isVisible()) {
      this.caughtUp();
      return;
    }
    this.#read = read;
    this.#isAway = true;
    this.#setCount(unread.length);
  }

  /** A message has come. A reader who follows the newest messages and looks has seen it. */
  add({ seq }: Message, following: boolean): void {
    this.#newest = seq;
    if (following && this.#deps.isVisible()) {
      this.#read = seq;
      return;
    }
    if (!this.#isAway) this.unreadFrom = seq;
    this.#isAway = true;
    this.#setCount(this.#count + 1);
  }

  /** The reader is at the newest message. */
  caughtUp(): void {
    this.#isAway = false;
    this.#read = this.#newest;
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

  /** Remembers how far the reader has come, for their next visit. Another tab of theirs may be further. */
  remember({ following, head, epoch = "" }: RoomState): void {
    if (!following || this.#isAway || head <= this.#remembered(epoch)) return;
    this.#deps.storage.set(this.#deps.name, `${head} ${epoch}`);
  }

  #remembered(epoch: string): Seq {
    const [read, readIn] = this.#deps.storage.get(this.#deps.name)?.split(" ") ?? [];
    return readIn === epoch ? Number(read) : 0;
  }

  #setCount(count: number): void {
    if (count === this.#count) return;
    this.#count = count;
    this.#deps.changed?.(count);
  }
}
