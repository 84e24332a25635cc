/** `meet-ai key`: the key of the person at this terminal. It is shown only when that is asked for. */

import { createHash } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { randomId } from "../../stay/random-id.ts";
import { passes, RoomError } from "../../stay/room-error.ts";
import { serverOf } from "../addresses.ts";
import { callApi, readApi } from "../api.ts";
import { argumentsOf, nothingMore } from "../arguments.ts";
import { KEY_OPTIONS, type Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure, usage } from "../failure.ts";
import { readKeyFile, writeKeyFile } from "../key-file.ts";
import { type KnownKey, requireKey, savedKeyFile } from "../keys.ts";

export const help = `  meet-ai key create                    a key with a handle of two words, saved on this machine
  meet-ai key create --handle anna      with the handle that you want; it never changes
  meet-ai key show                      whose key it is, and where it is saved
  meet-ai key show --secret | pbcopy    the key itself
  meet-ai key rotate                    another key for the same person; the old one ends
  meet-ai key revoke                    ends it for good

The key is saved for the server of MEET_AI_HOST, as text that you alone may read, in the folder of your configuration
($XDG_CONFIG_HOME/meet-ai/keys, or ~/.config/meet-ai/keys). It is sent to no other server. What others can read is refused.

  --handle NAME      3 to 31 characters of a-z, 0-9 and -
  --secret           print the key, and nothing else
  --yes              revoke without a question
  --key-file FILE    save it in this file, or use the one in it
`;

const OPTIONS = {
  ...KEY_OPTIONS,
  handle: { type: "string" },
  secret: { type: "boolean" },
  yes: { type: "boolean" },
} as const;

/** Whose key it is, as the server says. */
interface KeyOwner {
  readonly id: string;
  readonly handle: string;
  readonly createdAt: string;
}

interface Wish {
  readonly server: string;
  readonly handle: string | undefined;
  readonly secret: boolean;
  readonly yes: boolean;
  readonly keyFile: string | undefined;
}

const DEEDS: Readonly<Record<string, (wish: Wish, surroundings: Surroundings) => Promise<void>>> = {
  create,
  show,
  rotate,
  revoke,
};

export async function run(surroundings: Surroundings): Promise<ExitCode> {
  const { values, positionals } = argumentsOf("key", surroundings.args, OPTIONS);
  const [name = "", ...rest] = positionals;
  const deed = Object.hasOwn(DEEDS, name) ? DEEDS[name] : undefined;
  if (!deed) throw usage(`Say what to do with the key: ${Object.keys(DEEDS).join(", ")}. See: meet-ai key --help`);
  nothingMore("key", rest);
  const { handle, secret = false, yes = false, "key-file": keyFile } = values;
  if (handle !== undefined && name !== "create") throw usage("A handle never changes: --handle is for key create.");
  await deed({ server: serverOf(surroundings.env), handle, secret, yes, keyFile }, surroundings);
  return EXIT.done;
}

/** The key is in a file before the server hears of it, so that an answer that is lost costs neither key nor handle. */
async function create({ server, handle, keyFile }: Wish, { env, output, signal }: Surroundings): Promise<void> {
  const file = keyFile ?? savedKeyFile(server, env);
  const before = await readKeyFile(file);
  if (before !== undefined) throw usage(`There is a key for ${server} already, in ${file}. See it: meet-ai key show`);
  const { next, key, isBegun } = await nextKey(file);
  const body = { ...(handle !== undefined && { handle }), keyHash: hashOf(key) };
  let owner: KeyOwner;
  try {
    owner = await readApi(server, "/api/keys", { method: "POST", body, signal, repeatable: true });
  } catch (error) {
    owner = await madeBefore(error, { server, key, isBegun, next, signal });
  }
  await rename(next, file);
  await output.line(owner.handle);
  output.note(`You are ${owner.handle} at ${server}. The key is in ${file}.`);
  if (env.MEET_AI_KEY) output.note("MEET_AI_KEY is set, and goes before it.");
  output.note(`Next: meet-ai rooms, or meet-ai create "My room"`);
}

interface Begun {
  readonly server: string;
  readonly key: string;
  readonly isBegun: boolean;
  readonly next: string;
  readonly signal: AbortSignal;
}

/** Who was made with the key by an earlier run, which asked for another handle; otherwise throws `error`. */
async function madeBefore(error: unknown, { server, key, isBegun, next, signal }: Begun): Promise<KeyOwner> {
  if (!isBegun || !(error instanceof RoomError) || error.code !== "conflict") throw error;
  try {
    return await readApi<KeyOwner>(server, "/api/keys/me", { key, signal, repeatable: true });
  } catch (refusal) {
    // Nobody has it any more: the next run makes another.
    if (refusal instanceof RoomError && refusal.code === "unauthorized") await rm(next, { force: true });
    throw error;
  }
}

async function show(wish: Wish, { env, output, signal }: Surroundings): Promise<void> {
  const known = await requireKey(wish.server, { env, keyFile: wish.keyFile });
  if (wish.secret) {
    await output.line(known.key);
    return;
  }
  const { handle, createdAt } = await ownerOf(wish.server, known, signal);
  await output.line(handle);
  output.note(`The key of ${handle} at ${wish.server}, made on ${createdAt.slice(0, 10)}, in ${known.from}.`);
}

/**
 * The new key is in a file before the server hears of it, so that one of the two is valid and at hand whatever dies in
 * between. A rotation that was not finished is finished by the next one: the server takes the same hash twice.
 */
async function rotate({ server, keyFile }: Wish, { env, output, signal }: Surroundings): Promise<void> {
  const known = await requireKey(server, { env, keyFile });
  const { file, from } = known;
  if (file === undefined) {
    throw usage(`The key is in ${from}, which can't be written. Put it into a file: --key-file FILE`);
  }
  const { next, key } = await nextKey(file);
  const request = { method: "POST", body: { keyHash: hashOf(key) }, signal, repeatable: true } as const;
  try {
    await callApi(server, "/api/keys/me/rotate", { ...request, key: known.key });
  } catch (error) {
    if (!(error instanceof RoomError) || passes(error.code)) {
      const line = `It is not known whether the key was rotated. Both are kept; finish it: meet-ai key rotate`;
      output.note(line);
      throw error;
    }
    await rm(next, { force: true });
    throw await withKeyNamed(error, server, known);
  }
  await rename(next, file);
  await output.line((await ownerOf(server, { ...known, key }, signal)).handle);
  output.note(`The old key is not valid any more. The new one is in ${file}.`);
}

/** A new key in its file, or the one of a run that was cut off. */
async function nextKey(file: string): Promise<{ next: string; key: string; isBegun: boolean }> {
  const next = `${file}.next`;
  const begun = await readKeyFile(next);
  const key = begun ?? `mai_${randomId(24)}`;
  if (begun === undefined) await writeKeyFile(next, key);
  return { next, key, isBegun: begun !== undefined };
}

const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");

async function revoke({ server, keyFile, yes }: Wish, { env, output, signal }: Surroundings): Promise<void> {
  const known = await requireKey(server, { env, keyFile });
  const { handle } = await ownerOf(server, known, signal);
  if (!yes) await confirm(handle, signal);
  await callApi(server, "/api/keys/me", { method: "DELETE", key: known.key, signal });
  if (known.file !== undefined) await rm(known.file, { force: true });
  output.note(`The key of ${handle} is revoked. Nobody can write as ${handle} any more.`);
}

/** Nothing is asked where nobody can answer. */
async function confirm(handle: string, signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw usage(`This ends the key of ${handle} for good. Without a terminal to ask at, say --yes.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`This ends the key for good. Type ${handle} to go on: `, { signal });
    if (answer.trim() !== handle) throw usage("Nothing was done.");
  } finally {
    terminal.close();
  }
}

async function ownerOf(server: string, known: KnownKey, signal: AbortSignal): Promise<KeyOwner> {
  try {
    return await readApi<KeyOwner>(server, "/api/keys/me", { key: known.key, signal, repeatable: true });
  } catch (error) {
    throw await withKeyNamed(error, server, known);
  }
}

/** Which key is not valid, and what may have become of it. */
async function withKeyNamed(error: unknown, server: string, known: KnownKey): Promise<unknown> {
  if (!(error instanceof RoomError) || error.code !== "unauthorized") return error;
  const isUnfinished = known.file !== undefined && (await readKeyFile(`${known.file}.next`)) !== undefined;
  const advice = isUnfinished
    ? "Finish its rotation: meet-ai key rotate"
    : "Remove it, and make another: meet-ai key create";
  return new Failure(EXIT.auth, `${server} does not take the key in ${known.from}. ${advice}`);
}
