/**
 * How fast a message's Markdown is shown, beside what chat widgets commonly use, and how long hostile text takes.
 *
 *     node bench/prose/run.ts            fifty mixed messages, one that is streamed, hostile texts of the greatest length
 *     node bench/prose/run.ts --mixed    only the first two
 *     node bench/prose/run.ts --own      hostile texts to our renderer alone
 *
 * Prints Markdown. Times are of Chromium's main thread: script, then layout of what was made.
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright";
import { build } from "vite";
import { commandLine } from "../../api/local/command-line.ts";
import { ADVERSARIAL_CODE, ADVERSARIES, CODE_LANGUAGES } from "../../test/adversaries.ts";
import { MESSAGES } from "./messages.ts";
import type { bench as Bench, Times } from "./page.ts";

declare const bench: typeof Bench;

const { values } = commandLine({
  options: { mixed: { type: "boolean", default: false }, own: { type: "boolean", default: false } },
});

const RENDERERS = ["text only", "meet-ai", "marked + DOMPurify", "markdown-it"];
const HOSTILE_TO = values.own ? ["meet-ai"] : RENDERERS.slice(1);
const ROUNDS = 31;
/** The best of this many is a hostile text's time: what the text costs, without what else the machine did. */
const TRIES = 9;
/** The budget for one message, ms. */
const BUDGET = 50;
/** A renderer that has not come back by then is stopped, ms. */
const PATIENCE = 10_000;

const here = fileURLToPath(new URL(".", import.meta.url));
if (!existsSync(`${here}/node_modules`)) {
  spawnSync("npm", ["install", "--no-audit", "--no-fund"], { cwd: here, stdio: "inherit" });
}

const script = await bundle();
const executablePath = [process.env.CHROME_PATH, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);
const browser = await chromium.launch({
  ...(executablePath && { executablePath }),
  args: ["--no-sandbox", "--disable-background-networking"],
});
try {
  console.log(`Chromium ${browser.version()}, ${cpus().length} × ${cpus()[0]?.model.trim()}\n`);
  await mixed(browser);
  await streamed(browser);
  if (!values.mixed) {
    await hostile(browser);
    await hostileCode(browser);
  }
} finally {
  await browser.close();
}

/** All renderers by turns, each round in another order, so that none has the warmer machine. */
async function mixed(browser: Browser): Promise<void> {
  const page = await open(browser);
  const times = new Map<string, Times[]>(RENDERERS.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < RENDERERS.length; turn++) {
      const name = RENDERERS[(round + turn) % RENDERERS.length] as string;
      times.get(name)?.push(await page.evaluate(([name, texts]) => bench.show(name, texts), [name, MESSAGES] as const));
    }
  }
  await page.close();
  console.log(`## Fifty mixed messages, ms, median of ${ROUNDS} (least–most)\n`);
  console.log("| | script | layout | both |\n|:--|--:|--:|--:|");
  for (const [name, all] of times) {
    const both = all.map(({ script, layout }) => script + layout);
    const cells = [all.map(({ script }) => script), all.map(({ layout }) => layout), both].map(spread);
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}

/** A message of 16 KB in 500 pieces, as an agent writes it. */
async function streamed(browser: Browser): Promise<void> {
  const page = await open(browser);
  const long = MESSAGES.filter((message) => message.length > 200).join("\n\n");
  const text = `${long}\n\n`.repeat(4).slice(0, 16_384);
  const times: number[] = [];
  for (let round = 0; round < TRIES; round++)
    times.push(...(await page.evaluate((text) => bench.stream(text, 500), text)));
  await page.close();
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor((times.length - 1) * share)] as number).toFixed(1);
  console.log(`\n## A message of ${text.length} characters in 500 pieces, ms a piece\n`);
  console.log(`Median ${at(0.5)}, 95 % within ${at(0.95)}, 99 % within ${at(0.99)}.`);
}

async function hostile(browser: Browser): Promise<void> {
  console.log(`\n## Hostile texts of 16 KB, ms, best of ${TRIES}\n`);
  console.log(`| | over ${BUDGET} ms | stopped or thrown | the slowest |\n|:--|--:|--:|:--|`);
  for (const name of HOSTILE_TO) {
    const results: { text: string; time: number; fault?: string }[] = [];
    let page = await open(browser);
    for (const [text, content] of Object.entries(ADVERSARIES)) {
      let best = Number.POSITIVE_INFINITY;
      let fault: string | undefined;
      for (let attempt = 0; attempt < TRIES && !fault; attempt++) {
        const time = await within(
          PATIENCE,
          page.evaluate(([name, content]) => bench.show(name, [content]), [name, content] as const),
        );
        if ("fault" in time) fault = time.fault;
        else best = Math.min(best, time.script + time.layout);
      }
      results.push({ text, time: fault ? PATIENCE : best, ...(fault && { fault }) });
      if (fault) {
        await page.close({ runBeforeUnload: false });
        page = await open(browser);
      }
    }
    await page.close();
    results.sort((a, b) => b.time - a.time);
    const slowest = results.slice(0, 5).map(({ text, time, fault }) => `${text}: ${fault ?? time.toFixed(1)}`);
    const over = results.filter(({ time, fault }) => !fault && time > BUDGET).length;
    const faults = results.filter(({ fault }) => fault).length;
    console.log(`| ${name} (${results.length} texts) | ${over} | ${faults} | ${slowest.join("; ")} |`);
  }
}

async function hostileCode(browser: Browser): Promise<void> {
  const page = await open(browser);
  const times: { what: string; time: number }[] = [];
  for (const [name, code] of Object.entries(ADVERSARIAL_CODE)) {
    for (const language of CODE_LANGUAGES) {
      let best = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < TRIES; attempt++) {
        best = Math.min(
          best,
          await page.evaluate(([code, language]) => bench.colour(code, language), [code, language] as const),
        );
      }
      times.push({ what: `${name} as ${language}`, time: best });
    }
  }
  await page.close();
  times.sort((a, b) => b.time - a.time);
  console.log(`\n## Hostile code of 16 KB, ms, best of ${TRIES}\n`);
  console.log(
    `${times.length} pairs of text and language, ${times.filter(({ time }) => time > BUDGET).length} over ${BUDGET} ms.`,
  );
  console.log(
    `The slowest: ${times
      .slice(0, 5)
      .map(({ what, time }) => `${what}: ${time.toFixed(1)}`)
      .join("; ")}.`,
  );
}

/** A page of a reader's width, with the renderers in it, warmed up by the mixed messages. */
async function open(browser: Browser): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 800, height: 900 } });
  await page.setContent("<!doctype html><body style='font: 15px/1.5 sans-serif'>");
  await page.addScriptTag({ content: script, type: "module" });
  await page.waitForFunction(() => "bench" in globalThis);
  for (const name of RENDERERS) {
    for (let round = 0; round < 5; round++) {
      await page.evaluate(([name, texts]) => bench.show(name, texts), [name, MESSAGES] as const);
    }
  }
  return page;
}

/** What `work` gives, or why it gave nothing. */
async function within(patience: number, work: Promise<Times>): Promise<Times | { fault: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<{ fault: string }>((resolve) => {
    timer = setTimeout(() => resolve({ fault: `stopped after ${patience / 1000} s` }), patience);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    return { fault: /RangeError[^\n]*/.exec(String(error))?.[0] ?? String(error).split("\n", 1)[0] ?? "thrown" };
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, median, most] = [0, Math.floor(sorted.length / 2), sorted.length - 1].map((index) => sorted[index]);
  return `${median?.toFixed(1)} (${least?.toFixed(1)}–${most?.toFixed(1)})`;
}

async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: true,
      target: "es2024",
      lib: { entry: fileURLToPath(new URL("page.ts", import.meta.url)), formats: ["es"] },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (!output || !("output" in output)) throw new Error("The page can't be bundled.");
  return output.output[0].code;
}
