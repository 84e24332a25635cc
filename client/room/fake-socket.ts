/** A socket and a clock that do what a test says, when it says so. */

import type { ClientFrame, Message, ServerFrame, WelcomeFrame } from "../../party/protocol.ts";
import { PING } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";
import type { RoomSocket } from "./room-socket.ts";

type Listener = (event: never) => void;

export class FakeSocket implements RoomSocket {
  /** The frames that the client sent on this connection. */
  readonly sent: ClientFrame[] = [];
  pings = 0;
  /** The addresses of all attempts to connect. */
  readonly urls: string[] = [];
  closedWith: number | undefined;
  readonly #url: () => string;
  readonly #listeners = new Map<string, Listener>();

  constructor(url: () => string) {
    this.#url = url;
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }

  send(data: string): void {
    if (data === PING) this.pings++;
    else this.sent.push(JSON.parse(data) as ClientFrame);
  }

  close(code?: number): void {
    this.closedWith = code;
  }

  reconnect(): void {
    this.lose(1000);
    this.open();
  }

  /** An attempt succeeds. */
  open(): void {
    this.urls.push(this.#url());
    this.sent.length = 0;
    this.#listeners.get("open")?.({} as never);
  }

  deliver(frame: ServerFrame | string): void {
    const data = typeof frame === "string" ? frame : JSON.stringify(frame);
    this.#listeners.get("message")?.({ data } as never);
  }

  lose(code = 1006): void {
    this.#listeners.get("close")?.({ code } as never);
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
