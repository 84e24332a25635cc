/** A backup is files in a folder. A link in it would let a backup write, or a restore read, somewhere else. */

import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.ts";

/** Throws `Failure` when there is a symbolic link in `folder` or in its rooms. The folder itself may be reached by one. */
export function refuseLinks(folder: string): void {
  refuseLinksIn(folder);
  const rooms = join(folder, "rooms");
  if (existsSync(rooms) && lstatSync(rooms).isDirectory()) refuseLinksIn(rooms);
}

function refuseLinksIn(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    throw new Failure(
      `${join(folder, entry.name)} is a symbolic link, and a backup has none: put a file or a folder there.`,
    );
  }
}
