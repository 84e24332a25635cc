/** `npm run dev`, on a copy of the sources: what is changed is built and shown, and a mistake costs nothing. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "./server.ts";
import { until } from "./until.ts";
import { Visitors } from "./visitors.ts";

const ROOT = join(import.meta.dirname, "../..");
const COPIED = [
  "LICENSE",
  "README.md",
  "api",
  "client",
  "custom-elements.json",
  "docs",
  "migrations",
  "openapi.json",
  "party",
  "package.json",
  "tsconfig.json",
  "vite.config.ts",
  "wrangler.toml",
];

/** A change that is not seen for so long is saved once more, ms. */
const SAVED_AGAIN_AFTER = 10_000;

const copy = mkdtempSync(join(tmpdir(), "meet-ai-dev-"));
let dev: ChildProcess;
let origin: string;
let output = "";
let visitors: Visitors;

beforeAll(async () => {
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
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
  await until("the server is ready", () => {
    if (dev.exitCode !== null) throw new Error(output);
    return output.includes("Watching");
  });
  visitors = await Visitors.of(origin);
});

afterAll(async () => {
  await visitors?.close();
  if (dev?.pid && dev.exitCode === null) {
    const ended = once(dev, "exit");
    process.kill(-dev.pid, "SIGKILL");
    await ended;
  }
  rmSync(copy, { recursive: true, force: true });
});

function change(file: string, from: string, to: string): void {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

it("shows a change of a page, of what pages share, and of a style, in the page that is open", async () => {
  const page = await visitors.newcomer();
  await page.goto("/key");
  change("client/pages/key.html", "<h1>Your key</h1>", "<h1>Your other key</h1>");
  await page.getByRole("heading", { name: "Your other key" }).waitFor();
  await page.waitForLoadState("load");
  change("client/pages/parts/footer.html", "Open source, MIT.", "Open source indeed.");
  await page.getByText("Open source indeed.").waitFor();
  await page.waitForLoadState("load");
  change("client/site/styles/base.css", "--gutter: clamp(", "--changed: yes;\n  --gutter: clamp(");
  const changed = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--changed"));
  // The bundler misses a change that comes while it still writes the build before: a person saves once more.
  const style = join(copy, "client/site/styles/base.css");
  let savedAt = performance.now();
  await until("the style is there", async () => {
    if (performance.now() - savedAt > SAVED_AGAIN_AFTER) {
      writeFileSync(style, readFileSync(style));
      savedAt = performance.now();
    }
    // Between two loads there is no page to ask.
    return changed().catch(() => "");
  });
  expect(await visitors.leave()).toEqual([]);
});

it("takes up a change of the Worker, says what is wrong with one, and goes on with the last good one", async () => {
  // An answer that is under way when the server takes up a build does not arrive.
  const health = () =>
    fetch(`${origin}/healthz`)
      .then((response) => response.text())
      .catch(() => "");
  change("api/health.ts", "ok: true", "ok: true, version: 2");
  await until("the change is served", async () => (await health()).includes('"version":2'));
  change("api/health.ts", "ok: true, version: 2", "ok: true, version: ;");
  await until("the mistake is told", () => /api\/health\.ts/.test(output));
  expect(await health()).toContain('"version":2');
  change("api/health.ts", "ok: true, version: ;", "ok: true, version: 3");
  await until("the mended one is served", async () => (await health()).includes('"version":3'));
});
