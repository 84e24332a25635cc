/**
 * `npm run licences`: which licences the packages have on which this one rests, those that are handed out with it apart
 * from the tools. Ends with 1 when a package has one that nobody has looked at.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../api/local/root.ts";

/** Licences that ask for no more than their own text. */
const FREE = [
  "MIT",
  "MIT-0",
  "ISC",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "Apache-2.0",
  "0BSD",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "Unlicense",
];

/** Licences of tools, which are run and not handed out: they bind who changes the tool. */
const OF_TOOLS = ["MPL-2.0", "Python-2.0", "CC-BY-4.0", "LGPL-3.0-or-later", "CC-BY-3.0"];

/** What the Worker is bundled with; what the client needs stands among the dependencies. */
const BUNDLED = ["hono", "jose", "nanoid", "partyserver", "zod", "zod-openapi"];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string | { type?: string };
  readonly licenses?: readonly { type?: string }[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

const own = manifest(root) as Manifest;
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
  packages: Record<string, { optional?: boolean }>;
};
const handedOut = closure([...Object.keys(own.dependencies ?? {}), ...BUNDLED]);
const unknown: string[] = [];
const counts = { "handed out": new Map<string, string[]>(), tools: new Map<string, string[]>() };
for (const place of Object.keys(lock.packages).filter((place) => place !== "")) {
  const found = manifest(join(root, place));
  // Of another system's.
  if (!found) continue;
  const kind = handedOut.has(found.name) ? "handed out" : "tools";
  const licence = licenceOf(found);
  const allowed = kind === "tools" ? [...FREE, ...OF_TOOLS] : FREE;
  if (!isAmong(licence, allowed)) unknown.push(`${found.name} ${found.version}: ${licence}`);
  const names = counts[kind].get(licence) ?? [];
  counts[kind].set(licence, [...names, found.name]);
}
for (const [kind, licences] of Object.entries(counts)) {
  console.log(`\n${kind}`);
  for (const [licence, names] of [...licences].sort((a, b) => b[1].length - a[1].length)) {
    const shown = kind === "tools" ? `${names.length} packages` : names.join(", ");
    console.log(`  ${licence.padEnd(28)} ${shown}`);
  }
}
if (unknown.length > 0) {
  console.error(`\nNobody has looked at these licences yet:\n  ${unknown.join("\n  ")}`);
  process.exit(1);
}

function manifest(folder: string): Manifest | undefined {
  const file = join(folder, "package.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Manifest) : undefined;
}

/** These packages and all that they need in turn. */
function closure(names: readonly string[]): Set<string> {
  const found = new Set<string>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const needed of Object.keys(manifest(join(root, "node_modules", name))?.dependencies ?? {})) add(needed);
  };
  for (const name of names) add(name);
  return found;
}

function licenceOf({ license, licenses }: Manifest): string {
  if (typeof license === "string") return license;
  return license?.type ?? licenses?.map(({ type }) => type).join(" OR ") ?? "none";
}

/** Whether an SPDX expression can be met with what is allowed. */
function isAmong(expression: string, allowed: readonly string[]): boolean {
  const bare = expression.replace(/[()]/g, "");
  return bare
    .split(/ OR /)
    .some((choice) => choice.split(/ AND /).every((licence) => allowed.includes(licence.trim())));
}
