/** A room and its sockets without a runtime, for the tests of the audience. */

import type { Message, ServerFrame, UpdateFrame } from "../protocol.ts";
import type { AgentEvents } from "./agents/agent-connections.ts";
import type { LogView } from "./flow/backlog.ts";
import type { ListedSocket } from "./listed-socket.ts";
import type { Socket, SocketState } from "./socket-state.ts";

/** A socket that keeps what it was sent, and with which code it was closed. */
export class FakeSocket {
  state: unknown = null;
  readonly texts: string[] = [];
  closed: number | undefined;
  /** When the runtime last answered a ping of it, ms since 1970. */
  pingedAt: number | undefined;

  setState(state: SocketState): void {
    this.state = structuredClone(state);
  }

  send(text: string): void {
    if (this.closed !== undefined) throw new Error("Can't call WebSocket send() after close().");
    this.texts.push(text);
  }

  close(code: number): void {
    this.closed ??= code;
  }

  get socket(): Socket {
    return this as unknown as Socket;
  }

  get sent(): ServerFrame[] {
    return this.texts.map((text) => JSON.parse(text) as ServerFrame);
  }

  get types(): string[] {
    return this.sent.map(({ type }) => type);
  }

  get updates(): UpdateFrame[] {
    return this.sent.filter((frame) => frame.type === "update");
  }

  /** The seqs of all messages, in the order in which they came. */
  get seqs(): number[] {
    return this.sent.flatMap((frame) =>
      ("messages" in frame && frame.messages ? frame.messages : []).map(({ seq }) => seq),
    );
  }

  /** Everything that was sent, in bytes. */
  get bytes(): number {
    return this.texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  }

  /** The number of the last check. */
  get n(): number {
    const check = this.sent.findLast(({ type }) => type === "check");
    return check?.type === "check" ? check.n : Number.NaN;
  }

  /** As the runtime lists it. */
  get listed(): ListedSocket {
    return { socket: this.socket, attached: this.state, isOpen: this.closed === undefined };
  }
}

/** A log in memory. */
export class FakeLog implements LogView {
  epoch = "first";
  oldest = 1;
  newestErasure = 0;
  newestErased = 0;
  messages: Message[] = [];
  /** How many messages were read. */
  reads = 0;

  get head(): number {
    return this.messages.at(-1)?.seq ?? 0;
  }

  /** Appends a message with this content. */
  add(content: string): Message {
    const seq = this.head + 1;
    const message: Message = {
      seq,
      id: `m${seq}`,
      kind: "text",
      sender: "a-b",
      content,
      createdAt: "2026-11-26T12:00:00.000Z",
    };
    this.messages.push(message);
    return message;
  }

  jsonAfter(seq: number, limit: number): string[] {
    return this.#read(
      this.messages.filter((message) => message.seq > seq && message.seq >= this.oldest).slice(0, limit),
    );
  }

  jsonBefore(seq: number, limit: number): string[] {
    return this.#read(this.messages.filter((message) => message.seq < seq && message.seq >= this.oldest).slice(-limit));
  }

  #read(messages: readonly Message[]): string[] {
    this.reads += messages.length;
    return messages.map((message) => JSON.stringify(message));
  }
}

/** For tests in which no agent matters. */
export const NO_AGENTS: AgentEvents = {
  connectionChanged: () => undefined,
  bridgeLost: () => undefined,
  bridgeEnded: () => undefined,
  waited: () => undefined,
};
