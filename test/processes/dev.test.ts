/** `npm run dev`, on a copy of the sources: what is changed is built and shown, and a mistake costs nothing. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CopiedSources } from "./copied-sources.ts";
import { freePort } from "./server.ts";
import { until } from "./until.ts";
import { Visitors } from "./visitors.ts";

/** A build takes some seconds; on a busy machine more, ms. */
const BUILT_WITHIN = 170_000;

/** A change that is not seen for so long is saved once more, ms. */
const SAVED_AGAIN_AFTER = 20_000;

const sources = new CopiedSources();
const copy = sources.path;
let dev: ChildProcess;
let origin: string;
let output = "";
let visitors: Visitors;

beforeAll(async () => {
  const port = await freePort();
  origin = `http://localhost:${port}`;
  dev = spawn(process.execPath, ["api/local/dev.ts"], {
    cwd: copy,
    detached: true,
    env: { ...process.env, PORT: String(port), STATE_DIR: join(copy, "state") },
  });
  for (const stream of [dev.stdout, dev.stderr]) {
    stream?.on("data", (text: Buffer) => {
      output += text;
    });
  }
  await until(
    "the server is ready",
    () => {
      if (dev.exitCode !== null) throw new Error(output);
      return output.includes("Watching");
    },
    BUILT_WITHIN,
  );
  visitors = await Visitors.of(origin);
});

afterAll(async () => {
  await visitors?.close();
  if (dev?.pid && dev.exitCode === null) {
    const ended = once(dev, "exit");
    process.kill(-dev.pid, "SIGKILL");
    await ended;
  }
  sources[Symbol.dispose]();
});

function change(file: string, from: string, to: string): void {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

/**
 * Waits until a change of `file` is shown. The bundler misses one that comes while it still writes the build before: a
 * person saves once more.
 */
async function shown(file: string, isShown: () => Promise<boolean>): Promise<void> {
  const path = join(copy, file);
  let savedAt = performance.now();
  await until(
    `the change of ${file} is shown`,
    async () => {
      if (performance.now() - savedAt > SAVED_AGAIN_AFTER) {
        writeFileSync(path, readFileSync(path));
        savedAt = performance.now();
      }
      // Between two loads there is no page to ask.
      return isShown().catch(() => false);
    },
    BUILT_WITHIN,
  );
}

it("shows a change of a page, of what pages share, and of a style, in the page that is open", async () => {
  const page = await visitors.newcomer();
  await page.goto("/key");
  change("client/pages/key.html", "<h1>Your key</h1>", "<h1>Your other key</h1>");
  await shown("client/pages/key.html", () => page.getByRole("heading", { name: "Your other key" }).isVisible());
  await page.waitForLoadState("load");
  change("client/pages/parts/footer.html", "Open source, MIT.", "Open source indeed.");
  await shown("client/pages/parts/footer.html", () => page.getByText("Open source indeed.").isVisible());
  await page.waitForLoadState("load");
  change("client/site/styles/base.css", "--gutter: clamp(", "--changed: yes;\n  --gutter: clamp(");
  const changed = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--changed"));
  await shown("client/site/styles/base.css", async () => (await changed()) !== "");
  expect(await visitors.leave()).toEqual([]);
});

it("takes up a change of the Worker, says what is wrong with one, and goes on with the last good one", async () => {
  // An answer that is under way when the server takes up a build does not arrive.
  const health = () =>
    fetch(`${origin}/healthz`)
      .then((response) => response.text())
      .catch(() => "");
  change("api/health.ts", "ok: true", "ok: true, version: 2");
  await until("the change is served", async () => (await health()).includes('"version":2'), BUILT_WITHIN);
  change("api/health.ts", "ok: true, version: 2", "ok: true, version: ;");
  await until("the mistake is told", () => /api\/health\.ts/.test(output), BUILT_WITHIN);
  expect(await until("the last good one answers", health)).toContain('"version":2');
  change("api/health.ts", "ok: true, version: ;", "ok: true, version: 3");
  await until("the mended one is served", async () => (await health()).includes('"version":3'), BUILT_WITHIN);
});
