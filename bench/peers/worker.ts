/**
 * Runs one of `../workers/` in workerd, behind the front that the project's own Worker has on one machine.
 *
 *     node bench/peers/worker.ts NAME PORT DIRECTORY
 */

import { fileURLToPath } from "node:url";
import { Runtime } from "../../api/local/runtime/runtime.ts";
import { runtimeConfig } from "../../api/local/runtime/runtime-config.ts";
import { bundle } from "../bundle.ts";

const [name, port, directory] = process.argv.slice(2) as [string, string, string];
const entry = fileURLToPath(new URL(`../workers/${name}.ts`, import.meta.url));

const options = {
  resourcePersistencePath: directory,
  workers: [
    {
      config: {
        name,
        compatibilityDate: "2026-10-20",
        manifest: {
          mainModule: "worker.js",
          modulesRoot: directory,
          modules: { "worker.js": { type: "esm" as const, contents: await bundle(entry) } },
        },
        exports: { Room: { type: "durable-object" as const, storage: "sqlite" as const } },
        env: {
          ROOM: { type: "durable-object" as const, worker: name, exportName: "Room" },
          DB: { type: "d1" as const, id: name },
        },
      },
    },
  ],
};
const configuration = await runtimeConfig(name, options, { trustedProxies: "" });
const runtime = await Runtime.start(configuration, { host: "127.0.0.1", port: Number(port), started: () => undefined });
process.once("SIGTERM", () => void runtime.stop().then(() => process.exit()));
console.log("ready");
