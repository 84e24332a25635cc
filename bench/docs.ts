/**
 * Writes docs/benchmarks.md, docs/fanout.svg and the table of costs in docs/self-hosting.md from the results of a run: no
 * figure in them is typed by hand.
 */

import { readFile, writeFile } from "node:fs/promises";
import { chart, type Series } from "./chart.ts";
import type { Machine } from "./machine.ts";
import { type Bench, medianOf, type Outcome, type Row } from "./outcome.ts";
import { type Results, table, targetLine, toMarkdown } from "./report.ts";
import { SYSTEMS } from "./systems.ts";

const DOCS = new URL("../docs/", import.meta.url);

export async function writeDocs(benches: readonly Bench[], results: Results): Promise<void> {
  const measured = benches.filter(({ name }) => results.benches[name]);
  const drawn = series(results);
  const sections = measured.map((bench) => section(bench, results.benches[bench.name] as Outcome, results.rounds));
  const document = [head(results), ...sections].join("\n\n");
  await writeFile(new URL("benchmarks.md", DOCS), `${document}\n`);
  if (drawn.length > 0) await writeFile(new URL("fanout.svg", DOCS), chart(drawn));
  const { cost } = results.benches;
  if (cost) await writeCosts(cost);
}

/** What stands around the table of costs in docs/self-hosting.md. */
const COSTS = {
  begin: "<!-- written by `npm run bench -- cost --write-docs` -->",
  end: "<!-- end of what was written -->",
};

async function writeCosts({ rows }: Outcome): Promise<void> {
  const file = new URL("self-hosting.md", DOCS);
  const text = await readFile(file, "utf8");
  const [from, to] = [text.indexOf(COSTS.begin), text.indexOf(COSTS.end)];
  if (from < 0 || to < from) throw new Error(`docs/self-hosting.md has no place for the costs: ${COSTS.begin}`);
  const written = `${COSTS.begin}\n\n${toMarkdown(table(rows))}\n\n`;
  await writeFile(file, text.slice(0, from) + written + text.slice(to));
}

function head({ machine, startedAt, rounds }: Results): string {
  return `# Benchmarks

What this project claims about speed and cost, measured beside others: \`npm run bench\` measures all of it again in about
half an hour, and \`npm run bench -- fanout\` one part. Figures are worth something only beside each other: another
machine gives others. This page is written by \`npm run bench -- --write-docs\`; nothing in it is typed by hand but the
words.

![Deliveries a second over the number of connections](fanout.svg)

## What is compared

${compared()}

All Workers, this project's and the others, run in the same runtime (workerd) behind the same front (a small Worker that
this project has on one machine). D1 and the rooms' storage are files on the same disk.

## How

- The systems take turns, ${rounds} round${rounds === 1 ? "" : "s"} each, so that whatever else the machine does, it does to all of them. A figure is the
  median of its rounds; ± is the farthest of them from it. A ratio is one of two medians.
- Load comes from two processes, writers and audience, which speak each system's own format over raw sockets: the
  libraries' clients would be the limit. Content is 100 bytes. A writer sends its next message when one of its own comes
  back.
- Every round checks that each connection received every message exactly once, each writer's in its order, and, where
  messages are numbered, without a gap. A round that fails this fails the run.
- *limit* says who could not do more: the room (a whole processor busy), a generator (then the figure is too low for the
  room), nobody (all were waiting), or others (processes that have nothing to do with it took a fifth of a processor or
  more: everything is slower than the machine is, for everybody).
- *processor* is the processor time that the server's processes took for a message. It says most where others were busy.

Measured on ${startedAt.slice(0, 10)} at ${machine.commit}: ${describe(machine)}`;
}

function compared(): string {
  const kept = { disk: "yes", memory: "no, in memory", nothing: "no, nowhere" };
  const lines = SYSTEMS.map(({ name, keeps, about }) => [name, kept[keeps], about]);
  return toMarkdown([["", "on disk before the sender hears of it", "what it is"], ...lines], 3);
}

function describe({ processor, processors, memory, system, node, versions }: Machine): string {
  const parts = Object.entries({ node, ...versions }).map(([name, version]) => `${name} ${version.replace(/^v/, "")}`);
  const size = Math.round(memory / 2 ** 30);
  return `${processors} × ${processor}, ${size} GiB, ${system}; ${parts.join(", ")}.`;
}

function section({ name, work, remarks }: Bench, { rows, targets, rounds }: Outcome, usual: number): string {
  const met = targets.map((target) => `- ${target.met ? "✓" : "✗"} ${targetLine(target)}`);
  const fewer = rounds !== undefined && rounds !== usual ? ` Rounds: ${rounds}.` : "";
  const parts = [`## ${name}`, work + fewer, toMarkdown(table(rows)), met.join("\n"), ...(remarks ? [remarks] : [])];
  return parts.join("\n\n");
}

/** The curve's two systems with the 500 of `fanout` between, and the others as far as `fanout` measured them. */
function series({ benches }: Results): Series[] {
  const fanout = benches.fanout?.rows ?? [];
  const curve = benches.curve?.rows ?? [];
  return SYSTEMS.map(({ name }) => ({
    name,
    points: [...points(curve, name), ...points(fanout, name, 500)].sort(([a], [b]) => a - b),
  })).filter((each) => each.points.length > 0);
}

const WRITERS = 4;

function points(rows: readonly Row[], system: string, subscribers?: number): [number, number][] {
  return rows
    .filter((row) => row.system === system)
    .map(({ situation }): [number, number] => {
      const audience = subscribers ?? Number.parseInt(situation ?? "0", 10);
      return [audience + WRITERS, medianOf(rows, system, "deliveries/s", situation)];
    });
}
