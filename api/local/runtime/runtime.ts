/**
 * The process of the Workers runtime: started with a configuration, started again if it crashes, and ended. What it logs
 * goes to this process's log.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { logHere } from "../server-log.ts";
import { CONTROL_SOCKET, makeTemporaryFolder } from "../temporary-folder.ts";
import { AddressInUse, isAddressInUse, RuntimeLog } from "./runtime-log.ts";
import { CONTROL, DOOR } from "./socket-names.ts";

/** The program that Miniflare would start. */
const workerd = createRequire(import.meta.resolve("miniflare"))("workerd").default as string;

export interface RuntimeOptions {
  /** Where it listens: a name, or an address of this machine. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Told of each process that is started, and of 0 when none runs. */
  readonly started: (pid: number) => void;
}

/** So many crashes within a minute are a fault that another start does not mend. */
const MOST_CRASHES = 5;
const CRASHES_COUNT_FOR = 60_000;

/** How long the clients of a server that ends may take to go, ms, and how long the runtime then may to end. */
const CLOSING_TAKES = 4_000;
const ENDING_TAKES = 2_000;
/** The same of a runtime whose timers may stand still: what waits for one does not come to its end. */
const HANGING_TAKES = 500;

export class Runtime {
  readonly #options: RuntimeOptions;
  /** Has the socket through which this process alone speaks to the runtime. */
  readonly #folder = makeTemporaryFolder("runtime");
  readonly #control = join(this.#folder, CONTROL_SOCKET);
  #configuration: Buffer;
  #process: ChildProcess | undefined;
  /** The port that it got, which it keeps over restarts. */
  #port: number;
  /** When it crashed lately. */
  #crashes: number[] = [];
  #isEnding = false;
  /** Settles when nothing starts or ends a runtime any more: two at a time would come to the same files. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(configuration: Buffer, options: RuntimeOptions) {
    this.#configuration = configuration;
    this.#options = options;
    this.#port = options.port;
  }

  /** Resolves when it serves requests. Rejects with `AddressInUse` when another process listens there. */
  static async start(configuration: Buffer, options: RuntimeOptions): Promise<Runtime> {
    const runtime = new Runtime(configuration, options);
    process.once("exit", () => runtime.#remove());
    await runtime.#start();
    return runtime;
  }

  get port(): number {
    return this.#port;
  }

  /** Goes on with another configuration. */
  replace(configuration: Buffer): Promise<void> {
    this.#configuration = configuration;
    return this.#inTurn(async () => {
      await this.#end();
      // It may have been ended meanwhile.
      if (!this.#isEnding) await this.#start();
    });
  }

  /** Asks the door something; rejects when it does not answer with success. */
  ask(path: string, patience: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const asking = request({ socketPath: this.#control, path, timeout: patience }, (answer) => {
        answer.resume();
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`The runtime answers ${answer.statusCode} to ${path}.`));
      });
      asking.on("timeout", () => asking.destroy(new Error(`The runtime does not answer to ${path}.`)));
      asking.on("error", reject);
      asking.end();
    });
  }

  /** Starts a runtime anew that may hang: clients come back to it. Ends this process when that is not possible. */
  async restart(): Promise<void> {
    await this.ask("/close", HANGING_TAKES).catch(() => undefined);
    if (this.#isEnding) return;
    await this.replace(this.#configuration).catch((error: Error) => {
      if (this.#isEnding) return;
      logHere("server.given_up", { error });
      process.exit(1);
    });
    if (!this.#isEnding) logHere("runtime.started_again");
  }

  /** Lets what is under way come to its end, asks clients to come back, and ends the runtime. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    // A client that does not go is cut off: it comes back all the same.
    await this.ask("/close", CLOSING_TAKES).catch(() => undefined);
    await this.#end();
    this.#remove();
  }

  async #start(): Promise<void> {
    rmSync(this.#control, { force: true });
    const { host } = this.#options;
    const address = `${host.includes(":") ? `[${host}]` : host}:${this.#port}`;
    const [command, ...args] = [
      ...guarded(),
      workerd,
      "serve",
      "--binary",
      "--experimental",
      `--socket-addr=${DOOR}=${address}`,
      `--socket-addr=${CONTROL}=unix:${this.#control}`,
      // What D1 and the outbound Worker would say to Miniflare.
      `--external-addr=loopback=unix:${join(this.#folder, "nobody")}`,
      "--control-fd=3",
      "-",
    ] as unknown as [string, ...string[]];
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      env: { ...process.env, TZ: "UTC" },
      windowsHide: true,
    });
    this.#process = child;
    const log = new RuntimeLog();
    for (const stream of [child.stdout, child.stderr]) log.read(stream as Readable);
    // It may end before it has read everything.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(this.#configuration);
    const ended = once(child, "exit");
    const port = await Promise.race([portOf(child.stdio[3] as Readable), ended.then(() => undefined)]);
    if (port === undefined) {
      // What it has said comes after its end.
      await log.isRead;
      if (log.lines.some(isAddressInUse)) throw new AddressInUse(`Port ${this.#port} is taken.`);
      throw new Error(`The Workers runtime does not start:\n${log.lines.join("\n")}`);
    }
    this.#port = port;
    log.isStarted();
    if (child.pid !== undefined) this.#options.started(child.pid);
    void ended.then(([code, signal]) => {
      if (child === this.#process && !this.#isEnding) void this.#crashed(child, String(signal ?? code));
    });
  }

  async #crashed(child: ChildProcess, how: string): Promise<void> {
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((at) => at > now - CRASHES_COUNT_FOR), now];
    logHere("runtime.crashed", { with: how, crashes: this.#crashes.length });
    if (this.#crashes.length > MOST_CRASHES) {
      logHere("server.given_up", { crashes: this.#crashes.length });
      process.exit(1);
    }
    await pause(100 * 2 ** this.#crashes.length);
    const starting = this.#inTurn(async () => {
      // It was ended meanwhile, or goes on with another configuration.
      if (child !== this.#process) return;
      await this.#start();
      logHere("runtime.started_again");
    });
    await starting.catch((error: Error) => {
      if (this.#isEnding) return;
      logHere("server.given_up", { error });
      process.exit(1);
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #end(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const last = setTimeout(() => child.kill("SIGKILL"), ENDING_TAKES);
    await ended;
    clearTimeout(last);
    this.#options.started(0);
  }

  #remove(): void {
    this.#isEnding = true;
    this.#process?.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * What the runtime is started through, so that it neither hears Ctrl+C, which is for this process to answer, nor outlives
 * this process when that is killed: two runtimes on the same files would give the same seq twice.
 */
function guarded(): string[] {
  if (process.platform === "win32") return [];
  const [shell, name] = ["/bin/sh", "meet-ai"];
  const script =
    'trap "" INT; if setpriv --pdeathsig KILL true 2> /dev/null; then exec setpriv --pdeathsig KILL "$@"; fi; exec "$@"';
  return [shell, "-c", script, name];
}

/** The port of the door, once the runtime listens everywhere. */
async function portOf(control: Readable): Promise<number | undefined> {
  const waitsFor = new Set([DOOR, CONTROL]);
  let port: number | undefined;
  for await (const line of createInterface({ input: control })) {
    const said = JSON.parse(line) as { event: string; socket?: string; port?: number };
    if (said.event !== "listen" || said.socket === undefined) continue;
    waitsFor.delete(said.socket);
    if (said.socket === DOOR) port = said.port;
    if (waitsFor.size === 0) break;
  }
  return port;
}
