/** What is compared: this project's room and its peers, each started in the same way and loaded by the same generator. */

import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { DialectName } from "./load/dialect.ts";
import type { Generator } from "./load/generators.ts";
import type { Usage } from "./meter/usage.ts";
import { freePort, ProcessGroup } from "./processes.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HERE = fileURLToPath(new URL(".", import.meta.url));

/** Starting includes bundling, ms. */
const START_TIMEOUT = 60_000;

export interface System {
  readonly name: string;
  /** What it keeps of a message before its sender hears of it. */
  readonly keeps: "nothing" | "memory" | "disk";
  readonly about: string;
  readonly dialect: DialectName;
  start(): Promise<Running>;
}

export interface Running extends AsyncDisposable {
  readonly system: System;
  /** The process group, for the kernel's accounting. */
  readonly group: number;
  readonly origin: string;
  /** Makes a room that nobody is in and nothing is written in. */
  room(): Promise<string>;
  /** The key that its rooms belong to, where they belong to somebody. */
  readonly owner?: string;
  /** What `count` writers identify themselves with. */
  writers(count: number): Promise<string[]>;
  /** What it has used since it started, where it has a meter. */
  usage?(): Promise<Usage>;
}

/** This project's Worker as one in `workers/` changes it. */
export type Changed = "counted" | "metered" | "slowed";

/** Variables that take every limit away: what is measured is the room, not its quotas. */
export const WITHOUT_LIMITS = {
  GUEST_MESSAGES_PER_MINUTE: "1000000000",
  KEY_MESSAGES_PER_MINUTE: "1000000000",
  LOOKUPS_PER_MINUTE: "1000000000",
  SCANS_PER_MINUTE: "1000000000",
  ROOMS_PER_DAY: "1000000",
  KEYS_PER_DAY: "1000000",
  ROTATIONS_PER_DAY: "1000000",
  SOCKETS_PER_ADDRESS: "1000000",
};

export const meetAi: System = {
  name: "meet-ai",
  keeps: "disk",
  about: "this project, every limit raised",
  dialect: "meet-ai",
  start: () => startMeetAi(WITHOUT_LIMITS),
};

/** The same, with its questions to D1 counted. */
export const countedMeetAi: System = { ...meetAi, start: () => startMeetAi(WITHOUT_LIMITS, "counted") };

/** The same, with a meter on what is billed. */
export const meteredMeetAi: System = { ...meetAi, start: () => startMeetAi(WITHOUT_LIMITS, "metered") };

export const bareObject: System = {
  name: "bare object",
  keeps: "nothing",
  about: "Durable Object, raw hibernation API: each string that comes goes to each socket",
  dialect: "plain",
  start: () => startWorker(bareObject, "bare-object"),
};

export const storingObject: System = {
  name: "storing object",
  keeps: "disk",
  about: "the bare object with one row in its own SQLite for each message",
  dialect: "plain",
  start: () => startWorker(storingObject, "storing-object"),
};

export const notesRoom: System = {
  name: "notes' room",
  keeps: "disk",
  about: "partyserver: one D1 insert a message, then broadcast",
  dialect: "plain",
  start: () => startWorker(notesRoom, "notes-room", "/setup"),
};

export const wsSqlite: System = {
  name: "ws + SQLite",
  keeps: "disk",
  about: "Node, ws, better-sqlite3 (WAL, synchronous FULL): one insert a message, then the broadcast",
  dialect: "plain",
  start: () => startNode(wsSqlite, "ws-sqlite"),
};

export const socketIo: System = {
  name: "Socket.IO",
  keeps: "memory",
  about: "Node, Socket.IO with connectionStateRecovery",
  dialect: "socket.io",
  start: () => startNode(socketIo, "socket-io"),
};

/** All that is compared under a load of messages. */
export const SYSTEMS: readonly System[] = [meetAi, bareObject, storingObject, notesRoom, wsSqlite, socketIo];

/** How many keys write what `fillRoom` fills a room with: the first of `writers`. */
export const FILLERS = 20;

/** Makes a room of `running` with `messages` messages in it, written over sockets as any other. */
export async function fillRoom(running: Running, generator: Generator, messages: number): Promise<string> {
  const writers = await running.writers(FILLERS);
  const room = await running.room();
  await generator.tell("open", {
    origin: running.origin,
    dialect: running.system.dialect,
    room,
    writers,
    subscribers: 0,
  });
  await generator.tell("start", 64, messages / writers.length);
  await generator.tell("finish");
  const { acknowledged } = await generator.tell("totals");
  await generator.tell("close");
  if (acknowledged !== messages) throw new Error(`Only ${acknowledged} of ${messages} messages were taken.`);
  return room;
}

/** Waits until D1 has all of a room's messages. */
export async function archived({ origin, owner }: Running, room: string): Promise<void> {
  const headers = { authorization: `Bearer ${owner}` };
  for (;;) {
    const response = await fetch(`${origin}/api/rooms/${room}`, { headers });
    const { archive } = (await response.json()) as { archive: { lag: number } };
    if (archive.lag === 0) return;
    await setTimeout(200);
  }
}

/** Nothing but a page of messages from D1, of which `messages` are there. */
export function d1Page(messages: number): System {
  const system: System = {
    name: "D1 alone",
    keeps: "disk",
    about: "a Worker that answers with one D1 query",
    dialect: "plain",
    start: () => startWorker(system, "d1-page", `/setup?messages=${messages}`),
  };
  return system;
}

/** Installs what the peers need, once. */
export function installPeers(): void {
  if (existsSync(join(HERE, "node_modules"))) return;
  console.log("Installing the peers' dependencies into bench/node_modules …");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: HERE, stdio: "inherit" });
  if (status !== 0) throw new Error("npm ci in bench/ failed.");
}

/** Where the systems keep their data while they run. */
const STATE = join(tmpdir(), `meet-ai-bench-${process.pid}`);
process.on("exit", () => rmSync(STATE, { recursive: true, force: true }));

let directories = 0;

async function makeDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = join(STATE, String(directories++));
  await mkdir(path, { recursive: true });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

let rooms = 0;

const newRoomId = (): string => `bench-${rooms++}`;

async function startWorker(system: System, worker: string, setup?: string): Promise<Running> {
  const script = join(HERE, "peers/worker.ts");
  const running = await startPeer(system, (port, directory) => [script, worker, String(port), directory]);
  if (setup) await (await fetch(running.origin + setup)).text();
  return running;
}

const startNode = (system: System, script: string): Promise<Running> =>
  startPeer(system, (port, directory) => [join(HERE, `peers/${script}.ts`), String(port), directory]);

async function startPeer(system: System, args: (port: number, directory: string) => string[]): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeDirectory());
  const port = await freePort();
  const group = stack.use(
    await ProcessGroup.start(args(port, path), { cwd: ROOT, ready: "ready", timeout: START_TIMEOUT }),
  );
  const started = stack.move();
  return {
    system,
    group: group.id,
    origin: `http://127.0.0.1:${port}`,
    room: async () => newRoomId(),
    writers: async (count) => Array.from({ length: count }, () => ""),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

let built = false;

/** This project as `npm start` runs it, with `vars` over those in wrangler.toml; or `changed`. */
export async function startMeetAi(vars: Readonly<Record<string, string>>, changed?: Changed): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeDirectory());
  const port = await freePort();
  const group = stack.use(
    await ProcessGroup.start([join(HERE, "serve.ts"), String(port), path, changed ?? (built ? "built" : "build")], {
      cwd: ROOT,
      // A crowd of the load's has an address for each of its members.
      env: { ...vars, TRUSTED_PROXIES: "127.0.0.1, ::1" },
      ready: "ready",
      timeout: START_TIMEOUT,
    }),
  );
  built ||= changed === undefined;
  const origin = `http://localhost:${port}`;
  const owner = (await makeKeys(origin, 1))[0] as string;
  const keys: string[] = [];
  const started = stack.move();
  return {
    system: meetAi,
    group: group.id,
    origin,
    owner,
    room: async () => {
      const id = newRoomId();
      await post(`${origin}/api/rooms`, { id, name: id }, owner);
      return id;
    },
    writers: async (count) => {
      keys.push(...(await makeKeys(origin, count - keys.length)));
      return keys.slice(0, count);
    },
    ...((changed === "counted" || changed === "metered") && {
      usage: async () => (await (await fetch(`${origin}/usage`)).json()) as Usage,
    }),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function makeKeys(origin: string, count: number): Promise<string[]> {
  const keys: string[] = [];
  while (keys.length < count) keys.push((await post<{ key: string }>(`${origin}/api/keys`, {})).key);
  return keys;
}

async function post<Answer>(url: string, body: object, key?: string): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}
