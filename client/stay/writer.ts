/**
 * What is written over a connection: messages, drafts and deletions. It keeps what the room has not answered, says it again
 * after a break, and tells each answer to the one that asked.
 */

import { parseMessageId, parseSend, parseSeq } from "../../party/message-parser.ts";
import type { AckFrame, Answer, AskRequest, ErrorFrame, Seq } from "../../party/protocol.ts";
import { isFault } from "../../party/protocol.ts";
import type { Connection } from "./connection.ts";
import { Deletions } from "./deletions.ts";
import { Draft, type WaitOptions } from "./draft.ts";
import { Emitter } from "./emitter.ts";
import type { KeptMessages } from "./kept-messages.ts";
import { Outbox, type PendingMessage, type SentMessage } from "./outbox.ts";
import { randomId } from "./random-id.ts";
import { passes, RoomError, refusedByRoom, refusedHere, type Subject } from "./room-error.ts";
import type { ConnectionEvent, WriterEvent } from "./room-event.ts";

export interface SendOptions {
  /** The message's id; generated when absent. Sending the same id and content twice stores it once. */
  readonly id?: string | undefined;
  /** The seq of the message that this one answers. */
  readonly replyTo?: Seq | undefined;
  /** Makes it a question to people. `room.ask` also waits for who answers. */
  readonly ask?: AskRequest | undefined;
  /** Makes it the answer to an ask: the content only shows until the room has it, with the option's own text. */
  readonly answer?: Answer | undefined;
  /** Takes the message back, unless the room has it. It may arrive all the same, if it was on its way. */
  readonly signal?: AbortSignal | undefined;
}

export interface DraftOptions {
  /** The id that the message is going to have; generated when absent. */
  readonly id?: string | undefined;
  /** The seq of the message that is being answered: the others see what the answer is to while it is written. */
  readonly replyTo?: Seq | undefined;
}

export interface WriterOptions {
  /** Where messages on their way outlive the writer. */
  readonly kept?: KeptMessages | undefined;
}

export class Writer extends Emitter<WriterEvent> {
  readonly #connection: Connection;
  readonly #kept: KeptMessages | undefined;
  readonly #outbox = new Outbox();
  readonly #deletions: Deletions;
  readonly #drafts = new Set<Draft>();
  readonly #stopListening: () => void;
  #stopHold = () => {};
  #isClosed = false;
  /** The history that the seqs are of which are to be deleted. */
  #epoch: string | undefined;

  constructor(connection: Connection, { kept }: WriterOptions = {}) {
    super();
    this.#connection = connection;
    this.#kept = kept;
    this.#epoch = connection.epoch;
    this.#deletions = new Deletions({
      clock: connection.deps.clock,
      isReady: () => connection.isReady,
      say: (frame) => connection.say(frame),
    });
    this.#stopListening = connection.subscribe((event) => this.#hear(event));
    if (connection.isReady) this.#begin();
  }

  /**
   * Sends a message: now if there is a connection, else as soon as there is one, always in order. Over quota and while the
   * room is unavailable it waits and tries again by itself.
   *
   * @returns its id and seq, once the room's storage has it.
   * @throws RoomError with the room's code, when it is refused for good; `error.pending`, when the stay ended first.
   */
  send(content: string, { id = randomId(), replyTo, ask, answer, signal }: SendOptions = {}): Promise<SentMessage> {
    const about = { type: "send", id } as const;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const parsed = parseSend({ id, content, replyTo });
    if (isFault(parsed)) return Promise.reject(refusedHere(parsed, about));
    const closed = this.#closedError(about);
    if (closed) {
      this.emit({ type: "refused", message: this.#failed(parsed, closed) });
      return Promise.reject(closed);
    }
    for (const draft of this.#drafts) if (draft.id === id) draft.replaced();
    const message = { ...parsed, ask, answer, since: this.#connection.deps.clock.now() };
    const sent = this.#outbox.add(message, signal, () => this.#flush());
    this.#flush();
    return sent;
  }

  /** Takes a pending or a refused message back. A message that is on its way may arrive all the same. */
  discard(id: string): void {
    const about = { type: "send", id } as const;
    // Others may have waited for it.
    if (this.#outbox.discard(id, new RoomError("invalid", "The message was taken back.", { about }))) this.#flush();
    this.emit({ type: "discarded", id });
  }

  /**
   * Begins to write a message that the others see as it is written.
   *
   * @throws RoomError `invalid`: no message can have such an id.
   */
  draft({ id = randomId(), replyTo }: DraftOptions = {}): Draft {
    const parsed = parseMessageId(id);
    if (isFault(parsed)) throw refusedHere(parsed, { type: "draft", id });
    const seq = replyTo === undefined ? undefined : parseSeq(replyTo, "replyTo");
    if (isFault(seq)) throw refusedHere(seq, { type: "draft", id });
    for (const draft of this.#drafts) if (draft.hasLapsed) this.#drafts.delete(draft);
    return new Draft(id, seq, {
      clock: this.#connection.deps.clock,
      isReady: () => this.#connection.isReady,
      say: (frame) => this.#connection.say(frame),
      send: (content, signal) => this.send(content, { id, replyTo, signal }),
      begun: (draft) => this.#drafts.add(draft),
      over: (draft) => this.#drafts.delete(draft),
    });
  }

  /**
   * Deletes the content of a message: one's own, or any as the room's owner. Without a connection, over quota and while the
   * room is unavailable it waits. The signal ends the wait; what was asked already may be done all the same.
   *
   * @throws RoomError `not_found`, `forbidden`, or `unavailable`, when the stay ends first.
   */
  delete(seq: Seq, { signal }: WaitOptions = {}): Promise<void> {
    const parsed = parseSeq(seq, "seq");
    const about = { type: "delete", seq } as const;
    if (isFault(parsed)) return Promise.reject(refusedHere(parsed, about));
    const closed = this.#closedError(about);
    if (closed) return Promise.reject(closed);
    return this.#deletions.add(parsed, signal);
  }

  /**
   * Ends the writing.
   *
   * @returns what was pending. Sent again under its ids, by whatever stay, it arrives once.
   */
  close(): PendingMessage[] {
    this.#isClosed = true;
    this.#stopListening();
    this.#stopHold();
    for (const draft of this.#drafts) draft.abort();
    return this.#giveUp((about, wasSent) => {
      const isOpen = wasSent || this.#kept !== undefined;
      return new RoomError("unavailable", "The room was left before it had answered.", { about, pending: isOpen });
    });
  }

  #hear(event: ConnectionEvent): void {
    switch (event.type) {
      case "welcome":
        this.#onWelcome();
        break;
      case "ready":
        this.#begin();
        break;
      case "status":
        if (event.status !== "open") this.#onLost();
        break;
      case "messages":
        this.#onMessages(event);
        break;
      case "drafts":
        this.#onDrafts(event);
        break;
      case "delayed":
        this.#outbox.hold(event.error, this.#connection.deps.clock.now());
        this.#tellPending();
        break;
      case "answer":
        if (event.answer.type === "ack") this.#onAck(event.answer);
        else this.#onError(event.answer);
        break;
    }
  }

  /** In another history the same seqs are other messages, which nobody has asked to delete. */
  #onWelcome(): void {
    const { epoch } = this.#connection;
    if (this.#epoch !== undefined && this.#epoch !== epoch) {
      const message = "The room has begun a new history.";
      this.#deletions.giveUp((seq) => new RoomError("not_found", message, { about: { type: "delete", seq } }));
    }
    this.#epoch = epoch;
  }

  /** A connection takes what is written. */
  #begin(): void {
    for (const draft of this.#drafts) draft.begin();
    this.#deletions.next();
    // What an earlier visit has left was written before all of this one, which may have begun without a connection.
    if (this.#kept) this.#outbox.addBefore(this.#kept.takeOver(this.#connection));
    this.#flush();
  }

  #onLost(): void {
    this.#outbox.requeue();
    this.#deletions.lost();
    for (const draft of this.#drafts) draft.lost();
    const refused = (about: Subject) => this.#closedError(about) as RoomError;
    for (const message of this.#connection.status === "closed" ? this.#giveUp(refused) : []) {
      this.emit({ type: "refused", message: this.#failed(message, refused({ type: "send", id: message.id })) });
    }
    this.#flush();
  }

  #onMessages({ messages }: Extract<ConnectionEvent, { type: "messages" }>): void {
    const me = this.#connection.you?.sender;
    let isNews = false;
    for (const { sender, id, seq, kind, target } of messages) {
      if (kind === "deletion" && target !== undefined) this.#deletions.done(target);
      else if (sender === me && this.#outbox.acknowledge(id, seq)) isNews = true;
    }
    if (isNews) this.#flush();
  }

  /** Pieces of one's own come back when the room has taken them, and when it lets go of them. */
  #onDrafts({ drafts }: Extract<ConnectionEvent, { type: "drafts" }>): void {
    for (const draft of this.#drafts) {
      for (const change of drafts) {
        if (change.id === draft.id && change.sender === this.#connection.you?.sender) draft.heard(change);
      }
    }
  }

  #onAck({ id, seq }: AckFrame): void {
    const [, target] = /^delete:(\d+)$/.exec(id) ?? [];
    if (target !== undefined) this.#deletions.done(Number(target));
    else if (this.#outbox.acknowledge(id, seq)) this.#flush();
  }

  #onError(frame: ErrorFrame): void {
    const about = this.#subjectOf(frame);
    const error = refusedByRoom(frame, about);
    if (about?.type === "send") {
      const failed = this.#outbox.refuse(about.id, error, this.#connection.deps.clock.now());
      if (failed) this.emit({ type: "refused", message: failed });
      this.#flush();
    } else if (about?.type === "delete") this.#deletions.refuse(about.seq, error);
    else if (about?.type === "draft") {
      for (const draft of this.#drafts) if (draft.id === about.id) draft.refuse();
    }
    this.emit({ type: "error", error });
  }

  /** What a refusal answers. An older room does not say it: then a message goes before its draft. */
  #subjectOf({ about, id, seq }: ErrorFrame): Subject | undefined {
    if (id !== undefined) {
      const type = about === "send" || about === "draft" ? about : this.#outbox.find(id) ? "send" : "draft";
      return { type, id };
    }
    if (about === "hello") return { type: about };
    const target = about === undefined || about === "delete" ? (seq ?? this.#deletions.current) : undefined;
    return target === undefined ? undefined : { type: "delete", seq: target };
  }

  /** Sends what is due, now and when a quota allows it. Only when the room is ready: until then it may show what has arrived. */
  #flush(): void {
    this.#stopHold();
    if (this.#connection.isReady) {
      const { clock } = this.#connection.deps;
      // Looked at before: the timer may come a moment early, and what is held then is due while this is done.
      const wait = this.#outbox.heldUntil - clock.now();
      for (const message of this.#outbox.take(clock.now())) this.#sayMessage(message);
      if (wait > 0) this.#stopHold = clock.after(wait, () => this.#flush());
    }
    this.#tellPending();
  }

  #sayMessage({ id, content, replyTo, ask, answer }: PendingMessage): void {
    const said = answer ? { answer } : { content, ...(replyTo !== undefined && { replyTo }), ...(ask && { ask }) };
    this.#connection.say({ type: "send", id, ...said });
  }

  #tellPending(): void {
    // Listing what waits costs as much as it is: not for each of many, where nobody listens.
    if (this.isUnheard && !this.#kept) return;
    const pending = this.#outbox.list();
    this.#kept?.keep(pending, this.#connection);
    this.emit({ type: "pending", pending, heldUntil: this.#outbox.heldUntil });
  }

  #giveUp(errorOf: (about: Subject, wasSent: boolean) => RoomError): PendingMessage[] {
    this.#deletions.giveUp((seq) => errorOf({ type: "delete", seq }, true));
    return this.#outbox.empty(({ id, state }) => errorOf({ type: "send", id }, state === "sent"));
  }

  /** Why nothing can be said any more, if nothing can: the room's reason, or `unavailable` where one has left oneself. */
  #closedError(about: Subject): RoomError | undefined {
    if (!this.#isClosed && this.#connection.status !== "closed") return undefined;
    const error = this.#isClosed ? undefined : this.#connection.error;
    const code = !error || passes(error.code) ? "unavailable" : error.code;
    return new RoomError(code, error?.message ?? "The room was left.", { about });
  }

  #failed(message: Pick<PendingMessage, "id" | "content" | "replyTo">, error: RoomError): PendingMessage {
    return { since: this.#connection.deps.clock.now(), ...message, state: "failed", error };
  }
}
