/** The examples of the documents where something is wrong: each ends with a line that says what to do, and no stack. */

import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeKey } from "../chaos/trial.ts";
import { EmptyFolder } from "./empty-folder.ts";
import { freePort, Server } from "./server.ts";

const ROOT = join(import.meta.dirname, "../..");
const WRONG_KEY = "mai_aaaaaaaaaaaaaaaaaaaaaaaa";

let server: Server;
let folder: EmptyFolder;
let right: { key: string; url: string; host: string };
/** Where no server is. */
let away: { url: string; host: string };

beforeAll(async () => {
  server = await Server.start();
  folder = new EmptyFolder();
  cpSync(join(ROOT, "docs/examples"), folder.path, { recursive: true });
  const place = join(folder.path, "node_modules/meet-ai");
  mkdirSync(place, { recursive: true });
  execFileSync("tar", ["xzf", join(ROOT, "dist/client/meet-ai.tgz"), "-C", place, "--strip-components=1"]);
  symlinkSync(join(ROOT, "node_modules/partysocket"), join(folder.path, "node_modules/partysocket"));
  right = { key: await makeKey(server), url: server.url, host: `localhost:${server.port}` };
  const port = await freePort();
  away = { url: `http://localhost:${port}`, host: `localhost:${port}` };
  const { code } = await run(["sign.mjs", "key"], {});
  expect(code).toBe(0);
});

afterAll(async () => {
  folder?.[Symbol.dispose]();
  await server?.remove();
});

/** How an example ends, and what it has said on stderr. */
async function run(args: readonly string[], variables: Readonly<Record<string, string>>) {
  const { MEET_AI_KEY: _, ...environment } = process.env;
  const env = { ...environment, ...variables };
  const child = spawn(process.execPath, args, { cwd: folder.path, env, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const said = await text(child.stderr);
  return { code: await ended, said, last: said.trim().split("\n").at(-1) };
}

/** What is run, with which key, and how the line begins with which it ends. */
type Wrong = readonly [what: string, args: () => string[], variables: () => Record<string, string>, line: RegExp];

const withKey = () => ({ MEET_AI_KEY: right.key });
const withWrongKey = () => ({ MEET_AI_KEY: WRONG_KEY });
const KEY = /MEET_AI_KEY.* http:\/\/localhost:\d+\/key$/;
const ROOM = /^There is no such room\. Is the room in the address the right one\?$/;
const AWAY = /localhost:\d+ (does not answer|did not answer within 10 s)\. Is the server there\?$/;

const WRONG: readonly Wrong[] = [
  ...["deploy.mjs v1", "echo.mjs"].flatMap((command): Wrong[] => {
    const at = (address: () => string) => () => [...command.split(" "), address()];
    return [
      [`${command}, a wrong key`, at(() => `${right.url}/r/lobby`), withWrongKey, KEY],
      [`${command}, no key`, at(() => `${right.url}/r/lobby`), () => ({}), KEY],
      [`${command}, a wrong room`, at(() => `${right.url}/r/nowhere`), withKey, ROOM],
      [`${command}, no server`, at(() => `${away.url}/r/lobby`), withKey, AWAY],
    ];
  }),
  ["greeter.mjs, a wrong key", () => ["greeter.mjs", "lobby", right.host], withWrongKey, KEY],
  ["greeter.mjs, no key", () => ["greeter.mjs", "lobby", right.host], () => ({}), KEY],
  [
    "greeter.mjs, a wrong room",
    () => ["greeter.mjs", "nowhere", right.host],
    withKey,
    /can't be entered: not_found\.$/,
  ],
  ["greeter.mjs, no server", () => ["greeter.mjs", "lobby", away.host], withKey, AWAY],
  [
    "moderator.mjs, a wrong key",
    () => ["moderator.mjs", "lobby", right.url],
    withWrongKey,
    /not valid.*MEET_AI_KEY\.$/,
  ],
  ["moderator.mjs, no key", () => ["moderator.mjs", "lobby", right.url], () => ({}), KEY],
  ["moderator.mjs, a wrong room", () => ["moderator.mjs", "nowhere", right.url], withKey, /^There is no such room\. /],
  ["moderator.mjs, no server", () => ["moderator.mjs", "lobby", away.url], withKey, AWAY],
  [
    "sign.mjs, a wrong key",
    () => ["sign.mjs", "register"],
    () => ({ ...withWrongKey(), SITE: "acme", MEET_AI_SERVER: right.url }),
    /not valid\. MEET_AI_KEY must be a key of /,
  ],
  [
    "sign.mjs, no server",
    () => ["sign.mjs", "register"],
    () => ({ ...withKey(), SITE: "acme", MEET_AI_SERVER: away.url }),
    /does not answer\. Is MEET_AI_SERVER the server's address\?$/,
  ],
  [
    "model.mjs, no endpoint",
    () => ["model.mjs"],
    () => ({ OPENAI_BASE_URL: away.url }),
    /does not answer\. Is OPENAI_BASE_URL the endpoint's address\?$/,
  ],
];

it.concurrent.each(WRONG)("%s: ends with a line that says what to do", async (_, args, variables, line) => {
  const { code, said, last } = await run(args(), variables());
  expect({ code, last, said }).toEqual({
    code: 1,
    last: expect.stringMatching(line),
    said: expect.not.stringContaining("\n    at "),
  });
});
