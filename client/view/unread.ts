/** What a reader has seen, and what has come since: the line above it, the count on the pill, and where they left off. */

import type { Message, Seq } from "../../party/protocol.ts";
import type { KeyValueStorage } from "../stay/storage.ts";
import type { RoomState } from "./room-state.ts";

export interface UnreadDeps {
  /** Where it outlives the view how far one has read here, and under which name. */
  readonly storage: KeyValueStorage;
  readonly name: string;
  /** Whether the reader can see the view now. */
  isVisible(): boolean;
}

export class Unread {
  readonly #deps: UnreadDeps;
  /** The first seq that was not there when the reader looked last. */
  unreadFrom: Seq | undefined;
  /** Messages that have come below the view. */
  unseen = 0;
  #isAway = false;

  constructor(deps: UnreadDeps) {
    this.#deps = deps;
  }

  /** The log begins with these: what is new since the last visit gets a line above it, even further up than they go. */
  begin(messages: readonly Message[]): void {
    this.unseen = 0;
    const read = Number(this.#deps.storage.get(this.#deps.name));
    if (read > 0 && messages.some(({ seq, kind }) => seq > read && kind === "text")) this.unreadFrom = read + 1;
  }

  /** A message has come. Seen by whoever follows and looks. */
  add({ seq }: Message, following: boolean): void {
    if (!following) this.unseen += 1;
    if (following && this.#deps.isVisible()) return;
    if (!this.#isAway) this.unreadFrom = seq;
    this.#isAway = true;
  }

  /** The reader is at the newest message. */
  caughtUp(): void {
    this.unseen = 0;
    this.#isAway = false;
  }

  /** The person has said something: the line has done its work. */
  answered(): void {
    this.unreadFrom = undefined;
  }

  /** The page is shown or hidden. */
  looked(state: RoomState): void {
    if (!this.#deps.isVisible()) this.remember(state);
    else if (state.following) this.#isAway = false;
  }

  /** Remembers how far the reader has come, for their next visit. */
  remember({ following, head }: RoomState): void {
    if (following && head > 0 && !this.#isAway) this.#deps.storage.set(this.#deps.name, String(head));
  }
}
