/** The example on bare partysocket does what the protocol asks of a client that loses nothing. */

import { copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { EmptyFolder } from "./empty-folder.ts";
import { type Key, Visitor } from "./security/visitor.ts";
import { Server, WRITING } from "./server.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dirname, "../..");

let server: Server;
let visitor: Visitor;
let owner: Key;
let room: string;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  owner = await visitor.makeKey();
});

beforeEach(async () => {
  room = await visitor.makeRoom(owner.key);
});

afterAll(async () => {
  await server?.remove();
});

/** The greeter, with what it needs beside it. */
function greeterIn(folder: EmptyFolder, variables: Readonly<Record<string, string>> = { MEET_AI_KEY: owner.key }) {
  mkdirSync(join(folder.path, "node_modules"));
  symlinkSync(join(ROOT, "node_modules/partysocket"), join(folder.path, "node_modules/partysocket"));
  copyFileSync(join(ROOT, "docs/examples/greeter.mjs"), join(folder.path, "greeter.mjs"));
  return folder.paste(`node greeter.mjs ${room} localhost:${server.port}`, variables);
}

it.each<[string, Record<string, string>, RegExp]>([
  ["a key", {}, /MEET_AI_KEY is not set/],
  ["a key that is valid", { MEET_AI_KEY: `mai_${"x".repeat(24)}` }, /unauthorized/],
  ["a key that can be one", { MEET_AI_KEY: "x" }, /unauthorized/],
])("without %s it says so, and ends", async (_, variables, reason) => {
  using folder = new EmptyFolder();
  const greeter = greeterIn(folder, variables);
  expect(await greeter.ended()).toBe(1);
  expect(greeter.errors).toMatch(reason);
});

it("greets who mentions it, and not who mentions a longer name; what was refused is not said again after a break", async () => {
  using folder = new EmptyFolder();
  const greeter = greeterIn(folder);
  const [, me = ""] = await greeter.prints(/here as (\S+)/);
  const greeted = async () =>
    (await visitor.messages(room)).filter(({ sender }) => sender === me).map(({ replyTo }) => replyTo);
  const mention = async (text: string) => (await visitor.say(room, owner.key, text)).body.seq as number;

  await mention(`@${me}-2 and @${me}2 hello`);
  const first = await mention(`Hello, @${me}.`);
  await until("the first is greeted", async () => (await greeted()).includes(first));

  const mute = `/api/rooms/${room}/mutes/${encodeURIComponent(me)}`;
  await visitor.call("PUT", mute, { key: owner.key, body: {} });
  await mention(`@${me} are you there?`);
  await until("a greeting is refused", () => greeter.errors.includes("muted"));
  await visitor.call("DELETE", mute, { key: owner.key });

  await server.kill();
  await server.start();
  await until("it is back", () => greeter.output.split("here as").length > 2);
  const last = await mention(`@${me} and now?`);
  await until("the last is greeted", async () => (await greeted()).includes(last));
  expect(await greeted()).toEqual([first, last]);
});

it("comes back by itself when its key can't be checked yet, as while D1 is away", async () => {
  using folder = new EmptyFolder();
  // A room that knows itself, and a key that nobody has used.
  await visitor.say(room, owner.key, "first");
  const newcomer = await visitor.makeKey();
  const lock = new DatabaseSync(server.databaseFile, WRITING);
  lock.exec("BEGIN IMMEDIATE");
  const greeter = greeterIn(folder, { MEET_AI_KEY: newcomer.key });
  try {
    await until("its key can't be checked", () => greeter.errors.includes("unavailable"));
    await until("it was sent away for now", () => greeter.output.includes("closed: 1013"));
  } finally {
    lock.close();
  }
  await greeter.prints(new RegExp(`here as ${newcomer.handle}/greeter`));
});
