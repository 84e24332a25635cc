/** `/api/rooms`: making, listing, asking, changing, deleting, muting. */

import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { findRoom } from "../../api/directory.ts";
import type { RoomRecord } from "../../party/room-record.ts";
import {
  archive,
  archived,
  expectStatus,
  makeRoom,
  ownerWithRoom,
  refusalOf,
  stubOf,
  Visitor,
  without,
} from "./visitor.ts";

interface Room {
  id: string;
  name: string;
  createdBy: string | null;
  lastSeq: number;
  lastMessageAt: string | null;
}

/** Somebody who is not the owner of anything here. */
let stranger: Visitor;
/** Somebody with a room that nothing happens to. */
let quiet: { owner: Visitor; room: string };

beforeAll(async () => {
  stranger = await Visitor.withKey();
  quiet = await ownerWithRoom();
});

describe("POST /api/rooms", () => {
  it("makes a room with an id of its own, and says where it is", async () => {
    const owner = await Visitor.withKey();
    const response = await owner.send("POST", "/api/rooms", { name: "  Bears \n and  more ", topic: "Grizzlies" });
    await expectStatus(response, 201);
    const room = await response.json<Room>();
    expect(response.headers.get("location")).toBe(`/api/rooms/${room.id}`);
    expect(room).toEqual({
      id: expect.stringMatching(/^[a-z0-9]{12}$/),
      name: "Bears and more",
      topic: "Grizzlies",
      access: "open",
      createdBy: owner.handle,
      createdAt: expect.any(String),
      lastSeq: 0,
      lastMessageAt: null,
      guests: "write",
      loopGuard: 30,
      slow: 0,
      hold: "nobody",
      links: "anyone",
      keepDays: null,
      keepDaysLimit: null,
      endAfterDays: null,
      instructions: null,
      listed: true,
      origins: [],
      blocked: [],
    });
    const found = await new Visitor().json<Room>(`/api/rooms/${room.id}`);
    expect(found).toMatchObject({ id: room.id, name: "Bears and more" });
  });

  it("takes a slug that is wished for, once", async () => {
    const owner = await Visitor.withKey();
    const id = `den-${owner.handle}`;
    expect(await (await owner.send("POST", "/api/rooms", { name: "Den", id })).json()).toMatchObject({ id });
    const again = await stranger.send("POST", "/api/rooms", { name: "Mine", id });
    // What was taken of the day's rooms is given back, so nothing is said of it.
    expect([again.headers.get("ratelimit"), again.headers.get("ratelimit-policy")]).toEqual([null, null]);
    expect(await refusalOf(again)).toEqual([409, "conflict"]);
  });

  it("gives five a day to a key, and counts none that was taken", async () => {
    const owner = await Visitor.withKey();
    const taken = () => owner.send("POST", "/api/rooms", { name: "Lobby", id: "lobby" });
    for (let tried = 0; tried < 7; tried++) await expectStatus(await taken(), 409);
    for (let made = 0; made < 5; made++) await makeRoom(owner);
    const refused = await owner.send("POST", "/api/rooms", { name: "Den" });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(86_000);
    expect(await refusalOf(refused)).toEqual([429, "rate_limited"]);
  });

  it("refuses a field that there is not, by its name, and makes nothing", async () => {
    const owner = await Visitor.withKey();
    const id = `not-made-${owner.handle}`;
    const refused = await owner.send("POST", "/api/rooms", { name: "Den", id, createdBy: "somebody" });
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error: { code: "invalid", message: 'There is no field "createdBy" here.' } },
    ]);
    await expectStatus(await owner.fetch(`/api/rooms/${id}`), 404);
  });

  it("refuses what would reach beyond the name's own line", async () => {
    const owner = await Visitor.withKey();
    const make = (name: string) => owner.send("POST", "/api/rooms", { name });
    expect(await (await make("Z\u0351\u0351\u0351\u0351\u0351\u0351\u0351algo")).json()).toEqual({
      error: { code: "invalid", message: "name has more than 6 combining marks on one character." },
    });
    expect(await (await make("\u202eLobby")).json()).toMatchObject({ name: "Lobby" });
    expect(await (await make("חדר קריאה")).json()).toMatchObject({ name: "חדר קריאה" });
  });

  it.each([
    [{}, 400, "invalid"],
    [{ name: "" }, 400, "invalid"],
    [{ name: " \u0000 " }, 400, "invalid"],
    [{ name: 7 }, 400, "invalid"],
    [{ name: "x".repeat(81) }, 413, "too_large"],
    [{ name: "Den", topic: "x".repeat(301) }, 413, "too_large"],
    [{ name: "Den", topic: 7 }, 400, "invalid"],
    [{ name: "Den", listed: "yes" }, 400, "invalid"],
    [{ name: "Den", id: "A" }, 400, "invalid"],
    [{ name: "Den", id: "-a" }, 400, "invalid"],
    [{ name: "Den", id: "x".repeat(64) }, 400, "invalid"],
    [[], 400, "invalid"],
    [null, 400, "invalid"],
  ])("refuses %.50j", async (body, status, code) => {
    expect(await refusalOf(await stranger.send("POST", "/api/rooms", body))).toEqual([status, code]);
  });

  it("takes the longest name and topic, counted in characters", async () => {
    const owner = await Visitor.withKey();
    const body = { name: "🐻".repeat(80), topic: "ä".repeat(300) };
    await expectStatus(await owner.send("POST", "/api/rooms", body), 201);
  });

  it("refuses a body that is no JSON, or says that it is something else, or is too large", async () => {
    const post = (body: string, type: string) => {
      return stranger.fetch("/api/rooms", { method: "POST", body, headers: { "content-type": type } });
    };
    expect(await refusalOf(await post("{", "application/json"))).toEqual([400, "invalid"]);
    expect(await refusalOf(await post('{"name":"Den"}', "text/plain"))).toEqual([400, "invalid"]);
    const large = JSON.stringify({ name: "Den", more: "x".repeat(70_000) });
    expect(await refusalOf(await post(large, "application/json"))).toEqual([413, "too_large"]);
  });

  it("without a key is refused", async () => {
    const response = await new Visitor().send("POST", "/api/rooms", { name: "Den" });
    expect(await refusalOf(response)).toEqual([401, "unauthorized"]);
  });
});

describe("GET /api/rooms", () => {
  it("lists rooms, the most recently active first, page by page, each once", async () => {
    const owner = await Visitor.withKey();
    const tag = `zoo ${owner.handle}`;
    const rooms: string[] = [];
    for (const name of ["a", "b", "c"]) {
      const response = await owner.send("POST", "/api/rooms", { name: `${tag} ${name}` });
      rooms.push((await response.json<Room>()).id);
    }
    const [first, ...others] = rooms as [string, ...string[]];
    await owner.send("POST", `/api/rooms/${first}/messages`, { content: "awake" });
    await archive(first);
    const listed: Room[] = [];
    let cursor = "";
    do {
      const query = `?limit=2&q=${encodeURIComponent(tag)}${cursor && `&cursor=${cursor}`}`;
      const page = await new Visitor().json<{ rooms: Room[]; next: string | null }>(`/api/rooms${query}`);
      expect(page.rooms.length).toBeLessThanOrEqual(2);
      listed.push(...page.rooms);
      cursor = page.next ?? "";
    } while (cursor !== "");
    expect(listed.map(({ id }) => id)[0]).toBe(first);
    expect(new Set(listed.map(({ id }) => id))).toEqual(new Set([first, ...others]));
    expect(listed).toHaveLength(3);
    expect(listed[0]).toMatchObject({ lastSeq: 1, createdBy: owner.handle, lastMessageAt: expect.any(String) });
  });

  it("tells rooms of the same moment by their ids, page by page, each once", async () => {
    const owner = await Visitor.withKey();
    const tag = `tie ${owner.handle}`;
    const ids = ["d", "b", "e", "a", "c"].map((letter) => `${letter}-${owner.handle}`);
    for (const id of ids) await owner.send("POST", "/api/rooms", { name: tag, id });
    const update = env.DB.prepare("UPDATE rooms SET created_at = '2026-11-24T12:00:00.000Z' WHERE name = ?");
    await update.bind(tag).run();
    const listed: string[] = [];
    let cursor = "";
    do {
      const path = `/api/rooms?limit=1&q=${encodeURIComponent(tag)}${cursor && `&cursor=${cursor}`}`;
      const page = await new Visitor().json<{ rooms: Room[]; next: string | null }>(path);
      listed.push(...page.rooms.map(({ id }) => id));
      cursor = page.next ?? "";
    } while (cursor !== "" && listed.length < 20);
    expect(listed).toEqual([...ids].sort());
  });

  it("leaves out what is not listed, which is open to those who know its address", async () => {
    const owner = await Visitor.withKey();
    const name = `hidden ${owner.handle}`;
    const response = await owner.send("POST", "/api/rooms", { name, listed: false });
    const { id } = await response.json<Room>();
    const { rooms } = await new Visitor().json<{ rooms: Room[] }>(`/api/rooms?q=${encodeURIComponent(name)}`);
    expect(rooms).toEqual([]);
    await expectStatus(await new Visitor().fetch(`/api/rooms/${id}`), 200);
  });

  it("searches id, name and topic for text, in which nothing is special", async () => {
    const owner = await Visitor.withKey();
    await owner.send("POST", "/api/rooms", { name: `100% ${owner.handle}` });
    const search = async (q: string) => {
      const { rooms } = await new Visitor().json<{ rooms: Room[] }>(`/api/rooms?q=${encodeURIComponent(q)}`);
      return rooms.map(({ name }) => name);
    };
    expect(await search(`100% ${owner.handle.toUpperCase()}`)).toHaveLength(1);
    expect(await search(`1_0% ${owner.handle}`)).toEqual([]);
    expect(await search(`%${owner.handle}`)).toEqual([]);
    expect(await search("anybody, about")).toEqual(["Lobby"]);
    expect(await search("' OR 1=1 --")).toEqual([]);
  });

  it.each(["?limit=0", "?limit=101", "?limit=x", "?cursor=x", "?cursor=.lobby"])("refuses %s", async (query) => {
    expect(await refusalOf(await new Visitor().fetch(`/api/rooms${query}`))).toEqual([400, "invalid"]);
  });
});

describe("GET /api/rooms/:id", () => {
  it("tells of the room and who is here, and the owner of its settings and archive", async () => {
    const { owner, room } = await ownerWithRoom({ origins: ["https://a.example"] });
    await owner.enter(room);
    await new Visitor().connect(room);
    const sent = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    const message = await sent.json<{ createdAt: string }>();
    const everybody = await new Visitor().json<Record<string, unknown>>(`/api/rooms/${room}`);
    expect(everybody).toEqual({
      id: room,
      name: "Den",
      topic: "",
      access: "open",
      createdBy: owner.handle,
      createdAt: expect.any(String),
      lastSeq: 1,
      // From the room: the archive has not been there yet.
      lastMessageAt: message.createdAt,
      guests: "write",
      loopGuard: 30,
      slow: 0,
      hold: "nobody",
      links: "anyone",
      keepDays: null,
      keepDaysLimit: null,
      endAfterDays: null,
      instructions: null,
      presence: { people: [owner.handle], spectators: 1 },
      agentsPaused: false,
    });
    expect(await owner.json(`/api/rooms/${room}`)).toEqual({
      ...everybody,
      listed: true,
      origins: ["https://a.example"],
      blocked: [],
      archive: { lag: 1, failures: 0, refused: [], hold: null, databaseShare: null, dayShare: null },
    });
  });

  it.each(["no-such-room", "A", "a", "lo%62by", "..%2fkeys", "%00"])("does not find %s", async (id) => {
    expect(await refusalOf(await new Visitor().fetch(`/api/rooms/${id}`))).toEqual([404, "not_found"]);
  });

  it("instantiates no object for an address that is no room's", async () => {
    await new Visitor().fetch("/api/rooms/never-made");
    await new Visitor().fetch("/api/rooms/never-made/messages");
    await new Visitor().connect("never-made");
    const made = await listDurableObjectIds(env.CHAT_ROOM);
    expect(made.filter((id) => id.equals(env.CHAT_ROOM.idFromName("never-made")))).toEqual([]);
  });

  it("refuses a key that is not good rather than to take its bearer for a stranger", async () => {
    const headers = { authorization: "Bearer mai_nonsense" };
    expect(await refusalOf(await new Visitor().fetch(`/api/rooms/${quiet.room}`, { headers }))).toEqual([
      401,
      "unauthorized",
    ]);
  });
});

describe("PATCH /api/rooms/:id", () => {
  it("changes what it names and nothing else, live for all who are there", async () => {
    const { owner, room } = await ownerWithRoom({ topic: "Bears" });
    const line = await new Visitor().connect(room);
    await line.welcome();
    const response = await owner.send("PATCH", `/api/rooms/${room}`, { name: "Cave", loopGuard: 5 });
    expect(await response.json()).toMatchObject({ name: "Cave", topic: "Bears", loopGuard: 5, guests: "write" });
    const { room: told } = await line.next("update", (update) => update.room !== undefined);
    expect(told).toEqual({
      id: room,
      name: "Cave",
      topic: "Bears",
      access: "open",
      guests: "write",
      loopGuard: 5,
      agentsPaused: false,
    });
    expect((await (await new Visitor().connect(room)).welcome()).room).toEqual(told);
  });

  it("settles at once who may write", async () => {
    const { owner, room } = await ownerWithRoom();
    const guest = await new Visitor().enter(room);
    await owner.send("PATCH", `/api/rooms/${room}`, { guests: "read" });
    guest.say("a");
    expect(await guest.next("error")).toMatchObject({ code: "read_only", id: "a" });
    await owner.send("PATCH", `/api/rooms/${room}`, { guests: "write", origins: ["https://a.example"] });
    guest.say("b");
    expect(await guest.messages(1)).toMatchObject([{ id: "b" }]);
    const page = (origin: string) => {
      return owner.send("POST", `/api/rooms/${room}/messages`, { content: "c" }, { origin });
    };
    expect(await refusalOf(await page("https://b.example"))).toEqual([403, "forbidden"]);
    await expectStatus(await page("https://a.example"), 201);
  });

  it("is not undone by an older row that comes later to the room", async () => {
    const { owner, room } = await ownerWithRoom();
    const older = await findRoom(env.DB, room);
    const guest = await new Visitor().enter(room);
    await owner.send("PATCH", `/api/rooms/${room}`, { guests: "read", name: "Cave" });
    await stubOf(room).settle(older as RoomRecord);
    guest.say("a");
    expect(await guest.next("error")).toMatchObject({ code: "read_only", id: "a" });
    expect((await (await new Visitor().connect(room)).welcome()).room).toMatchObject({ guests: "read", name: "Cave" });
  });

  it("makes both of two changes at once", async () => {
    const { owner, room } = await ownerWithRoom();
    const changes = [{ name: "Cave" }, { topic: "Bears" }, { loopGuard: 3 }, { guests: "read" }];
    await Promise.all(changes.map((change) => owner.send("PATCH", `/api/rooms/${room}`, change)));
    expect(await owner.json(`/api/rooms/${room}`)).toMatchObject(Object.assign({}, ...changes));
  });

  it.each([
    [{ name: "" }, 400],
    [{ name: "x".repeat(81) }, 413],
    [{ topic: 1 }, 400],
    [{ listed: 1 }, 400],
    [{ guests: "none" }, 400],
    [{ loopGuard: -1 }, 400],
    [{ loopGuard: 1.5 }, 400],
    [{ loopGuard: 1_001 }, 400],
    [{ origins: "https://a.example" }, 400],
    [{ origins: ["a.example"] }, 400],
    [{ origins: ["https://a.example/path"] }, 400],
    [{ origins: ["javascript:alert(1)"] }, 400],
    [{ origins: ["httpx://a.example"] }, 400],
    [{ loopguard: 5 }, 400],
    [{ mutes: {} }, 400],
    [{ origins: Array.from({ length: 21 }, (_, index) => `https://${index}.example`) }, 400],
  ])("refuses %.40j and changes nothing", async (change, status) => {
    const { owner, room } = quiet;
    const response = await owner.send("PATCH", `/api/rooms/${room}`, { topic: "changed", ...change });
    expect((await refusalOf(response))[0]).toBe(status);
    expect(await owner.json(`/api/rooms/${room}`)).toMatchObject({ name: "Den", topic: "" });
  });

  it("is the owner's alone; nobody owns the lobby", async () => {
    const { room } = quiet;
    expect(await refusalOf(await stranger.send("PATCH", `/api/rooms/${room}`, { name: "x" }))).toEqual([
      403,
      "forbidden",
    ]);
    expect(await refusalOf(await stranger.send("PATCH", "/api/rooms/lobby", { name: "x" }))).toEqual([
      403,
      "forbidden",
    ]);
    const nobody = await new Visitor().send("PATCH", `/api/rooms/${room}`, { name: "x" });
    expect(await refusalOf(nobody)).toEqual([401, "unauthorized"]);
    expect(await refusalOf(await stranger.send("PATCH", "/api/rooms/no-such", { name: "x" }))).toEqual([
      404,
      "not_found",
    ]);
  });
});

describe("DELETE /api/rooms/:id", () => {
  it("takes the room and all that was said from every place", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret" });
    await archive(room);
    // As an earlier version has archived it.
    await env.DB.prepare("INSERT INTO messages VALUES (?, 9, 'm9', 'text', 'a-b', 'secret of old', NULL, '2026')")
      .bind(room)
      .run();
    expect(await archived(room)).toHaveLength(2);
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "secret, too" });
    const response = await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" });
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(await archived(room)).toEqual([]);
    expect(await stubOf(room).look(undefined)).toMatchObject({ fault: "unavailable" });
    for (const path of ["", "/messages", "/messages?before=9", "/events"]) {
      expect(await refusalOf(await owner.fetch(`/api/rooms/${room}${path}`))).toEqual([404, "not_found"]);
    }
    expect(await refusalOf(await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" }))).toEqual([404, "not_found"]);
  });

  it("lets the id be made again, as a room in which nothing was ever said", async () => {
    const owner = await Visitor.withKey();
    const id = `again-${owner.handle}`;
    await owner.send("POST", "/api/rooms", { name: "First", id });
    await owner.send("POST", `/api/rooms/${id}/messages`, { content: "secret" });
    await owner.fetch(`/api/rooms/${id}`, { method: "DELETE" });
    await owner.send("POST", "/api/rooms", { name: "Second", id });
    const { head, messages, room } = await (await new Visitor().connect(id)).welcome();
    expect([head, messages, room.name]).toEqual([0, [], "Second"]);
  });

  it("is the owner's alone", async () => {
    const { room } = quiet;
    const remove = (visitor: Visitor) => visitor.fetch(`/api/rooms/${room}`, { method: "DELETE" });
    expect(await refusalOf(await remove(stranger))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await remove(new Visitor()))).toEqual([401, "unauthorized"]);
  });
});

describe("/api/rooms/:id/mutes", () => {
  it("mutes a sender at once, shows who is muted, and lifts it again", async () => {
    const { owner, room } = await ownerWithRoom();
    const mute = `/api/rooms/${room}/mutes/${stranger.handle}`;
    const put = await owner.fetch(mute, { method: "PUT" });
    expect([put.status, await put.json()]).toEqual([200, { sender: stranger.handle, until: null }]);
    const write = () => stranger.send("POST", `/api/rooms/${room}/messages`, { content: "a", as: "claude" });
    expect(await refusalOf(await write())).toEqual([403, "muted"]);
    expect(await owner.json(`/api/rooms/${room}/mutes`)).toEqual({ mutes: [{ sender: stranger.handle, until: null }] });
    await expectStatus(await owner.fetch(mute, { method: "DELETE" }), 204);
    await expectStatus(await write(), 201);
    expect(await owner.json(`/api/rooms/${room}/mutes`)).toEqual({ mutes: [] });
  });

  it("mutes a guest or an agent for a time", async () => {
    const { owner, room } = await ownerWithRoom();
    const until = new Date(Date.now() + 600_000).toISOString();
    for (const sender of ["~brisk-lynx-4f2a9c", "swift-otter/claude"]) {
      const path = `/api/rooms/${room}/mutes/${encodeURIComponent(sender)}`;
      expect(await (await owner.send("PUT", path, { until })).json()).toEqual({ sender, until });
    }
    const write = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    await expectStatus(write, 201);
  });

  it("are five hundred at most, of which those that have ended take no place", async () => {
    const { owner, room } = await ownerWithRoom();
    const settle = async (until: string | null) => {
      const mutes = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`a-${index}`, until]));
      const update = env.DB.prepare("UPDATE rooms SET settings = ?, revision = revision + 1 WHERE id = ?");
      await update.bind(JSON.stringify({ mutes }), room).run();
    };
    const mute = (sender: string) => owner.fetch(`/api/rooms/${room}/mutes/${sender}`, { method: "PUT" });
    await settle(null);
    await expectStatus(await mute("a-7"), 200);
    expect(await refusalOf(await mute("b-1"))).toEqual([409, "conflict"]);
    await settle(new Date(Date.now() - 1_000).toISOString());
    await expectStatus(await mute("b-1"), 200);
    expect(await owner.json(`/api/rooms/${room}/mutes`)).toEqual({ mutes: [{ sender: "b-1", until: null }] });
  });

  it.each([
    ["PUT", "A%20b", {}],
    ["PUT", "swift-otter", { until: "tomorrow" }],
    ["PUT", "swift-otter", { until: 7 }],
    ["PUT", "swift-otter", { until: "7" }],
    ["PUT", "swift-otter", { untill: null }],
    ["DELETE", "A%20b", undefined],
  ])("refuses %s %s %j", async (method, sender, body) => {
    const { owner, room } = quiet;
    const path = `/api/rooms/${room}/mutes/${sender}`;
    const response = body ? await owner.send(method, path, body) : await owner.fetch(path, { method });
    expect(await refusalOf(response)).toEqual([400, "invalid"]);
  });

  it("is the owner's alone", async () => {
    const { room } = quiet;
    for (const [method, path] of [
      ["GET", `/api/rooms/${room}/mutes`],
      ["PUT", `/api/rooms/${room}/mutes/a-b`],
      ["DELETE", `/api/rooms/${room}/mutes/a-b`],
    ] as const) {
      expect(await refusalOf(await stranger.fetch(path, { method }))).toEqual([403, "forbidden"]);
      expect(await refusalOf(await new Visitor().fetch(path, { method }))).toEqual([401, "unauthorized"]);
    }
  });
});

it("says that something is wrong, without a detail, when the directory can't be read", async () => {
  const response = await without("rooms", () => new Visitor().fetch("/api/rooms"));
  await expectStatus(response, 500);
  expect(await response.text()).not.toMatch(/D1|SQL|rooms/);
});
