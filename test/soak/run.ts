/**
 * `npm run soak -- --minutes 60 [--out DIR]`: a server on this machine under a steady load, for as long as it is told, with D1
 * away now and then. Draws memory, handles, latency and the archive's lag as curves, and fails when one of them grows, when
 * something has failed, or when D1 does not have everything in the end. Ends by itself. Build before: `npm run build`.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { commandLine, wholeNumber } from "../../api/local/command-line.ts";
import { end } from "../../api/local/end.ts";
import { root } from "../../api/local/root.ts";
import { Server, WRITING } from "../processes/server.ts";
import { until } from "../processes/until.ts";
import { type Curve, drawn, isFlat, median, quantile, type Stretch } from "./curve.ts";
import { Load } from "./load.ts";

const { values } = commandLine({
  options: {
    minutes: { type: "string", default: "60" },
    out: { type: "string", default: join(root, ".wrangler/soak") },
  },
});
const minutes = wholeNumber("minutes", values.minutes);
if (minutes === 0) end("--minutes takes at least 1.");

/** So many looks make a curve; each is at least so far from the one before, ms. */
const LOOKS = 240;
const LOOK_EVERY = Math.max(2_000, (minutes * 60_000) / LOOKS);
/** So many times D1 takes no writes, for this part of the time in between. */
const OUTAGES = 4;
const OUTAGE = 0.2;
/** Shorter, and caches still fill: the curves are drawn and not judged. */
const JUDGED_FROM = 20;
/** How long D1 may take in the end to have everything, ms. */
const PATIENCE = 120_000;

await using server = await Server.start();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const load = await Load.begin(server);

const began = performance.now();
const now = (): number => (performance.now() - began) / 60_000;
const points = { memory: [], handles: [], latency: [], lag: [] } as Record<string, [number, number][]>;
const outages: Stretch[] = [];

const looking = new AbortController();
const watching = Promise.all([look(), interrupt()]);
await pause(minutes * 60_000);
looking.abort();
await watching;
await load.end();
const head = await headOf(load);
await until("D1 has everything", () => server.archivedCount(load.room) >= head, PATIENCE);

const limits = {
  memory: { unit: "MB", ratio: 1.1, slack: 20 },
  handles: { unit: "open files", ratio: 1.1, slack: 10 },
  latency: { unit: "ms, the 99th percentile", ratio: 1.5, slack: 20 },
  lag: { unit: "messages that D1 does not have yet", ratio: 1.5, slack: 100 },
};
mkdirSync(values.out, { recursive: true });
const growing: string[] = [];
for (const [name, { unit, ...limit }] of Object.entries(limits)) {
  const curve: Curve = { name, unit, points: points[name] ?? [] };
  writeFileSync(join(values.out, `${name}.svg`), drawn(curve, outages));
  const figures = curve.points.map(([, figure]) => figure);
  console.log(`${name}: median ${median(figures)}, most ${Math.max(...figures)}, last ${figures.at(-1)} ${unit}`);
  if (minutes >= JUDGED_FROM && !isFlat(curve, limit)) growing.push(name);
}
console.log(JSON.stringify({ minutes, head, ...load.counts, outages: outages.length, faults: load.faults.length }));
console.log(`The curves are in ${values.out}.`);
if (minutes < JUDGED_FROM) console.log(`Curves are judged from ${JUDGED_FROM} minutes on.`);
if (growing.length > 0) console.error(`These grow: ${growing.join(", ")}.`);
for (const fault of new Set(load.faults.map(String))) console.error(fault);
process.exitCode = growing.length > 0 || load.faults.length > 0 ? 1 : 0;

async function look(): Promise<void> {
  while (await passes(LOOK_EVERY)) {
    const at = Math.round(now() * 100) / 100;
    points.memory?.push([at, Math.round(server.residentBytes / 1e6)]);
    points.handles?.push([at, server.openFiles]);
    points.latency?.push([at, Math.round(quantile(load.latencies.splice(0), 0.99))]);
    points.lag?.push([at, (await roomOf(load)).archive.lag]);
  }
}

/** Locks D1's file now and then: reads go on, and what is to be written has to wait. */
async function interrupt(): Promise<void> {
  const every = (minutes * 60_000) / OUTAGES;
  while (await passes(every * (1 - OUTAGE))) {
    const from = now();
    const lock = new DatabaseSync(server.databaseFile, WRITING);
    lock.exec("BEGIN IMMEDIATE");
    await passes(every * OUTAGE);
    lock.exec("ROLLBACK");
    lock.close();
    outages.push([from, now()]);
  }
}

/** Lets time pass; `false` when it is over before. */
async function passes(duration: number): Promise<boolean> {
  return await pause(duration, true, { signal: looking.signal }).catch(() => false);
}

interface Room {
  readonly lastSeq: number;
  readonly archive: { readonly lag: number };
}

async function roomOf({ room, key }: Load): Promise<Room> {
  const answer = await fetch(`${server.url}/api/rooms/${room}`, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) throw new Error(`The room does not answer: ${await answer.text()}`);
  return (await answer.json()) as Room;
}

async function headOf(load: Load): Promise<number> {
  return (await roomOf(load)).lastSeq;
}
