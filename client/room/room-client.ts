/**
 * A connection to one room, without a screen: for the widget, for agents, for anything that runs in a browser or in
 * Node 22 and later.
 *
 * It keeps the promises that need a client's help: it resumes exactly where it stopped (promise 4), sends what is
 * pending again under the same ids (promise 3), and starts the connection over rather than show a log with a hole. What
 * the log looks like is `store.ts`'s subject.
 *
 * @example
 * const room = new RoomClient({ server: "https://meet-ai.cc", room: "lobby", credentials: { key, as: "claude" } });
 * room.on("messages", ({ messages, history }) => { if (!history) messages.forEach(read); });
 * await room.send("Hello.");
 */

import type {
  ClientFrame,
  DraftChange,
  ErrorFrame,
  Message,
  Seq,
  ServerFrame,
  UpdateFrame,
  WelcomeFrame,
  YouFrame,
} from "../../party/protocol.ts";
import { isFault, PING, PONG, parseContent } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";
import { Emitter } from "./emitter.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { PendingMessage } from "./outbox.ts";
import { Outbox, RoomError } from "./outbox.ts";
import { type Page, type PageRange, readPage } from "./page.ts";
import type { RoomEvent, Status } from "./room-event.ts";
import { connect, isFinal, type RoomSocket, type RoomSocketOptions } from "./room-socket.ts";

/** Who writes: a key's owner, one of its agents, or a guest by a secret of 22 or more of `[A-Za-z0-9_-]`. */
export type Credentials = { readonly key: string; readonly as?: string } | { readonly guest: string };

/** What a client takes from its surroundings. */
export interface RoomClientDeps {
  /** Opens a socket that comes back by itself. */
  connect(options: RoomSocketOptions): RoomSocket;
  fetch(url: string): Promise<Response>;
  clock: Clock;
}

export interface RoomClientOptions {
  /** The server's origin: `https://meet-ai.cc`. */
  readonly server: string;
  /** The room's id. */
  readonly room: string;
  /** Without them the client only watches, until `identify`. */
  readonly credentials?: Credentials;
  readonly deps?: Partial<RoomClientDeps>;
}

export interface SendOptions {
  /** The message's id; generated when absent. Sending the same id and content twice stores it once. */
  readonly id?: string;
  /** The seq of the message that this one answers. */
  readonly replyTo?: Seq;
}

/** A new message id, or a guest's secret: `length` characters of 6 random bits each. */
export function randomId(length = 22): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return btoa(String.fromCharCode(...bytes))
    .slice(0, length)
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

export class RoomClient {
  readonly server: string;
  readonly room: string;

  readonly #deps: RoomClientDeps;
  readonly #emitter = new Emitter<RoomEvent>();
  readonly #outbox = new Outbox();
  /** The text so far of messages that this client is writing: said again after a reconnect. */
  readonly #ownDrafts = new Map<string, string>();
  /** Those of them that the room has ended, as it does when it sleeps, and those that were begun anew since. */
  readonly #endedDrafts = new Set<string>();
  readonly #restartedDrafts = new Set<string>();
  readonly #socket: RoomSocket;

  #credentials: Credentials | undefined;
  #status: Status = "connecting";
  #you: YouFrame | undefined;
  /** There is a connection, and it can be spoken to. */
  #connected = false;
  #identified = false;
  /** The newest seq that has been handed on, within `#epoch`. */
  #cursor: Seq = 0;
  #epoch: string | undefined;
  readonly #heartbeat: Heartbeat;
  #stopHold = () => {};

  constructor(options: RoomClientOptions) {
    this.server = options.server.replace(/\/+$/, "");
    this.room = options.room;
    this.#credentials = options.credentials;
    this.#deps = { connect, fetch: (url) => fetch(url), clock: systemClock, ...options.deps };
    this.#socket = this.#deps.connect({
      url: () => this.#socketUrl(),
      onopen: () => this.#onOpen(),
      onmessage: ({ data }) => this.#onData(data),
      onclose: ({ code }) => this.#onClose(code),
    });
    this.#heartbeat = new Heartbeat({
      clock: this.#deps.clock,
      ping: () => this.#socket.send(PING),
      onDead: () => this.reconnect(),
    });
  }

  get status(): Status {
    return this.#status;
  }

  /** Who this client is in the room, once the room has said so. */
  get you(): YouFrame | undefined {
    return this.#you;
  }

  /** Hears every event. The returned function stops it. */
  subscribe(listener: (event: RoomEvent) => void): () => void {
    return this.#emitter.subscribe(listener);
  }

  /** Hears the events of one type. The returned function stops it. */
  on<Type extends RoomEvent["type"]>(
    type: Type,
    listener: (event: Extract<RoomEvent, { type: Type }>) => void,
  ): () => void {
    return this.#emitter.on(type, listener);
  }

  /** Becomes a participant, or another one: a connection keeps its name, so that takes a new connection. */
  identify(credentials: Credentials): void {
    const before = this.#credentials;
    this.#credentials = credentials;
    if (before) this.reconnect();
    else if (this.#connected) this.#sayHello();
  }

  /**
   * Sends a message: now if there is a connection, else as soon as there is one, always in order.
   *
   * @returns its seq, once the room's storage has it. Over quota and while the room is unavailable it waits and tries
   *   again by itself.
   * @throws RoomError when the room refuses the message for good.
   */
  send(content: string, options: SendOptions = {}): Promise<Seq> {
    const parsed = parseContent(content);
    if (isFault(parsed)) return Promise.reject(new RoomError(parsed.fault, parsed.message));
    const { id = randomId(), replyTo } = options;
    this.#ownDrafts.delete(id);
    const acknowledged = this.#outbox.add({
      id,
      content: parsed,
      since: this.#deps.clock.now(),
      ...(replyTo !== undefined && { replyTo }),
    });
    this.#flush();
    return acknowledged;
  }

  /** Sends a refused message again. */
  retry(id: string): void {
    this.#outbox.retry(id);
    this.#flush();
  }

  /** Takes a pending message back, or a draft. A message that is on its way may arrive all the same. */
  discard(id: string): void {
    this.#ownDrafts.delete(id);
    this.#outbox.discard(id);
    this.#tellPending();
  }

  /**
   * Shows the room a piece of a message that is still being written, as an agent's tokens come; an empty `append` says
   * only that somebody writes. `send` with the same id ends the draft.
   */
  draft(id: string, append: string): void {
    const ready = this.#isReady();
    // "Is writing" alone is said once, as soon as it can be, and not again: it may be long over.
    if (append !== "" || !ready) this.#ownDrafts.set(id, (this.#ownDrafts.get(id) ?? "") + append);
    if (!ready) return;
    const whole = this.#endedDrafts.delete(id) ? this.#ownDrafts.get(id) : undefined;
    if (whole !== undefined) this.#restartedDrafts.add(id);
    this.#sendFrame({ type: "draft", id, ...(whole === undefined ? { append } : { append: whole, whole: true }) });
  }

  /**
   * Deletes the content of a message: one's own, or any as the room's owner. A refusal is an `error` event.
   *
   * @returns whether there was a connection to say it over.
   */
  delete(seq: Seq): boolean {
    if (!this.#isReady()) return false;
    this.#sendFrame({ type: "delete", seq });
    return true;
  }

  /** Reads a page of the log over HTTP: the newest one, or the one before or after a seq. */
  page(range: PageRange = {}): Promise<Page> {
    return readPage(this.#deps.fetch, this.#roomUrl(), range);
  }

  /**
   * Drops the connection, if there is one, and connects again at once, also after it was closed for good. Until then
   * the status is `offline`: so it also serves to say that the network has gone.
   */
  reconnect(): void {
    this.#socket.reconnect();
    this.#end(this.#status === "closed" ? "connecting" : "offline");
  }

  /**
   * Leaves the room.
   *
   * @returns what was pending and is now taken back: sent again under its ids, by whatever client, it arrives once.
   */
  close(): PendingMessage[] {
    const pending = this.#outbox.empty(new RoomError("unavailable", "The room was left before it had the message."));
    this.#socket.close();
    this.#end("closed", 1000);
    return pending;
  }

  #roomUrl(): string {
    return `${this.server}/api/rooms/${encodeURIComponent(this.room)}`;
  }

  #socketUrl(): string {
    const url = `${this.#roomUrl().replace(/^http/, "ws")}/ws`;
    return this.#epoch === undefined ? url : `${url}?after=${this.#cursor}&epoch=${encodeURIComponent(this.#epoch)}`;
  }

  #onOpen(): void {
    this.#connected = true;
    this.#heartbeat.start();
    this.#sayHello();
  }

  #onData(data: unknown): void {
    this.#heartbeat.heard();
    if (typeof data !== "string" || data === PONG) return;
    this.#onFrame(JSON.parse(data) as ServerFrame);
  }

  #onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case "welcome":
        this.#onWelcome(frame);
        break;
      case "update":
        this.#onUpdate(frame);
        break;
      case "you":
        this.#onYou(frame);
        break;
      case "ack":
        if (this.#outbox.acknowledge(frame.id, frame.seq)) this.#tellPending();
        break;
      case "error":
        this.#onError(frame);
        break;
      // Flow control: only a client that reads can answer, so the room sees one that does not.
      case "check":
        this.#sendFrame({ type: "read", n: frame.n });
        break;
    }
  }

  #onWelcome(welcome: WelcomeFrame): void {
    const resumed = !welcome.reset && welcome.epoch === this.#epoch;
    this.#epoch = welcome.epoch;
    if (!resumed) this.#cursor = (welcome.messages[0]?.seq ?? welcome.head + 1) - 1;
    this.#emitter.emit({ type: "welcome", welcome, resumed });
    this.#take(welcome.messages, !resumed);
    // Whoever has heard of it, or a hole in it, may have ended this connection.
    if (!this.#connected) return;
    this.#setStatus("open");
    this.#flush();
  }

  #onUpdate(update: UpdateFrame): void {
    const { messages, snapshot, presence, drafts, room } = update;
    if (messages) this.#take(messages, false);
    if (snapshot) this.#emitter.emit({ type: "snapshot", snapshot });
    if (drafts) this.#hearOwnDrafts(drafts);
    if (presence) this.#emitter.emit({ type: "presence", change: presence });
    if (drafts) this.#emitter.emit({ type: "drafts", drafts });
    if (room) this.#emitter.emit({ type: "room", room });
  }

  /** What the room tells of this client's own drafts. One that it has ended is begun anew with its next piece. */
  #hearOwnDrafts(drafts: readonly DraftChange[]): void {
    for (const draft of drafts) {
      if (draft.sender !== this.#you?.sender || !this.#ownDrafts.has(draft.id)) continue;
      if (!("end" in draft)) this.#restartedDrafts.delete(draft.id);
      // Until it is told that it was begun anew, an end is the end of what was before.
      else if (!this.#restartedDrafts.has(draft.id)) this.#endedDrafts.add(draft.id);
    }
  }

  #onYou(you: YouFrame): void {
    this.#you = you;
    this.#identified = true;
    this.#endedDrafts.clear();
    this.#restartedDrafts.clear();
    for (const [id, text] of this.#ownDrafts) {
      this.#sendFrame({ type: "draft", id, append: text });
      if (text === "") this.#ownDrafts.delete(id);
    }
    // Only now: whoever hears of it may go on with a draft.
    this.#emitter.emit({ type: "you", you });
    this.#flush();
  }

  #onError(frame: ErrorFrame): void {
    const { id } = frame;
    const error = new RoomError(frame.code, frame.message, frame.retryAfter);
    if (id !== undefined) {
      this.#ownDrafts.delete(id);
      this.#outbox.refuse(id, error, this.#deps.clock.now());
      this.#flush();
    }
    this.#emitter.emit({ type: "error", error, ...(id !== undefined && { id }) });
  }

  #onClose(code: number): void {
    this.#end(isFinal(code) ? "closed" : "offline", code === 1000 ? undefined : code);
  }

  /** Hands on the messages after the cursor. A hole means that this connection can't be trusted: it starts over. */
  #take(messages: readonly Message[], history: boolean): void {
    const fresh = messages.filter(({ seq }) => seq > this.#cursor);
    const gap = fresh.findIndex(({ seq }, index) => seq !== this.#cursor + 1 + index);
    const contiguous = gap === -1 ? fresh : fresh.slice(0, gap);
    this.#cursor += contiguous.length;
    if (contiguous.length > 0) this.#emitter.emit({ type: "messages", messages: contiguous, history });
    for (const { sender, id, seq } of contiguous) {
      if (sender === this.#you?.sender && this.#outbox.acknowledge(id, seq)) this.#tellPending();
    }
    if (gap !== -1 && this.#connected) this.reconnect();
  }

  #sayHello(): void {
    if (this.#credentials) this.#sendFrame({ type: "hello", ...this.#credentials });
  }

  /**
   * Sends what is due, now and when a quota allows it; refuses it where nothing can go out any more. Only after `welcome`,
   * which may show that it has arrived.
   */
  #flush(): void {
    this.#stopHold();
    if (this.#status === "closed")
      this.#outbox.refuseAll(new RoomError("unavailable", "The connection is closed for good."));
    if (this.#isReady()) {
      const { clock } = this.#deps;
      for (const { id, content, replyTo } of this.#outbox.take(clock.now())) {
        this.#sendFrame({ type: "send", id, content, ...(replyTo !== undefined && { replyTo }) });
      }
      const wait = this.#outbox.heldUntil - clock.now();
      if (wait > 0) this.#stopHold = clock.after(wait, () => this.#flush());
    }
    this.#tellPending();
  }

  #isReady(): boolean {
    return this.#status === "open" && this.#identified;
  }

  #sendFrame(frame: ClientFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  /** The connection is over. All of that is so before anybody hears of it: they may begin the next one. */
  #end(status: Status, code?: number): void {
    this.#heartbeat.stop();
    this.#connected = this.#identified = false;
    this.#outbox.requeue();
    this.#setStatus(status, code);
    this.#flush();
  }

  #tellPending(): void {
    this.#emitter.emit({ type: "pending", pending: this.#outbox.list(), heldUntil: this.#outbox.heldUntil });
  }

  #setStatus(status: Status, code?: number): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#emitter.emit({ type: "status", status, ...(code !== undefined && { code }) });
  }
}
