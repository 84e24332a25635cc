/**
 * One server for each folder of state: two on the same files would give the same seq twice. The folder names the process
 * that serves it. A process that is gone, even by SIGKILL, does not keep the next one from starting.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { end } from "./end.ts";

/** Takes `folder` for this process until it exits. Ends the process with a line that says which process has it, or why it can't be used. */
export function takeFolder(folder: string): void {
  const file = join(folder, "server.pid");
  const holder = holderOf(file);
  if (holder !== undefined) {
    end(
      `Another server (process ${holder}) keeps its data in ${folder}: stop it, or name another folder in STATE_DIR.`,
    );
  }
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, String(process.pid));
  } catch (error) {
    end(`No data can be kept in ${folder} (${(error as Error).message}): name another folder in STATE_DIR.`);
  }
  process.once("exit", () => rmSync(file, { force: true }));
}

function holderOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    if (pid === process.pid) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch {
    // No file, or no such process any more.
    return undefined;
  }
}
