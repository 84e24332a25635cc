/**
 * Writes down how the client and the server of version 0.1.0 talk, for the tests in which later versions talk to them.
 *
 *     node test/recorded/record.ts TREE
 *
 * TREE is a checkout of that version with its dependencies, built. Its server starts from test/states/0.1.0.json, so that
 * a later server, started from the same state, can be told the same and has to answer the same. A recording is never made
 * again for a version that is released: it is what that version says.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, ProcessGroup } from "../../bench/processes.ts";
import type { ClientFrame, ServerFrame } from "../../party/protocol.ts";
import { until } from "../processes/until.ts";
import { restore } from "../states/state-folder.ts";
import type { Exchange, Line } from "./conversation.ts";

const VERSION = "0.1.0";
const ANN = "mai_DsVL7LhOAbsVs5NEbN9ZWY8v";
const BEN = "mai_pVcGOAxE0VxcIbtcILwtocKM";
const REVOKED = "mai_1rn4RlszP_BnDDVVszLDNyc6";
const GUEST = "a-guest-secret-of-old-1234567890";
const EPOCH = "9uQ97Ak9FE";

const tree = process.argv[2];
if (!tree) throw new Error("Usage: node test/recorded/record.ts TREE");

const stateDir = mkdtempSync(join(tmpdir(), "meet-ai-recorded-"));
restore(join(import.meta.dirname, `../states/${VERSION}.json`), stateDir);
const port = await freePort();
const origin = `http://localhost:${port}`;
const server = await ProcessGroup.start(["api/local/start.ts", "--no-build"], {
  cwd: tree,
  env: { PORT: String(port), STATE_DIR: stateDir },
  ready: `  lobby     ${origin}/r/lobby`,
  timeout: 60_000,
});

/** Where lines go. Each socket that is opened meanwhile writes its own. */
let lines: Line[] = [];

const PlatformSocket = WebSocket;
class RecordedSocket extends PlatformSocket {
  #left = false;

  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    const { pathname, search } = new URL(url);
    const into = lines;
    into.push({ connect: pathname + search });
    this.addEventListener("message", ({ data }) => {
      if (data !== "pong" && !this.#left) into.push({ server: JSON.parse(String(data)) as ServerFrame });
    });
    this.addEventListener("close", ({ code }) => void (this.#left || into.push({ close: code })));
  }

  override send(data: string): void {
    if (data !== "ping") lines.push({ client: JSON.parse(data) as ClientFrame });
    super.send(data);
  }

  override close(code?: number, reason?: string): void {
    if (!this.#left && this.readyState !== PlatformSocket.CLOSED) lines.push({ leave: true });
    this.#left = true;
    super.close(code, reason);
  }
}
globalThis.WebSocket = RecordedSocket;

/** What the client of that version can do. */
interface Client {
  readonly status: string;
  readonly you: unknown;
  send(content: string, options: { id: string; replyTo?: number }): Promise<number>;
  draft(id: string, append: string): void;
  delete(seq: number): boolean;
  reconnect(): void;
  close(): void;
}
const { RoomClient } = (await import(join(tree, "client/room/index.ts"))) as {
  RoomClient: new (options: object) => Client;
};

try {
  await record("guest", talkAsGuest);
  await record("agent", talkAsAgent);
  await record("refusals", beRefused);
  write("http", await exchange());
} finally {
  await server[Symbol.asyncDispose]();
  rmSync(stateDir, { recursive: true, force: true });
}
process.exit();

async function record(name: string, talk: () => Promise<void>): Promise<void> {
  lines = [];
  await talk();
  write(name, lines);
}

function write(name: string, all: readonly unknown[]): void {
  const text = all.map((line) => `${JSON.stringify(line)}\n`).join("");
  writeFileSync(join(import.meta.dirname, VERSION, `${name}.ndjson`), text);
}

/** Whether a frame that came contains `text`. */
function heard(text: string): boolean {
  return lines.some((line) => "server" in line && JSON.stringify(line.server).includes(text));
}

async function talkAsGuest(): Promise<void> {
  const client = new RoomClient({ server: origin, room: "den", credentials: { guest: GUEST } });
  const ready = () => client.status === "open" && client.you !== undefined && isIdentified();
  await until("the guest is in", ready);
  const first = await client.send("Hello from 0.1.0", { id: "g1" });
  await client.send("a reply — “ünïcode” 🦊", { id: "g2", replyTo: first });
  client.draft("g3", "written ");
  await until("the draft is seen", () => heard('"append":"written "'));
  client.draft("g3", "in pieces");
  await until("the rest is seen", () => heard('"append":"in pieces"'));
  await client.send("written in pieces", { id: "g3" });
  await client.send("Hello from 0.1.0", { id: "g1" });
  await client.send("something else", { id: "g1" }).catch(() => {});
  client.delete(first);
  await until("the message is deleted", () => heard(`"target":${first}`));
  client.reconnect();
  await until("the guest is back", ready);
  await client.send("back again", { id: "g4" });
  client.close();
}

/** On the newest connection the room has said who one is. */
function isIdentified(): boolean {
  const opened = lines.findLastIndex((line) => "connect" in line);
  return lines.slice(opened).some((line) => "server" in line && line.server.type === "you");
}

async function talkAsAgent(): Promise<void> {
  const client = new RoomClient({ server: origin, room: "den", credentials: { key: ANN, as: "claude" } });
  await until("the agent is in", () => client.status === "open" && isIdentified());
  for (let count = 1; ; count++) {
    const said = await client.send(`thinking, ${count}`, { id: `c${count}` }).catch(() => undefined);
    if (said === undefined) break;
  }
  client.close();
}

async function beRefused(): Promise<void> {
  const closing = async (path: string, frame?: ClientFrame) => {
    const socket = new WebSocket(`ws://localhost:${port}${path}`);
    if (frame) socket.addEventListener("open", () => socket.send(JSON.stringify(frame)));
    await new Promise((resolve) => socket.addEventListener("close", resolve));
  };
  await closing("/api/rooms/den/ws", { type: "hello", key: REVOKED });
  await closing("/api/rooms/no-such-room/ws");
  const staying = async (query: string, frames: readonly object[], last: string) => {
    const from = lines.length;
    const socket = new WebSocket(`ws://localhost:${port}/api/rooms/den/ws${query}`);
    for (const frame of frames) {
      await until("it is answered", () => JSON.stringify(lines.slice(from)).includes('"server"'));
      socket.send(JSON.stringify(frame));
    }
    await until(`${last} has come`, () => JSON.stringify(lines.slice(from)).includes(last));
    socket.close();
  };
  await staying(`?after=20&epoch=another`, [], '"reset":true');
  await staying(`?after=0&epoch=${EPOCH}`, [{ type: "nonsense" }], '"code":"invalid"');
  const muted = { type: "send", id: "b1", content: "still muted" };
  await staying(`?after=20&epoch=${EPOCH}`, [{ type: "hello", key: BEN }], '"type":"you"');
  await staying(`?after=20&epoch=${EPOCH}`, [{ type: "hello", key: BEN }, muted], '"code":"muted"');
}

async function exchange(): Promise<Exchange[]> {
  const den = "/api/rooms/den";
  const hello = { id: "h1", content: "Hello over HTTP" };
  const asked: Omit<Exchange, "status" | "type" | "answer">[] = [
    { method: "GET", path: "/healthz" },
    { method: "GET", path: "/api/keys/me", key: ANN },
    { method: "GET", path: "/api/keys/me", key: REVOKED },
    { method: "POST", path: "/api/keys", drawn: ["key", "id", "handle"] },
    // D1 is some seconds behind the room.
    { method: "GET", path: "/api/rooms?limit=1&q=den", drawn: ["lastSeq"] },
    { method: "GET", path: den },
    { method: "GET", path: den, key: ANN },
    { method: "GET", path: "/api/rooms/no-such-room" },
    { method: "GET", path: `${den}/messages?limit=5` },
    { method: "GET", path: `${den}/messages?after=20&epoch=${EPOCH}&limit=2` },
    { method: "GET", path: `${den}/messages?after=1&epoch=another&limit=2` },
    { method: "GET", path: `${den}/messages?before=10&limit=3`, drawn: ["head"] },
    { method: "GET", path: `${den}/messages?limit=0` },
    { method: "POST", path: `${den}/messages`, body: hello },
    { method: "POST", path: `${den}/messages`, key: ANN, body: hello },
    { method: "POST", path: `${den}/messages`, key: ANN, body: hello },
    { method: "POST", path: `${den}/messages`, key: ANN, body: { ...hello, content: "another" } },
    { method: "POST", path: `${den}/messages`, key: ANN, body: { content: "" } },
    { method: "POST", path: `${den}/messages`, key: ANN, body: { ...hello, as: "claude", replyTo: 2 } },
    { method: "POST", path: `${den}/messages`, key: BEN, body: { content: "still muted" } },
    { method: "DELETE", path: `${den}/messages/2`, key: BEN },
    { method: "DELETE", path: `${den}/messages/3`, key: ANN },
    { method: "GET", path: `${den}/mutes`, key: ANN },
    { method: "GET", path: `${den}/mutes`, key: BEN },
    { method: "PUT", path: `${den}/mutes/~nice-newt-0a0b0c`, key: ANN, body: { until: "2100-01-01T00:00:00.000Z" } },
    { method: "DELETE", path: `${den}/mutes/~nice-newt-0a0b0c`, key: ANN },
    { method: "PATCH", path: den, key: ANN, body: { topic: "As 0.1.0 says it", loopGuard: 7 } },
    { method: "PATCH", path: den, key: BEN, body: { topic: "no" } },
    { method: "POST", path: "/api/rooms", key: ANN, body: { name: "Recorded", id: "recorded", listed: false } },
    { method: "POST", path: "/api/rooms", key: ANN, body: { name: "Recorded", id: "recorded" } },
    { method: "DELETE", path: "/api/rooms/recorded", key: ANN },
    { method: "GET", path: "/r/den?format=md" },
    { method: "GET", path: "/r/den" },
  ];
  const answered: Exchange[] = [];
  for (const request of asked) {
    const { method, path, key, body } = request;
    const response = await fetch(origin + path, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const type = response.headers.get("content-type");
    const text = await response.text();
    const answer = type?.includes("json") ? { answer: JSON.parse(text) as unknown } : {};
    answered.push({ ...request, status: response.status, type, ...answer });
  }
  return answered;
}
