/**
 * `npm run chaos -- [--kills 100] [--seed N] [--only kill|d1|outage|rotate|stalled|disk|evict|proxy|clock|storm|storms]`: breaks real servers
 * under people who write and people who watch, and judges what came of it. Ends with a failure when any promise was not kept.
 */

import { commandLine, endIfUnknown, wholeNumber } from "../../api/local/command-line.ts";
import { describeViolations } from "./history.ts";
import { Random } from "./random.ts";
import { type Outcome, SCENARIOS, type ScenarioName } from "./scenarios.ts";

const { values } = commandLine({
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
    writers: { type: "string", default: "20" },
    watchers: { type: "string", default: "3" },
  },
});

const kills = wholeNumber("kills", values.kills);
const seed = wholeNumber("seed", values.seed);
const writers = wholeNumber("writers", values.writers);
const watchers = wholeNumber("watchers", values.watchers);

/** How often each scenario breaks something: in proportion to the kills, as far as its faults take longer or less. */
const FAULTS: Readonly<Record<ScenarioName, number>> = {
  kill: kills,
  d1: Math.ceil(kills / 25),
  outage: Math.ceil(kills / 50),
  rotate: Math.ceil(kills / 5),
  stalled: Math.ceil(kills / 20),
  disk: Math.ceil(kills / 10),
  evict: Math.ceil(kills / 10),
  proxy: kills * 4,
  clock: Math.ceil(kills / 25),
  storm: Math.ceil(kills / 50),
  storms: Math.ceil(kills / 50),
};

const names = Object.keys(SCENARIOS) as ScenarioName[];
const chosen = values.only === undefined ? names : names.filter((name) => name === values.only);
if (values.only !== undefined) endIfUnknown("scenario", [values.only], names);

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

console.log(`seed ${seed}, ${writers} writers, ${watchers} watchers`);
const outcomes: Partial<Record<ScenarioName, Outcome & { seconds: number }>> = {};
for (const name of chosen) {
  const began = performance.now();
  const outcome = await SCENARIOS[name]({
    random: new Random(seed),
    faults: FAULTS[name],
    writers,
    watchers,
    report: (line) => console.log(`  ${name}: ${line}`),
  });
  outcomes[name] = { ...outcome, seconds: Math.round((performance.now() - began) / 1_000) };
}

let broken = false;
const rows: Record<string, Record<string, unknown>> = {};
for (const [name, outcome] of Object.entries(outcomes)) {
  if ("skipped" in outcome) {
    console.log(`${name} was skipped: ${outcome.skipped}`);
    continue;
  }
  const { violations, surprises, ...figures } = outcome;
  rows[name] = { faults: FAULTS[name as ScenarioName], ...figures, violations: violations.length };
  if (violations.length > 0) console.error(`${name}:\n${describeViolations(violations)}`);
  if (surprises.length > 0) console.error(`${name}: unexpected errors: ${[...new Set(surprises)].join("; ")}`);
  broken ||= violations.length > 0 || surprises.length > 0;
}
console.table(rows);
console.log(
  broken ? `Broken. The same again: npm run chaos -- --kills ${kills} --seed ${seed}` : "Every promise was kept.",
);
process.exitCode = broken ? 1 : 0;
