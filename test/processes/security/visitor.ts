/**
 * Those who attack: they speak HTTP and sockets as a client would, from whatever address they like, and keep all that
 * they hear. On this machine the platform's header for the client's address is theirs to set.
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "vitest";
import { newKey } from "../../../party/identity/sender.ts";
import type { ClientFrame, ErrorFrame, Message, ServerFrame, WelcomeFrame, YouFrame } from "../../../party/protocol.ts";
import type { Server } from "../server.ts";
import { until } from "../until.ts";

/** What a call may carry besides its method and path. */
export interface CallOptions {
  readonly key?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer, read to its end. `body` is its JSON, where it is any. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects and fails where it is not
  readonly body: any;
}

export interface Key {
  readonly key: string;
  readonly id: string;
  readonly handle: string;
}

let rooms = 0;
let guests = 0;
let sends = 0;

/** A room id that no other test has. */
export const newRoomId = (): string => `room-${process.pid}-${++rooms}`;

/** A guest's secret that no other test has. */
export const newGuestSecret = (): string => `guest-secret-${process.pid}-${String(++guests).padStart(8, "0")}`;

/** SHA-256 of a key, in hex. */
export const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");

export class Visitor {
  readonly server: Server;
  readonly address: string;

  constructor(server: Server, address = "192.0.2.1") {
    this.server = server;
    this.address = address;
  }

  async call(method: string, path: string, { key, body, text, headers }: CallOptions = {}): Promise<Answer> {
    const ask = () =>
      fetch(this.server.url + path, {
        method,
        redirect: "manual",
        headers: {
          "x-forwarded-for": this.address,
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(text !== undefined && { body: text }),
      });
    const response = await ask().catch((error: Error) => {
      // A connection that was kept may end just when it is taken up again; then nothing has been asked yet.
      const { code = "" } = (error.cause ?? {}) as { code?: string };
      if (["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"].includes(code)) return ask();
      throw error;
    });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, text: answer, body: parsed(answer) };
  }

  async makeKey(): Promise<Key> {
    const { status, body, text } = await this.call("POST", "/api/keys");
    if (status !== 201) throw new Error(`No key: ${status} ${text}`);
    return body as Key;
  }

  /** Puts a new key, made here, in the place of `key`. The answer, with the new key whatever it is. */
  async swapKey(key: string): Promise<Answer & { readonly key: string }> {
    const next = newKey();
    const answer = await this.call("POST", "/api/keys/me/rotate", { key, body: { keyHash: hashOf(next) } });
    return { ...answer, key: next };
  }

  async makeRoom(key: string, settings: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const id = newRoomId();
    const made = await this.call("POST", "/api/rooms", { key, body: { id, name: id } });
    if (made.status !== 201) throw new Error(`No room: ${made.status} ${made.text}`);
    if (Object.keys(settings).length > 0) {
      const settled = await this.call("PATCH", `/api/rooms/${id}`, { key, body: settings });
      if (settled.status !== 200) throw new Error(`Not settled: ${settled.status} ${settled.text}`);
    }
    return id;
  }

  /** Sends a message over HTTP. */
  say(room: string, key: string, content: string, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return this.call("POST", `/api/rooms/${room}/messages`, { key, body: { content, ...more } });
  }

  /** The messages of a room, oldest first. */
  async messages(room: string, query = "limit=200"): Promise<Message[]> {
    const { body } = await this.call("GET", `/api/rooms/${room}/messages?${query}`);
    return body.messages as Message[];
  }

  /** A socket to a room, as soon as it is open. */
  async enter(room: string, query = "", headers: Readonly<Record<string, string>> = {}): Promise<Line> {
    return Line.open(`${this.server.url}/api/rooms/${room}/ws${query}`, {
      "x-forwarded-for": this.address,
      ...headers,
    });
  }

  /** A socket to a room on which somebody has been named. */
  async enterAs(room: string, who: { key: string; as?: string } | { guest: string }, origin?: string): Promise<Line> {
    const line = await this.enter(room, "", origin === undefined ? {} : { origin });
    line.send({ type: "hello", ...who } as ClientFrame);
    await line.heard("you");
    return line;
  }
}

/** One socket, with all that has come over it. */
export class Line {
  readonly frames: ServerFrame[] = [];
  /** All text that has come, one frame a line. */
  text = "";
  closed: { code: number; reason: string } | undefined;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.text += `${data}\n`;
      if (data === "pong") return;
      const frame = JSON.parse(String(data)) as ServerFrame;
      this.frames.push(frame);
      if (frame.type === "check") this.send({ type: "read", n: frame.n });
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
    });
    // A close follows.
    socket.addEventListener("error", () => undefined);
  }

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<Line> {
    // Node's WebSocket takes headers, which the browser's type does not know.
    const options = { headers } as unknown as string[];
    const socket = new WebSocket(url.replace(/^http/, "ws"), options);
    const line = new Line(socket);
    await until("the socket is open or closed", () => socket.readyState !== WebSocket.CONNECTING);
    // As every client does. On workerd a connection that has never sent anything ends ten seconds after its close frame.
    line.sendText("ping");
    return line;
  }

  send(frame: ClientFrame | Readonly<Record<string, unknown>>): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  sendBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes);
  }

  /** Sends a message and gives its id. */
  say(content: string, more: Readonly<Record<string, unknown>> = {}): string {
    const id = typeof more.id === "string" ? more.id : `say-${++sends}`;
    this.send({ type: "send", id, content, ...more });
    return id;
  }

  /** The first frame of `type` that `which` holds for, now or soon. */
  async heard<Type extends ServerFrame["type"]>(
    type: Type,
    which: (frame: Extract<ServerFrame, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<ServerFrame, { type: Type }>> {
    const isIt = (frame: ServerFrame) => frame.type === type && which(frame as Extract<ServerFrame, { type: Type }>);
    const found = await until(`a ${type} frame`, () => this.frames.find(isIt) ?? this.#ifOpen());
    if (typeof found === "string") throw new Error(`Closed (${found}) before a ${type} frame came:\n${this.text}`);
    return found as Extract<ServerFrame, { type: Type }>;
  }

  welcomed(): Promise<WelcomeFrame> {
    return this.heard("welcome");
  }

  named(): Promise<YouFrame> {
    return this.heard("you");
  }

  /** What has become of the send or draft `id`: its message, or its error. */
  async outcome(id: string): Promise<Message | ErrorFrame> {
    return until(`something about ${id}`, () => this.#outcome(id));
  }

  async refused(): Promise<ErrorFrame> {
    return this.heard("error");
  }

  async hasClosed(): Promise<{ code: number; reason: string }> {
    return until("the socket is closed", () => this.closed);
  }

  /** All messages that have come, in the order in which they came. */
  get messages(): Message[] {
    return this.frames.flatMap((frame) => ("messages" in frame && frame.messages ? frame.messages : []));
  }

  get errors(): ErrorFrame[] {
    return this.frames.filter((frame) => frame.type === "error");
  }

  /** When what was sent before this has been worked on: an answer to what can't be is refused in its turn. */
  async settled(): Promise<void> {
    const id = this.say("settled?", { replyTo: Number.MAX_SAFE_INTEGER });
    const isAnswer = (error: ErrorFrame) => error.id === id;
    await until("an answer to the last frame", () => this.errors.some(isAnswer) || this.closed);
  }

  close(): void {
    this.#socket.close();
  }

  #ifOpen(): string | undefined {
    return this.closed && `${this.closed.code} ${this.closed.reason}`;
  }

  #outcome(id: string): Message | ErrorFrame | undefined {
    const error = this.errors.find((frame) => frame.id === id);
    return error ?? this.messages.find((message) => message.id === id);
  }
}

/** Fails, with what the answer says, unless it has the status `wanted`. */
export function expectStatus({ status, text }: Answer, wanted: number): void {
  expect(status === wanted ? `${status}` : `${status} ${text}`).toBe(`${wanted}`);
}

/** Sends `text` over TCP as it stands, and gives the answer's bytes as they came, once `isWhole` or it is closed. */
export async function raw(
  server: Server,
  text: string | Uint8Array,
  isWhole: (answer: string) => boolean = (answer) => answer.includes("\r\n\r\n"),
): Promise<string> {
  const socket = connect(server.port, "localhost");
  await once(socket, "connect");
  let answer = "";
  let ended = false;
  socket.on("data", (bytes: Buffer) => {
    answer += bytes.toString("latin1");
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    ended = true;
  });
  socket.write(text);
  try {
    await until("an answer over TCP", () => isWhole(answer) || ended);
  } finally {
    socket.destroy();
  }
  return answer;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
