/**
 * The whole product on one machine: the built Worker in the runtime that Cloudflare runs, with its database and rooms
 * in a folder. `npm start`, `npm run dev`, the tests and the benchmarks all start it here.
 *
 * The runtime listens without a proxy in front of it. A caller may name any address in `CF-Connecting-IP`, a header that
 * Cloudflare's network sets elsewhere. So use this on your own machine and network, and not on the internet.
 */

import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare, type MiniflareOptions } from "miniflare";
import { build } from "vite";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { makePackage } from "../../client/package.ts";
import { configurationOf, InvalidVariable } from "../../party/configuration.ts";
import type { Database } from "../../party/log/sql.ts";
import { end } from "./end.ts";
import { importFolder, isImportUnfinished } from "./import/unfinished.ts";
import { serverUrlFile, takeFolder } from "./lock.ts";
import { applyMigrations, isMigrated } from "./migrate.ts";
import { ensureOperatorSecret, operatorSecretFile } from "./operator-secret.ts";
import { isBeingRestored } from "./restore/restore-mark.ts";

/** The folder of this repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

const MIGRATIONS = join(root, "migrations");

export interface ServerOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Where the database and the rooms are kept. */
  readonly stateDir: string;
  /** What overrides the `[vars]` of wrangler.toml. */
  readonly vars?: Readonly<Record<string, string>>;
  /** The Worker as one module, where it is not the one that `buildWorker` has built. */
  readonly worker?: string;
  /** Leaves the pages out, and with them the router that looks for a file at each request's address. */
  readonly without?: "pages";
}

export interface LocalServer {
  readonly url: URL;
  /** Takes up a Worker that has been built anew. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the Worker that `buildWorker` has built, and with it what `buildClient` has. Applies the migrations first. */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  takeFolder(options.stateDir);
  if (isBeingRestored(options.stateDir)) {
    end(`A restore into ${options.stateDir} was cut off: run it again to go on, or delete the folder.`);
  }
  if (isImportUnfinished(options.stateDir)) {
    const folder = importFolder(options.stateDir);
    end(
      `An import into ${options.stateDir} was cut off: run it again to go on, or delete ${folder} to leave it at that.`,
    );
  }
  // What an earlier process has said there is not true any more.
  rmSync(serverUrlFile(options.stateDir), { force: true });
  await migrate(options);
  const runtime = new Miniflare(await runtimeOptions(options));
  const url = await runtime.ready;
  const stopTelling = tellRoomsOften(runtime);
  writeFileSync(serverUrlFile(options.stateDir), url.href);
  return {
    url,
    async reload() {
      await runtime.setOptions(await runtimeOptions({ ...options, port: Number(url.port) }));
    },
    stop: () => {
      stopTelling();
      return runtime.dispose();
    },
  };
}

/** How often rooms that nobody visits are told of what they do not know yet, ms: what a cron trigger does on Cloudflare. */
const TELL_EVERY = 60_000;

/** Calls the Worker's `scheduled` now, and again until the returned function is called. */
function tellRoomsOften(runtime: Miniflare): () => void {
  const tell = async () => {
    const worker = await runtime.getWorker();
    await worker.scheduled();
  };
  // What has failed is in the Worker's log, and is tried again.
  const often = () => void tell().catch(() => undefined);
  often();
  const timer = setInterval(often, TELL_EVERY);
  return () => clearInterval(timer);
}

/**
 * A Worker that does nothing, to open the database before any request is served. It has no objects: an alarm that rings
 * in an object without its code is lost, and with it a room's next copy to D1.
 */
const SILENT_WORKER = "export default {};";

/** Applies missing migrations before any request is served. */
async function migrate({ stateDir }: ServerOptions): Promise<void> {
  if (!(await isMigrated(stateDir, MIGRATIONS))) await withDatabase(stateDir, async () => undefined);
}

/**
 * Opens the database of the folder `stateDir`, which this process has taken, and gives it to `work` with all migrations
 * applied. Ends the process with one line when D1 refuses those.
 */
export async function withDatabase<T>(stateDir: string, work: (db: Database) => Promise<T>): Promise<T> {
  const runtime = new Miniflare(databaseOptions(stateDir));
  try {
    const db = await runtime.getD1Database("DB");
    await applyMigrations(db, MIGRATIONS).catch(({ message }: Error) => {
      end(`The database in ${stateDir} can't be migrated (${message}): another process may have locked its file.`);
    });
    return await work(db as unknown as Database);
  } finally {
    await runtime.dispose();
  }
}

/** Builds the pages, the widget and the npm package into `dist/client`. */
export async function buildClient(): Promise<void> {
  // Vite would take a Lit that is made for tests or for development, where the shell says so.
  process.env.NODE_ENV = "production";
  await build({ configFile: join(root, "vite.config.ts"), logLevel: "warn" });
  await makePackage();
}

/** Builds the Worker into `dist/worker`, as a deploy would. */
export async function buildWorker(): Promise<void> {
  const wrangler = join(root, "node_modules/.bin/wrangler");
  const env = { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" };
  // wrangler wants to see the folder of the pages, which may be being built at this moment.
  await mkdir(join(root, "dist/client"), { recursive: true });
  await promisify(execFile)(wrangler, ["deploy", "--dry-run", "--env=", "--outdir", "dist/worker"], { cwd: root, env });
}

/**
 * The variables of wrangler.toml that the environment overrides, as `startServer` takes them. Ends the process with a
 * line that names the variable when one can't be used.
 */
export function varsFromEnvironment(): Record<string, string> {
  const configured = configuredWorker().bindings as Record<string, string>;
  const overridden = Object.keys(configured).flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const vars = Object.fromEntries(overridden);
  try {
    configurationOf({ ...configured, ...vars });
  } catch (error) {
    if (error instanceof InvalidVariable) return end(error.message);
    throw error;
  }
  return vars;
}

async function runtimeOptions({ port, stateDir, vars, worker, without }: ServerOptions): Promise<MiniflareOptions> {
  const { assets, ratelimits: _, ...configured } = configuredWorker();
  const script = worker ?? (await readFile(join(root, "dist/worker/index.js"), "utf8"));
  return miniflareOptions(port, stateDir, script, {
    ...configured,
    ...(without !== "pages" && { assets }),
    bindings: {
      ...(configured.bindings as Record<string, string>),
      ...THE_DISK_ALONE,
      OPERATOR_SECRET: operatorSecret(stateDir),
      ...vars,
    },
  });
}

/** On one machine there is no plan, and so no limit but the disk, unless one is named. */
const THE_DISK_ALONE = { DATABASE_LIMIT_MB: "0", ROOM_LIMIT_MB: "0", DAILY_LIMITS: "false" };

/** The database alone. */
function databaseOptions(stateDir: string): MiniflareOptions {
  const { d1Databases, compatibilityDate } = configuredWorker();
  return miniflareOptions(0, stateDir, SILENT_WORKER, { d1Databases, compatibilityDate });
}

/** The operator's secret, which its file may have from its user. Ends the process with one line when it is none. */
function operatorSecret(stateDir: string): string {
  const secret = ensureOperatorSecret(stateDir);
  try {
    configurationOf({ ...(configuredWorker().bindings as object), OPERATOR_SECRET: secret });
  } catch (error) {
    end(`${operatorSecretFile(stateDir)}: ${(error as Error).message}`);
  }
  return secret;
}

type WorkerOptions = ReturnType<typeof unstable_getMiniflareWorkerOptions>["workerOptions"];

/** The Worker as wrangler.toml describes it. */
const configuredWorker = (): WorkerOptions =>
  unstable_getMiniflareWorkerOptions(join(root, "wrangler.toml")).workerOptions;

function miniflareOptions(
  port: number,
  stateDir: string,
  script: string,
  worker: Partial<WorkerOptions>,
): MiniflareOptions {
  const modules = [{ type: "ESModule" as const, path: "index.js", contents: script }];
  return convertV4MiniflareOptions({
    host: "localhost",
    port,
    resourcePersistencePath: stateDir,
    // Nothing here needs to know where a request comes from; the runtime would ask Cloudflare for an example.
    cf: false,
    workers: [{ ...worker, name: "meet-ai", modules }],
  });
}
