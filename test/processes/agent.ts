/**
 * An agent as its author would write it with partysocket: it answers each message of a person once, sends again what was
 * not acknowledged, and goes on where it stopped. It remembers what it has seen.
 */

import PartySocket from "partysocket";
import {
  type ClientFrame,
  FINAL_CLOSE_CODES,
  HEARTBEAT,
  type Message,
  PING,
  PONG,
  type ServerFrame,
} from "../../party/protocol.ts";

export class Agent {
  /** Everything that was told, in the order of its coming. */
  readonly seen: Message[] = [];
  sender: string | undefined;
  readonly people = new Set<string>();
  spectators = 0;
  readonly #socket: PartySocket;
  readonly #heartbeat: ReturnType<typeof setInterval>;
  readonly #unanswered = new Map<string, ClientFrame>();
  #epoch: string | undefined;

  constructor({ port, room, key }: { port: number; room: string; key: string }) {
    this.#socket = new PartySocket({
      host: `localhost:${port}`,
      party: "chat-room",
      room,
      query: () => (this.#epoch ? { after: String(this.seen.at(-1)?.seq ?? 0), epoch: this.#epoch } : {}),
      maxEnqueuedMessages: 0,
      minReconnectionDelay: 200,
      maxReconnectionDelay: 1_000,
      shouldReconnectOnClose: ({ code }) => !FINAL_CLOSE_CODES.includes(code),
    });
    const introduce = () => this.#send({ type: "hello", key, as: "echo" });
    this.#socket.addEventListener("open", introduce);
    this.#socket.addEventListener("message", ({ data }) => {
      if (data === PONG) return;
      const frame = JSON.parse(String(data)) as ServerFrame;
      // Its key can't be looked up at the moment.
      if (frame.type === "error" && frame.about === "hello") setTimeout(introduce, (frame.retryAfter ?? 1) * 1_000);
      this.#hear(frame);
    });
    this.#heartbeat = setInterval(() => this.#socket.send(PING), HEARTBEAT.every);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#socket.close();
  }

  #send(frame: ClientFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  #hear(frame: ServerFrame): void {
    if (frame.type === "check") this.#send({ type: "read", n: frame.n });
    if (frame.type === "you") {
      this.sender = frame.sender;
      for (const answer of this.#unanswered.values()) this.#send(answer);
    }
    if (frame.type === "welcome") {
      if (frame.reset) throw new Error("The agent was told to start over.");
      this.#epoch = frame.epoch;
      this.people.clear();
      for (const sender of frame.presence.people) this.people.add(sender);
      this.spectators = frame.presence.spectators;
    }
    if (frame.type === "update") {
      for (const sender of frame.presence?.joined ?? []) this.people.add(sender);
      for (const sender of frame.presence?.left ?? []) this.people.delete(sender);
      this.spectators = frame.presence?.spectators ?? this.spectators;
    }
    if (frame.type === "welcome" || frame.type === "update")
      for (const message of frame.messages ?? []) this.#take(message);
  }

  #take(message: Message): void {
    this.seen.push(message);
    if (message.sender === this.sender) this.#unanswered.delete(message.id);
    if (message.sender.includes("/")) return;
    const content = `I have heard "${message.content}"`;
    const answer: ClientFrame = { type: "send", id: `answer-${message.seq}`, content, replyTo: message.seq };
    this.#unanswered.set(answer.id, answer);
    if (this.sender) this.#send(answer);
  }
}
