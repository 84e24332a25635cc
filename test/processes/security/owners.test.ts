/** What is an owner's to decide, that it is nobody else's, and that it is so: live, after a crash, and in every store. */

import { globSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLOSE, type Message } from "../../../party/protocol.ts";
import { READING, Server } from "../server.ts";
import { until } from "../until.ts";
import { expectStatus, type Key, newGuestSecret, Visitor } from "./visitor.ts";

let server: Server;
let visitor: Visitor;
let owner: Key;
let other: Key;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  [owner, other] = await Promise.all([visitor.makeKey(), visitor.makeKey()]);
});

afterAll(() => server.remove());

/** What has to be so after the server was killed, which the last test does once for all of them. */
const afterCrash: (() => Promise<void>)[] = [];
/** Words that were deleted, which no store may have at the end. */
const deletedWords: string[] = [];

const settle = (room: string, body: unknown, key = owner.key) =>
  visitor.call("PATCH", `/api/rooms/${room}`, { key, body });

const mute = (room: string, sender: string, until?: string, key = owner.key) =>
  visitor.call("PUT", `/api/rooms/${room}/mutes/${encodeURIComponent(sender)}`, { key, body: { until } });

const unmute = (room: string, sender: string, key = owner.key) =>
  visitor.call("DELETE", `/api/rooms/${room}/mutes/${encodeURIComponent(sender)}`, { key });

describe("a room", () => {
  it("is its owner's: nobody else renames, settles, mutes in or deletes it", async () => {
    const room = await visitor.makeRoom(owner.key);
    const before = (await visitor.call("GET", `/api/rooms/${room}`)).body;
    const attempts = (key?: string) => {
      const as = key === undefined ? {} : { key };
      return [
        visitor.call("PATCH", `/api/rooms/${room}`, { ...as, body: { name: "Mine now", guests: "read" } }),
        visitor.call("PATCH", `/api/rooms/${room}`, { ...as, body: { createdBy: other.id, created_by: other.id } }),
        visitor.call("DELETE", `/api/rooms/${room}`, as),
        visitor.call("GET", `/api/rooms/${room}/mutes`, as),
        visitor.call("PUT", `/api/rooms/${room}/mutes/${owner.handle}`, as),
        visitor.call("DELETE", `/api/rooms/${room}/mutes/${owner.handle}`, as),
      ];
    };
    for (const { status, body } of await Promise.all(attempts(other.key))) {
      expect(status).toBe(403);
      expect(body.error.code).toBe("forbidden");
    }
    for (const { status } of await Promise.all(attempts())) expect(status).toBe(401);
    expect((await visitor.call("GET", `/api/rooms/${room}`)).body).toEqual(before);
    expectStatus(await settle("lobby", { name: "Mine" }), 403);
    expectStatus(await settle("no-such-room", { name: "Mine" }), 404);
  });

  it("does not change hands by what its owner's own request says", async () => {
    const room = await visitor.makeRoom(owner.key);
    for (const claim of [{ createdBy: other.id }, { created_by: other.id }, { id: "lobby" }, { revision: 0 }]) {
      expectStatus(await settle(room, { topic: "x", ...claim }), 400);
    }
    expectStatus(await settle(room, { topic: "x" }), 200);
    expectStatus(await settle(room, { topic: "x" }, other.key), 403);
  });

  it("shows a new name and topic live", async () => {
    const room = await visitor.makeRoom(owner.key);
    const line = await visitor.enter(room);
    await line.welcomed();
    expectStatus(await settle(room, { name: "Renamed", topic: "Something new" }), 200);
    await line.heard("update", (update) => update.room?.name === "Renamed" && update.room.topic === "Something new");
    afterCrash.push(async () => {
      const again = await (await visitor.enter(room)).welcomed();
      expect(again.room).toMatchObject({ name: "Renamed", topic: "Something new" });
    });
  });

  it("that is unlisted is in no list and no search, and opens by its address", async () => {
    const room = await visitor.makeRoom(owner.key, { listed: false });
    for (const query of ["", `?q=${room}`]) {
      const { body } = await visitor.call("GET", `/api/rooms${query}`);
      expect(body.rooms.map(({ id }: { id: string }) => id)).not.toContain(room);
    }
    expectStatus(await visitor.call("GET", `/api/rooms/${room}`), 200);
    await settle(room, { listed: true });
    const { body } = await visitor.call("GET", `/api/rooms?q=${room}`);
    expect(body.rooms.map(({ id }: { id: string }) => id)).toContain(room);
  });

  it("tells its settings to its owner alone", async () => {
    const room = await visitor.makeRoom(owner.key, { origins: ["https://example.com"] });
    await mute(room, "~bad-guest-000000");
    const others = await visitor.call("GET", `/api/rooms/${room}`, { key: other.key });
    expect(others.text).not.toMatch(/origins|mutes|pepper|example\.com|archive/i);
    const owners = await visitor.call("GET", `/api/rooms/${room}`, { key: owner.key });
    expect(owners.body.origins).toEqual(["https://example.com"]);
    expect(owners.text).not.toMatch(/pepper/i);
  });

  it.each([
    { guests: "none" },
    { guests: true },
    { loopGuard: -1 },
    { loopGuard: 1.5 },
    { loopGuard: 100_000 },
    { loopGuard: "30" },
    { origins: "https://example.com" },
    { origins: ["https://example.com/path"] },
    { origins: ["javascript:alert(1)"] },
    { origins: ["*"] },
    { origins: Array(21).fill("https://example.com") },
    { name: "" },
    { name: "\u200b" },
    { name: "x".repeat(81) },
    { name: ["x"] },
    { topic: "x".repeat(301) },
    { listed: "no" },
  ])("is not settled by %j", async (change) => {
    const room = await visitor.makeRoom(owner.key);
    expect([400, 413]).toContain((await settle(room, change)).status);
  });
});

describe("guests that may only read", () => {
  it("are told so at once, while keys write on", async () => {
    const room = await visitor.makeRoom(owner.key);
    const secret = newGuestSecret();
    const guest = await visitor.enterAs(room, { guest: secret });
    expect(await guest.outcome(guest.say("hello"))).toMatchObject({ content: "hello" });
    await settle(room, { guests: "read" });
    await guest.heard("update", (update) => update.room?.guests === "read");
    expect(await guest.outcome(guest.say("hello?"))).toMatchObject({ code: "read_only" });
    guest.send({ type: "draft", id: "draft", append: "hello?" });
    expect(await guest.outcome("draft")).toMatchObject({ code: "read_only" });
    expectStatus(await visitor.say(room, other.key, "with a key"), 201);
    afterCrash.push(async () => {
      const again = await visitor.enterAs(room, { guest: secret });
      expect(await again.outcome(again.say("still?"))).toMatchObject({ code: "read_only" });
      await settle(room, { guests: "write" });
      expect(await again.outcome(again.say("again"))).toMatchObject({ content: "again" });
    });
  });
});

describe("a mute", () => {
  it("of a guest, an agent or a person holds at once, on every way in", async () => {
    const room = await visitor.makeRoom(owner.key);
    const secret = newGuestSecret();
    const guest = await visitor.enterAs(room, { guest: secret });
    const { sender } = await guest.named();
    expectStatus(await mute(room, sender), 200);
    expect(await guest.outcome(guest.say("hello?"))).toMatchObject({ code: "muted" });
    guest.send({ type: "draft", id: "draft", append: "hello?" });
    expect(await guest.outcome("draft")).toMatchObject({ code: "muted" });

    await mute(room, `${other.handle}/claude`);
    expect((await visitor.say(room, other.key, "x", { as: "claude" })).body.error.code).toBe("muted");
    expectStatus(await visitor.say(room, other.key, "x", { as: "another" }), 201);
    await mute(room, other.handle);
    expect((await visitor.say(room, other.key, "x", { as: "another" })).body.error.code).toBe("muted");
    expectStatus(await visitor.say(room, other.key, "x"), 403);
    expectStatus(await visitor.say("lobby", other.key, "elsewhere"), 201);

    afterCrash.push(async () => {
      const again = await visitor.enterAs(room, { guest: secret });
      expect(await again.outcome(again.say("hello?"))).toMatchObject({ code: "muted" });
      const { body } = await visitor.call("GET", `/api/rooms/${room}/mutes`, { key: owner.key });
      expect(body.mutes.map((entry: { sender: string }) => entry.sender).sort()).toEqual(
        [sender, other.handle, `${other.handle}/claude`].sort(),
      );
      expectStatus(await unmute(room, sender), 204);
      expect(await again.outcome(again.say("thank you"))).toMatchObject({ content: "thank you" });
    });
  });

  it("ends what the person and their agents are writing, and nobody else's", async () => {
    const room = await visitor.makeRoom(owner.key);
    const reader = await visitor.enter(room);
    const writers = await Promise.all([
      visitor.enterAs(room, { key: other.key }),
      visitor.enterAs(room, { key: other.key, as: "claude" }),
      visitor.enterAs(room, { key: owner.key }),
    ]);
    for (const writer of writers) writer.send({ type: "draft", id: "d", append: "so" });
    const changes = () => reader.frames.flatMap((frame) => (frame.type === "update" ? (frame.drafts ?? []) : []));
    await until("the three drafts are shown", () => changes().length === 3);
    expectStatus(await mute(room, other.handle), 200);
    const ended = () => changes().flatMap((change) => ("end" in change ? [change.sender] : []));
    await until("two have ended", () => ended().length === 2);
    writers[2]?.send({ type: "draft", id: "d", append: " on" });
    await until("the third goes on", () => changes().some((change) => "append" in change && change.append === " on"));
    expect(ended().sort()).toEqual([other.handle, `${other.handle}/claude`]);
  });

  it("for a time says how long, and is over when it is over", async () => {
    const room = await visitor.makeRoom(owner.key);
    await mute(room, other.handle, new Date(Date.now() + 3_600_000).toISOString());
    const { body, headers } = await visitor.say(room, other.key, "x");
    expect(body.error.code).toBe("muted");
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(3_500);
    await mute(room, other.handle, new Date(Date.now() - 1_000).toISOString());
    expectStatus(await visitor.say(room, other.key, "x"), 201);
    expectStatus(await mute(room, other.handle, "tomorrow"), 400);
    // What has ended takes no place among those that a room may have.
    await mute(room, "~somebody-else-000000");
    const { body: list } = await visitor.call("GET", `/api/rooms/${room}/mutes`, { key: owner.key });
    expect(list.mutes).toEqual([{ sender: "~somebody-else-000000", until: null }]);
  });

  it.each(["admin or so", "A-B", "a/b/c", "../x", "%", "~", "x".repeat(101)])(
    "of %j, who is nobody, is refused",
    async (sender) => {
      const room = await visitor.makeRoom(owner.key);
      expect([400, 404]).toContain((await mute(room, sender)).status);
    },
  );
});

describe("origins", () => {
  it("that an owner names are the only pages that post, over HTTP and sockets", async () => {
    const room = await visitor.makeRoom(owner.key, { origins: ["https://example.com"] });
    const say = (origin: string, more = {}) =>
      visitor.call("POST", `/api/rooms/${room}/messages`, {
        key: other.key,
        body: { content: "x" },
        headers: { origin, ...more },
      });
    expectStatus(await say("https://example.com"), 201);
    // The room's own page is no foreign one, whatever else the owner names.
    expectStatus(await say(server.url), 201);
    expectStatus(await say("https://behind-a-proxy.example", { "sec-fetch-site": "same-origin" }), 201);
    const foreign = [
      "https://evil.example",
      "https://example.com.evil.example",
      "http://example.com",
      "null",
      "x".repeat(5_000),
    ];
    for (const origin of foreign) {
      expect((await say(origin)).body.error.code).toBe("forbidden");
      const line = await visitor.enterAs(room, { guest: newGuestSecret() }, origin);
      expect(await line.outcome(line.say("x"))).toMatchObject({ code: "forbidden" });
      line.send({ type: "draft", id: "draft", append: "x" });
      expect(await line.outcome("draft")).toMatchObject({ code: "forbidden" });
      line.close();
    }
    for (const origin of ["https://example.com", server.url]) {
      const welcome = await visitor.enterAs(room, { guest: newGuestSecret() }, origin);
      expect(await welcome.outcome(welcome.say("x"))).toMatchObject({ content: "x" });
      welcome.close();
    }
    await settle(room, { origins: [] });
    expectStatus(await say("https://evil.example"), 201);
  });
});

describe("a deleted message", () => {
  it("is gone from every page, stream, cursor and store", async () => {
    const room = await visitor.makeRoom(owner.key);
    const words = `secret-${crypto.randomUUID()}`;
    await visitor.say(room, other.key, "before");
    const { body } = await visitor.say(room, other.key, words, { id: "the-one" });
    await visitor.say(room, other.key, "after", { replyTo: body.seq });
    await until("the archive has it", () => server.archived(room).some(({ content }) => content === words));
    const open = await visitor.enter(room);
    expect((await open.welcomed()).messages.map(({ content }) => content)).toContain(words);

    const path = `/api/rooms/${room}/messages/${body.seq}`;
    expectStatus(await visitor.call("DELETE", path, { key: owner.key }), 204);
    await open.heard("update", ({ messages }) => messages?.some(({ target }) => target === body.seq) === true);

    const fresh = await (await visitor.enter(room)).welcomed();
    const resumed = await (await visitor.enter(room, `?after=0&epoch=${fresh.epoch}`)).welcomed();
    const pages = await Promise.all([
      visitor.messages(room),
      visitor.messages(room, "after=0"),
      visitor.messages(room, `before=${body.seq + 1}`),
      visitor.messages(room, `before=${fresh.head + 1}`),
    ]);
    for (const messages of [fresh.messages, resumed.messages, ...pages]) {
      const message = messages.find(({ seq }) => seq === body.seq) as Message;
      expect(message).toMatchObject({ content: "", deleted: true, sender: other.handle });
      expect(JSON.stringify(messages)).not.toContain(words);
    }
    expect((await visitor.call("GET", `/r/${room}?format=md`)).text).not.toContain(words);
    expect(await firstEvent(room)).not.toContain(words);
    await until("D1 has none of it either", () => !JSON.stringify(server.archived(room)).includes(words));
    // The same words under the same id do not come back.
    expect((await visitor.say(room, other.key, words, { id: "the-one" })).body).toMatchObject({
      content: "",
      deleted: true,
    });
    expectStatus(await visitor.call("DELETE", path, { key: owner.key }), 204);

    deletedWords.push(words);
    afterCrash.push(async () => {
      expect(JSON.stringify(await visitor.messages(room))).not.toContain(words);
    });
  });

  it("is empty in D1 too when it was deleted before it got there", async () => {
    const room = await visitor.makeRoom(owner.key);
    const words = `secret-${crypto.randomUUID()}`;
    const { body } = await visitor.say(room, other.key, words);
    await visitor.call("DELETE", `/api/rooms/${room}/messages/${body.seq}`, { key: other.key });
    await until("the archive has both", () => server.archived(room).length === 2);
    await until("D1 has none of it either", () => !JSON.stringify(server.archived(room)).includes(words));
  });
});

describe("a deleted room", () => {
  it("is gone from every store, and its sockets are closed with 4410", async () => {
    const room = await visitor.makeRoom(owner.key);
    const words = `secret-${crypto.randomUUID()}`;
    await visitor.say(room, other.key, words);
    const lines = [await visitor.enter(room), await visitor.enterAs(room, { guest: newGuestSecret() })];
    await until("the archive has it", () => server.archived(room).length === 1);
    expectStatus(await visitor.call("DELETE", `/api/rooms/${room}`, { key: owner.key }), 204);
    for (const line of lines) expect(await line.hasClosed()).toMatchObject({ code: CLOSE.deleted });
    for (const path of ["", "/messages", "/messages?after=0", "/events"]) {
      expectStatus(await visitor.call("GET", `/api/rooms/${room}${path}`), 404);
    }
    expectStatus(await visitor.say(room, other.key, "still there?"), 404);
    expect(await (await visitor.enter(room)).hasClosed()).toMatchObject({ code: CLOSE.notFound });
    expect(server.archived(room)).toEqual([]);
    deletedWords.push(words);
    afterCrash.push(async () => {
      expectStatus(await visitor.call("GET", `/api/rooms/${room}`), 404);
    });
  });

  it("does not come back with its history when its id is taken again", async () => {
    const room = await visitor.makeRoom(owner.key);
    await visitor.say(room, other.key, "before");
    const { epoch } = await (await visitor.enter(room)).welcomed();
    await visitor.call("DELETE", `/api/rooms/${room}`, { key: owner.key });
    const again = await visitor.call("POST", "/api/rooms", { key: other.key, body: { id: room, name: "Another" } });
    expect(again.status).toBe(201);
    const welcome = await (await visitor.enter(room, `?after=0&epoch=${epoch}`)).welcomed();
    expect(welcome).toMatchObject({ head: 0, messages: [], reset: true });
    expect(welcome.epoch).not.toBe(epoch);
    expectStatus(await settle(room, { topic: "mine" }), 403);
  });
});

describe("the loop guard", () => {
  it("lets so many agents' messages pass without a person's, and shows it", async () => {
    const room = await visitor.makeRoom(owner.key, { loopGuard: 4 });
    const watcher = await visitor.enter(room);
    const say = (as: string) => visitor.say(room, other.key, "and you?", { as });
    for (const as of ["one", "two", "one", "two"]) expectStatus(await say(as), 201);
    await watcher.heard("update", (update) => update.room?.agentsPaused === true);
    const refused = await say("three");
    expect(refused.status).toBe(409);
    expect(refused.body.error.code).toBe("loop_guard");
    const agent = await visitor.enterAs(room, { key: owner.key, as: "four" });
    expect(await agent.outcome(agent.say("me too"))).toMatchObject({ code: "loop_guard" });
    agent.send({ type: "draft", id: "draft", append: "me too" });
    expect(await agent.outcome("draft")).toMatchObject({ code: "loop_guard" });
    expect((await visitor.call("GET", `/api/rooms/${room}`)).body).toMatchObject({ agentsPaused: true });
    afterCrash.push(async () => {
      expectStatus(await say("one"), 409);
      const page = await visitor.enter(room);
      expect((await page.welcomed()).room).toMatchObject({ agentsPaused: true });
      expectStatus(await visitor.say(room, other.key, "a person speaks"), 201);
      await page.heard("update", (update) => update.room?.agentsPaused === false);
      expectStatus(await say("one"), 201);
    });
  });

  it("is counted exactly when many agents speak at once, and a guest counts as a person", async () => {
    const room = await visitor.makeRoom(owner.key, { loopGuard: 10 });
    const talk = () =>
      Promise.all(Array.from({ length: 25 }, (_, n) => visitor.say(room, other.key, "x", { as: `a${n}` })));
    expect((await talk()).filter(({ status }) => status === 201).length).toBe(10);
    const guest = await visitor.enterAs(room, { guest: newGuestSecret() });
    await guest.outcome(guest.say("go on"));
    expect((await talk()).filter(({ status }) => status === 201).length).toBe(10);
  });

  it("is the owner's choice, live, and 0 is none", async () => {
    const room = await visitor.makeRoom(owner.key, { loopGuard: 1 });
    const say = () => visitor.say(room, other.key, "x", { as: "claude" });
    expect([(await say()).status, (await say()).status]).toEqual([201, 409]);
    await settle(room, { loopGuard: 2 });
    expect([(await say()).status, (await say()).status]).toEqual([201, 409]);
    await settle(room, { loopGuard: 0 });
    const answers = await Promise.all(Array.from({ length: 60 }, say));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  });

  it("is 30 unless somebody has chosen", async () => {
    const room = await visitor.makeRoom(owner.key);
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => visitor.say(room, other.key, "x", { as: "claude" })),
    );
    expect(answers.filter(({ status }) => status === 201).length).toBe(30);
  });
});

describe("a crash", () => {
  it("changes nothing of what owners have decided", async () => {
    expect(afterCrash.length).toBeGreaterThanOrEqual(6);
    await server.kill();
    await server.start();
    for (const check of afterCrash) await check();
  });

  it("brings no deleted word back into any table", async () => {
    expect(deletedWords.length).toBe(2);
    await server.stop();
    for (const words of deletedWords) expect(rowsWith(words)).toEqual([]);
    // The search finds what is there.
    expect(rowsWith(owner.handle)).not.toEqual([]);
  });
});

/** What comes first over a room's events from its beginning. */
async function firstEvent(room: string): Promise<string> {
  const abort = new AbortController();
  const response = await fetch(`${server.url}/api/rooms/${room}/events?after=0`, { signal: abort.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (reader && !text.includes("event: welcome")) text += (await reader.read()).value ?? "";
  abort.abort();
  return text;
}

/** The tables of all databases under the server's folder that have `words` in any row. */
function rowsWith(words: string): string[] {
  const files = globSync("**/*.sqlite", { cwd: server.stateDir }).map((name) => join(server.stateDir, name));
  const found: string[] = [];
  for (const file of files) {
    const database = new DatabaseSync(file, READING);
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as { name: string }[];
    for (const { name } of tables) {
      const all = database.prepare(`SELECT * FROM "${name}"`);
      // The runtime's own tables hold times in nanoseconds.
      all.setReadBigInts(true);
      const rows = all.all();
      const texts = rows.flatMap((row) =>
        Object.values(row).map((value) => Buffer.from(value instanceof Uint8Array ? value : String(value))),
      );
      if (texts.some((text) => text.includes(words))) found.push(`${file} ${name}`);
    }
    database.close();
  }
  return found;
}
