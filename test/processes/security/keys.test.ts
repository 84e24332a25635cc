/** Keys: made once, shown once, gone when they are revoked, and written down nowhere. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLOSE } from "../../../party/protocol.ts";
import { Server, WRITING } from "../server.ts";
import { until } from "../until.ts";
import { type Answer, type Key, type Line, newGuestSecret, newRoomId, Visitor } from "./visitor.ts";

let server: Server;
let visitor: Visitor;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
});

afterAll(() => server.remove());

/** A key of the right form that nobody has. */
const unknownKey = () => `mai_${Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString("base64url")}`;

/** Everything that takes a key, with what it says to a valid one. */
const doors = (room: string): [name: string, knock: (key: string) => Promise<Answer>][] => [
  ["GET /api/keys/me", (key) => visitor.call("GET", "/api/keys/me", { key })],
  ["POST /api/keys/me/rotate", (key) => visitor.call("POST", "/api/keys/me/rotate", { key })],
  ["DELETE /api/keys/me", (key) => visitor.call("DELETE", "/api/keys/me", { key })],
  ["POST /api/rooms", (key) => visitor.call("POST", "/api/rooms", { key, body: { name: "x", id: newRoomId() } })],
  ["GET /api/rooms/:id", (key) => visitor.call("GET", `/api/rooms/${room}`, { key })],
  ["PATCH /api/rooms/:id", (key) => visitor.call("PATCH", `/api/rooms/${room}`, { key, body: { topic: "x" } })],
  ["DELETE /api/rooms/:id", (key) => visitor.call("DELETE", `/api/rooms/${room}`, { key })],
  ["POST …/messages", (key) => visitor.say(room, key, "x")],
  ["DELETE …/messages/1", (key) => visitor.call("DELETE", `/api/rooms/${room}/messages/1`, { key })],
  ["GET …/mutes", (key) => visitor.call("GET", `/api/rooms/${room}/mutes`, { key })],
  ["PUT …/mutes/:sender", (key) => visitor.call("PUT", `/api/rooms/${room}/mutes/a-b`, { key })],
  ["DELETE …/mutes/:sender", (key) => visitor.call("DELETE", `/api/rooms/${room}/mutes/a-b`, { key })],
];

describe("a key", () => {
  it("is shown once, kept by no cache, and never again by any answer", async () => {
    const made = await visitor.call("POST", "/api/keys");
    const { key } = made.body as Key;
    expect(key).toMatch(/^mai_[A-Za-z0-9_-]{24}$/);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const room = await visitor.makeRoom(key);
    for (const [name, knock] of doors(room)) {
      if (name.includes("rotate") || name.startsWith("DELETE")) continue;
      expect((await knock(key)).text).not.toContain(key.slice(4));
    }
  });

  it("knows when it was last used", async () => {
    const { key } = await visitor.makeKey();
    await visitor.call("GET", "/api/keys/me", { key });
    const lastUsed = await until("its use is written down", async () => {
      return (await visitor.call("GET", "/api/keys/me", { key })).body.lastUsed as string | null;
    });
    expect(Math.abs(Date.parse(lastUsed) - Date.now())).toBeLessThan(60_000);
  });

  it("is not a key in a URL", async () => {
    const { key } = await visitor.makeKey();
    const room = await visitor.makeRoom(key);
    for (const name of ["key", "token", "access_token", "authorization", "api_key"]) {
      const path = `/api/rooms/${room}/messages?${name}=${key}`;
      expect((await visitor.call("POST", path, { body: { content: "x" } })).status).toBe(401);
      const line = await visitor.enter(room, `?${name}=${key}`);
      expect(await line.outcome(line.say("x"))).toMatchObject({ code: "unauthorized" });
      line.close();
    }
  });
});

describe("a refusal", () => {
  it("is the same for every key that is not valid, at every door", async () => {
    const owner = await visitor.makeKey();
    const room = await visitor.makeRoom(owner.key);
    const revoked = await visitor.makeKey();
    await visitor.call("DELETE", "/api/keys/me", { key: revoked.key });
    const rotated = await visitor.makeKey();
    await visitor.call("POST", "/api/keys/me/rotate", { key: rotated.key });
    const refusals = new Set<string>();
    for (const key of [
      unknownKey(),
      revoked.key,
      rotated.key,
      `${owner.key.slice(0, -1)}${owner.key.endsWith("x") ? "y" : "x"}`,
      owner.key.toUpperCase(),
      owner.key.slice(0, -1),
      `${owner.key}x`,
      "mai_",
      "x",
      "' OR 1=1 --",
    ]) {
      for (const [, knock] of doors(room)) {
        const { status, text, headers } = await knock(key);
        const said = [...headers].filter(([name]) => name !== "date" && name !== "content-length");
        refusals.add(JSON.stringify({ status, text, said }));
      }
    }
    expect(refusals.size).toBe(1);
    expect([...refusals][0]).toContain('"status":401');
    expect([...refusals][0]).toContain('"www-authenticate"');
  });

  it("is the same over a socket: an error, and 4401", async () => {
    const revoked = await visitor.makeKey();
    await visitor.call("DELETE", "/api/keys/me", { key: revoked.key });
    for (const key of [unknownKey(), revoked.key, "mai_short", ""]) {
      const line = await visitor.enter("lobby");
      line.send({ type: "hello", key });
      expect(await line.refused()).toMatchObject({ code: "unauthorized", message: "This key is not valid." });
      expect(await line.hasClosed()).toMatchObject({ code: CLOSE.unauthorized });
      const upgraded = await visitor.enter("lobby", "", { authorization: `Bearer ${key}` });
      expect(await upgraded.refused()).toMatchObject({ code: "unauthorized", message: "This key is not valid." });
      upgraded.close();
    }
  });

  it("takes no longer for a key that is nearly right", async () => {
    const { key } = await visitor.makeKey();
    const nearly = () => `${key.slice(0, 22)}${unknownKey().slice(-6)}`;
    const time = async (guess: string) => {
      const start = performance.now();
      expect((await visitor.call("GET", "/api/keys/me", { key: guess })).status).toBe(401);
      return performance.now() - start;
    };
    await time(unknownKey());
    const times: { near: number[]; far: number[] } = { near: [], far: [] };
    // By turns, so that whatever else the machine does slows both.
    for (let round = 0; round < 60; round++) {
      times.near.push(await time(nearly()));
      times.far.push(await time(unknownKey()));
    }
    // Were they told apart, the guesses' ranks would be too: of 120, the near ones have 60 by chance, give or take 5.5.
    expect(lowerHalf(times.near, times.far)).toBeGreaterThan(30 - 5 * 2.75);
    expect(lowerHalf(times.near, times.far)).toBeLessThan(30 + 5 * 2.75);
  });
});

describe("rotation", () => {
  it("gives a new key to the same person, with their rooms, and closes the old one everywhere", async () => {
    const old = await visitor.makeKey();
    const room = await visitor.makeRoom(old.key);
    const line = await visitor.enterAs(room, { key: old.key });
    const { status, body } = await visitor.call("POST", "/api/keys/me/rotate", { key: old.key });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: old.id, handle: old.handle });
    expect(body.key).not.toBe(old.key);
    expect(await line.hasClosed()).toMatchObject({ code: CLOSE.unauthorized });
    for (const [, knock] of doors(room)) expect((await knock(old.key)).status).toBe(401);
    const renamed = await visitor.call("PATCH", `/api/rooms/${room}`, { key: body.key, body: { name: "Still mine" } });
    expect(renamed.body).toMatchObject({ name: "Still mine" });
    expect((await visitor.say(room, body.key, "x")).body.sender).toBe(old.handle);
  });

  it("at the same time as a revocation leaves no key behind that its owner believes to be gone", async () => {
    for (let round = 0; round < 10; round++) {
      const { key } = await visitor.makeKey();
      const [rotated, revoked, another] = await Promise.all([
        visitor.call("POST", "/api/keys/me/rotate", { key }),
        visitor.call("DELETE", "/api/keys/me", { key }),
        visitor.call("POST", "/api/keys/me/rotate", { key }),
      ]);
      expect((await visitor.call("GET", "/api/keys/me", { key })).status).toBe(401);
      const won = [rotated, another].filter(({ status }) => status === 200);
      // One of the three has the key; the others are told that it is not valid.
      expect(won.length + Number(revoked.status === 204)).toBe(1);
      for (const { body } of won)
        expect((await visitor.call("GET", "/api/keys/me", { key: body.key })).status).toBe(200);
    }
  });
});

describe("revocation", () => {
  it("reaches every live socket within 5 seconds, and the very next write in any room and by any way", async () => {
    const { key } = await visitor.makeKey();
    const rooms = await Promise.all([visitor.makeRoom(key), visitor.makeRoom(key), visitor.makeRoom(key)]);
    const [first] = rooms as [string, string, string];
    const lines = await Promise.all([
      ...rooms.map((room) => visitor.enterAs(room, { key })),
      ...rooms.map((room) => visitor.enterAs(room, { key, as: "claude" })),
      visitor.enter(first, "", { authorization: `Bearer ${key}` }),
    ]);
    const bystander = await visitor.enterAs(first, { guest: newGuestSecret() });
    expect((await visitor.call("DELETE", "/api/keys/me", { key })).status).toBe(204);
    const answered = performance.now();
    for (const [, knock] of doors(first)) expect((await knock(key)).status).toBe(401);
    for (const line of lines) {
      const id = line.say("after the revocation");
      expect(await line.hasClosed()).toMatchObject({ code: CLOSE.unauthorized });
      expect(line.messages.some((message) => message.id === id)).toBe(false);
    }
    expect(performance.now() - answered).toBeLessThan(5_000);
    const late = await visitor.enter(first);
    late.send({ type: "hello", key });
    expect(await late.hasClosed()).toMatchObject({ code: CLOSE.unauthorized });
    expect(await bystander.outcome(bystander.say("I stay"))).toMatchObject({ content: "I stay" });
    bystander.close();
  });

  it("reaches a hello that is under way", async () => {
    for (let round = 0; round < 12; round++) {
      const { key } = await visitor.makeKey();
      const lines = await Promise.all(Array.from({ length: 4 }, () => visitor.enter("lobby")));
      const revoked = visitor.call("DELETE", "/api/keys/me", { key });
      for (const line of lines) line.send({ type: "hello", key });
      expect((await revoked).status).toBe(204);
      for (const line of lines) expect(await line.hasClosed()).toMatchObject({ code: CLOSE.unauthorized });
    }
  });

  it("holds after a crash", async () => {
    const [gone, kept] = await Promise.all([visitor.makeKey(), visitor.makeKey()]);
    await visitor.call("GET", "/api/keys/me", { key: kept.key });
    expect((await visitor.call("DELETE", "/api/keys/me", { key: gone.key })).status).toBe(204);
    await server.kill();
    await server.start();
    expect((await visitor.call("GET", "/api/keys/me", { key: gone.key })).status).toBe(401);
    expect((await visitor.call("GET", "/api/keys/me", { key: kept.key })).status).toBe(200);
  });

  it("is refused, and has changed nothing, while D1 can't write it down", async () => {
    const { key } = await visitor.makeKey();
    await visitor.call("GET", "/api/keys/me", { key });
    const database = new DatabaseSync(server.databaseFile, WRITING);
    database.exec("BEGIN IMMEDIATE");
    try {
      expect((await visitor.call("DELETE", "/api/keys/me", { key })).status).toBe(503);
      expect((await visitor.call("POST", "/api/keys/me/rotate", { key })).status).toBe(503);
    } finally {
      database.exec("ROLLBACK");
      database.close();
    }
    expect((await visitor.call("GET", "/api/keys/me", { key })).status).toBe(200);
    expect((await visitor.call("DELETE", "/api/keys/me", { key })).status).toBe(204);
  });
});

describe("a canary", () => {
  it("that is somebody's key, or a guest's secret, is in no log, no file and no answer", async () => {
    await using cage = await Server.start({ vars: { SOCKETS_PER_ADDRESS: "4" } });
    const keeper = new Visitor(cage);
    const { key } = await keeper.makeKey();
    const guest = newGuestSecret();
    const room = await keeper.makeRoom(key);
    const lines: Line[] = [];
    const answers: Answer[] = [];

    // Everything that somebody with a secret does, and everything that goes wrong while they do it.
    lines.push(await keeper.enterAs(room, { key }), await keeper.enterAs(room, { guest }));
    lines.push(await keeper.enter(room, "?as=claude", { authorization: `Bearer ${key}` }));
    lines.push(await keeper.enter(room, `?after=${key}`), await keeper.enter(room, `?_pk=${key}&epoch=${key}`));
    for (const line of lines) {
      line.send({ type: "hello", key, as: 7 });
      line.send({ type: key, guest });
      line.send({ type: "hello", key, guest });
      line.sendText(`{"type":"hello","key":"${key}",`);
      line.say("a message");
      await line.settled();
    }
    answers.push(await keeper.say(room, key, "hello"), await keeper.say(room, key, ""));
    answers.push(await keeper.call("GET", `/api/rooms/${room}?key=${key}`, { key }));
    answers.push(
      await keeper.call("GET", `/api/rooms?cursor=${key}`),
      await keeper.call("GET", `/api/rooms/x?${guest}`),
    );
    answers.push(
      await keeper.call("POST", "/api/rooms", { key, text: key, headers: { "content-type": "application/json" } }),
    );
    const database = new DatabaseSync(cage.databaseFile, WRITING);
    database.exec("ALTER TABLE rooms RENAME TO rooms_away");
    answers.push(await keeper.call("GET", `/api/rooms?q=${key}`, { key }));
    answers.push(await keeper.call("POST", `/api/rooms?key=${key}`, { key, body: { name: "x" } }));
    database.exec("ALTER TABLE rooms_away RENAME TO rooms");
    database.close();
    expect(answers.map(({ status }) => status)).toContain(500);
    await until("the archive has it", () => cage.archived(room).length > 0);
    const rotated = await keeper.call("POST", "/api/keys/me/rotate", { key });
    answers.push(rotated, await keeper.call("GET", "/api/keys/me", { key }));
    const { output } = cage;
    await cage.stop();

    const secrets = [key, guest, rotated.body.key as string];
    for (const secret of secrets) {
      for (const form of formsOf(secret)) {
        expect(output.includes(form)).toBe(false);
        expect(cage.output.includes(form)).toBe(false);
        for (const line of lines) expect(line.text.includes(form)).toBe(false);
        for (const answer of answers.filter((answer) => answer !== rotated))
          expect(answer.text.includes(form)).toBe(false);
        expect(filesWith(cage.stateDir, form)).toEqual([]);
      }
    }
    // The search finds what is there.
    expect(filesWith(cage.stateDir, "a message").length).toBeGreaterThan(0);
  });
});

/** `secret` as it could be written down, without what it shares with all others. */
function formsOf(secret: string): string[] {
  const text = secret.replace(/^mai_/, "");
  const bytes = Buffer.from(text);
  const whole = Buffer.from(secret);
  const encodings = ["base64", "base64url", "hex"] as const;
  // Base64 of a text within a longer one begins at one of three places.
  const shifted = [0, 1, 2].map((skip) => bytes.subarray(skip, skip + 18).toString("base64"));
  return [text, ...shifted, ...encodings.flatMap((encoding) => [bytes.toString(encoding), whole.toString(encoding)])];
}

/** The files under `folder` that have `text` in them, byte by byte. */
function filesWith(folder: string, text: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file).includes(text));
}

/** How many of `some` are among the lower half of all. */
function lowerHalf(some: readonly number[], others: readonly number[]): number {
  const all = [...some, ...others].sort((a, b) => a - b);
  const middle = all[all.length / 2] as number;
  return some.filter((value) => value < middle).length;
}
