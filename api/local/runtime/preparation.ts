/**
 * What has to be done before the runtime can start: builds, missing migrations, and the runtime's configuration. It takes
 * Vite, wrangler and Miniflare, so a process that goes on running should have it done by `prepare.ts`.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InvalidProxies, TrustedProxies } from "../../door/trusted-proxies.ts";
import { end } from "../end.ts";
import { isMigrated } from "../migrate.ts";
import { MIGRATIONS, root } from "../root.ts";
import { serverOptions, varsFromEnvironment, WORKER_NAME } from "../worker-options.ts";
import { runtimeConfig } from "./runtime-config.ts";

/** What is to be served. */
export interface Preparation {
  readonly stateDir: string;
  /** Whether the pages and the Worker are built. */
  readonly build: boolean;
  /** The Worker as one module, where it is not the one that has been built. */
  readonly worker?: string;
  /** Leaves the pages out. */
  readonly without?: "pages";
}

/** The runtime's configuration, when everything is ready. Ends the process with one line when the environment can't be used. */
export async function prepare({ stateDir, build, worker, without }: Preparation): Promise<Buffer> {
  // Before the build, which takes its time.
  varsFromEnvironment();
  const trustedProxies = process.env.TRUSTED_PROXIES ?? "";
  try {
    new TrustedProxies(trustedProxies);
  } catch (error) {
    if (error instanceof InvalidProxies) end(error.message);
    throw error;
  }
  if (build) {
    const { buildClient, buildWorker } = await import("../builds.ts");
    await Promise.all([buildClient(), buildWorker()]);
  }
  if (!(await isMigrated(stateDir, MIGRATIONS))) {
    const { withDatabase } = await import("../database.ts");
    await withDatabase(stateDir, async () => undefined);
  }
  const script = worker ?? (await readFile(join(root, "dist/worker/index.js"), "utf8"));
  return runtimeConfig(WORKER_NAME, serverOptions(stateDir, script, without), {
    trustedProxies,
    ...(worker === undefined && { shutdown: "Shutdown" }),
  });
}
