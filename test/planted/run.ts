/**
 * `npm run planted -- [--area log|gate|erasure|writes|audience|client|security|backup|retention|moderation|asks|agents|bridge|admin] [--only N]`: plants one bug after
 * the other in a copy of the source, runs the tests that have to notice, and says which did. Ends with a failure when a bug went
 * unnoticed, or a test is red without any.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { commandLine, endIfUnknown, wholeNumber } from "../../api/local/command-line.ts";
import { end } from "../../api/local/end.ts";
import { PLANTED } from "./bugs.ts";
import type { Edit, Witness } from "./planted-bug.ts";

const root = join(import.meta.dirname, "../..");

/** The model test draws its runs; these are the ones that it draws here. */
const MODEL = { MODEL_SEED: "2026", MODEL_RUNS: "100", MODEL_SHRINK: "no" };
/** What the model test is asked for where no bug is planted. */
const MODEL_WITHOUT_BUG = { ...MODEL, MODEL_RUNS: "20" };

const { values } = commandLine({ options: { area: { type: "string" }, only: { type: "string" } } });
if (values.area !== undefined) endIfUnknown("area", [values.area], Object.keys(PLANTED));
const only = values.only === undefined ? undefined : wholeNumber("only", values.only);
const planted = Object.entries(PLANTED)
  .flatMap(([area, bugs]) => bugs.map((bug) => ({ ...bug, area })))
  .map((bug, index) => ({ ...bug, number: index + 1 }));
const chosen = planted
  .filter(({ area }) => values.area === undefined || area === values.area)
  .filter(({ number }) => only === undefined || number === only);
if (chosen.length === 0) end(`There is no bug ${only} here. They are numbered from 1 to ${planted.length}.`);

const copy = mkdtempSync(join(tmpdir(), "meet-ai-planted-"));
process.once("exit", () => rmSync(copy, { recursive: true, force: true }));
copySource();

// First of all, whether the source has moved under any of them: the tests take minutes.
for (const { edits } of chosen) whilePlanted(edits, () => undefined);

let failed = false;
const witnesses = new Map(chosen.flatMap(({ caughtBy }) => caughtBy.map((witness) => [describe(witness), witness])));
for (const [name, witness] of witnesses) {
  const { passed, output } = run(witness, MODEL_WITHOUT_BUG);
  if (passed) continue;
  failed = true;
  console.error(`Without any bug this is not green, or there is no such test: ${name}\n${output}`);
}

const rows: Record<string, string | number>[] = [];
for (const { number, name, breaks, edits, caughtBy } of chosen) {
  whilePlanted(edits, () => {
    for (const witness of caughtBy) {
      const { redTests, output } = run(witness, MODEL);
      const caught = redTests.length > 0;
      failed ||= !caught;
      if (!caught) console.error(`Not noticed: ${name}, by ${describe(witness)}\n${output}`);
      rows.push({
        bug: `${number} ${name}`,
        promise: typeof breaks === "number" ? `promise ${breaks}` : breaks,
        test: describe(witness),
        result: caught ? "red" : "NOT NOTICED",
      });
    }
  });
}

for (const { bug, promise, test, result } of rows) console.log(`${result}  ${bug} (${promise}): ${test}`);
console.log(failed ? "Not every bug was noticed." : `All ${chosen.length} planted bugs were noticed.`);
process.exitCode = failed ? 1 : 0;

function describe({ file, test }: Witness): string {
  return `${file} > ${test}`;
}

/** The files that are in the repository, as they are now, with the dependencies linked. */
function copySource(): void {
  const list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  for (const file of list.toString().split("\0").filter(Boolean)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
}

function whilePlanted(edits: readonly Edit[], work: () => void): void {
  const originals = edits.map(({ file }) => [file, readFileSync(join(copy, file), "utf8")] as const);
  for (const edit of edits) plant(edit);
  work();
  for (const [file, text] of originals.toReversed()) writeFileSync(join(copy, file), text);
}

function plant({ file, find, replace }: Edit): void {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} has this ${count} times, so the bug can't be planted:\n${find}`);
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
}

/** Runs one test in the copy. `passed`: it ran and is green. `redTests`: the tests that failed, not files that broke. */
function run({ project, file, test }: Witness, model: Record<string, string>) {
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  // A real server runs what was built.
  if (project === "processes") buildWorker();
  const pattern = test.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const args = ["run", "--project", project, file, "-t", pattern, "--reporter=json", `--outputFile=${report}`];
  const { stdout, stderr } = spawnSync(join(copy, "node_modules/.bin/vitest"), args, {
    cwd: copy,
    env: { ...process.env, ...model },
    encoding: "utf8",
  });
  const { tests, faults } = readReport(report);
  const results = tests.filter(({ status }) => status === "passed" || status === "failed");
  const redTests = results.filter(({ status }) => status === "failed").map(({ fullName }) => fullName);
  return {
    passed: results.length > 0 && redTests.length === 0,
    redTests,
    output: (stdout + stderr + faults).slice(-3_000),
  };
}

function buildWorker(): void {
  const script = 'import("./api/local/builds.ts").then(({ buildWorker }) => buildWorker())';
  execFileSync(process.execPath, ["--eval", script], { cwd: copy, stdio: ["ignore", "ignore", "inherit"] });
}

interface TestResult {
  readonly fullName: string;
  readonly status: string;
}

/** The tests of a run, and what broke files beside them. */
function readReport(file: string): { tests: TestResult[]; faults: string } {
  try {
    const { testResults } = JSON.parse(readFileSync(file, "utf8")) as {
      testResults: { message: string; assertionResults: TestResult[] }[];
    };
    return {
      tests: testResults.flatMap(({ assertionResults }) => assertionResults),
      faults: testResults.map(({ message }) => message).join("\n"),
    };
  } catch {
    // No report, no results: the run itself broke, and its output says why.
    return { tests: [], faults: "" };
  }
}
