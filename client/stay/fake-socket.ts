/** A socket that does what a test says, when it says so, and the frames that a room would send. */

import type { ClientFrame, Message, ServerFrame, WelcomeFrame } from "../../party/protocol.ts";
import { PING } from "../../party/protocol.ts";
import type { ReconnectingSocket, ReconnectingSocketOptions } from "./reconnecting-socket.ts";

export class FakeSocket implements ReconnectingSocket {
  /** The frames that the client sent on this connection. */
  readonly sent: ClientFrame[] = [];
  pings = 0;
  /** The addresses of all attempts to connect. */
  readonly urls: string[] = [];
  closed = false;
  /** How often it was told to connect again at once, and after a wait. */
  reconnects = 0;
  retries = 0;
  readonly #options: ReconnectingSocketOptions;
  #open = false;

  constructor(options: ReconnectingSocketOptions) {
    this.#options = options;
  }

  send(data: string): void {
    if (!this.#open) return;
    if (data === PING) this.pings++;
    else this.sent.push(JSON.parse(data) as ClientFrame);
  }

  close(): void {
    this.#open = false;
    this.closed = true;
  }

  /** Begins an attempt, which succeeds with `open`. */
  reconnect(): void {
    this.#open = false;
    this.closed = false;
    this.reconnects++;
  }

  /** Begins an attempt after a wait, which succeeds with `open`. */
  retry(): void {
    this.#open = false;
    this.closed = false;
    this.retries++;
  }

  /** An attempt succeeds. */
  open(): void {
    this.#open = true;
    this.urls.push(this.#options.url());
    this.sent.length = 0;
    this.#options.onopen();
  }

  deliver(frame: ServerFrame | string): void {
    this.#options.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  /** No socket can be made here. */
  fail(error: Error): void {
    this.#options.onimpossible(error);
  }

  lose(code = 1006): void {
    this.#open = false;
    this.#options.onclose({ code });
  }
}

export function message(seq: number, more: Partial<Message> = {}): Message {
  const createdAt = new Date(1_700_000_000_000 + seq * 1000).toISOString();
  return { seq, id: `m${seq}`, kind: "text", sender: "swift-otter", content: `Message ${seq}`, createdAt, ...more };
}

/** Messages `from` … `to`. */
export const run = (from: number, to: number): Message[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => message(from + index));

export function welcome(messages: Message[], more: Partial<WelcomeFrame> = {}): WelcomeFrame {
  return {
    type: "welcome",
    protocol: 1,
    room: { id: "lobby", name: "Lobby", topic: "", guests: "write", loopGuard: 0, agentsPaused: false },
    epoch: "e1",
    head: messages.at(-1)?.seq ?? 0,
    messages,
    presence: { people: [], spectators: 1 },
    drafts: [],
    ...more,
  };
}
