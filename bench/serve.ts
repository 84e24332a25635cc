/**
 * Runs this project's own Worker as `npm start` does, without the pages.
 *
 *     node bench/serve.ts PORT DIRECTORY build|built|counted|metered|slowed
 *
 * `build` builds it first, `built` takes what is there; the others are the Worker as `workers/` changes it: with its
 * questions to D1 counted, with a meter on all that is billed, and with Limiters that can be made slow.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildWorker } from "../api/local/builds.ts";
import { root } from "../api/local/root.ts";
import { startServer } from "../api/local/server.ts";
import { bundle } from "./bundle.ts";
import type { Changed } from "./systems.ts";

const [port, stateDir, how] = process.argv.slice(2) as [string, string, "build" | "built" | Changed];

// The configuration names the folder, so it has to be there.
await mkdir(join(root, "dist/client"), { recursive: true });
if (how === "build") await buildWorker();
const changed =
  how === "build" || how === "built"
    ? undefined
    : await bundle(fileURLToPath(new URL(`./workers/${how}.ts`, import.meta.url)));
await startServer({
  port: Number(port),
  stateDir,
  // The peers have no files, and so no router in front of them either.
  without: "pages",
  ...(changed !== undefined && { worker: changed }),
});
console.log("ready");
