/**
 * Folders of the system's for what a server needs while it runs. Each is named after its process, so that the next server
 * can remove what a process has left that was killed.
 */

import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { end } from "./end.ts";
import { isRunning } from "./lock.ts";

/** What such a folder is for: the socket to the runtime, the runtime's configuration, wrangler's log. */
type Purpose = "runtime" | "config" | "wrangler";

const NAME = /^meet-ai-(?:runtime|config|wrangler)-(\d+)-/;

/** The socket to a runtime, in a folder for that. */
export const CONTROL_SOCKET = "control";

/** A folder without such a socket that its process has left is not touched before this, ms. */
const LEFT_FOR = 3_600_000;

/** Made by this very process. */
const own = new Set<string>();

/** The longest path that a socket may have, in bytes (unix(7)); on other systems than Linux it is shorter. */
const LONGEST_SOCKET = process.platform === "linux" ? 107 : 103;

/**
 * A new folder that only this user may read. Whoever makes it removes it. Ends the process with one line when there can be
 * none: a container's file system may be read-only.
 */
export function makeTemporaryFolder(purpose: Purpose): string {
  const folder = made(purpose);
  own.add(folder);
  if (purpose === "runtime" && Buffer.byteLength(join(folder, CONTROL_SOCKET)) > LONGEST_SOCKET) {
    rmSync(folder, { recursive: true, force: true });
    end(`The path ${tmpdir()} is too long for a socket in it: name another folder in TMPDIR.`);
  }
  return folder;
}

function made(purpose: Purpose): string {
  try {
    return mkdtempSync(join(tmpdir(), `meet-ai-${purpose}-${process.pid}-`));
  } catch (error) {
    return end(`No temporary folder can be made (${(error as Error).message}): name another place in TMPDIR.`);
  }
}

/**
 * Removes what killed processes of this user have left. A process in another container may have a number that is nobody's
 * here, or one's own: so a folder also has to be one whose runtime does not answer, or that is old. What can't be removed
 * stays: it is in nobody's way.
 */
export async function sweepTemporaryFolders(): Promise<void> {
  await Promise.all(
    names().map(async (name) => {
      const folder = join(tmpdir(), name);
      try {
        if (await isLeft(folder, Number(NAME.exec(name)?.[1]))) rmSync(folder, { recursive: true, force: true });
      } catch {
        // Another server has just removed it.
      }
    }),
  );
}

function names(): string[] {
  try {
    return readdirSync(tmpdir()).filter((name) => NAME.test(name));
  } catch {
    // Files can be made there, and not listed.
    return [];
  }
}

async function isLeft(folder: string, owner: number): Promise<boolean> {
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== (process.getuid?.() ?? stat.uid)) return false;
  if (own.has(folder) || isRunning(owner)) return false;
  if (readdirSync(folder).includes(CONTROL_SOCKET)) return !(await answers(join(folder, CONTROL_SOCKET)));
  return Date.now() - stat.mtimeMs > LEFT_FOR;
}

/** Whether somebody listens at the socket `path`. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      resolve(true);
      socket.destroy();
    });
  });
}
