/**
 * Messages on their way: everything that was sent and is not yet answered, in order.
 *
 * It decides what may go out and when; the writer does the sending. A message leaves the outbox when the room has it, when
 * the room refuses it, or when its author takes it back. It may be handed out many times: its id makes a retry free
 * (promise 3 of docs/guarantees.md).
 */

import type { Answer, AskRequest, Seq } from "../../party/protocol.ts";
import { passes, passesAfter, RoomError } from "./room-error.ts";
import { unlessAborted, withResolvers } from "./signal.ts";

/** A message that its author has sent and the room has not acknowledged. */
export interface PendingMessage {
  readonly id: string;
  readonly content: string;
  readonly replyTo?: Seq;
  /** Whom it asks, and what they can choose from. */
  readonly ask?: AskRequest | undefined;
  /** What it chooses: the room then finds its text by itself. */
  readonly answer?: Answer | undefined;
  /** When it was sent, ms since 1970. */
  readonly since: number;
  /**
   * `queued`: goes out as soon as there is a connection. `sent`: on its way. `held`: goes out again by itself at
   * `heldUntil`. `failed`: refused; only sending it again sends it again.
   */
  readonly state: "queued" | "sent" | "held" | "failed";
  readonly error?: RoomError;
}

/** A message that the room has. */
export interface SentMessage {
  /** The id that its sender gave it, or that was generated. */
  readonly id: string;
  /** Its place in the room's log. */
  readonly seq: Seq;
}

/** Messages that may wait at once. */
const MOST = 10_000;

interface Entry extends PromiseWithResolvers<SentMessage> {
  message: PendingMessage;
  /** So many wait for it. */
  askers: number;
}

/** A message as its author gives it. */
export type NewMessage = Omit<PendingMessage, "state" | "error">;

export class Outbox {
  readonly #entries = new Map<string, Entry>();
  #heldUntil = 0;
  /** A refusal that passes has been heard, and no acknowledgement since. */
  #isTrying = false;

  /** All pending messages, oldest first. */
  list(): PendingMessage[] {
    return Array.from(this.#entries.values(), (entry) => entry.message);
  }

  /** Until when nothing goes out because of a refusal that passes, ms since 1970; in the past when nothing is held. */
  get heldUntil(): number {
    return this.#heldUntil;
  }

  /** The message `id`, if it is pending. */
  find(id: string): PendingMessage | undefined {
    return this.#entries.get(id)?.message;
  }

  /**
   * Takes a message. The promise settles once: with its seq when the room has it, with an error when it is refused for good.
   * One whose id is pending is the same message; with another content it is a conflict. The signal ends the wait. When nobody
   * waits any more, the message is taken back, which `onTakenBack` tells.
   */
  add(message: NewMessage, signal?: AbortSignal, onTakenBack = () => {}): Promise<SentMessage> {
    const { id, content, replyTo } = message;
    const about = { type: "send", id } as const;
    const before = this.#entries.get(id);
    if (before && (before.message.content !== content || before.message.replyTo !== replyTo)) {
      return Promise.reject(new RoomError("conflict", "Another message with this id is on its way.", { about }));
    }
    if (!before && this.#entries.size >= MOST) {
      return Promise.reject(new RoomError("rate_limited", `${MOST} messages are waiting to be sent.`, { about }));
    }
    const state = message.since < this.#heldUntil ? "held" : "queued";
    const entry = before ?? { ...withResolvers<SentMessage>(), message: { ...message, state }, askers: 0 };
    this.#entries.set(id, entry);
    entry.askers++;
    return unlessAborted(entry.promise, signal, () => {
      if (this.#entries.get(id) !== entry) return false;
      if (--entry.askers === 0) {
        this.#entries.delete(id);
        onTakenBack();
      }
      return true;
    });
  }

  /** Takes messages that were written before all that is pending: they go out before it. */
  addBefore(earlier: readonly NewMessage[]): void {
    const later = [...this.#entries];
    this.#entries.clear();
    for (const message of earlier) void this.add(message).catch(() => {});
    for (const [id, entry] of later) this.#entries.set(id, entry);
  }

  /**
   * The messages that are to go out now, in order; they count as sent. None while a refusal holds them. After one, the first
   * goes out alone until it is acknowledged: of several, the room could take a later one and refuse the first again.
   */
  take(now: number): PendingMessage[] {
    // What has come since a refusal waits with what was refused.
    const isHeld = now < this.#heldUntil;
    const due: Entry[] = [];
    for (const entry of this.#entries.values()) {
      const { state } = entry.message;
      if (state === "sent") {
        if (this.#isTrying) return [];
      } else if (isHeld) {
        if (state !== "held") entry.message = { ...entry.message, state: "held" };
      } else {
        due.push(entry);
        if (this.#isTrying) break;
      }
    }
    for (const entry of due) entry.message = withState(entry.message, "sent");
    return due.map((entry) => entry.message);
  }

  /** The room does not yet take messages, and has said how long: nothing goes out until then. It has refused `entries`. */
  hold(error: RoomError, now: number, entries: Iterable<Entry> = this.#entries.values()): void {
    this.#heldUntil = Math.max(this.#heldUntil, now + passesAfter(error));
    for (const entry of entries) entry.message = { ...entry.message, state: "held", error };
  }

  /** The connection is gone: what was on its way goes out again with the next one. */
  requeue(): void {
    for (const entry of this.#entries.values()) {
      if (entry.message.state === "sent") entry.message = withState(entry.message, "queued");
    }
  }

  /** The room has the message. Whether it was pending. */
  acknowledge(id: string, seq: Seq): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#isTrying = false;
    this.#entries.delete(id);
    entry.resolve({ id, seq });
    return true;
  }

  /** The room has refused the message. It stays if the refusal passes; else it is gone, and given back as `failed`. */
  refuse(id: string, error: RoomError, now: number): PendingMessage | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    // Too many asks are open: one would hold up everything for days.
    if (passes(error.code) && !(entry.message.ask && error.code === "rate_limited" && error.retryAfter === undefined)) {
      this.#isTrying = true;
      this.hold(error, now, [entry]);
      return undefined;
    }
    this.#entries.delete(id);
    entry.reject(error);
    return { ...entry.message, state: "failed", error };
  }

  /** Its author takes a message back. It may reach the room all the same, if it was on its way. */
  discard(id: string, reason: unknown): boolean {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    entry?.reject(reason);
    return entry !== undefined;
  }

  /** Gives up all of it, each with an error of its own, and gives what it was. */
  empty(errorOf: (message: PendingMessage) => RoomError): PendingMessage[] {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#heldUntil = 0;
    this.#isTrying = false;
    for (const entry of entries) entry.reject(errorOf(entry.message));
    return entries.map(({ message }) => message);
  }
}

function withState(message: PendingMessage, state: PendingMessage["state"]): PendingMessage {
  const { error: _, ...rest } = message;
  return { ...rest, state };
}
