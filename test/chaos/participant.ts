/**
 * A client that resumes and retries as it should, and writes down everything that it does and sees.
 *
 * It is written against the protocol alone, on a plain WebSocket: the project's own client must not be what hides a
 * fault of the room from its judge.
 */

import {
  type ClientFrame,
  type ErrorFrame,
  type HelloFrame,
  type Message,
  PING,
  PONG,
  type ServerFrame,
  type WelcomeFrame,
} from "../../party/protocol.ts";
import type { Send, Stream } from "./history.ts";

/** More often than a real client: these trials have no forty seconds to find out that a connection is dead, ms. */
const PING_EVERY = 1_000;
const DEAD_AFTER = 4_000;
/** A new connection is tried this long after the last was lost, ms: between once and twice as long. */
const RECONNECT_AFTER = 50;
/** A refused message is sent again after this long, unless the room names a time, ms. */
const RETRY_AFTER = 200;

export interface ParticipantOptions {
  readonly name: string;
  /** The address of the room's socket, without a query. */
  readonly url: string;
  /** Who speaks; a spectator when absent. */
  readonly hello?: HelloFrame;
  /** ms, on one clock for all participants. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
}

export class Participant {
  readonly name: string;
  readonly sends: Send[] = [];
  readonly streams: Stream[] = [];
  /** How often a welcome has taken up the stream, and how often it had to start over. */
  resumes = 0;
  resets = 0;
  /** How often it has lost its connection. */
  losses = 0;
  /** Refusals that nobody expected: of another code than `unavailable` and `rate_limited`. */
  readonly surprises: ErrorFrame[] = [];
  readonly #options: ParticipantOptions;
  /** Sent and not acknowledged yet, in the order of their first sending. */
  readonly #pending = new Map<string, Send>();
  readonly #sent = new Map<string, Send>();
  #socket: WebSocket | undefined;
  #sender: string | undefined;
  #admitted = false;
  #closed = false;
  #lastHeard = 0;
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(options: ParticipantOptions) {
    this.#options = options;
    this.name = options.name;
    this.#connect();
  }

  /** The name under which the room knows it; known from the first `you` on. */
  get sender(): string | undefined {
    return this.#sender;
  }

  /** Connected, welcomed and, if it speaks, admitted. */
  get isReady(): boolean {
    return this.#options.hello ? this.#admitted : this.#stream?.live === true;
  }

  /** The newest seq that it has seen. */
  get cursor(): number {
    const stream = this.#stream;
    return stream ? (stream.messages.at(-1)?.seq ?? stream.after) : 0;
  }

  /** How many of its messages are still on their way. */
  get pending(): number {
    return this.#pending.size;
  }

  get acknowledged(): number {
    return this.sends.filter(({ acks }) => acks.length > 0).length;
  }

  /** Sends `content`: now if it is connected, else as soon as it is. It has to have been admitted once. */
  send(content: string): void {
    if (!this.#sender) throw new Error(`${this.name} has not been admitted yet.`);
    const id = `${this.name}-${this.sends.length + 1}`;
    const send: Send = {
      client: this.name,
      sender: this.#sender,
      id,
      content,
      invoked: this.#options.now(),
      attempts: 0,
      refusals: 0,
      acks: [],
    };
    this.sends.push(send);
    this.#sent.set(id, send);
    this.#pending.set(id, send);
    if (this.#admitted) this.#attempt(send);
  }

  /** Sends what it has sent before once more, as a client does that is not sure. */
  repeat(send: Send): void {
    this.#pending.set(send.id, send);
    if (this.#admitted) this.#attempt(send);
  }

  /** Goes away for good. */
  close(): void {
    this.#closed = true;
    this.#leave(this.#socket);
  }

  get #stream(): Stream | undefined {
    return this.streams.at(-1);
  }

  #connect(): void {
    if (this.#closed) return;
    const stream = this.#stream;
    const query = stream ? `?after=${this.cursor}&epoch=${stream.epoch}` : "";
    const socket = new WebSocket(this.#options.url + query);
    this.#socket = socket;
    this.#admitted = false;
    this.#lastHeard = this.#options.now();
    socket.addEventListener("message", ({ data }) => this.#hear(socket, String(data)));
    socket.addEventListener("close", () => this.#leave(socket));
    socket.addEventListener("error", () => this.#leave(socket));
    this.#heartbeat = setInterval(() => {
      if (this.#options.now() - this.#lastHeard > DEAD_AFTER) this.#leave(socket);
      else if (socket.readyState === WebSocket.OPEN) socket.send(PING);
    }, PING_EVERY);
  }

  /** Gives up `socket`, if it is not given up already, and connects again. */
  #leave(socket: WebSocket | undefined): void {
    if (!socket || socket !== this.#socket) return;
    this.#socket = undefined;
    this.#admitted = false;
    if (!this.#closed) this.losses++;
    clearInterval(this.#heartbeat);
    if (this.#stream) this.#stream.live = false;
    socket.close();
    const wait = RECONNECT_AFTER * (1 + this.#options.random());
    if (!this.#closed) setTimeout(() => this.#connect(), wait);
  }

  #hear(socket: WebSocket, text: string): void {
    // A connection that was given up may still deliver; what it delivers will come again.
    if (socket !== this.#socket) return;
    this.#lastHeard = this.#options.now();
    if (text === PONG) return;
    const frame = JSON.parse(text) as ServerFrame;
    if (frame.type === "welcome") this.#enter(frame);
    else if (frame.type === "update") this.#take(frame.messages ?? []);
    else if (frame.type === "you") this.#speak(frame.sender);
    else if (frame.type === "ack") this.#acknowledge(frame.id, frame.seq);
    else if (frame.type === "error") this.#refuse(frame);
    else if (frame.type === "check") this.#transmit({ type: "read", n: frame.n });
  }

  #enter(welcome: WelcomeFrame): void {
    const resumed = this.#stream;
    if (resumed && !welcome.reset) {
      resumed.live = true;
      this.resumes++;
    } else {
      if (welcome.reset) this.resets++;
      const after = welcome.messages[0] ? welcome.messages[0].seq - 1 : welcome.head;
      this.streams.push({ subscriber: this.name, epoch: welcome.epoch, after, messages: [], live: true });
    }
    this.#take(welcome.messages);
    this.#introduce();
  }

  #introduce(): void {
    if (this.#options.hello) this.#transmit(this.#options.hello);
  }

  #take(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#stream?.messages.push(message);
      if (message.sender === this.#sender) this.#acknowledge(message.id, message.seq);
    }
  }

  #speak(sender: string): void {
    this.#sender = sender;
    this.#admitted = true;
    // A long backlog follows the welcome in updates; what of it is ours is acknowledged by then, or is free to repeat.
    for (const send of this.#pending.values()) this.#attempt(send);
  }

  #acknowledge(id: string, seq: number): void {
    const send = this.#sent.get(id);
    send?.acks.push({ seq, at: this.#options.now() });
    this.#pending.delete(id);
  }

  #refuse(error: ErrorFrame): void {
    const passes = error.code === "unavailable" || error.code === "rate_limited";
    const wait = error.retryAfter ? error.retryAfter * 1_000 : RETRY_AFTER;
    if (error.about === "hello" && passes) {
      // Who it is can't be looked up at the moment.
      const socket = this.#socket;
      setTimeout(() => socket === this.#socket && this.#introduce(), wait);
      return;
    }
    const send = error.id === undefined ? undefined : this.#pending.get(error.id);
    if (!send) {
      this.surprises.push(error);
      return;
    }
    send.refusals++;
    if (!passes) {
      this.surprises.push(error);
      this.#pending.delete(send.id);
      return;
    }
    const attempt = send.attempts;
    const retry = () => {
      // Unless a new connection has sent it meanwhile.
      if (this.#admitted && this.#pending.has(send.id) && send.attempts === attempt) this.#attempt(send);
    };
    setTimeout(retry, wait);
  }

  #attempt(send: Send): void {
    send.attempts++;
    this.#transmit({ type: "send", id: send.id, content: send.content });
  }

  #transmit(frame: ClientFrame): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}
