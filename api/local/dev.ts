/**
 * `npm run dev`: what `npm start` serves, built anew whenever a file changes; pages that are open load again by
 * themselves. A change of `client/` takes a second or two, one of `party/` or `api/` about five.
 */

import { watch } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build, type Plugin, type Rolldown } from "vite";
import { buildWorker, type LocalServer, root, startServer, varsFromEnvironment } from "./server.ts";

const port = Number(process.env.PORT ?? 8787);
const stateDir = resolve(root, process.env.STATE_DIR ?? ".wrangler/state");

/** An editor saves a file in several steps, ms. */
const SETTLE = 100;

/** What the Worker is made of. */
const WORKER_SOURCES = ["party", "api", "migrations", "wrangler.toml"];

let server: LocalServer | undefined;
/** Resolves when everything asked for so far has been done: builds never overlap. */
let work: Promise<void> = Promise.resolve();

const client = (await build({
  configFile: join(root, "vite.config.ts"),
  logLevel: "warn",
  build: { watch: {} },
  plugins: [reloadingPages()],
})) as Rolldown.RolldownWatcher;
const firstBuild = Promise.withResolvers<void>();
client.on("event", (event) => {
  if (event.code === "ERROR") console.error(`\n${event.error.message}`);
  if (event.code !== "BUNDLE_END") return;
  void event.result.close();
  firstBuild.resolve();
  if (server) enqueue("client", show);
});

await Promise.all([firstBuild.promise, buildWorker()]);
await writeBuildName();
server = await startServer({ port, stateDir, vars: varsFromEnvironment() });
console.log(`
  meet-ai   http://localhost:${server.url.port}
  data      ${stateDir}

  Watching party/, api/ and client/. Ctrl+C stops it.
`);

for (const source of WORKER_SOURCES) watchSource(join(root, source));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void Promise.all([client.close(), server?.stop()]).then(() => process.exit(0));
  });
}

function watchSource(path: string): void {
  let settling: ReturnType<typeof setTimeout> | undefined;
  watch(path, { recursive: true }, (_, file) => {
    if (file?.endsWith(".test.ts")) return;
    clearTimeout(settling);
    settling = setTimeout(() => {
      enqueue("Worker", async () => {
        await buildWorker();
        await show();
      });
    }, SETTLE);
  });
}

/** Does `task` after what is under way, and says how long it took or why it failed. The server goes on with the last good build. */
function enqueue(what: string, task: () => Promise<void>): void {
  work = work.then(async () => {
    const begun = performance.now();
    try {
      await task();
      console.log(`  ${new Date().toLocaleTimeString()}  ${what}, ${Math.round(performance.now() - begun)} ms`);
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      console.error(`\n${stderr || message}`);
    }
  });
}

/** Serves what has been built, and has the open pages load it. */
async function show(): Promise<void> {
  await writeBuildName();
  await server?.reload();
}

function writeBuildName(): Promise<void> {
  return writeFile(join(root, "dist/client/build.txt"), String(Date.now()));
}

/** Puts the script into each page that loads it again. */
function reloadingPages(): Plugin {
  return {
    name: "reloading-pages",
    transformIndexHtml: {
      order: "pre",
      handler: () => [{ tag: "script", attrs: { type: "module", src: "../site/reload.ts" }, injectTo: "body" }],
    },
  };
}
