/** What stands around the code: it says in two places what has to be the same in both. */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

it("the README says what each folder of the house is for", () => {
  const [, house = ""] = /^## The house\n\n```\n([\s\S]*?)```/m.exec(read("README.md")) ?? [];
  const folders = globSync("{party,api,client}/*/", { cwd: ROOT }).map((folder) => folder.split("/")[1]);
  expect(folders.length).toBeGreaterThan(20);
  expect(folders.filter((folder) => !house.includes(` ${folder}/`))).toEqual([]);
});

it("the workflow runs what a change has to pass, and nothing else", () => {
  const runs = [...read(".github/workflows/test.yml").matchAll(/^\s+- run: (.*)$/gm)].map(([, command]) => command);
  expect(runs).toEqual(["bash .ci/run"]);
});

describe("the container", () => {
  it("is made by the file that the document prints", () => {
    expect(read("docs/self-hosting.md")).toContain(`\`\`\`dockerfile\n${read("Dockerfile")}\`\`\``);
  });

  it("has all that runs in it: nothing of what is left out is imported", () => {
    const leftOut = read(".dockerignore")
      .split("\n")
      .filter((name) => /^(test|bench)$/.test(name));
    expect(leftOut).toEqual(["bench", "test"]);
    const files = globSync(["api/**/*.ts", "party/**/*.ts", "client/**/*.ts", "vite.config.ts"], { cwd: ROOT });
    const sources = files.filter((file) => !file.includes("node_modules") && !file.endsWith(".test.ts"));
    const importers = sources.filter((file) => /from "(?:\.\.\/)+(?:test|bench)\//.test(read(file)));
    // Fixtures of tests stand beside them.
    expect(importers.filter((file) => /^api|^party|package\.ts$|vite/.test(file))).toEqual([]);
  });
});

it.skipIf(!existsSync("/usr/bin/systemd-analyze"))("systemd understands the unit that the document prints", () => {
  const [, unit = ""] = /```ini\n([\s\S]*?)```/.exec(read("docs/self-hosting.md")) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "meet-ai-unit-"));
  const file = join(folder, "meet-ai.service");
  // The program has to be there.
  writeFileSync(file, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
  const { status, stderr } = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

it("every package's licence has been looked at", () => {
  const { status, stderr } = spawnSync(process.execPath, ["test/licences.ts"], { cwd: ROOT, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

it("npm pack takes what a server is started from, and no tests", () => {
  const text = execFileSync("npm", ["pack", "--dry-run", "--json", "--offline"], { cwd: ROOT, encoding: "utf8" });
  const [{ files, size }] = JSON.parse(text) as [{ files: { path: string }[]; size: number }];
  const paths = files.map(({ path }) => path);
  for (const needed of [
    "wrangler.toml",
    "Dockerfile",
    "api/local/start.ts",
    "client/pages/room.html",
    "party/protocol.ts",
    "migrations/0001_rooms_keys_messages.sql",
  ]) {
    expect(paths).toContain(needed);
  }
  expect(paths.filter((path) => /^(test|bench|\.|dist)|\.test\.ts$/.test(path))).toEqual([]);
  expect(size).toBeLessThan(1_000_000);
});
