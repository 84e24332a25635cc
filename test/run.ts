/**
 * `npm test`: types, lint, a build, and every test, one kind after the other; at the end one line with the sums.
 *
 * `npm test -- unit runtime` runs the tests of those projects only; `npm test -- long` those that take minutes each.
 */

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { buildClient, buildWorker } from "../api/local/builds.ts";
import { commandLine, endIfUnknown } from "../api/local/command-line.ts";
import { root } from "../api/local/root.ts";
import { requireChromium } from "./chromium.ts";
import { requireProxies } from "./proxies.ts";

const PROJECTS = ["unit", "runtime", "browser", "processes"];
/** Run only when asked for. */
const LONG = "long";

let passed = 0;
/** A line for each failure: the output in which it happened is long. */
const failures: string[] = [];

const { positionals: asked } = commandLine({ allowPositionals: true });
endIfUnknown("project", asked, [...PROJECTS, LONG]);
const projects = asked.length > 0 ? [...PROJECTS, LONG].filter((project) => asked.includes(project)) : PROJECTS;
const reports = await mkdtemp(join(tmpdir(), "meet-ai-test-"));

if (projects.some((project) => project !== "unit" && project !== "runtime")) {
  await check("chromium", async () => {
    process.env.CHROME_PATH = requireChromium();
  });
}
if (projects.includes("processes")) requireProxies();
if (asked.length === 0) {
  await check("types", () => run("npm", ["run", "--silent", "typecheck"]));
  await check("lint", () => run("npm", ["run", "--silent", "lint"]));
}
await check("build", async () => {
  await Promise.all([buildClient(), buildWorker()]);
});
for (const project of projects) await vitest(project);

await rm(reports, { recursive: true });
if (failures.length > 0) console.log(`\nFailed:\n${failures.join("\n")}`);
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;

/** Counts one check that passes or throws. */
async function check(name: string, work: () => Promise<void>): Promise<void> {
  const start = Date.now();
  try {
    await work();
    passed++;
    console.log(`✓ ${name} (${Math.round((Date.now() - start) / 1000)} s)`);
  } catch (error) {
    failures.push(name);
    console.error(`✗ ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

/** What is read of vitest's report. */
interface Report {
  numPassedTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

/** Runs one project's tests and counts each of them; a file that fails beside its tests counts as one failure more. */
async function vitest(project: string): Promise<void> {
  const report = join(reports, `${project}.json`);
  console.log(`\n— ${project}`);
  const args = ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const clean = await run("vitest", args).then(
    () => true,
    () => false,
  );
  const counts = await readFile(report, "utf8").then(
    (text) => JSON.parse(text) as Report,
    (): Report => ({ numPassedTests: 0, testResults: [] }),
  );
  const before = failures.length;
  for (const { name, status, message, assertionResults } of counts.testResults) {
    const file = `${project} ${relative(root, name)}`;
    const broken = assertionResults.filter((assertion) => assertion.status === "failed");
    for (const { fullName, failureMessages } of broken) {
      failures.push(`${file}: ${fullName}\n    ${firstLine(failureMessages[0])}`);
    }
    if (status === "failed" && broken.length === 0) failures.push(`${file}\n    ${firstLine(message)}`);
  }
  // An error outside every file: vitest says so with its exit code alone.
  if (!clean && failures.length === before) failures.push(`${project}: an error outside of its tests`);
  passed += counts.numPassedTests;
}

function firstLine(text = ""): string {
  return stripVTControlCharacters(text).split("\n", 1)[0] as string;
}

function run(command: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" });
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`))));
  });
}
