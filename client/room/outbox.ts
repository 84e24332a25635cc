/**
 * Messages on their way: everything that was sent and is not yet acknowledged, in order.
 *
 * It decides what may go out and when; the client does the sending. A message leaves the outbox when the room has it,
 * or when its author takes it back. It may be handed out many times: its id makes a retry free (promise 3).
 */

import type { ErrorCode, Seq } from "../../party/protocol.ts";

/** A refusal by the room, as an error that can be thrown. */
export class RoomError extends Error {
  readonly code: ErrorCode;
  /** Seconds after which a retry makes sense. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.name = "RoomError";
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** A message that its author has sent and the room has not acknowledged. */
export interface PendingMessage {
  readonly id: string;
  readonly content: string;
  readonly replyTo?: Seq;
  /** When it was sent, ms since 1970. */
  readonly since: number;
  /**
   * `queued`: goes out as soon as there is a connection. `sent`: on its way. `held`: goes out again by itself at
   * `heldUntil`. `failed`: refused; only `retry` sends it again.
   */
  readonly state: "queued" | "sent" | "held" | "failed";
  readonly error?: RoomError;
}

/** Refusals that pass by themselves: the message waits and goes out again. */
const PASSING: readonly ErrorCode[] = ["rate_limited", "unavailable"];
/** Seconds until the next try where the refusal does not say. */
const RETRY_AFTER = 5;

interface Entry {
  message: PendingMessage;
  readonly acknowledged: Promise<Seq>;
  settle(seq: Seq): void;
  refuse(error: RoomError): void;
}

export class Outbox {
  readonly #entries = new Map<string, Entry>();
  #heldUntil = 0;

  /** All pending messages, oldest first. */
  list(): PendingMessage[] {
    return Array.from(this.#entries.values(), (entry) => entry.message);
  }

  /** Until when nothing goes out because of a refusal that passes, ms since 1970; in the past when nothing is held. */
  get heldUntil(): number {
    return this.#heldUntil;
  }

  /**
   * Takes a message. The promise gives its seq once the room has it, and is rejected when it is refused for good. One whose
   * id is pending is the same message, and has the same promise; with another content it is a conflict.
   */
  add(message: Omit<PendingMessage, "state" | "error">): Promise<Seq> {
    const before = this.#entries.get(message.id);
    if (before && before.message.state !== "failed") {
      return before.message.content === message.content
        ? before.acknowledged
        : Promise.reject(new RoomError("conflict", "Another message of this id is on its way."));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Seq>();
    // Whoever does not wait for the promise sees the refusal in the pending list; it is not an unhandled one.
    promise.catch(() => {});
    this.#entries.set(message.id, {
      message: { ...message, state: "queued" },
      acknowledged: promise,
      settle: resolve,
      refuse: reject,
    });
    return promise;
  }

  /** The messages that are to go out now, in order; they count as sent. None while a refusal holds them. */
  take(now: number): PendingMessage[] {
    // What has come since a refusal waits with what was refused.
    const state = now < this.#heldUntil ? "held" : "sent";
    const due = [...this.#entries.values()].filter(
      ({ message }) => message.state === "queued" || message.state === "held",
    );
    for (const entry of due) if (entry.message.state !== state) entry.message = withState(entry.message, state);
    return state === "held" ? [] : due.map((entry) => entry.message);
  }

  /** The connection is gone: what was on its way goes out again with the next one. */
  requeue(): void {
    for (const entry of this.#entries.values()) {
      if (entry.message.state === "sent") entry.message = withState(entry.message, "queued");
    }
  }

  /** The room has the message. Whether it was pending. */
  acknowledge(id: string, seq: Seq): boolean {
    this.#entries.get(id)?.settle(seq);
    return this.#entries.delete(id);
  }

  /** The room has refused the message, if it is still pending. */
  refuse(id: string, error: RoomError, now: number): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    const passes = PASSING.includes(error.code);
    entry.message = { ...entry.message, state: passes ? "held" : "failed", error };
    if (passes) this.#heldUntil = Math.max(this.#heldUntil, now + (error.retryAfter || RETRY_AFTER) * 1000);
    else entry.refuse(error);
  }

  /** A refused message goes out again. Its first promise stays rejected. */
  retry(id: string): void {
    const entry = this.#entries.get(id);
    if (entry?.message.state === "failed") entry.message = withState(entry.message, "queued");
  }

  /** Nothing that is pending can go out any more: each is refused, and stays until it is retried or taken back. */
  refuseAll(error: RoomError): void {
    for (const entry of this.#entries.values()) {
      entry.message = { ...entry.message, state: "failed", error };
      entry.refuse(error);
    }
  }

  /** Takes everything back, and gives what it was. */
  empty(error: RoomError): PendingMessage[] {
    const pending = this.list();
    for (const entry of this.#entries.values()) entry.refuse(error);
    this.#entries.clear();
    this.#heldUntil = 0;
    return pending;
  }

  /** Its author takes a message back. It may have reached the room all the same, if it was on its way. */
  discard(id: string): void {
    this.#entries.get(id)?.refuse(new RoomError("invalid", "The message was taken back before the room had it."));
    this.#entries.delete(id);
  }
}

function withState(message: PendingMessage, state: PendingMessage["state"]): PendingMessage {
  const { error: _, ...rest } = message;
  return { ...rest, state };
}
