/**
 * One server for each folder of state: two on the same files would give the same seq twice. The folder names the process
 * that serves it. A process that is gone, even by SIGKILL, does not keep the next one from starting.
 */

import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { end } from "./end.ts";

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
    writeFileSync(file, String(process.pid));
  } catch (error) {
    end(hold.unusable((error as Error).message, folder));
  }
  process.once("exit", () => rmSync(file, { force: true }));
}

function holderOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    // An empty file is of a process for which the disk was full. Signals to 0 and below go to groups of processes.
    if (!Number.isSafeInteger(pid) || pid < 1 || pid === process.pid) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch {
    // No file, or no such process any more.
    return undefined;
  }
}
