/**
 * Runs this project's own Worker as `npm start` does, without the pages.
 *
 *     node bench/serve.ts PORT DIRECTORY build|built|metered
 *
 * `build` builds it first, `built` takes what is there, `metered` is the Worker with a meter on what is billed.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildWorker, root, startServer, varsFromEnvironment } from "../api/local/server.ts";
import { bundle } from "./bundle.ts";

const [port, stateDir, how] = process.argv.slice(2) as [string, string, "build" | "built" | "metered"];

// The configuration names the folder, so it has to be there.
await mkdir(join(root, "dist/client"), { recursive: true });
if (how === "build") await buildWorker();
const metered =
  how === "metered" ? await bundle(fileURLToPath(new URL("./workers/metered.ts", import.meta.url))) : undefined;
await startServer({
  port: Number(port),
  stateDir,
  vars: varsFromEnvironment(),
  // The peers have no files, and so no router in front of them either.
  without: "pages",
  ...(metered !== undefined && { worker: metered }),
});
console.log("ready");
