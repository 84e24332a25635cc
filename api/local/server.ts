/**
 * The whole product on one machine: the built Worker in the runtime that Cloudflare runs, with its database and rooms
 * in a folder. `npm start`, `npm run dev`, the tests and the benchmarks all start it here.
 *
 * The runtime listens by itself, without a proxy in front of it. Whoever calls may name an address of their own in
 * `CF-Connecting-IP`, which Cloudflare's network would set: so this is for one's own machine, and not for the internet.
 */

import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare, type MiniflareOptions } from "miniflare";
import { build } from "vite";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { configurationOf, InvalidVariable } from "../../party/configuration.ts";
import { end } from "./end.ts";
import { takeFolder } from "./lock.ts";
import { applyMigrations } from "./migrate.ts";

/** The folder of this repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

export interface ServerOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Where the database and the rooms are kept. */
  readonly stateDir: string;
  /** What overrides the `[vars]` of wrangler.toml. */
  readonly vars?: Readonly<Record<string, string>>;
  /** The Worker as one module, where it is not the one that `buildWorker` has built. */
  readonly worker?: string;
  /** Leaves the files out, and with them the router that looks for a file at each request's address. */
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
  await migrate(options);
  const runtime = new Miniflare(await runtimeOptions(options));
  const url = await runtime.ready;
  return {
    url,
    async reload() {
      await runtime.setOptions(await runtimeOptions({ ...options, port: Number(url.port) }));
    },
    stop: () => runtime.dispose(),
  };
}

/** A Worker that does nothing, to have the database without anybody being served from it yet. */
const SILENT_WORKER = "export class ChatRoom {}\nexport class Limiter {}\nexport default {};";

/** Applies what has not been applied, before anybody is served from the tables. */
async function migrate(options: ServerOptions): Promise<void> {
  const folder = join(root, "migrations");
  const done = join(options.stateDir, "migrated");
  const wanted = (await readdir(folder)).sort().join("\n");
  if ((await readFile(done, "utf8").catch(() => "")) === wanted) return;
  const runtime = new Miniflare(await runtimeOptions({ ...options, port: 0, worker: SILENT_WORKER, without: "pages" }));
  await applyMigrations(await runtime.getD1Database("DB"), folder);
  await runtime.dispose();
  await writeFile(done, wanted);
}

/** Builds the pages and the widget into `dist/client`. */
export async function buildClient(): Promise<void> {
  await build({ configFile: join(root, "vite.config.ts"), logLevel: "warn" });
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
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(root, "wrangler.toml"));
  const configured = workerOptions.bindings as Record<string, string>;
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
  const { workerOptions: configured } = unstable_getMiniflareWorkerOptions(join(root, "wrangler.toml"));
  const script = worker ?? (await readFile(join(root, "dist/worker/index.js"), "utf8"));
  const { assets, ...withoutPages } = configured;
  const workerOptions = without === "pages" ? withoutPages : { ...withoutPages, assets };
  return convertV4MiniflareOptions({
    host: "localhost",
    port,
    resourcePersistencePath: stateDir,
    workers: [
      {
        ...workerOptions,
        name: "meet-ai",
        modules: [{ type: "ESModule", path: "index.js", contents: script }],
        bindings: { ...(workerOptions.bindings as Record<string, string>), ...vars },
      },
    ],
  });
}
