/** The example of a bot that moderates: it decides about what waits, and mutes the address of who floods. */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EmptyFolder } from "./empty-folder.ts";
import { Visitor } from "./security/visitor.ts";
import { Server, WRITING } from "./server.ts";
import { until } from "./until.ts";

const BOT = join(import.meta.dirname, "../../docs/examples/moderator.mjs");

let server: Server;

beforeAll(async () => {
  server = await Server.start();
});

afterAll(async () => {
  await server?.remove();
});

it("approves what looks harmless, refuses what does not, and mutes who floods with their address", async () => {
  const visitor = new Visitor(server);
  const [owner, bot, guest, troll] = [
    await visitor.makeKey(),
    await visitor.makeKey(),
    await visitor.makeKey(),
    await visitor.makeKey(),
  ];
  const room = await visitor.makeRoom(owner.key);
  const call = async (method: string, path: string, key: string, body?: object) => {
    const response = await fetch(`http://localhost:${server.port}/api/rooms/${room}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: response.status === 204 ? undefined : await response.json() };
  };
  await call("PATCH", "", owner.key, { hold: "newcomers" });
  await call("PUT", `/members/${bot.handle}`, owner.key, { role: "moderator" });
  // Waits from before the bot came.
  expect((await call("POST", "/messages", guest.key, { content: "Good morning" })).status).toBe(202);

  using folder = new EmptyFolder();
  const process = folder.paste(`node ${BOT} ${room} http://localhost:${server.port}`, { MEET_AI_KEY: bot.key });
  await process.prints(new RegExp(`here as ${bot.handle}, moderator`));
  await process.prints(new RegExp(`approved ${guest.handle}`));
  expect((await visitor.messages(room)).map(({ content }) => content)).toEqual(["Good morning"]);

  for (let n = 0; n < 3; n++) await call("POST", "/messages", troll.key, { content: `casino ${n}` });
  await process.prints(new RegExp(`muted ${troll.handle}`));
  const another = await visitor.makeKey();
  await until("the address is muted", async () => {
    return (await call("POST", "/messages", another.key, { content: "me again" })).status === 403;
  });
  expect((await visitor.messages(room)).map(({ content }) => content)).toEqual(["Good morning"]);
  // Who decides here is not muted by the address that they share with everybody in this test.
  expect((await call("POST", "/messages", bot.key, { content: "Quiet now" })).status).toBe(201);
});

it("says hello again when its key can't be checked yet, as while D1 is away", async () => {
  const visitor = new Visitor(server);
  const [owner, bot] = [await visitor.makeKey(), await visitor.makeKey()];
  const room = await visitor.makeRoom(owner.key);
  await visitor.call("PUT", `/api/rooms/${room}/members/${bot.handle}`, {
    key: owner.key,
    body: { role: "moderator" },
  });
  // A room that knows itself, and a key that nobody has used.
  await visitor.say(room, owner.key, "first");
  using folder = new EmptyFolder();
  const lock = new DatabaseSync(server.databaseFile, WRITING);
  lock.exec("BEGIN IMMEDIATE");
  const process = folder.paste(`node ${BOT} ${room} http://localhost:${server.port}`, { MEET_AI_KEY: bot.key });
  try {
    await until("its key can't be checked", () => process.errors.includes("unavailable"));
  } finally {
    lock.close();
  }
  await process.prints(new RegExp(`here as ${bot.handle}, moderator`));
});
