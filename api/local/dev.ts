/**
 * `npm run dev`: what `npm start` serves, built anew whenever a file changes; pages that are open load again by
 * themselves. A change of `client/` takes a second or two, one of `party/` or `api/` about five.
 */

import { once } from "node:events";
import { watch } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { build, type Plugin, type Rolldown } from "vite";
import { makePackage } from "../../client/package.ts";
import { buildWorker } from "./builds.ts";
import { commandLine } from "./command-line.ts";
import { endIfTaken } from "./end.ts";
import { portFromEnvironment } from "./port.ts";
import { root } from "./root.ts";
import { prepare } from "./runtime/preparation.ts";
import { type LocalServer, startServer } from "./server.ts";
import { stateDirFromEnvironment } from "./state-dir.ts";
import { varsFromEnvironment } from "./worker-options.ts";

commandLine({});
const port = portFromEnvironment();
const stateDir = stateDirFromEnvironment();
// Before the build, which takes its time.
varsFromEnvironment();

/** An editor saves a file in several steps, ms. */
const SETTLE = 100;

/** What the Worker is made of. */
const WORKER_SOURCES = ["party", "api", "migrations", "wrangler.toml"];

let server: LocalServer | undefined;
/** Pending while the server takes up a build. */
let isOpen: Promise<void> = Promise.resolve();
/** The names of the newest builds. */
const builds = { client: 0, worker: 0 };
/** What open pages are told of. */
let served = "";
/** Resolves when everything asked for so far has been done: builds never overlap. */
let work: Promise<void> = Promise.resolve();

const client = (await build({
  configFile: join(root, "vite.config.ts"),
  logLevel: "warn",
  // Emptied, the folder would lack `build.txt` for a moment, which open pages ask for all the time.
  build: { watch: {}, emptyOutDir: false },
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
// Once: what is installed from here is the client as it is now.
await makePackage();
await tellPages(`${builds.client} ${builds.worker}`);
server = await startServer({ port: 0, stateDir, prepare });
const door = await openDoor(Number(server.url.port)).catch((error) => endIfTaken(error, port));
for (const source of WORKER_SOURCES) watchSource(join(root, source));
// That it watches has been seen: what is changed from here on is taken up.
console.log(`
  meet-ai   http://localhost:${port}
  data      ${stateDir}

  Watching party/, api/ and client/. Ctrl+C stops it.
`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    door.close();
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
        builds.worker++;
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

/** Serves what has been built, and has the open pages load it: not before it is there to be loaded. */
async function show(): Promise<void> {
  const newest = `${builds.client} ${builds.worker}`;
  // A new build has emptied the folder, and the server only looks for files when it takes up a build.
  await tellPages(served);
  const taken = Promise.withResolvers<void>();
  isOpen = taken.promise;
  await server?.reload().finally(taken.resolve);
  await tellPages(newest);
}

/**
 * Listens on `port` and hands each connection on to the server's own. While the server takes up a build, connections
 * wait: a page that is just loading would else be left half loaded.
 */
async function openDoor(inner: number) {
  const door = createServer(async (visitor) => {
    visitor.on("error", () => visitor.destroy());
    await isOpen;
    const server = connect(inner, "localhost");
    server.on("error", () => visitor.destroy());
    server.on("close", () => visitor.destroy());
    visitor.on("close", () => server.destroy());
    visitor.pipe(server).pipe(visitor);
  });
  door.listen(port, "localhost");
  await once(door, "listening");
  return door;
}

async function tellPages(names: string): Promise<void> {
  served = names;
  await writeFile(join(root, "dist/client/build.txt"), names);
}

/** Puts the script that loads it again into each page, and the name of its build. */
function reloadingPages(): Plugin {
  return {
    name: "reloading-pages",
    buildStart() {
      builds.client++;
    },
    transformIndexHtml: {
      order: "pre",
      handler: () => [
        { tag: "meta", attrs: { name: "build", content: String(builds.client) }, injectTo: "head" },
        { tag: "script", attrs: { type: "module", src: "../site/reload.ts" }, injectTo: "body" },
      ],
    },
  };
}
