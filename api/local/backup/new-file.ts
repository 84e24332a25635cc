/** Files of a backup as they are written: for their user alone, and in their place only when they are whole on the disk. */

import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes all of `bytes` at `position`: the system may take only some of them at once. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Bytes that are gathered before they are written. */
const CHUNK = 256 * 1024;

/** Writes the file `path` anew with what `write` gives, beside the old one, which it replaces at the end. */
export async function replaceFile(path: string, write: (add: (line: Uint8Array) => Promise<void>) => Promise<void>) {
  const beside = `${path}.new`;
  const file = await open(beside, "w", 0o600);
  try {
    let gathered: Uint8Array[] = [];
    let length = 0;
    let position = 0;
    const flush = async () => {
      await writeAll(file, Buffer.concat(gathered), position);
      position += length;
      gathered = [];
      length = 0;
    };
    await write(async (line) => {
      gathered.push(line);
      length += line.length;
      if (length >= CHUNK) await flush();
    });
    await flush();
    await file.sync();
    await file.close();
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(beside, { force: true });
    throw error;
  }
}

/** Lets a rename in `folder` survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
