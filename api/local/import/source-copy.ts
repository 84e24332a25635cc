/** A copy of the previous server's file, to read from: opening an SQLite file with a WAL writes to it. */

import { createHash } from "node:crypto";
import { constants, createReadStream, existsSync, openSync, readSync, statSync } from "node:fs";
import { copyFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";

/** What may lie beside the file: changes that are not in it yet, or that were not finished. */
const BESIDE = ["", "-wal", "-journal"];
const HEADER = "SQLite format 3\0";

/** Throws `Failure` when `file` can't be an SQLite file. */
export function checkSource(file: string): void {
  if (!existsSync(file)) throw new Failure(`There is no file ${file}.`);
  const { size, isFile } = ((stat) => ({ size: stat.size, isFile: stat.isFile() }))(statSync(file));
  if (!isFile) throw new Failure(`${file} is no file: name the SQLite file of the previous server.`);
  if (size === 0) throw new Failure(`${file} is empty.`);
  const header = Buffer.alloc(HEADER.length);
  try {
    readSync(openSync(file, "r"), header);
  } catch (error) {
    throw new Failure(`${file} can't be read (${(error as Error).message}).`);
  }
  if (header.toString("latin1") !== HEADER) {
    throw new Failure(
      `${file} is no SQLite file, or its first page is broken: then try what sqlite3 ${file} .recover makes of it.`,
    );
  }
}

/** SHA-256 over the file and what lies beside it: a second run of the same import is known by it. */
export async function fingerprint(file: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of BESIDE.map((suffix) => file + suffix).filter((name) => existsSync(name))) {
    for await (const chunk of createReadStream(name)) hash.update(chunk as Buffer);
    hash.update("\0");
  }
  return hash.digest("hex");
}

/**
 * Copies the file and what lies beside it into `folder`, and gives the copy's path. A copy that is there already stays.
 * Throws `Failure` when the file is written to meanwhile.
 */
export async function copySource(file: string, folder: string, hash: string): Promise<string> {
  const copy = join(folder, "source.sqlite");
  if (existsSync(copy)) return copy;
  const unfinished = join(folder, "unfinished.sqlite");
  for (const suffix of BESIDE) {
    await rm(unfinished + suffix, { force: true });
    await rm(copy + suffix, { force: true });
    if (existsSync(file + suffix)) await copyFile(file + suffix, unfinished + suffix, constants.COPYFILE_FICLONE);
  }
  if ((await fingerprint(unfinished)) !== hash) {
    const line = `${file} was written to while it was read: stop the previous server, and run this again.`;
    throw new Failure(line);
  }
  // The file itself comes last, so that it is only there with what lies beside it.
  for (const suffix of BESIDE.toReversed()) {
    if (existsSync(unfinished + suffix)) await rename(unfinished + suffix, copy + suffix);
  }
  return copy;
}
