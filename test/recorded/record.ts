/**
 * Writes down how the client and the server of this version talk, for the tests in which later versions talk to them. At a
 * release, after `test/states/live.ts`:
 *
 *     node test/recorded/record.ts
 *
 * Its server starts from the state folder of this version, so that a later server, started from the same state, can be told
 * the same and has to answer the same. A recording is never made again for a version that is released: it is what that
 * version says. So one that is there has to be removed first.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { root } from "../../api/local/root.ts";
import { freePort, ProcessGroup } from "../../bench/processes.ts";
import { type JoinOptions, join, type Stay } from "../../client/stay/index.ts";
import type { ClientFrame, ServerFrame } from "../../party/protocol.ts";
import { until } from "../processes/until.ts";
import { LIFE } from "../states/live.ts";
import { restore } from "../states/state-folder.ts";
import type { Exchange, Line } from "./conversation.ts";
import { askedOf, type Opening, openingOf } from "./events.ts";

const { version } = JSON.parse(readFileSync(path(root, "package.json"), "utf8")) as { version: string };
const { "old-ann": ANN, "old-ben": BEN, "old-cat": CAT, "old-eve": REVOKED } = LIFE.keys;
const MUTED = LIFE.rotated;

const stateDir = mkdtempSync(path(tmpdir(), "meet-ai-recorded-"));
restore(path(import.meta.dirname, `../states/${version}.json`), stateDir);
const port = await freePort();
const origin = `http://localhost:${port}`;
const server = await ProcessGroup.start(["api/local/start.ts", "--no-build"], {
  cwd: root,
  env: { PORT: String(port), STATE_DIR: stateDir },
  ready: `  lobby     ${origin}/r/lobby`,
  timeout: 60_000,
});

const { epoch: EPOCH } = (await (await fetch(`${origin}/api/rooms/den/messages?limit=1`)).json()) as { epoch: string };

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

try {
  const openings: Opening[] = [];
  for (const asked of askedOf("den", EPOCH)) openings.push(await openingOf(origin, asked));
  write("events", openings);
  await record("guest", talkAsGuest);
  await record("agent", talkAsAgent);
  await record("person", talkAsPerson);
  await record("member", talkAsMember);
  await record("reader", talkAsReader);
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
  mkdirSync(path(import.meta.dirname, version), { recursive: true });
  writeFileSync(path(import.meta.dirname, version, `${name}.ndjson`), text, { flag: "wx" });
}

/** Whether a frame that came contains `text`. */
function heard(text: string): boolean {
  return lines.some((line) => "server" in line && JSON.stringify(line.server).includes(text));
}

function enter(room: string, options: JoinOptions): Promise<Stay> {
  return join(`${origin}/r/${room}`, options);
}

async function talkAsGuest(): Promise<void> {
  const guest = await enter("den", { guest: LIFE.guest });
  const first = await guest.send(`Hello from ${version}`, { id: "g1" });
  await guest.send("a reply — “ünïcode” 🦊", { id: "g2", replyTo: first.seq });
  const draft = guest.draft({ id: "g3" });
  draft.write("written ");
  await until("the draft is seen", () => heard('"append":"written "'));
  draft.write("in pieces");
  await until("the rest is seen", () => heard('"append":"in pieces"'));
  await draft.end();
  await guest.send(`Hello from ${version}`, { id: "g1" });
  await guest.send("something else", { id: "g1" }).catch(() => {});
  await guest.delete(first.seq);
  guest.reconnect();
  await until("the guest is back", () => guest.status === "open" && isIdentified());
  await guest.send("back again", { id: "g4" });
  await guest.close();
}

/** On the newest connection the room has said who one is. */
function isIdentified(): boolean {
  const opened = lines.findLastIndex((line) => "connect" in line);
  return lines.slice(opened).some((line) => "server" in line && line.server.type === "you");
}

async function talkAsAgent(): Promise<void> {
  const agent = await enter("den", { key: ANN, as: "claude" });
  // Nobody answers while this is recorded: the person who is recorded next does.
  void agent.ask("Shall it be released?", { options: ["yes", "no"], id: "c0" }).catch(() => {});
  await until("it is asked", () => heard('"id":"c0"'));
  for (let count = 1; ; count++) {
    const said = await agent.send(`thinking, ${count}`, { id: `c${count}` }).catch(() => undefined);
    if (said === undefined) break;
  }
  await agent.close();
}

async function talkAsPerson(): Promise<void> {
  const ben = await enter("den", { key: BEN });
  const asked = (await ben.history({ limit: 20 })).messages.find(({ id }) => id === "c0");
  if (!asked) throw new Error("There is no ask.");
  await ben.answer(asked.seq, "yes", { id: "p1" });
  await ben.answer(asked.seq, "no", { id: "p2" }).catch(() => {});
  await ben.send("It is decided.", { id: "p3" });
  await ben.close();
}

async function talkAsMember(): Promise<void> {
  const ben = await enter("attic", { key: BEN });
  await ben.send("Among us", { id: "m1" });
  await ben.close();
}

async function talkAsReader(): Promise<void> {
  const cat = await enter("attic", { key: CAT });
  await cat.send("A reader may not", { id: "m2" }).catch(() => {});
  await cat.close();
}

async function beRefused(): Promise<void> {
  const closing = async (address: string, frame?: ClientFrame) => {
    const socket = new WebSocket(`ws://localhost:${port}${address}`);
    if (frame) socket.addEventListener("open", () => socket.send(JSON.stringify(frame)));
    await new Promise((resolve) => socket.addEventListener("close", resolve));
  };
  await closing("/api/rooms/den/ws", { type: "hello", key: REVOKED });
  await closing("/api/rooms/no-such-room/ws");
  await closing("/api/rooms/attic/ws", { type: "hello", guest: LIFE.guest });
  const staying = async (room: string, query: string, frames: readonly object[], last: string) => {
    const from = lines.length;
    const socket = new WebSocket(`ws://localhost:${port}/api/rooms/${room}/ws${query}`);
    for (const frame of frames) {
      await until("it is answered", () => JSON.stringify(lines.slice(from)).includes('"server"'));
      socket.send(JSON.stringify(frame));
    }
    await until(`${last} has come`, () => JSON.stringify(lines.slice(from)).includes(last));
    socket.close();
  };
  await staying("den", "?after=8&epoch=another", [], '"reset":true');
  await staying("den", `?after=0&epoch=${EPOCH}`, [{ type: "nonsense" }], '"code":"invalid"');
  const muted = { type: "send", id: "r1", content: "still muted" };
  const blocked = { type: "send", id: "r2", content: "the word is swordfish" };
  await staying("den", `?after=8&epoch=${EPOCH}`, [{ type: "hello", key: BEN }], '"type":"you"');
  await staying("den", `?after=8&epoch=${EPOCH}`, [{ type: "hello", key: MUTED }, muted], '"code":"muted"');
  await staying("den", `?after=8&epoch=${EPOCH}`, [{ type: "hello", key: BEN }, blocked], '"type":"error"');
  const closed = { type: "send", id: "r3", content: "Is anybody here?" };
  await staying("cellar", "", [{ type: "hello", key: ANN }, closed], '"type":"error"');
}

async function exchange(): Promise<Exchange[]> {
  const den = "/api/rooms/den";
  const attic = "/api/rooms/attic";
  const ask = {
    content: "And over HTTP?",
    ask: {
      options: [
        { id: "yes", label: "Yes" },
        { id: "no", label: "No" },
      ],
    },
  };
  const hello = { id: "h1", content: "Hello over HTTP" };
  const asked: Omit<Exchange, "status" | "type" | "answer">[] = [
    { method: "GET", path: "/healthz" },
    { method: "GET", path: "/readyz" },
    { method: "GET", path: "/api/keys/me", key: ANN },
    { method: "GET", path: "/api/keys/me", key: REVOKED },
    { method: "POST", path: "/api/keys", drawn: ["key", "id", "handle"] },
    { method: "POST", path: "/api/keys", body: { handle: "old-ann" } },
    // D1 is some seconds behind the room.
    { method: "GET", path: "/api/rooms?limit=1&q=den", drawn: ["lastSeq"] },
    { method: "GET", path: den },
    { method: "GET", path: den, key: ANN },
    { method: "GET", path: "/api/rooms/no-such-room" },
    { method: "GET", path: "/api/rooms/cellar" },
    { method: "GET", path: attic },
    { method: "GET", path: attic, key: BEN },
    { method: "GET", path: `${attic}/messages?limit=5` },
    { method: "GET", path: `${attic}/messages?limit=5`, key: CAT },
    { method: "GET", path: `${attic}/members`, key: BEN },
    { method: "GET", path: `${attic}/invites`, key: BEN },
    {
      method: "POST",
      path: `${attic}/invites`,
      key: BEN,
      body: { role: "reader" },
      drawn: ["id", "secret", "url", "expires"],
    },
    { method: "POST", path: `${attic}/invites`, key: CAT, body: { role: "reader" } },
    { method: "PUT", path: `${attic}/members/old-cat`, key: ANN, body: { role: "member" } },
    { method: "GET", path: `${den}/messages?limit=5` },
    { method: "GET", path: `${den}/messages?after=8&epoch=${EPOCH}&limit=2` },
    { method: "GET", path: `${den}/messages?after=1&epoch=another&limit=2` },
    { method: "GET", path: `${den}/messages?before=10&limit=3`, drawn: ["head"] },
    { method: "GET", path: `${den}/messages?limit=0` },
    { method: "GET", path: `${den}/messages?after=1&format=brief`, key: BEN },
    { method: "GET", path: `${den}/messages/9/answer` },
    { method: "GET", path: `${den}/messages/1/answer` },
    { method: "POST", path: `${den}/messages`, body: hello },
    { method: "POST", path: `${den}/messages`, key: ANN, body: hello },
    { method: "POST", path: `${den}/messages`, key: ANN, body: hello },
    { method: "POST", path: `${den}/messages`, key: ANN, body: { ...hello, content: "another" } },
    { method: "POST", path: `${den}/messages`, key: ANN, body: { content: "" } },
    { method: "POST", path: `${den}/messages`, key: ANN, body: { ...hello, as: "claude", replyTo: 2 } },
    { method: "POST", path: `${den}/messages`, key: ANN, body: { id: "h2", as: "claude", ...ask } },
    { method: "POST", path: `${den}/messages`, key: ANN, body: { id: "h3", ...ask, ask: { options: [] } } },
    { method: "POST", path: `${den}/messages`, key: BEN, body: { answer: { target: 9, option: "no" } } },
    { method: "POST", path: `${den}/messages`, key: MUTED, body: { content: "still muted" } },
    { method: "DELETE", path: `${den}/messages/2`, key: MUTED },
    { method: "DELETE", path: `${den}/messages/3`, key: ANN },
    { method: "GET", path: `${den}/mutes`, key: BEN },
    { method: "PUT", path: `${den}/mutes/~nice-newt-0a0b0c`, key: ANN, body: { until: "2100-01-01T00:00:00.000Z" } },
    { method: "DELETE", path: `${den}/mutes/~nice-newt-0a0b0c`, key: ANN },
    { method: "PATCH", path: den, key: ANN, body: { hold: "guests" } },
    { method: "GET", path: `${den}/held`, key: ANN },
    { method: "PATCH", path: den, key: ANN, body: { topic: `As ${version} says it`, loopGuard: 7, hold: null } },
    { method: "PATCH", path: den, key: BEN, body: { topic: "no" } },
    { method: "GET", path: `/api/sites/${LIFE.site}`, key: ANN },
    { method: "POST", path: "/api/rooms", key: ANN, body: { name: "Recorded", id: "recorded", listed: false } },
    { method: "POST", path: "/api/rooms", key: ANN, body: { name: "Recorded", id: "recorded" } },
    { method: "DELETE", path: "/api/rooms/recorded", key: ANN },
    { method: "GET", path: "/api/admin/overview" },
    { method: "POST", path: "/mcp", body: { jsonrpc: "2.0", id: 1, method: "tools/list" } },
    { method: "GET", path: "/r/den?format=md" },
    { method: "GET", path: "/r/den" },
    { method: "GET", path: "/r/attic" },
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
