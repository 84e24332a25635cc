/** The operator's secret of a server on this machine: a file in its folder of state, which only its user may read. */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nanoid } from "nanoid";
import { end } from "./end.ts";

/** Where the secret of the server with this folder of state is. */
export const operatorSecretFile = (stateDir: string): string => join(stateDir, "operator-secret");

/** The secret; `undefined` when the server has never been started. Ends the process with one line when it can't be read. */
export function readOperatorSecret(stateDir: string): string | undefined {
  const file = operatorSecretFile(stateDir);
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    return end(`The operator's secret can't be read (${message}).`);
  }
}

/** The secret, made when there is none. Renamed into its place, so that a crash leaves no piece of one. */
export function ensureOperatorSecret(stateDir: string): string {
  const known = readOperatorSecret(stateDir);
  if (known !== undefined) return known;
  const secret = `mop_${nanoid(32)}`;
  const file = operatorSecretFile(stateDir);
  try {
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    return end(`The operator's secret can't be written (${(error as Error).message}).`);
  }
  return secret;
}
