/**
 * Runs one of `../workers/` in workerd, behind the front that the project's own Worker has on one machine: Miniflare's.
 *
 *     node bench/peers/worker.ts NAME PORT DIRECTORY
 */

import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";
import { bundle } from "../bundle.ts";

const [name, port, directory] = process.argv.slice(2) as [string, string, string];
const entry = fileURLToPath(new URL(`../workers/${name}.ts`, import.meta.url));

const miniflare = new Miniflare({
  host: "127.0.0.1",
  port: Number(port),
  resourcePersistencePath: directory,
  log: new Log(LogLevel.ERROR),
  workers: [
    {
      config: {
        name,
        compatibilityDate: "2026-10-20",
        manifest: {
          mainModule: "worker.js",
          modulesRoot: directory,
          modules: { "worker.js": { type: "esm", contents: await bundle(entry) } },
        },
        exports: { Room: { type: "durable-object", storage: "sqlite" } },
        env: {
          ROOM: { type: "durable-object", worker: name, exportName: "Room" },
          DB: { type: "d1", id: name },
        },
      },
    },
  ],
});
await miniflare.ready;
process.once("SIGTERM", () => void miniflare.dispose().then(() => process.exit()));
console.log("ready");
