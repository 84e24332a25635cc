/**
 * A key in a file: one line of text that its owner alone may read. It is written beside its place and moved there, so that
 * a crash leaves the old key or the new one.
 */

import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isKey } from "../../party/protocol.ts";
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";

/** Permissions that others may not have. */
const OTHERS = 0o077;

/** Reads the key in `path`; `undefined` where there is no such file. Refuses a file that others can read. */
export async function readKeyFile(path: string): Promise<string | undefined> {
  let text: string;
  try {
    const { mode } = await stat(path);
    // On Windows a mode says nothing about others.
    if (process.platform !== "win32" && (mode & OTHERS) !== 0) {
      throw new Failure(EXIT.machine, `Others can read ${path}. Take that from them: chmod 600 ${quoted(path)}`);
    }
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const key = text.trim();
  if (isKey(key)) return key;
  throw new Failure(EXIT.machine, `${path} holds no key. A key is one line that begins with mai_.`);
}

/** A place for a key that is sure to have room for it: opened and filled before the key exists. */
export interface KeyPlace {
  /** Puts the key into the place. */
  keep(key: string): Promise<void>;
  /** There is no key after all. */
  giveUp(): Promise<void>;
}

/** What a key and its line end take at most, in bytes. */
const LONGEST = 80;

/** Prepares `path` for a key, so that a disk that is full or forbidden is found before a key is made. */
export async function prepareKeyFile(path: string): Promise<KeyPlace> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${process.pid}.new`;
  const file = await open(unfinished, "w", 0o600);
  const giveUp = async () => {
    await file.close().catch(() => {});
    await rm(unfinished, { force: true });
  };
  try {
    await file.write(" ".repeat(LONGEST), 0);
    await file.sync();
  } catch (error) {
    await giveUp();
    throw Object.assign(error as Error, { path });
  }
  return {
    async keep(key) {
      await file.write(`${key}\n`.padEnd(LONGEST), 0);
      await file.truncate(key.length + 1);
      await file.sync();
      await file.close();
      // Whatever the umask has left of it.
      await chmod(unfinished, 0o600);
      await rename(unfinished, path);
    },
    giveUp,
  };
}

/** A path as a shell takes it. */
const quoted = (path: string): string => (/^[\w./+:@-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
