/**
 * A file that its owner alone may read. It is written beside its place and moved there, so that a crash leaves the old text or
 * the new one.
 */

import { open, rename, rm } from "node:fs/promises";

/** Puts `text` in place of what is in `path`: it is on the disk when this resolves. An error names the path. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.new`;
  try {
    const file = await open(unfinished, "w", 0o600);
    try {
      await file.writeFile(text);
      // Whatever the umask has left of it.
      await file.chmod(0o600);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw Object.assign(error as Error, { path });
  }
}
