/** One server for each folder of state: two would give the same seq twice. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const LOCK = pathToFileURL(join(import.meta.dirname, "../../api/local/lock.ts")).href;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "meet-ai-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Another process that takes the folder, or the one at `path`, and ends. */
function take(path = folder) {
  const script = `import { takeFolder } from ${JSON.stringify(LOCK)}; takeFolder(${JSON.stringify(path)});`;
  return spawnSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
}

it("a folder that a live process has is refused, in one line that names it", () => {
  writeFileSync(join(folder, "server.pid"), String(process.pid));
  const { status, stderr } = take();
  expect(status).toBe(1);
  expect(stderr).toMatch(new RegExp(`^Another server \\(process ${process.pid}\\) .*STATE_DIR\\.\\n$`));
});

it("a folder whose server was killed is free, and one that was left is too", () => {
  const { pid } = spawnSync(process.execPath, ["--eval", ""]);
  writeFileSync(join(folder, "server.pid"), String(pid));
  expect(take().status).toBe(0);
  expect(existsSync(join(folder, "server.pid"))).toBe(false);
  expect(take().status).toBe(0);
});

it.each(["file", "file/below"])("%s, where a file is, is refused in one line that says what to do", (path) => {
  writeFileSync(join(folder, "file"), "");
  const { status, stderr } = take(join(folder, path));
  expect(status).toBe(1);
  expect(stderr).toMatch(/^No data can be kept in .*: name another folder in STATE_DIR\.\n$/);
});

it.each(["", "0", "-1"])(
  "a folder whose file says %j is free: the disk was full for the process that took it",
  (said) => {
    writeFileSync(join(folder, "server.pid"), said);
    expect(take().status).toBe(0);
  },
);

it("a folder is taken as long as the runtime of a server that is gone runs: two would give the same seq twice", () => {
  const { pid } = spawnSync(process.execPath, ["--eval", ""]);
  writeFileSync(join(folder, "server.pid"), `${pid}\n${process.pid}`);
  const { status, stderr } = take();
  expect(status).toBe(1);
  expect(stderr).toMatch(new RegExp(`^Another server \\(process ${process.pid}\\) `));
  writeFileSync(join(folder, "server.pid"), `${pid}\n${pid}`);
  expect(take().status).toBe(0);
});

it("the runtime is named in the file that is there, which takes no room on the disk", () => {
  const script = `import { nameRuntime, takeFolder } from ${JSON.stringify(LOCK)};
    import { readFileSync, statSync } from "node:fs";
    const folder = ${JSON.stringify(folder)};
    const look = () => [statSync(folder + "/server.pid").ino, statSync(folder + "/server.pid").size];
    takeFolder(folder);
    const before = look();
    nameRuntime(folder, 4194304);
    console.log(JSON.stringify({ before, after: look(), said: readFileSync(folder + "/server.pid", "utf8") }));`;
  const { pid, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  const { before, after, said } = JSON.parse(stdout) as { before: number[]; after: number[]; said: string };
  expect(after).toEqual(before);
  expect(said.trim()).toBe(`${pid}\n4194304`);
});
