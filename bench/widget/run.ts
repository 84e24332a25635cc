/**
 * What `<meet-ai-room>` costs a page, beside deep-chat where it does the same, in the same browser.
 *
 *     node bench/widget/run.ts                 prints the table
 *     node bench/widget/run.ts --write-docs    writes docs/benchmarks-widget.md too
 *
 * The server is in the page's own memory (`page.ts`): what is measured is the widget. Both contenders are bundles as
 * they are published; they take turns, each round in the other order.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cpus } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright";
import { build } from "vite";
import { buildClient } from "../../api/local/builds.ts";
import { commandLine } from "../../api/local/command-line.ts";
import { CHROMIUM_ARGS, requireChromium } from "../../test/chromium.ts";
import type { Bench, Contender } from "./page.ts";

declare const bench: Bench;

const { values } = commandLine({ options: { "write-docs": { type: "boolean", default: false } } });

const ROUNDS = 101;
/** A task of the main thread is long from here on, ms. */
const LONG = 50;
const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const built = join(root, "dist/client");

if (!existsSync(join(here, "node_modules"))) {
  spawnSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: here, stdio: "inherit" });
}
await buildClient();

const script = await bundle();
const files = serve();
const browser = await chromium.launch({ executablePath: requireChromium(), args: CHROMIUM_ARGS });
const lines: string[] = [];
try {
  say(`Chromium ${browser.version()}, ${cpus().length} × ${cpus()[0]?.model.trim()}.`);
  await shown(browser);
  sizes();
  await endurance(browser);
} finally {
  await browser.close();
  files.close();
}
if (values["write-docs"]) writeDocs();

/** Fifty mixed messages, until what is in view is painted. */
async function shown(browser: Browser): Promise<void> {
  const ways = ["a page with the element, from its navigation", "put into a page, first", "put into a page, again"];
  const contenders: readonly Contender[] = ["room", "deepChat", "deepChatGiven"];
  const times = ways.map(() => ({ room: [], all: [], deepChat: [], deepChatGiven: [] }) as Record<string, number[]>);
  for (let round = 0; round < ROUNDS; round++) {
    for (const who of round % 2 === 0 ? contenders : contenders.toReversed()) {
      for (const [index, result] of (await showings(browser, who)).entries()) {
        times[index]?.[who]?.push(result.shown);
        if (who === "room") times[index]?.all?.push(result.all);
      }
    }
  }
  const empty: number[] = [];
  for (let round = 0; round < ROUNDS; round++) empty.push((await visit(browser, "nothing")).shown);
  say("", `## Fifty mixed messages on the screen, ms, median of ${ROUNDS} (least–most)`, "");
  say("| | meet-ai | deep-chat | ours of theirs | deep-chat, history given | meet-ai, out of view too |");
  say("|:--|--:|--:|--:|--:|--:|");
  for (const [index, { room = [], all = [], deepChat = [], deepChatGiven = [] }] of times.entries()) {
    const share = percent(median(room) / median(deepChat));
    say(
      `| ${ways[index]} | ${spread(room)} | ${spread(deepChat)} | ${share} | ${spread(deepChatGiven)} | ${spread(all)} |`,
    );
  }
  say("", `A page with nothing but a word is on the screen ${spread(empty)} ms after its navigation.`);
}

/** A page that has the element in it; then another, into which it is put twice. */
async function showings(browser: Browser, who: Contender) {
  const first = await visit(browser, who);
  const page = await open(browser, who);
  const show = () => page.evaluate((who) => bench.show(who), who);
  const all = [first, await show(), await show()];
  await page.close();
  return all;
}

async function visit(browser: Browser, who: Contender) {
  const page = await open(browser, who, `?visit=${who}`);
  const shown = await page.evaluate(() => bench.visited());
  if (!shown) throw new Error("The page did not show anything by itself.");
  await page.close();
  return shown;
}

function sizes(): void {
  const gzipped = (file: string) => gzipSync(readFileSync(file), { level: 9 }).byteLength;
  const later = readdirSync(join(built, "assets")).filter((file) =>
    /^(log-renderer|code|composer|tools|moderation|de|ar)[.-].*\.js$/.test(file),
  );
  const entry = gzipped(join(built, "widget.js"));
  const all = later.reduce((sum, file) => sum + gzipped(join(built, "assets", file)), 0);
  const theirs = gzipped(join(here, "node_modules/deep-chat/dist/deepChat.bundle.js"));
  say("", "## On the wire, bytes, gzip", "", "| | at once | later, when needed |", "|:--|--:|--:|");
  say(`| meet-ai | ${number(entry)} | ${number(all)} |`, `| deep-chat | ${number(theirs)} | – |`);
}

async function endurance(browser: Browser): Promise<void> {
  const page = await open(browser, "room");
  await page.evaluate(() => bench.openRoom(10_000));
  const rows = await page.evaluate(() => bench.readUpwards(1_000));
  await page.evaluate(() => bench.stream(500, 1_500, true));
  const appended = await traced(page, () => page.evaluate(() => bench.append(200)));
  const follows = await traced(page, () => page.evaluate(() => bench.stream(100, 30_000, true)));
  const reads = await traced(page, () => page.evaluate(() => bench.stream(100, 10_000, false)));
  await page.close();
  const fresh = await open(browser, "room");
  await fresh.evaluate(() => bench.mounts(5));
  const before = await heap(fresh);
  const left = await fresh.evaluate(() => bench.mounts(50));
  const grown = (await heap(fresh)) - before;
  await fresh.close();
  const costs = appended.cpuBetweenMarks.sort((x, y) => x - y);
  const wall = appended.result.sort((x, y) => x - y);
  say("", "## Ten thousand messages, and a flood", "", "| | measured | target |", "|:--|--:|--:|");
  say(
    `| rows in the DOM, most | ${rows} | 500 |`,
    `| one more message in a full window, median and p95, ms of CPU | ${quantile(costs, 0.5).toFixed(1)}, ${quantile(costs, 0.95).toFixed(1)} | 16 |`,
    `| … ms on the clock | ${quantile(wall, 0.5).toFixed(1)}, ${quantile(wall, 0.95).toFixed(1)} | |`,
    `| 100 messages/s for 30 s, following: tasks over 50 ms of CPU | ${over(follows.tasks)} | 0 |`,
    `| … longest task, ms of CPU | ${Math.max(...follows.tasks).toFixed(0)} | 50 |`,
    `| … tasks over 50 ms on the clock | ${follows.result.long.length}${worst(follows.result.long)} | |`,
    `| … main thread busy | ${percent(follows.tasks.reduce((sum, task) => sum + task, 0) / 30_000)} | |`,
    `| 100 messages/s for 10 s, reading further up: tasks over 50 ms of CPU | ${over(reads.tasks)} | 0 |`,
    `| … frames in which the reader's place had moved | ${reads.result.moved} | 0 |`,
    `| heap after 50 times in and out, KB more | ${Math.round(grown / 1024)} | 1,024 |`,
    `| sockets left | ${left} | 0 |`,
  );
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly tid: number;
  readonly ts: number;
  readonly tdur?: number;
}

/**
 * Runs `work` and says what it cost the main thread, in ms of its processor time: a clock would also count what the
 * machine did for others. `tasks`: each task; `cpuBetweenMarks`: from each message that comes to the next.
 */
async function traced<Result>(page: Page, work: () => Promise<Result>) {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "devtools.timeline", "blink.user_timing"] },
  });
  const result = await work();
  const done = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await done;
  await session.detach();
  const main = events.find(({ name }) => name === "FireAnimationFrame")?.tid;
  const all = events
    .filter(({ name, ph, tid, tdur }) => name.endsWith("RunTask") && ph === "X" && tid === main && tdur !== undefined)
    .sort((a, b) => a.ts - b.ts);
  const marks = events.filter(({ name }) => name === "meet-ai append").map(({ ts }) => ts);
  const cpuBetweenMarks = marks.slice(0, -1).map((from, index) => {
    const to = marks[index + 1] as number;
    return all.filter(({ ts }) => ts >= from && ts < to).reduce((sum, { tdur = 0 }) => sum + tdur / 1000, 0);
  });
  return { result, tasks: all.map(({ tdur = 0 }) => tdur / 1000), cpuBetweenMarks };
}

function over(tasks: readonly number[]): string {
  return `${tasks.filter((task) => task > LONG).length} of ${number(tasks.length)}`;
}

function worst(long: readonly number[]): string {
  return long.length > 0 ? `, longest ${Math.max(...long)} ms` : "";
}

async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}

async function open(browser: Browser, who: Contender, search = ""): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 800, height: 640 } });
  page.on("pageerror", (error) => console.error(error));
  await page.goto(`http://localhost:${(files.address() as AddressInfo).port}/page-${who}${search}`);
  await page.waitForFunction(
    (name) => "bench" in globalThis && (!name || customElements.get(name) !== undefined),
    { room: "meet-ai-room", deepChat: "deep-chat", deepChatGiven: "deep-chat", nothing: undefined }[who],
  );
  return page;
}

/** The built client, deep-chat's bundle, and a page for each. */
function serve() {
  const types: Record<string, string> = { ".js": "text/javascript", ".css": "text/css" };
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname.startsWith("/page-")) {
      const own = { "/page-room": ["/widget.js"], "/page-nothing": [] }[pathname] ?? ["/deepChat.bundle.js"];
      const scripts = ["/bench.js", ...own].map((source) => `<script type="module" src="${source}"></script>`);
      response.writeHead(200, { "content-type": "text/html" });
      response.end(`<!doctype html><body>${scripts.join("")}`);
      return;
    }
    const file =
      pathname === "/deepChat.bundle.js" ? join(here, "node_modules/deep-chat/dist", pathname) : join(built, pathname);
    const body = pathname === "/bench.js" ? script : existsSync(file) ? readFileSync(file) : undefined;
    response.writeHead(body ? 200 : 404, { "content-type": types[extname(pathname)] ?? "text/plain" });
    response.end(body);
  }).listen(0);
}

async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, target: "esnext", lib: { entry: join(here, "page.ts"), formats: ["es"] } },
  });
  const [output] = [result].flat();
  if (!output || !("output" in output)) throw new Error("The page's script was not built.");
  return output.output[0].code;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)})`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}

function say(...text: string[]): void {
  lines.push(...text);
  for (const line of text) console.log(line);
}

function writeDocs(): void {
  const head = `# The widget, measured

\`npx node bench/widget/run.ts --write-docs\` writes this page: \`<meet-ai-room>\` beside deep-chat 2.4.2 in one browser run. The
fifty messages are those of \`bench/prose/messages.ts\`, mostly short, some with lists, code and tables. Both ask a server in the
page's own memory for them: meet-ai over its socket, deep-chat over \`fetch\` (\`loadHistory\`); how long deep-chat takes where the
page hands it the messages instead, which a room can't do, stands beside it. They are on the screen in the frame in which
everything in view is painted as it stays, its Markdown rendered; the last column is when those that are not in view are, too
(deep-chat renders all at once). Three ways in: a page that has the element in it, from its navigation, scripts and renderer
fetched over loopback; the element put into a page that has loaded its scripts; and put in once more.

The target is half of deep-chat's time. It is reached for what is in view, from the moment that the element is put in; all
fifty take longer than deep-chat's. It is not reached from a page's navigation, where both take about as long: a third of that is
the browser's own, and the rest is mostly code that runs for the first time.

What has helped is not to do what can't be seen, nor anything twice: the rows in view come first, the others when nothing else
is to do; nothing asks for a size before the first layout; the socket is asked for before anything is rendered, the renderer with
the script, and the first messages wait a moment for it; the browser compiles the script while it comes; and a page without a
room renders one that nobody sees, and finds its fonts, while it has nothing else to do.

## From a navigation: what stands in line, and what was tried

A trace of Chromium's main thread: the entry comes and runs (6 ms of CPU), the empty room is laid out (3), the socket opens
and its welcome is read (12, most of it the first format for times), the renderer is compiled and run (7), the rows in view are
rendered (16) and laid out (5). Then the other rows follow, some 50 ms of CPU in all. Up to the view that is about 60 ms of CPU
against deep-chat's 45.

Four builds and deep-chat took turns, 21 rounds on a busy machine, so that only the shares mean something. Medians:

| | view, of deep-chat's | all fifty, of deep-chat's | all fifty, ms of CPU |
|:--|--:|--:|--:|
| before | 109 % | 139 % | 106 |
| slices of 32 ms, not 16 | 95 % | 137 % | 104 |
| … and the renderer is requested before the rest of the script runs | 89 % | 130 % | 103 |
| … and the renderer's functions are compiled with it | 85 % | 115 % | 98 |
| deep-chat | 100 % | 100 % | 45 |

The first two stay. The main thread's CPU until the view is there is the same with them, 60 ms: what is shorter is the wait.
The third (\`//# allFunctionsCalledOnLoad\` in the renderer) does not stay: an earlier run, of 13 rounds, had 92 % and 129 %
before, 81 % and 111 % with the first two, 72 % and 105 % with the second alone, and 92 % and 125 % with the second and the
third. So no share here is good to ten points; in both runs the first two together were better than before. The tables below
are older than these changes.

A \`Link\` header with the script that names the renderer, so that it is fetched before the script has come, does nothing:
Chromium 156 ignores it with a script. The targets, 75 % for the view and 100 % for all fifty, are not reached. What is left is
work: our fifty rows cost twice deep-chat's CPU, a third of it layout and paint.

What a machine does besides is in all times on the clock; times of CPU are of Chromium's main thread alone.

`;
  writeFileSync(join(root, "docs/benchmarks-widget.md"), `${head}${lines.join("\n")}\n`);
}
