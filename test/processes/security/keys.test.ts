/** Keys: made once, shown once, gone when they are revoked, and written down nowhere. */

import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newKey } from "../../../party/identity/sender.ts";
import { CLOSE } from "../../../party/protocol.ts";
import { Server, WRITING } from "../server.ts";
import { until } from "../until.ts";
import { type Answer, hashOf, type Key, type Line, newGuestSecret, newRoomId, Visitor } from "./visitor.ts";

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

/** What differs from answer to answer, whoever asks. */
const OF_EACH_ANSWER = ["date", "content-length", "x-request-id"];

describe("a refusal", () => {
  it("is the same for every key that is not valid, at every door", async () => {
    const owner = await visitor.makeKey();
    const room = await visitor.makeRoom(owner.key);
    const revoked = await visitor.makeKey();
    await visitor.call("DELETE", "/api/keys/me", { key: revoked.key });
    const rotated = await visitor.makeKey();
    await visitor.swapKey(rotated.key);
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
        const said = [...headers].filter(([name]) => !OF_EACH_ANSWER.includes(name));
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
  it("gives a new key to the same person, with their rooms, and its first use closes the old one everywhere", async () => {
    const old = await visitor.makeKey();
    const room = await visitor.makeRoom(old.key);
    const line = await visitor.enterAs(room, { key: old.key });
    const { status, body } = await visitor.call("POST", "/api/keys/me/rotate", { key: old.key });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: old.id, handle: old.handle });
    expect(body.key).not.toBe(old.key);
    // The answer may be lost on its way, and then the old key is all that there is.
    expect(await line.outcome(line.say("still here"))).toMatchObject({ content: "still here" });
    expect((await visitor.call("GET", "/api/keys/me", { key: body.key })).status).toBe(200);
    expect(await line.hasClosed()).toMatchObject({ code: CLOSE.unauthorized });
    for (const [, knock] of doors(room)) expect((await knock(old.key)).status).toBe(401);
    const renamed = await visitor.call("PATCH", `/api/rooms/${room}`, { key: body.key, body: { name: "Still mine" } });
    expect(renamed.body).toMatchObject({ name: "Still mine" });
    expect((await visitor.say(room, body.key, "x")).body.sender).toBe(old.handle);
  });

  it("at the same time as a revocation leaves no key behind that its owner believes to be gone", async () => {
    for (let round = 0; round < 10; round++) {
      const { key } = await visitor.makeKey();
      const [swapped, revoked, another, offered] = await Promise.all([
        visitor.swapKey(key),
        visitor.call("DELETE", "/api/keys/me", { key }),
        visitor.swapKey(key),
        visitor.call("POST", "/api/keys/me/rotate", { key }),
      ]);
      const statusOf = async (each: string) => (await visitor.call("GET", "/api/keys/me", { key: each })).status;
      expect(await statusOf(key)).toBe(401);
      const won = [swapped, another].filter(({ status }) => status === 200);
      // One of the three has the key; the others are told that it is not valid.
      expect([won.length, revoked.status]).toEqual(won.length === 1 ? [1, 401] : [0, 204]);
      for (const swap of won) expect(await statusOf(swap.key)).toBe(200);
      // A key that was offered ends with the one beside which it was offered.
      if (offered.status === 200) expect(await statusOf(offered.body.key)).toBe(401);
    }
  });

  it("whose connection is cut at any moment leaves everyone a key that they have", async () => {
    const people = await Promise.all(Array.from({ length: 40 }, () => visitor.makeKey()));
    const held = await Promise.all(
      people.map(async ({ key }, index) => {
        const next = index % 2 === 0 ? { key: newKey() } : undefined;
        const body = next ? JSON.stringify({ keyHash: hashOf(next.key) }) : "";
        await cutRequest(server, rotation(server, key, body), index % 21);
        return next ? [key, next.key] : [key];
      }),
    );
    await expectOneValid(held, people);
  });

  it("with a kill -9 at any moment leaves everyone a key that they have, and can be repeated", async () => {
    await using victim = await Server.start();
    const theirs = new Visitor(victim);
    const people = await Promise.all(Array.from({ length: 30 }, () => theirs.makeKey()));
    for (const { key } of people) await theirs.call("GET", "/api/keys/me", { key });
    const held = people.map(({ key }) => [key]);
    for (let round = 0; round < 5; round++) {
      const rotations = people.map(async (_, index) => {
        const mine = held[index] as string[];
        const key = mine.at(-1) as string;
        if (index % 2 === 0) {
          const next = newKey();
          mine.push(next);
          const swapped = await theirs.call("POST", "/api/keys/me/rotate", { key, body: { keyHash: hashOf(next) } });
          if (swapped.status === 200) mine.splice(0, mine.length, next);
        } else {
          const offered = await theirs.call("POST", "/api/keys/me/rotate", { key });
          if (offered.status === 200) mine.push(offered.body.key);
          await theirs.call("GET", "/api/keys/me", { key: mine.at(-1) as string });
        }
      });
      // After as many answers as come in the time of some of them; the round's number draws the moment.
      const settled = Promise.allSettled(rotations);
      await Promise.race([settled, pause(3 + round * 17)]);
      await victim.kill();
      await settled;
      await victim.start();
      for (const mine of held) mine.splice(0, mine.length, ...(await validOf(theirs, mine)));
    }
    expect(held.filter((mine) => mine.length === 0)).toEqual([]);
    // Whose key it is has not changed.
    const handles = await Promise.all(
      held.map(async (mine) => (await theirs.call("GET", "/api/keys/me", { key: mine.at(-1) as string })).body.handle),
    );
    expect(handles).toEqual(people.map(({ handle }) => handle));
  });

  it("is repeated after a crash with the old key as with the new one", async () => {
    await using victim = await Server.start();
    const theirs = new Visitor(victim);
    const { key, handle } = await theirs.makeKey();
    const next = newKey();
    const swap = (presented: string) =>
      theirs.call("POST", "/api/keys/me/rotate", { key: presented, body: { keyHash: hashOf(next) } });
    expect((await swap(key)).body).toMatchObject({ handle });
    await victim.kill();
    await victim.start();
    for (const presented of [key, next]) expect((await swap(presented)).body).toMatchObject({ handle });
    expect((await theirs.call("GET", "/api/keys/me", { key })).status).toBe(401);
  });

  it("while D1 is away is refused, and keys that were used go on, also after a restart", async () => {
    await using cage = await Server.start();
    const theirs = new Visitor(cage);
    const { key } = await theirs.makeKey();
    const room = await theirs.makeRoom(key);
    expect((await theirs.say(room, key, "before")).status).toBe(201);
    const rotated = await theirs.swapKey(key);
    expect((await theirs.say(room, rotated.key, "rotated")).status).toBe(201);
    const database = new DatabaseSync(cage.databaseFile, WRITING);
    database.exec("ALTER TABLE api_keys RENAME TO api_keys_away");
    database.exec("ALTER TABLE rooms RENAME TO rooms_away");
    try {
      for (const restart of [false, true]) {
        if (restart) {
          await cage.kill();
          await cage.start();
        }
        expect((await theirs.say(room, rotated.key, "without D1")).status).toBe(201);
        // After a rotation whose outcome nobody could say, only D1 knows which keys there are besides the last.
        expect((await theirs.say(room, key, "with the old key")).status).toBe(restart ? 503 : 401);
        expect((await theirs.swapKey(rotated.key)).status).toBe(503);
        expect((await theirs.say(room, unknownKey(), "with no key")).status).toBe(503);
      }
    } finally {
      database.exec("ALTER TABLE rooms_away RENAME TO rooms");
      database.exec("ALTER TABLE api_keys_away RENAME TO api_keys");
      database.close();
    }
    expect((await theirs.say(room, rotated.key, "with D1")).status).toBe(201);
  });
});

describe("a key that does not exist", () => {
  it("makes no object, whatever the way in: a thousand of them leave no file behind", async () => {
    await using cage = await Server.start();
    const attacker = new Visitor(cage);
    const { key } = await attacker.makeKey();
    expect((await attacker.say("lobby", key, "hello")).status).toBe(201);
    const before = filesOf(cage.stateDir);
    for (let round = 0; round < 10; round++) {
      const knocks = Array.from({ length: 90 }, () => attacker.call("GET", "/api/keys/me", { key: unknownKey() }));
      const statuses = (await Promise.all(knocks)).map(({ status }) => status);
      expect(statuses.filter((status) => status !== 401)).toEqual([]);
      for (let index = 0; index < 10; index++) {
        const line = await attacker.enter("lobby");
        line.send({ type: "hello", key: unknownKey() });
        expect(await line.hasClosed()).toMatchObject({ code: CLOSE.unauthorized });
      }
    }
    expect(filesOf(cage.stateDir).filter((file) => !before.includes(file))).toEqual([]);
  });

  it("is looked up only so often for an address, and those who have a key do not suffer", async () => {
    await using cage = await Server.start();
    const attacker = new Visitor(cage, "192.0.2.66");
    const { key } = await new Visitor(cage).makeKey();
    const statuses: number[] = [];
    const refused = () => statuses.filter((status) => status === 429).length;
    // A thousand at once, and two more in each second that this takes.
    for (let round = 0; round < 12 || refused() <= 100; round++) {
      const knocks = Array.from({ length: 100 }, () => attacker.call("GET", "/api/keys/me", { key: unknownKey() }));
      statuses.push(...(await Promise.all(knocks)).map(({ status }) => status));
    }
    expect(statuses.filter((status) => status !== 401 && status !== 429)).toEqual([]);
    expect((await new Visitor(cage, "192.0.2.67").call("GET", "/api/keys/me", { key })).status).toBe(200);
  });
});

describe("revocation", () => {
  it("reaches every live socket, also one that says nothing, and the very next write in any room and by any way", async () => {
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
    // The people write; their agents, and who only watches, are closed though they say nothing, and nobody asks for anything.
    const ids = lines.map((line, index) => (index < rooms.length ? line.say("after the revocation") : undefined));
    for (const [index, line] of lines.entries()) {
      expect(await line.hasClosed()).toMatchObject({ code: CLOSE.unauthorized });
      expect(line.messages.some((message) => message.id === ids[index])).toBe(false);
    }
    for (const [, knock] of doors(first)) expect((await knock(key)).status).toBe(401);
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

/** Expects that each of `people` has one of the keys that are `held`, and is who they were. */
async function expectOneValid(held: readonly (readonly string[])[], people: readonly Key[]): Promise<void> {
  const valid = await Promise.all(held.map((mine) => validOf(visitor, mine)));
  expect(valid.filter((mine) => mine.length === 0)).toEqual([]);
  const handles = await Promise.all(
    valid.map(async ([key]) => (await visitor.call("GET", "/api/keys/me", { key: key as string })).body.handle),
  );
  expect(handles).toEqual(people.map(({ handle }) => handle));
}

/** Those of `keys` that are accepted, in their order. */
async function validOf(asker: Visitor, keys: readonly string[]): Promise<string[]> {
  const valid: string[] = [];
  for (const key of keys) if ((await asker.call("GET", "/api/keys/me", { key })).status === 200) valid.push(key);
  // The first use of a key that was offered ends the one before it.
  return valid.length > 1 ? valid.slice(-1) : valid;
}

function rotation(target: Server, key: string, body: string): string {
  const type = body === "" ? "" : "Content-Type: application/json\r\n";
  return `POST /api/keys/me/rotate HTTP/1.1\r\nHost: localhost:${target.port}\r\nAuthorization: Bearer ${key}\r\n${type}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Sends a request, and cuts the connection `after` ms. */
async function cutRequest(target: Server, request: string, after: number): Promise<void> {
  const socket = connect(target.port, "localhost");
  await once(socket, "connect");
  socket.on("error", () => undefined);
  socket.write(request);
  await pause(after);
  socket.resetAndDestroy();
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    // What SQLite keeps beside a database while it is open.
    .filter((file) => !/-(wal|shm)$/.test(file));

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
