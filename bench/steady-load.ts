/**
 * How much memory a server on one machine takes: idle, and under a steady load for some minutes.
 *
 *     node bench/steady-load.ts --minutes 20 [--write-docs]
 *
 * 120 watchers, 10 writers who say something each second, 9 long-polls and 9 event streams, in one room. The server is
 * what `npm start -- --no-build` starts, so build it before. Resident memory is that of all its processes together, as
 * Linux counts it; pages that processes share are counted for each.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as path } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { commandLine, wholeNumber } from "../api/local/command-line.ts";
import { root } from "../api/local/root.ts";
import { join } from "../client/stay/index.ts";
import { freePort, ProcessGroup, residentBytes } from "./processes.ts";

const WATCHERS = 120;
const WRITERS = 10;
const POLLS = 9;
const STREAMS = 9;
const WRITE_EVERY = 1_000;
const LOOK_EVERY = 5_000;
const QUIET = 15_000;

const WORDS = "a room, a message, a sender, a cursor, and what they have to do with each other; ".repeat(6);

/** What the server may take, MB. */
const IDLE_LIMIT = 200;
const LOAD_LIMIT = 500;

const { values } = commandLine({
  options: { minutes: { type: "string", default: "20" }, "write-docs": { type: "boolean", default: false } },
});
const minutes = wholeNumber("minutes", values.minutes);

const stateDir = mkdtempSync(path(tmpdir(), "meet-ai-steady-"));
const port = await freePort();
const origin = `http://localhost:${port}`;
const server = await ProcessGroup.start(["api/local/start.ts", "--no-build"], {
  cwd: root,
  // A writer's own bound is a message a second in any minute, and here the clocks of two processes meet.
  env: { PORT: String(port), STATE_DIR: stateDir, KEY_MESSAGES_PER_MINUTE: "120", KEYS_PER_DAY: "100" },
  ready: "  Ctrl+C stops it; messages stay.",
  timeout: 60_000,
});
const ending = new AbortController();
const { signal } = ending;
let heard = 0;
let said = 0;
let refused = 0;
const faults: unknown[] = [];

await (await fetch(`${origin}/r/lobby`)).text();
await pause(QUIET);
const idle = megabytes();
console.log(`idle: ${idle} MB`);

const keys = await Promise.all(Array.from({ length: WRITERS }, makeKey));
const loads = [
  ...Array.from({ length: WATCHERS }, watch),
  ...keys.map(write),
  ...Array.from({ length: POLLS }, poll),
  ...Array.from({ length: STREAMS }, stream),
];
const curve: number[] = [];
const end = Date.now() + minutes * 60_000;
while (Date.now() < end) {
  await pause(LOOK_EVERY);
  curve.push(megabytes());
  if (curve.length % 12 === 0) {
    console.log(
      `${curve.length / 12} min: ${curve.at(-1)} MB, ${said} said, ${heard} heard, ${refused} refused, ${faults.length} faults`,
    );
  }
}
ending.abort();
await Promise.allSettled(loads);
await server[Symbol.asyncDispose]();
rmSync(stateDir, { recursive: true, force: true });

const most = Math.max(...curve);
const last = curve.at(-1) as number;
console.log(JSON.stringify({ minutes, idle, most, last, said, heard, refused, faults: faults.length }));
if (faults.length > 0) console.error(faults[0]);
if (values["write-docs"]) note();
process.exit(idle <= IDLE_LIMIT && most <= LOAD_LIMIT && faults.length === 0 ? 0 : 1);

function megabytes(): number {
  return Math.round(residentBytes(server.id) / 1e6);
}

async function makeKey(): Promise<string> {
  const answer = await fetch(`${origin}/api/keys`, { method: "POST" });
  return ((await answer.json()) as { key: string }).key;
}

async function watch(): Promise<void> {
  await untilEnd(async () => {
    await using room = await join(`${origin}/r/lobby`, { signal });
    for await (const _ of room.messages({ signal })) heard++;
  });
}

async function write(key: string): Promise<void> {
  await untilEnd(async () => {
    await using room = await join(`${origin}/r/lobby`, { key, signal });
    for (;;) {
      await room.send(`Message ${said++}: ${WORDS.slice(said % 200, (said % 200) + 80 + (said % 150))}`, { signal });
      await pause(WRITE_EVERY, undefined, { signal });
    }
  });
}

async function poll(): Promise<void> {
  let query = "?limit=1";
  await untilEnd(async () => {
    for (;;) {
      const answer = await fetch(`${origin}/api/rooms/lobby/messages${query}`, { signal });
      if (answer.status === 429 || answer.status === 503) {
        // On a busy machine this process may read so late that the room takes no more of it for a while.
        refused++;
        await answer.text();
        await pause(1_000 * Number(answer.headers.get("retry-after") ?? 1), undefined, { signal });
        continue;
      }
      const { messages, head, epoch } = (await answer.json()) as {
        messages: { seq: number }[];
        head: number;
        epoch: string;
      };
      query = `?wait=25&after=${messages.at(-1)?.seq ?? head}&epoch=${epoch}`;
    }
  });
}

async function stream(): Promise<void> {
  await untilEnd(async () => {
    const answer = await fetch(`${origin}/api/rooms/lobby/events`, { signal });
    const reader = answer.body?.getReader();
    while (!(await reader?.read())?.done);
  });
}

/** What fails before the end is a fault. */
async function untilEnd(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    if (!signal.aborted) faults.push(new Error("It has ended by itself."));
  } catch (error) {
    if (!signal.aborted) faults.push(error);
  }
}

/** Puts the figures between the marks of the document. */
function note(): void {
  const file = path(root, "docs/self-hosting.md");
  const [begin, close] = [
    "<!-- written by `node bench/steady-load.ts --write-docs` -->",
    "<!-- end of the figures -->",
  ];
  const text = readFileSync(file, "utf8");
  const [before, rest = ""] = text.split(begin);
  const after = rest.split(close)[1];
  if (after === undefined) throw new Error(`${file} has no place for the figures.`);
  const figures = `Idle ${idle} MB; under that load for ${minutes} minutes at most ${most} MB, and ${last} MB at the end.`;
  writeFileSync(file, `${before}${begin}\n\n${figures}\n\n${close}${after}`);
}
