/** Builds of what is served: the pages, the widget and the npm package, and the Worker. */

import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";
import { makePackage } from "../../client/package.ts";
import { root } from "./root.ts";

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
