/**
 * The whole product on one machine: the built Worker in the runtime that Cloudflare runs, with its database and rooms
 * in a folder. `npm start`, `npm run dev`, the tests and the benchmarks all start it here.
 *
 * This process only watches over the runtime's, and loads next to nothing. What has to be done before the runtime starts
 * is done by another process, which ends.
 */

import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { end } from "./end.ts";
import { importFolder, isImportUnfinished } from "./import/unfinished.ts";
import { nameRuntime, serverUrlFile, takeFolder } from "./lock.ts";
import { isBeingRestored } from "./restore/restore-mark.ts";
import { watchClock } from "./runtime/clock-watch.ts";
import type { Preparation } from "./runtime/preparation.ts";
import { Runtime } from "./runtime/runtime.ts";
import { logHere } from "./server-log.ts";
import { makeTemporaryFolder, sweepTemporaryFolders } from "./temporary-folder.ts";

export interface ServerOptions extends Partial<Preparation> {
  /** 0: any free one. */
  readonly port: number;
  /** Where it listens; `localhost` when absent, which nobody else reaches. */
  readonly host?: string;
  /** Where the database and the rooms are kept. */
  readonly stateDir: string;
  /** What gets everything ready, in place of another process: for one that has loaded the tools itself. */
  readonly prepare?: (preparation: Preparation) => Promise<Buffer>;
}

export interface LocalServer {
  readonly url: URL;
  /** Takes up a Worker that has been built anew. */
  reload(): Promise<void>;
  /** Ends it: clients come back to the server that follows. */
  stop(): Promise<void>;
}

/**
 * Starts the Worker, with the pages. Variables of wrangler.toml, and `TRUSTED_PROXIES`, come from the environment. Ends
 * the process with one line when that, or the folder, can't be used. Rejects with the code `EADDRINUSE` when the port is
 * taken.
 */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  const { stateDir, port, host = "localhost", build = false, prepare = prepareElsewhere, worker, without } = options;
  const preparation = { stateDir, build, ...(worker && { worker }), ...(without && { without }) };
  takeFolder(stateDir);
  if (isBeingRestored(stateDir)) {
    end(`A restore into ${stateDir} was cut off: run it again to go on, or delete the folder.`);
  }
  if (isImportUnfinished(stateDir)) {
    const folder = importFolder(stateDir);
    end(`An import into ${stateDir} was cut off: run it again to go on, or delete ${folder} to leave it at that.`);
  }
  // What an earlier process has said there is not true any more.
  rmSync(serverUrlFile(stateDir), { force: true });
  await sweepTemporaryFolders();
  const runtime = await Runtime.start(await prepare(preparation), {
    port,
    host,
    started: (pid) => nameRuntime(stateDir, pid),
  });
  const stopTelling = tellRoomsOften(runtime);
  const stopWatching = watchClock((by) => {
    logHere("clock.set_back", { seconds: Math.round(by / 1_000) });
    return runtime.restart();
  });
  const url = new URL(`http://${nearest(host)}:${runtime.port}`);
  try {
    writeFileSync(serverUrlFile(stateDir), url.href);
  } catch (error) {
    // The disk is full. Only commands beside the server look there, and say that they need --server.
    logHere("server.address_not_noted", { folder: stateDir, error });
  }
  return {
    url,
    reload: async () => runtime.replace(await prepare({ ...preparation, build: false })),
    stop: async () => {
      stopTelling();
      stopWatching();
      await runtime.stop();
    },
  };
}

/** Node calls the stripping of types, on which all of this rests, experimental. */
const QUIETLY = "--disable-warning=ExperimentalWarning";

/** The runtime's configuration, from a process that gets everything ready. Its end is this one's when it fails. */
async function prepareElsewhere(preparation: Preparation): Promise<Buffer> {
  // wrangler writes a log of its own, in the home of a user who may have none.
  const logs = makeTemporaryFolder("wrangler");
  const child = spawn(process.execPath, [QUIETLY, join(import.meta.dirname, "runtime/prepare.ts")], {
    stdio: ["pipe", "inherit", "inherit", "pipe"],
    env: { WRANGLER_LOG_PATH: logs, ...process.env },
  });
  const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
  // If this process is killed, that one goes on: until it has ended, the folder is taken.
  if (child.pid !== undefined) nameRuntime(preparation.stateDir, child.pid);
  // It may end before it has read everything.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(JSON.stringify(preparation));
  const [configuration, code] = await Promise.all([buffer(child.stdio[3] as Readable), ended]);
  rmSync(logs, { recursive: true, force: true });
  // What was wrong it has said itself.
  if (code !== 0) process.exit(code);
  return configuration;
}

/** How often rooms that nobody visits are told of what they do not know yet, ms: what a cron trigger does on Cloudflare. */
const TELL_EVERY = 60_000;

/** Calls the Worker's `scheduled` now, and again until the returned function is called. */
function tellRoomsOften(runtime: Runtime): () => void {
  // What has failed is in the Worker's log, and is tried again.
  const tell = () => void runtime.ask("/scheduled", TELL_EVERY).catch(() => undefined);
  tell();
  const timer = setInterval(tell, TELL_EVERY);
  return () => clearInterval(timer);
}

/** How this machine itself reaches a server that listens on `host`. */
function nearest(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "*") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
