/**
 * The real server in processes of its own, to be killed and started again: `node api/local/start.ts` and the runtime that
 * it starts, with nothing between a client and the runtime.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Message } from "../../party/protocol.ts";
import { type ArchivedMessage, archivedMessages } from "../unit/packs.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Quotas are another test's subject; the archive is quick, so that there is something to compare. */
const OPEN_DOORS = {
  GUEST_MESSAGES_PER_MINUTE: "10000000",
  KEY_MESSAGES_PER_MINUTE: "10000000",
  KEYS_PER_DAY: "1000000",
  ROOMS_PER_DAY: "1000000",
  ROTATIONS_PER_DAY: "1000000",
  SOCKETS_PER_ADDRESS: "100000",
  LOOKUPS_PER_MINUTE: "10000000",
  SCANS_PER_MINUTE: "10000000",
  ARCHIVE_DELAY_MS: "300",
  // So that a test may come from any address.
  TRUSTED_PROXIES: "127.0.0.1, ::1",
};

/** A start takes a second or two; on a busy machine more, ms. */
const START_PATIENCE = 150_000;

/** How a test opens a file that the server has open too: for a moment, ms, it may be locked. */
export const WRITING = { timeout: 10_000 };
export const READING = { ...WRITING, readOnly: true };

export interface ServerOptions {
  /** Where D1 and the Durable Objects keep their files; a new folder of the system's when absent. */
  stateDir?: string;
  /** Variables of wrangler.toml that are to be different, and what else is to stand in its environment. */
  vars?: Readonly<Record<string, string>>;
  /** The address that it prints when it is ready, where that is not the one at which it listens. */
  printed?: string;
}

export class Server {
  readonly port: number;
  readonly stateDir: string;
  readonly #vars: Readonly<Record<string, string>>;
  readonly #printed: string | undefined;
  #process: ChildProcess | undefined;
  #output = "";

  private constructor(port: number, { stateDir, vars = {}, printed }: ServerOptions) {
    this.port = port;
    this.stateDir = stateDir ?? mkdtempSync(join(tmpdir(), "meet-ai-"));
    this.#vars = vars;
    this.#printed = printed;
  }

  /** A server on a free port, ready to be spoken to. It takes the client and the Worker that have been built. */
  static async start(options: ServerOptions = {}): Promise<Server> {
    const server = new Server(await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  /** What the server has printed since it was last started. */
  get output(): string {
    return this.#output;
  }

  /** Starts it, on the port and with the files that it had before. */
  async start(): Promise<void> {
    this.#output = "";
    const child: ChildProcess = spawn(process.execPath, ["api/local/start.ts", "--no-build"], {
      cwd: ROOT,
      // A group of its own, so that one signal reaches the runtime too.
      detached: true,
      env: { ...process.env, ...OPEN_DOORS, ...this.#vars, PORT: String(this.port), STATE_DIR: this.stateDir },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    // Whoever ends before it has ended the server takes it along.
    const endWithUs = () => signalGroup(child.pid, "SIGKILL");
    process.once("exit", endWithUs);
    child.once("exit", () => process.off("exit", endWithUs));
    const note = (text: Buffer) => {
      this.#output = (this.#output + text.toString()).slice(-100_000);
    };
    child.stdout?.on("data", note);
    child.stderr?.on("data", note);
    // What it has said may come after its end.
    let hasSaidAll = false;
    child.once("close", () => {
      hasSaidAll = true;
    });
    const isReady = () => {
      const end = child.exitCode ?? child.signalCode;
      if (end !== null && hasSaidAll) throw new Error(`The server has ended with ${end}:\n${this.#output}`);
      return this.#output.includes(this.#printed ?? this.url);
    };
    try {
      await until("the server is ready", isReady, START_PATIENCE);
    } catch (error) {
      throw new Error(`The server has not started:\n${this.#output}`, { cause: error });
    }
  }

  /** Ends all its processes at once, with no chance to tidy up. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks it to end, as Ctrl-C does. */
  async stop(): Promise<void> {
    await this.#end("SIGINT");
  }

  /** Halts all its processes where they are, until `goOn`: what is sent to it meanwhile comes together. */
  halt(): void {
    signalGroup(this.#process?.pid, "SIGSTOP");
  }

  goOn(): void {
    signalGroup(this.#process?.pid, "SIGCONT");
  }

  /** Ends it, and removes its files. */
  async remove(): Promise<void> {
    await this.kill();
    // What is being killed may write a file yet.
    rmSync(this.stateDir, { recursive: true, force: true, maxRetries: 10 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  /** The memory that its processes hold at this moment, in bytes. As Linux counts it. */
  get residentBytes(): number {
    return this.#group.reduce((sum, { resident }) => sum + resident, 0) * 4096;
  }

  /** How many files and connections its processes have open at this moment. As Linux counts them. */
  get openFiles(): number {
    return this.#group.reduce((sum, { pid }) => sum + openFilesOf(pid), 0);
  }

  /** Its processes, with the pages of memory that each holds. */
  get #group(): { pid: string; resident: number }[] {
    const group = this.#process?.pid;
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => ({ pid, stat: processStat(pid) }))
      .filter(({ stat }) => stat && Number(stat[2]) === group)
      .map(({ pid, stat }) => ({ pid, resident: Number(stat?.[21]) }));
  }

  /** The file of the D1 database. */
  get databaseFile(): string {
    const files = globSync("**/*.sqlite", { cwd: this.stateDir }).map((file) => join(this.stateDir, file));
    const file = files.find((name) => hasTable(name, "api_keys"));
    if (!file) throw new Error(`There is no D1 database under ${this.stateDir}.`);
    return file;
  }

  /** What D1 has of `room`, read from its file, past the server. */
  archived(room: string): Message[] {
    const database = new DatabaseSync(this.databaseFile, READING);
    try {
      const messages = archivedMessages((query, of) => database.prepare(query).all(of), room);
      return messages.map(fromArchive);
    } finally {
      database.close();
    }
  }

  /** How many messages D1 has of `room`. */
  archivedCount(room: string): number {
    return this.archived(room).length;
  }

  async #end(signal: "SIGKILL" | "SIGINT"): Promise<void> {
    const child = this.#process;
    if (!child) return;
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    signalGroup(child.pid, signal);
    await ended;
    // What outlives its parent has no reason to.
    signalGroup(child.pid, "SIGKILL");
    await until("the port is free again", async () => !(await isListening(this.port)));
    this.#process = undefined;
  }
}

/**
 * A TCP port on which nobody listens. Each only once, and none that another worker of these tests may give: until its server
 * listens, and while that is killed and started again, it looks free to others.
 */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < 100; tried++) {
    const port = FIRST_PORT + WORKERS * Math.floor((Math.random() * PORTS) / WORKERS) + (WORKER % WORKERS);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error("No port is free.");
}

const given = new Set<number>();
/** Which of the workers of one run this is, of so many at most. */
const WORKER = Number(process.env.VITEST_POOL_ID ?? 0);
const WORKERS = 20;

/**
 * Below those that the system gives to connections: one of these could take a port before its server listens. Above 10080,
 * which browsers refuse to open (https://fetch.spec.whatwg.org/#port-blocking).
 */
const FIRST_PORT = 11_000;
const PORTS = 20_000;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, () => probe.close(() => resolve(true)));
  });
}

function fromArchive({ seq, id, kind, sender, content, ref, created_at }: ArchivedMessage): Message {
  const about = ref === null ? {} : kind === "deletion" ? { target: ref } : { replyTo: ref };
  return { seq, id, kind, sender, content, createdAt: created_at, ...about };
}

/** The fields of `/proc/<pid>/stat` (proc_pid_stat(5)) from the third on, the process's state; it may have ended. */
function processStat(pid: string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function openFilesOf(pid: string): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    // It has ended in this moment.
    return 0;
  }
}

function hasTable(file: string, table: string): boolean {
  const database = new DatabaseSync(file, READING);
  try {
    return database.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(table) !== undefined;
  } finally {
    database.close();
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // The group has ended already.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "localhost");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
