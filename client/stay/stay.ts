/// <reference lib="esnext.disposable" preserve="true" />
/** One stay in one room: what an agent, a command line or a bridge holds from `join` to `close`. */

import { isAgent, mentions } from "../../party/mentions.ts";
import type { Hearing, Message, RoomInfo, Seq, YouFrame } from "../../party/protocol.ts";
import { type Answered, type AskOptions, askPeople } from "./ask.ts";
import { Connection, type ConnectionDeps } from "./connection.ts";
import type { Credentials } from "./credentials.ts";
import type { Cursor, CursorStore } from "./cursor.ts";
import type { Draft, WaitOptions } from "./draft.ts";
import { MessageFeed } from "./message-feed.ts";
import type { SentMessage } from "./outbox.ts";
import { type Page, type PageRange, readPage } from "./page.ts";
import { type Attendance, withChange } from "./presence.ts";
import { Reply } from "./reply.ts";
import type { RoomAddress } from "./room-address.ts";
import { RoomError } from "./room-error.ts";
import type { ConnectionEvent, RoomEvent, Status } from "./room-event.ts";
import { type DraftOptions, type SendOptions, Writer } from "./writer.ts";

export interface StayOptions extends RoomAddress {
  readonly credentials?: Credentials | undefined;
  /** The secret of an invite. */
  readonly invite?: string | undefined;
  /** The cursor of an earlier stay. */
  readonly from?: Cursor | undefined;
  /** Where the cursor outlives the stay. */
  readonly cursor?: CursorStore | undefined;
  /** Ends the stay. */
  readonly signal?: AbortSignal | undefined;
  readonly deps?: Partial<ConnectionDeps> | undefined;
}

/** Which messages a loop is given. */
export interface MessageFilter {
  /** Only those that mention this name, or one of these: `room.me`, and an agent's person too if it is to answer for them. */
  readonly mentioning?: string | readonly string[] | undefined;
  /** `people`: not those of agents. `others`, without it: all but one's own. `everybody`: one's own, too. */
  readonly from?: "people" | "others" | "everybody" | undefined;
  /** Ends the loop, as `break` does. */
  readonly signal?: AbortSignal | undefined;
}

/** The newest of one's own messages of which the ids are remembered. A reply that is among them is not written again. */
const REMEMBERED = 4_096;

export class Stay implements RoomAddress {
  readonly #connection: Connection;
  readonly #writer: Writer;
  readonly #feed: MessageFeed;
  /** The seqs of one's own messages, by sender and id. */
  readonly #own = new Map<string, Seq>();
  #info: RoomInfo | undefined;
  #presence: Attendance = { people: [], spectators: 0 };
  readonly #isParticipant: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #leave = () => void this.close().catch(() => {});
  #closing: Promise<void> | undefined;

  constructor({ server, room, credentials, invite, from, cursor, signal, deps }: StayOptions) {
    this.#connection = new Connection({ server, room, credentials, invite, from, deps });
    this.#isParticipant = credentials !== undefined;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#leave);
    const { clock } = this.#connection.deps;
    this.#feed = new MessageFeed(
      { clock, page: (request) => readPage(this.#connection, request), store: cursor },
      from,
    );
    // Before the writer, which tells a sender that its message has arrived.
    this.#connection.subscribe((event) => this.#hear(event));
    this.#writer = new Writer(this.#connection);
  }

  /** The server's origin. */
  get server(): string {
    return this.#connection.server;
  }

  /** The room's id. */
  get room(): string {
    return this.#connection.room;
  }

  /** One's own name, `swift-otter/claude`; `undefined` for who only watches. */
  get me(): string | undefined {
    return this.#connection.you?.sender;
  }

  /** Who one is, as the room said last: the name, whether one owns the room, and what is left of the quota. */
  get you(): YouFrame | undefined {
    return this.#connection.you;
  }

  /** `open`, `offline` while it is being tried again, or `closed` for good. */
  get status(): Status {
    return this.#connection.status;
  }

  /** Why the room has closed the stay; `undefined` where it has not. */
  get error(): RoomError | undefined {
    return this.#connection.error;
  }

  /** The room's name, topic and rules. */
  get info(): RoomInfo | undefined {
    return this.#info;
  }

  /** The senders who are here now, each once. */
  get people(): readonly string[] {
    return this.#presence.people;
  }

  /** How many watch without a name. */
  get spectators(): number {
    return this.#presence.spectators;
  }

  /** How agents hear, by sender. One that is in `people` and not in here is `live`; of one in neither the room sees nothing. */
  get agents(): Readonly<Record<string, Hearing>> {
    return this.#presence.agents ?? {};
  }

  /**
   * The messages that are said from now on, or since the cursor: each once, in order, over breaks of the connection and, with a
   * cursor, over restarts. Deleted ones are left out. The cursor is stored when the next message is asked for, so the body of
   * the loop runs at least once for each message: after a crash in its middle, once more.
   *
   * The loop ends when the stay is closed. `break` leaves the cursor before the message; to stop after it, close the stay and
   * let the loop end. One loop reads at a time: a later one takes over, and the earlier one throws when it goes on.
   *
   * @throws RoomError when the room has closed the stay: `unauthorized`, `not_found`; `invalid`, when a later loop has taken
   *   over. What the cursor's store throws.
   */
  messages({ mentioning, from = "others", signal }: MessageFilter = {}): AsyncGenerator<Message, void, undefined> {
    const names = typeof mentioning === "string" ? [mentioning] : mentioning;
    const isWanted = ({ kind, deleted, sender, content }: Message): boolean => {
      if (kind !== "text" || deleted) return false;
      if (from !== "everybody" && sender === this.me) return false;
      if (from === "people" && isAgent(sender)) return false;
      return names === undefined || names.some((name) => mentions(content, name));
    };
    return this.#feed.read(isWanted, signal);
  }

  /**
   * Begins the reply to a message. Its id is made from the message, so that after a crash the same reply is recognised and
   * stands in the room once. One that was given already is settled: `write` shows nothing, `end` gives the first one.
   *
   * @throws RoomError `unauthorized`: who only watches can't reply.
   */
  reply(message: Pick<Message, "seq" | "id" | "sender">): Reply {
    const me = this.me;
    if (me === undefined) throw new RoomError("unauthorized", "Join with a key or as a guest to reply.");
    return new Reply(message, me, {
      draft: (options) => this.#writer.draft(options),
      earlier: (id) => this.#own.get(`${me} ${id}`),
    });
  }

  /**
   * Sends a message: now if there is a connection, else as soon as there is one, always in order. Over quota and while the
   * room is unavailable it waits and tries again by itself.
   *
   * @returns its id and seq, once the room's storage has it.
   * @throws RoomError with the room's code, when it is refused for good; `error.pending`, when the stay ended first.
   */
  send(content: string, options: SendOptions = {}): Promise<SentMessage> {
    return this.#writer.send(content, options);
  }

  /** Begins to write a message that the others see as it is written. `end` sends it. */
  draft(options: DraftOptions = {}): Draft {
    return this.#writer.draft(options);
  }

  /**
   * Asks people, and waits until one of them has answered. The message stands in the room with a button for each option; who
   * is first decides, and everybody sees it.
   *
   * @returns which option was chosen, and by whom.
   * @throws RoomError `expired`, when nobody has answered in time; `deleted`, when the ask is gone; as `send` does, when the
   *   room does not take it; `error.pending`, when the stay ended first. The signal's reason: the ask stands in the room all
   *   the same, and asked again under its id it is waited for again.
   *
   * @example
   * const { option, by } = await room.ask("Deploy 1.4?", { options: ["yes", "no"], id: "deploy-1-4" });
   */
  ask(question: string, options: AskOptions): Promise<Answered> {
    return askPeople(this.#connection, this.#writer, question, options);
  }

  /**
   * Answers an ask with one of its options. Only people may, and only those whom it asks.
   *
   * @returns the id and seq of the answer, once the room's storage has it.
   * @throws RoomError `conflict`, when it is closed: `error.seq` is what has closed it. `forbidden`, when somebody else is
   *   asked; `invalid`, when that is no ask or not one of its options; as `send` does.
   */
  answer(seq: Seq, option: string, { id, signal }: Pick<SendOptions, "id" | "signal"> = {}): Promise<SentMessage> {
    return this.#writer.send(option, { id, signal, replyTo: seq, answer: { target: seq, option } });
  }

  /**
   * Deletes the content of a message: one's own, one's agents', or any as the room's owner. Without a connection, over quota
   * and while the room is unavailable it waits. The signal ends the wait; what was asked already may be done all the same.
   *
   * @throws RoomError `not_found`, `forbidden`, or `unavailable`, when the stay ends first.
   */
  delete(seq: Seq, options: WaitOptions = {}): Promise<void> {
    return this.#writer.delete(seq, options);
  }

  /**
   * Reads a page of the log: the newest one, or the one before or after a seq, oldest first. `reset` says that the room has
   * begun a new history since: the seqs of the page mean other messages.
   *
   * @throws RoomError with the server's code, `unavailable` where it can't be reached.
   */
  history(range: PageRange & { readonly signal?: AbortSignal } = {}): Promise<Page> {
    return readPage(this.#connection, range);
  }

  /** Hears every event from now on, for a view of one's own (`meet-ai/view`). The returned function stops it. */
  subscribe(listener: (event: RoomEvent) => void): () => void {
    const stops = [this.#connection.subscribe(listener), this.#writer.subscribe(listener)];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Hears the events of one type. The returned function stops it. */
  on<Type extends RoomEvent["type"]>(
    type: Type,
    listener: (event: Extract<RoomEvent, { type: Type }>) => void,
  ): () => void {
    return this.subscribe((event) => {
      if (event.type === type) listener(event as Extract<RoomEvent, { type: Type }>);
    });
  }

  /**
   * Connects again at once, also after the room has closed the stay: for a program that knows better than a heartbeat that the
   * network has changed. After `close` it does nothing.
   */
  reconnect(): void {
    if (!this.#closing && !this.#signal?.aborted) this.#connection.reconnect();
  }

  /** @internal Resolves when the room has said who one is; `timeout` ms are too long. */
  async ready(timeout: number): Promise<void> {
    const connection = this.#connection;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (connection.status === "closed") {
        reject(connection.error ?? new RoomError("unavailable", "The stay was closed."));
      } else if (connection.status === "open" && (!this.#isParticipant || connection.isReady)) resolve();
    };
    let late = new RoomError("unavailable", `${this.server} did not answer within ${timeout / 1000} s.`);
    const stop = connection.subscribe((event) => {
      if (event.type === "delayed") late = event.error;
      look();
    });
    const cancel = connection.deps.clock.after(timeout, () => reject(late));
    look();
    try {
      await promise;
    } finally {
      stop();
      cancel();
    }
    await this.#feed.save();
  }

  /**
   * Leaves the room. What was sent and not acknowledged is rejected with `error.pending`.
   *
   * @returns when the cursor is stored.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #hear(event: ConnectionEvent): void {
    this.#feed.hear(event);
    switch (event.type) {
      case "welcome":
        // Of another history, whose seqs are others.
        if (!event.resumed) this.#own.clear();
        this.#info = event.welcome.room;
        this.#presence = event.welcome.presence;
        break;
      case "presence":
        this.#presence = withChange(this.#presence, event.change);
        break;
      case "snapshot":
        this.#presence = event.snapshot.presence ?? this.#presence;
        break;
      case "room":
        this.#info = event.room;
        break;
      case "messages":
        this.#remember(event.messages);
        break;
      case "status":
        this.#onStatus(event);
        break;
    }
  }

  /** A stay that the room has closed is not kept by a signal that goes on. It may come back by `reconnect`. */
  #onStatus({ status, error }: Extract<ConnectionEvent, { type: "status" }>): void {
    if (status === "closed") {
      this.#signal?.removeEventListener("abort", this.#leave);
      this.#feed.end(error);
    } else {
      this.#signal?.addEventListener("abort", this.#leave);
      this.#feed.reopen();
    }
  }

  /** Until the room has said who one is, which follows the first messages, each could be one's own. */
  #remember(messages: readonly Message[]): void {
    for (const { sender, id, seq } of messages) {
      if (this.me === undefined || sender === this.me) this.#own.set(`${sender} ${id}`, seq);
    }
    for (const key of this.#own.keys()) {
      if (this.#own.size <= REMEMBERED) break;
      this.#own.delete(key);
    }
  }

  async #close(): Promise<void> {
    this.#writer.close();
    this.#connection.close();
    await this.#feed.save();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
