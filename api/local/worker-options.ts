/** The Worker as wrangler.toml describes it, in the words of Miniflare, with what the environment overrides. */

import { join } from "node:path";
import { convertV4MiniflareOptions, type MiniflareOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { configurationOf, InvalidVariable } from "../../party/configuration.ts";
import { end } from "./end.ts";
import { ensureOperatorSecret, operatorSecretFile } from "./operator-secret.ts";
import { root } from "./root.ts";

/** What it is called among the runtime's services; the folders of its objects are called after it. */
export const WORKER_NAME = "meet-ai";

type WorkerOptions = ReturnType<typeof unstable_getMiniflareWorkerOptions>["workerOptions"];

/** Up to version 0.2 people's objects were of the class `Limiter`: on a disk they stay in its folder. */
const PERSON_FOLDER = `${WORKER_NAME}-Limiter`;

function configuredWorker(): WorkerOptions {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(root, "wrangler.toml"));
  const { PERSON, ...others } = workerOptions.durableObjects as Record<string, object>;
  return { ...workerOptions, durableObjects: { ...others, PERSON: { ...PERSON, unsafeUniqueKey: PERSON_FOLDER } } };
}

/** On one machine there is no plan, and so no limit but the disk, unless one is named. */
const THE_DISK_ALONE = { DATABASE_LIMIT_MB: "0", ROOM_LIMIT_MB: "0", DAILY_LIMITS: "false" };

/**
 * The variables of wrangler.toml that the environment overrides. Ends the process with a line that names the variable when
 * one can't be used.
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

/** The whole server with the Worker `script`, a module. `without` leaves the pages out, and the router before them. */
export function serverOptions(stateDir: string, script: string, without: "pages" | undefined): MiniflareOptions {
  const { assets, ratelimits: _, ...configured } = configuredWorker();
  return miniflareOptions(stateDir, script, {
    ...configured,
    ...(without !== "pages" && { assets }),
    bindings: {
      ...(configured.bindings as Record<string, string>),
      ...THE_DISK_ALONE,
      OPERATOR_SECRET: operatorSecret(stateDir),
      ...varsFromEnvironment(),
    },
  });
}

/**
 * A Worker that does nothing, to open the database before any request is served. It has no objects: an alarm that rings
 * in an object without its code is lost, and with it a room's next copy to D1.
 */
const SILENT_WORKER = "export default {};";

/** The database alone. */
export function databaseOptions(stateDir: string): MiniflareOptions {
  const { d1Databases, compatibilityDate } = configuredWorker();
  return miniflareOptions(stateDir, SILENT_WORKER, { d1Databases, compatibilityDate });
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

function miniflareOptions(stateDir: string, script: string, worker: Partial<WorkerOptions>): MiniflareOptions {
  const modules = [{ type: "ESModule" as const, path: "index.js", contents: script }];
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    resourcePersistencePath: stateDir,
    // Nothing here needs to know where a request comes from; the runtime would ask Cloudflare for an example.
    cf: false,
    workers: [{ ...worker, name: WORKER_NAME, modules }],
  });
}
