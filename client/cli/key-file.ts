/** A key in a file: one line of text that its owner alone may read. */

import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isKey } from "../../party/protocol.ts";
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import { replaceFile } from "./private-file.ts";

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

/** Writes `key` to `path`, for its owner alone; it is on the disk when this resolves. */
export async function writeKeyFile(path: string, key: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, `${key}\n`);
}

/** A path as a shell takes it. */
const quoted = (path: string): string => (/^[\w./+:@-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
