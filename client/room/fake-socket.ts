/** A socket and a clock that do what a test says, when it says so. */

import type { ClientFrame, Message, ServerFrame, WelcomeFrame } from "../../party/protocol.ts";
import { PING } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";
import type { RoomSocket, RoomSocketOptions } from "./room-socket.ts";

export class FakeSocket implements RoomSocket {
  /** The frames that the client sent on this connection. */
  readonly sent: ClientFrame[] = [];
  pings = 0;
  /** The addresses of all attempts to connect. */
  readonly urls: string[] = [];
  closed = false;
  reconnects = 0;
  readonly #options: RoomSocketOptions;
  #open = false;

  constructor(options: RoomSocketOptions) {
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

  lose(code = 1006): void {
    this.#open = false;
    this.#options.onclose({ code });
  }
}

export class FakeClock implements Clock {
  #now = 1_000_000;
  #tasks: { at: number; task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delay: number, task: () => void): () => void {
    const entry = { at: this.#now + delay, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  /** Lets time pass, and what is due happen in order. */
  pass(duration: number): void {
    const until = this.#now + duration;
    for (;;) {
      const next = this.#tasks.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#tasks.splice(this.#tasks.indexOf(next), 1);
      this.#now = next.at;
      next.task();
    }
    this.#now = until;
  }

  get waiting(): number {
    return this.#tasks.length;
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
