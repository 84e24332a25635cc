/** The mark of a restore that is under way, in the folder that it restores into: until it is gone no server starts there. */

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

const markFile = (stateDir: string): string => join(stateDir, "restore-begun");

/** Whether a restore into `stateDir` was begun and has not come to its end. */
export const isBeingRestored = (stateDir: string): boolean => existsSync(markFile(stateDir));

/** What the restore that was begun restores, by a name of the caller's; `undefined` when none was begun. */
export function restoreMark(stateDir: string): string | undefined {
  if (!isBeingRestored(stateDir)) return undefined;
  return readFileSync(markFile(stateDir), "utf8");
}

/** Begins the restore of what `name` says. The mark is renamed into its place: a piece of one would be another backup's. */
export function beginRestore(stateDir: string, name: string): void {
  mkdirSync(stateDir, { recursive: true });
  const beside = `${markFile(stateDir)}.new`;
  writeFileSync(beside, name, { flush: true });
  renameSync(beside, markFile(stateDir));
  // A power cut must not leave what is restored without its mark.
  for (const folder of [stateDir, dirname(stateDir)]) syncFolderNow(folder);
}

function syncFolderNow(folder: string): void {
  const opened = openSync(folder, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** The restore has come to its end. */
export const endRestore = (stateDir: string): void => rmSync(markFile(stateDir));
