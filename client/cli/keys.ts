/**
 * Which key goes to which server: the one in `--key-file`, the one in `MEET_AI_KEY`, or the one that was saved for that
 * server. A key goes to no other server than the one that it is for.
 */

import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { isKey } from "../../party/protocol.ts";
import { serverOf } from "./addresses.ts";
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import { readKeyFile } from "./key-file.ts";

/** A key, and what it is called in an error. */
export interface KnownKey {
  readonly key: string;
  readonly from: string;
  /** The file that it is in, if it is in one. */
  readonly file?: string | undefined;
}

export interface KeyWish {
  readonly env: NodeJS.ProcessEnv;
  /** `--key-file`. */
  readonly keyFile?: string | undefined;
}

/** The folder of a kind of files: the one that XDG's variable names, or the usual one in the home folder. */
function folderOf(env: NodeJS.ProcessEnv, variable: string, usual: string): string {
  const named = env[variable];
  // The specification has relative ones ignored.
  return join(named && isAbsolute(named) ? named : join(env.HOME || homedir(), usual), "meet-ai");
}

/** Where keys are saved. */
const configFolder = (env: NodeJS.ProcessEnv): string => folderOf(env, "XDG_CONFIG_HOME", ".config");

/** Where it is kept how far a bridge has come. */
export const stateFolder = (env: NodeJS.ProcessEnv): string => folderOf(env, "XDG_STATE_HOME", ".local/state");

/** A server's name as a file may be called: the scheme belongs to it, because a key is not sent in the clear by accident. */
export const fileNameOf = (server: string): string =>
  server.replace("://", "-").replace(/[^\w.-]/g, (character) => (character === ":" ? "_" : "~"));

/** The file in which the key for `server` is saved. */
export const savedKeyFile = (server: string, env: NodeJS.ProcessEnv): string =>
  join(configFolder(env), "keys", fileNameOf(server));

/** The key for `server`, if there is one. */
export async function findKey(server: string, { env, keyFile }: KeyWish): Promise<KnownKey | undefined> {
  if (keyFile !== undefined) {
    const key = await readKeyFile(keyFile);
    if (key === undefined) throw new Failure(EXIT.machine, `There is no file ${keyFile}.`);
    return { key, from: keyFile, file: keyFile };
  }
  const given = env.MEET_AI_KEY?.trim();
  // One that belongs to another server is not told to this one.
  if (given && serverOf(env) === server) {
    if (!isKey(given)) throw new Failure(EXIT.auth, "MEET_AI_KEY holds no key. A key begins with mai_.");
    return { key: given, from: "MEET_AI_KEY" };
  }
  const file = savedKeyFile(server, env);
  const key = await readKeyFile(file);
  return key === undefined ? undefined : { key, from: file, file };
}

/** The key for `server`. Without one there is a line that says how to make one. */
export async function requireKey(server: string, wish: KeyWish): Promise<KnownKey> {
  const found = await findKey(server, wish);
  if (found) return found;
  const other = wish.env.MEET_AI_KEY ? ` MEET_AI_KEY is for ${serverOf(wish.env)}.` : "";
  throw new Failure(
    EXIT.auth,
    `There is no key for ${server}.${other} Make one: ${withHost(server, wish.env)}meet-ai key create`,
  );
}

/** What stands before a command that is to speak to `server`. */
export function withHost(server: string, env: NodeJS.ProcessEnv): string {
  return serverOf(env) === server ? "" : `MEET_AI_HOST=${server} `;
}
