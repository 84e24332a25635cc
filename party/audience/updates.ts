/**
 * The one frame in which everybody hears what has happened: messages, who has come and gone, what is being written, and
 * what the room is now. Messages go at once; the rest rides along, or waits for its own time when nothing carries it.
 */

import { type StoredMessage, toMessage } from "../log/stored-message.ts";
import type { PresenceChange, RoomInfo, UpdateFrame } from "../protocol.ts";
import type { Drafts } from "./drafts.ts";

/** Presence that nothing else carries waits this long a socket, ms: a crowd that comes is told of together. */
const PRESENCE_WAIT_PER_SOCKET = 2;
const PRESENCE_WAIT = { shortest: 20, longest: 2_000 };

type Timer = ReturnType<typeof setTimeout>;

export interface UpdatesDeps {
  now(): number;
  readonly drafts: Drafts;
  /** How many sockets hear an update. */
  audience(): number;
  /** What has changed in who is here; it is told with this. */
  takePresenceChange(): PresenceChange | undefined;
  /** What the room is now. */
  info(): RoomInfo;
  broadcast(update: UpdateFrame): void;
  /** Asks for a flush, which tells. */
  wake(): void;
}

export class Updates {
  readonly #deps: UpdatesDeps;
  #next: UpdateFrame = { type: "update" };
  #agentsWerePaused: boolean | undefined;
  #presenceTimer: Timer | undefined;
  #draftTimer: Timer | undefined;
  #closed = false;

  constructor(deps: UpdatesDeps) {
    this.#deps = deps;
  }

  /** A flush begins: whatever it changes is told against how things are now. */
  begin(): void {
    this.#agentsWerePaused ??= this.#deps.info().agentsPaused;
  }

  /** Tells everybody of messages that have just been written down. */
  publish(messages: readonly StoredMessage[]): void {
    for (const { sender, id } of messages) this.#deps.drafts.replace(sender, id);
    this.#next.messages = messages.map(toMessage);
    this.tell();
  }

  /** The room is another than it was: its name, or what it allows. */
  roomChanged(): void {
    this.#next.room = this.#deps.info();
    this.#deps.wake();
  }

  /** Somebody has come, gone or been named. */
  presenceChanged(): void {
    if (this.#closed || this.#presenceTimer !== undefined) return;
    const wait = this.#deps.audience() * PRESENCE_WAIT_PER_SOCKET;
    this.#presenceTimer = setTimeout(
      () => {
        this.#presenceTimer = undefined;
        this.#deps.wake();
      },
      Math.min(PRESENCE_WAIT.longest, Math.max(PRESENCE_WAIT.shortest, wait)),
    );
  }

  /** The room is gone: there is nobody left to tell, and no timer keeps this object awake. */
  close(): void {
    this.#closed = true;
    if (this.#presenceTimer !== undefined) clearTimeout(this.#presenceTimer);
    if (this.#draftTimer !== undefined) clearTimeout(this.#draftTimer);
  }

  /** Sends what has gathered, if there is anything. */
  tell(): void {
    if (this.#closed) return;
    const { drafts, now, takePresenceChange, info, broadcast } = this.#deps;
    const room = info();
    drafts.expire(now());
    const presence = takePresenceChange();
    if (presence) this.#next.presence = presence;
    const changes = drafts.takeChanges(now());
    if (changes.length > 0) this.#next.drafts = changes;
    const pausedBefore = this.#agentsWerePaused ?? room.agentsPaused;
    if (room.agentsPaused !== pausedBefore) this.#next.room = room;
    this.#agentsWerePaused = room.agentsPaused;
    this.watchDrafts();
    if (Object.keys(this.#next).length === 1) return;
    const update = this.#next;
    this.#next = { type: "update" };
    broadcast(update);
  }

  /**
   * Sees to it that changes of drafts are told at their time. Only that has a timer, of at most `DRAFT_INTERVAL` ms: one
   * until a draft expires would keep the room awake (promise 7, docs/guarantees.md).
   */
  watchDrafts(): void {
    const { drafts, now, wake } = this.#deps;
    const at = drafts.dueAt();
    if (this.#closed || at === undefined || this.#draftTimer !== undefined) return;
    this.#draftTimer = setTimeout(
      () => {
        this.#draftTimer = undefined;
        wake();
      },
      Math.max(0, at - now()),
    );
  }

  /** Ends drafts that have expired, and tells so: for when nothing else is told. */
  expireDrafts(): void {
    this.#deps.drafts.expire(this.#deps.now());
    this.watchDrafts();
  }
}
