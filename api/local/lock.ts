/**
 * One server for each folder of state: two on the same files would give the same seq twice. The folder names the process
 * that serves it. A process that is gone, even by SIGKILL, does not keep the next one from starting.
 */

import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { end } from "./end.ts";
import { logHere } from "./server-log.ts";

/** Which kind of holder a folder has, and what its user is told. */
interface Hold {
  /** The file that names the process. */
  readonly file: string;
  readonly taken: (holder: number, folder: string) => string;
  readonly unusable: (reason: string, folder: string) => string;
}

const SERVER: Hold = {
  file: "server.pid",
  taken: (holder, folder) =>
    `Another server (process ${holder}) keeps its data in ${folder}: stop it, or name another folder in STATE_DIR.`,
  unusable: (reason, folder) => `No data can be kept in ${folder} (${reason}): name another folder in STATE_DIR.`,
};

const BACKUP: Hold = {
  file: "backup.pid",
  taken: (holder, folder) => `Another backup (process ${holder}) writes into ${folder}: wait until it has ended.`,
  unusable: (reason, folder) => `No backup can be kept in ${folder} (${reason}): name another folder.`,
};

/**
 * Notes the process that this one has started for `folder`, which it has taken: the runtime, or what makes that ready; 0:
 * none. If this process alone is killed and the other goes on, the folder is taken until that has ended, too.
 */
export function nameRuntime(folder: string, runtime: number): void {
  try {
    // Over what stands there, which takes no room: on a full disk a new file would stay empty.
    const file = openSync(join(folder, SERVER.file), "r+");
    writeSync(file, markOf(runtime), 0);
    closeSync(file);
  } catch (error) {
    logHere("server.runtime_not_noted", { folder, error });
  }
}

/** What a holder's file says: this process, and its runtime. Always as long. */
const markOf = (runtime: number): string => `${process.pid}\n${runtime}`.padEnd(24);

/** Takes `folder` for this process until it exits. Ends the process with a line that says which process has it, or why it can't be used. */
export const takeFolder = (folder: string): void => take(folder, SERVER);

/** The same. A folder that was only made for that goes again at the exit, and so do those of `around` that it was in. */
export function borrowFolder(folder: string, ...around: string[]): void {
  takeFolder(folder);
  process.once("exit", () => {
    try {
      for (const made of [folder, ...around]) rmdirSync(made);
    } catch {
      // There is something in it.
    }
  });
}

/** The same for the folder of a backup. */
export const takeBackupFolder = (folder: string): void => take(folder, BACKUP);

/** Where a running server says its address, for commands on the same folder. It counts while its process lives. */
export const serverUrlFile = (folder: string): string => join(folder, "server.url");

/** The process that serves `folder`; `undefined` when none does. */
export const serverOf = (folder: string): number | undefined => holderOf(join(folder, SERVER.file));

function take(folder: string, hold: Hold): void {
  const file = join(folder, hold.file);
  const holder = holderOf(file);
  if (holder !== undefined) end(hold.taken(holder, folder));
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, markOf(0));
  } catch (error) {
    end(hold.unusable((error as Error).message, folder));
  }
  process.once("exit", () => rmSync(file, { force: true }));
}

/** How long a runtime whose server was killed together with it may take to be gone, ms. */
const DYING_TAKES = 2_000;

/** The process that holds what `file` marks; the runtime that it has started, where that alone is left. */
function holderOf(file: string): number | undefined {
  const [holder, runtime] = pidsIn(file);
  if (holder !== undefined && isRunning(holder)) return holder;
  if (runtime === undefined) return undefined;
  for (const end = performance.now() + DYING_TAKES; isRunning(runtime); pauseBriefly()) {
    if (performance.now() > end) return runtime;
  }
  return undefined;
}

function pidsIn(file: string): number[] {
  try {
    return readFileSync(file, "utf8").split("\n").map(Number);
  } catch {
    return [];
  }
}

const pauseBriefly = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);

/** Whether another process than this one has the number `pid`. */
export function isRunning(pid: number): boolean {
  // An empty file is of a process for which the disk was full. Signals to 0 and below go to groups of processes.
  if (!Number.isSafeInteger(pid) || pid < 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return !hasEnded(pid);
  } catch (error) {
    // A process of another user's runs as well.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether a process has ended and only its name is left, until its parent has heard of it (proc_pid_stat(5)). */
function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    // Not on Linux.
    return false;
  }
}
