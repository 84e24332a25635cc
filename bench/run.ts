/**
 * Measures what this project claims about speed and cost, beside its peers and in the same run.
 *
 *     npm run bench                        everything, in half an hour
 *     npm run bench -- fanout ack          only these
 *     npm run bench -- --quick             one round of each instead of three
 *     npm run bench -- --write-docs        and puts the figures into docs/benchmarks.md, if there was no fault
 *     npm run bench -- --from FILE --write-docs     takes the figures from an earlier run; from several, each bench's
 *                                                   from the last FILE that has it
 *
 * Results are printed and kept as JSON in bench/results/. The exit code is 0 when everything was measured without a
 * fault, whether the targets were met or not: a slow machine is not an error.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { commandLine, endIfUnknown } from "../api/local/command-line.ts";
import { ack } from "./benches/ack.ts";
import { cost } from "./benches/cost.ts";
import { curve, fanout } from "./benches/fanout.ts";
import { history } from "./benches/history.ts";
import { join } from "./benches/join.ts";
import { memory } from "./benches/memory.ts";
import { neighbours } from "./benches/neighbours.ts";
import { rooms } from "./benches/rooms.ts";
import { storm } from "./benches/storm.ts";
import { writers } from "./benches/writers.ts";
import { writeDocs } from "./docs.ts";
import { describeMachine } from "./machine.ts";
import type { Bench, Outcome } from "./outcome.ts";
import { type Results, table, targetLine, toText } from "./report.ts";
import { installPeers } from "./systems.ts";

const BENCHES: readonly Bench[] = [fanout, curve, writers, ack, rooms, storm, neighbours, join, history, memory, cost];
const ROUNDS = 3;

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    "write-docs": { type: "boolean", default: false },
    from: { type: "string", multiple: true, default: [] },
  },
});

endIfUnknown(
  "bench",
  positionals,
  BENCHES.map(({ name }) => name),
);

let failed = false;
const results = values.from.length > 0 ? await earlier(values.from) : await measure();
const faults = Object.values(results.benches).flatMap(({ rows }) => rows.flatMap((row) => row.faults));
if (values["write-docs"] && faults.length === 0) await writeDocs(BENCHES, results);
process.exit(failed || faults.length > 0 ? 1 : 0);

/** What earlier runs have measured: of each bench the latest, on the machine of the last file. */
async function earlier(files: readonly string[]): Promise<Results> {
  const all = await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, "utf8")) as Results));
  const last = all.at(-1) as Results;
  return {
    ...last,
    rounds: Math.max(...all.map(({ rounds }) => rounds)),
    benches: Object.assign({}, ...all.map(({ benches }) => benches)),
  };
}

async function measure(): Promise<Results> {
  installPeers();
  const startedAt = new Date().toISOString();
  const rounds = values.quick ? 1 : ROUNDS;
  const benches: Record<string, Outcome> = {};
  const wanted = positionals.length > 0 ? BENCHES.filter(({ name }) => positionals.includes(name)) : BENCHES;
  for (const bench of wanted) {
    console.log(`\n${bench.name}: ${bench.work}`);
    try {
      const outcome = await bench.run({ rounds, progress });
      progress("");
      print(outcome);
      benches[bench.name] = { ...outcome, rounds };
    } catch (error) {
      progress("");
      console.error(`  FAILED ${bench.name}:`, error);
      failed = true;
    }
  }
  const measured: Results = { startedAt, rounds, machine: describeMachine(), benches };
  const folder = new URL("./results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  const file = `${startedAt.replaceAll(":", "-")}.json`;
  await writeFile(new URL(file, folder), JSON.stringify(measured, null, 2));
  console.log(`\nbench/results/${file}`);
  return measured;
}

function print({ rows, targets }: Outcome): void {
  console.log(toText(table(rows)));
  for (const target of targets) console.log(`${target.met ? "  ok    " : "  MISSED"} ${targetLine(target)}`);
  for (const { system, faults } of rows) {
    if (faults.length > 0) console.log(`  FAULT  ${system} was not measured (${faults.length} in all): ${faults[0]}`);
  }
}

/** One line that the next one overwrites, where somebody looks at it. */
function progress(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
}
