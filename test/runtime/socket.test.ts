/** The frames and close codes of the socket: one test each. */

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sha256Hex } from "../../party/identity/sender.ts";
import { LIMITS, PROTOCOL_VERSION } from "../../party/protocol.ts";
import { eventsOf } from "../logged.ts";
import { evict, makeRoom, ownerWithRoom, refusalOf, stopTime, stubOf, Visitor } from "./visitor.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("welcome", () => {
  it("comes at once, with the room, its history and who is here", async () => {
    const { owner, room } = await ownerWithRoom({ name: "Den", topic: "Bears" });
    const line = await owner.enter(room);
    line.say("a");
    await line.messages(1);
    const welcome = await (await new Visitor().connect(room)).welcome();
    expect(welcome).toEqual({
      type: "welcome",
      protocol: PROTOCOL_VERSION,
      room: {
        id: room,
        name: "Den",
        topic: "Bears",
        access: "open",
        guests: "write",
        loopGuard: 30,
        agentsPaused: false,
      },
      epoch: expect.stringMatching(/^[\w-]{10}$/),
      head: 1,
      messages: [
        {
          seq: 1,
          id: "a",
          kind: "text",
          sender: owner.handle,
          content: "says a",
          createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        },
      ],
      presence: { people: [owner.handle], spectators: expect.any(Number) },
      drafts: [],
    });
  });

  it("comes at partysocket's own address as well", async () => {
    const { room } = await ownerWithRoom();
    const line = await new Visitor().connect(room, { path: `/parties/chat-room/${room}` });
    expect((await line.welcome()).room.id).toBe(room);
  });
});

describe("hello", () => {
  it("with a key makes a person of a spectator, and says so", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.connect(room);
    line.send({ type: "hello", key: owner.key as string });
    expect(await line.next("you")).toEqual({
      type: "you",
      sender: owner.handle,
      owner: true,
      role: "owner",
      quota: { limit: 60, remaining: 60, window: 60 },
    });
  });

  it("with a key and as makes an agent", async () => {
    const { room } = await ownerWithRoom();
    const other = await Visitor.withKey();
    const line = await other.connect(room);
    line.send({ type: "hello", key: other.key as string, as: "claude" });
    expect(await line.next("you")).toMatchObject({ sender: `${other.handle}/claude`, owner: false });
  });

  it("with a guest's secret gives the same handle each time, in every room", async () => {
    const { owner, room } = await ownerWithRoom();
    const another = await makeRoom(owner);
    const senders: string[] = [];
    for (const id of [room, room, another]) {
      const line = await new Visitor().connect(id);
      line.send({ type: "hello", guest: "the-same-secret-of-128-bits" });
      const you = await line.next("you");
      expect(you).toMatchObject({ owner: false, quota: { limit: 5 } });
      senders.push(you.sender);
    }
    expect(senders[0]).toMatch(/^~[a-z]+-[a-z]+-[0-9a-f]{6}$/);
    expect(new Set(senders).size).toBe(1);
  });

  it("comes with the upgrade where the client can, and needs no frame", async () => {
    const { owner, room } = await ownerWithRoom();
    const headers = { authorization: `Bearer ${owner.key}` };
    const line = await new Visitor().connect(room, { headers });
    expect(await line.next("you")).toMatchObject({ sender: owner.handle, owner: true });
    const agent = await new Visitor().connect(room, { headers, query: "?as=claude" });
    expect(await agent.next("you")).toMatchObject({ sender: `${owner.handle}/claude` });
  });

  it("may be said again: whoever it was has gone, and who it is now has come", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    await line.next("update", ({ presence }) => presence?.joined !== undefined);
    const watcher = await new Visitor().connect(room);
    await watcher.welcome();
    line.send({ type: "hello", key: owner.key as string, as: "claude" });
    expect(await line.next("you")).toMatchObject({ sender: `${owner.handle}/claude` });
    const change = await watcher.next("update", ({ presence }) => presence?.left !== undefined);
    expect(change.presence).toMatchObject({ joined: [`${owner.handle}/claude`], left: [owner.handle] });
  });

  it("with a key that does not exist is refused, and closed with 4401", async () => {
    const { room } = await ownerWithRoom();
    const line = await new Visitor().connect(room);
    line.send({ type: "hello", key: `mai_${"x".repeat(24)}` });
    expect(await line.next("error")).toMatchObject({ code: "unauthorized" });
    expect(await line.closeCode()).toBe(4401);
  });

  it("with a key on the upgrade that does not exist or is none is told so over the socket, and closed with 4401", async () => {
    const { room } = await ownerWithRoom();
    for (const authorization of [`Bearer mai_${"x".repeat(24)}`, "Bearer nonsense", "Basic abc"]) {
      const line = await new Visitor().connect(room, { headers: { authorization } });
      expect(await line.next("error")).toMatchObject({ code: "unauthorized" });
      expect(await line.closeCode()).toBe(4401);
    }
  });

  it("with a name for an agent that can't be one is refused, and the socket stays", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.connect(room);
    line.send({ type: "hello", key: owner.key as string, as: "System" });
    expect(await line.next("error")).toMatchObject({ code: "invalid" });
    line.send({ type: "hello", key: owner.key as string });
    expect(await line.next("you")).toMatchObject({ sender: owner.handle });
  });

  it("is worked through before what the same client sends after it, without waiting for an answer", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.connect(room);
    line.send({ type: "hello", key: owner.key as string });
    line.say("a");
    line.say("b");
    expect((await line.messages(2)).map(({ id, sender }) => [id, sender])).toEqual([
      ["a", owner.handle],
      ["b", owner.handle],
    ]);
  });
});

describe("send", () => {
  it("is acknowledged by the message itself, which everybody gets", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const watcher = await new Visitor().connect(room);
    line.say("a", "  Hello \u0007\r\nthere ");
    const [message] = await line.messages(1);
    expect(message).toMatchObject({ seq: 1, id: "a", kind: "text", sender: owner.handle, content: "Hello \nthere" });
    expect(await watcher.messages(1)).toEqual([message]);
  });

  it("again with the same id is answered with ack, to the one who asked alone", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const watcher = await (await Visitor.withKey()).enter(room);
    line.say("a");
    await line.messages(1);
    line.say("a");
    expect(await line.next("ack")).toEqual({ type: "ack", id: "a", seq: 1 });
    line.say("b");
    expect((await watcher.messages(2)).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("again and again is answered so often, and then told to slow down: it costs no quota (promise 9)", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("a");
    await line.messages(1);
    // With time more are allowed. The room reads its clock anew when it wakes.
    stopTime();
    await evict(stubOf(room));
    for (let tried = 0; tried < 1_001; tried++) line.say("a");
    const refused = await line.next("error");
    expect([refused, line.passed.filter(({ type }) => type === "ack").length]).toMatchObject([
      { code: "rate_limited", id: "a" },
      1_000,
    ]);
  });

  it("again with the same id and another content is a conflict", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("a");
    line.say("a", "something else");
    expect(await line.next("error")).toMatchObject({ code: "conflict", id: "a" });
  });

  it("may answer a message that there is, and no other", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("a");
    await line.messages(1);
    line.say("b", "an answer", 2);
    expect(await line.next("error")).toMatchObject({ code: "invalid", id: "b" });
    line.say("c", "an answer", 1);
    expect((await line.messages(1))[0]).toMatchObject({ id: "c", replyTo: 1 });
  });

  it("from a spectator is refused with its id, and the socket stays", async () => {
    const { room } = await ownerWithRoom();
    const line = await new Visitor().connect(room);
    line.say("a");
    expect(await line.next("error")).toEqual({
      type: "error",
      code: "unauthorized",
      message: expect.any(String),
      about: "send",
      id: "a",
    });
    line.send("ping");
    expect(await line.nextText()).toBe("pong");
  });

  it("over quota is told when to come again, and what was accepted stays", async () => {
    const { room } = await ownerWithRoom();
    const line = await new Visitor().enter(room);
    for (const id of ["a", "b", "c", "d", "e", "f"]) line.say(id);
    const refusal = await line.next("error");
    expect(refusal).toMatchObject({ code: "rate_limited", id: "f" });
    expect(refusal.retryAfter).toSatisfy((seconds: number) => seconds > 0 && seconds <= 60);
    line.say("a");
    expect(await line.next("ack")).toMatchObject({ id: "a", seq: 1 });
  });

  it("that is too long is refused, and the longest is not", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("a", "ä".repeat(LIMITS.contentBytes / 2 + 1));
    expect(await line.next("error")).toMatchObject({ code: "too_large", id: "a" });
    line.say("b", "ä".repeat(LIMITS.contentBytes / 2));
    expect((await line.messages(1))[0]?.content).toHaveLength(LIMITS.contentBytes / 2);
  });
});

describe("delete", () => {
  it("by the author empties the message, and everybody is told in the log's order", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const watcher = await new Visitor().connect(room);
    line.say("a", "secret");
    await line.messages(1);
    line.send({ type: "delete", seq: 1 });
    expect((await watcher.messages(2))[1]).toMatchObject({ seq: 2, kind: "deletion", target: 1, sender: owner.handle });
    const late = await (await new Visitor().connect(room)).welcome();
    expect(late.messages).toMatchObject([{ seq: 1, content: "", deleted: true }, { seq: 2 }]);
  });

  it("again is answered with the first one's seq", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.say("a");
    await line.messages(1);
    line.send({ type: "delete", seq: 1 });
    line.send({ type: "delete", seq: 1 });
    expect(await line.next("ack")).toMatchObject({ seq: 2 });
  });

  it("by the owner takes anybody's message, and by others nobody's", async () => {
    const { owner, room } = await ownerWithRoom();
    const guest = await new Visitor().enter(room);
    const line = await owner.enter(room);
    line.say("a");
    await line.messages(1);
    guest.send({ type: "delete", seq: 1 });
    expect(await guest.next("error")).toMatchObject({ code: "forbidden" });
    guest.say("b");
    await line.messages(1);
    line.send({ type: "delete", seq: 2 });
    expect((await line.messages(1))[0]).toMatchObject({ seq: 3, target: 2 });
  });

  it("of what is not there, or is a deletion, is not found", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    line.send({ type: "delete", seq: 1 });
    expect(await line.next("error")).toMatchObject({ code: "not_found" });
    line.say("a");
    await line.messages(1);
    line.send({ type: "delete", seq: 1 });
    await line.messages(1);
    line.send({ type: "delete", seq: 2 });
    expect(await line.next("error")).toMatchObject({ code: "not_found" });
  });
});

describe("ping", () => {
  it("is answered pong", async () => {
    const { room } = await ownerWithRoom();
    const line = await new Visitor().connect(room);
    line.send("ping");
    expect(await line.nextText()).toBe("pong");
  });
});

describe("bad frames", () => {
  it("are told so, each, and the socket stays", async () => {
    const { room } = await ownerWithRoom();
    const line = await new Visitor().connect(room);
    for (const frame of ["{", "[]", '{"type":"shout"}', "null"]) {
      line.send(frame);
      expect(await line.next("error")).toMatchObject({ code: "invalid" });
    }
    line.send(new ArrayBuffer(3));
    expect(await line.next("error")).toMatchObject({ code: "invalid" });
    line.send("ping");
    expect(await line.nextText()).toBe("pong");
  });

  it("that are too many are closed with 4400, and nobody else notices", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const bad = await new Visitor().connect(room);
    for (let sent = 0; sent < 150; sent++) bad.send("{");
    expect(await bad.closeCode()).toBe(4400);
    line.say("a");
    expect(await line.messages(1)).toHaveLength(1);
  });

  it("that are too large are closed with 1009, the largest is not", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const longest = JSON.stringify({ type: "send", id: "a", content: "b" });
    line.send(longest.padEnd(LIMITS.frameBytes, " "));
    expect(await line.messages(1)).toHaveLength(1);
    const ofBytes = await owner.enter(room);
    line.send(longest.padEnd(LIMITS.frameBytes + 1, " "));
    ofBytes.send(new ArrayBuffer(LIMITS.frameBytes + 1));
    for (const each of [line, ofBytes]) {
      expect(await each.next("error")).toMatchObject({ code: "too_large" });
      expect(await each.closeCode()).toBe(1009);
    }
  });
});

describe("an address that is no room's", () => {
  it.each([
    "/api/rooms/no-such-room/ws",
    "/parties/chat-room/no-such-room",
    "/api/rooms/lo%62by/ws",
    "/api/rooms/A/ws",
  ])("%s is told so over the socket, and closed with 4404", async (path) => {
    const line = await new Visitor().connect("", { path });
    expect(await line.next("error")).toMatchObject({ code: "not_found" });
    expect(await line.closeCode()).toBe(4404);
  });

  it.each(["?after=x", "?after=-1", "?as=System"])("with the query %s is closed with 4400", async (query) => {
    const { owner, room } = await ownerWithRoom();
    const headers = { authorization: `Bearer ${owner.key}` };
    const line = await new Visitor().connect(room, { query, headers });
    expect(await line.next("error")).toMatchObject({ code: "invalid" });
    expect(await line.closeCode()).toBe(4400);
  });

  it("without an upgrade is refused over HTTP", async () => {
    const { owner, room } = await ownerWithRoom();
    expect(await refusalOf(await owner.fetch(`/api/rooms/${room}/ws`))).toEqual([400, "invalid"]);
  });
});

describe("the end", () => {
  it("of a room is 4410", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    expect((await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" })).status).toBe(204);
    expect(await line.closeCode()).toBe(4410);
  });

  it("of a key is 4401, in every room where it has spoken, and for its agents", async () => {
    const { owner, room } = await ownerWithRoom();
    const another = await makeRoom(owner);
    const lines = [await owner.enter(room), await owner.enter(room, "claude"), await owner.enter(another)];
    const other = await (await Visitor.withKey()).enter(room);
    expect((await owner.fetch("/api/keys/me", { method: "DELETE" })).status).toBe(204);
    for (const line of lines) expect(await line.closeCode()).toBe(4401);
    other.say("a");
    expect(await other.messages(1)).toHaveLength(1);
  });
});

describe("the end of one key of a person", () => {
  it("leaves what was opened with another", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const { id } = await owner.json<{ id: string }>("/api/keys/me");
    await stubOf(room).expel(`person:${id}`, "0".repeat(64));
    line.say("a");
    expect(await line.messages(1)).toMatchObject([{ id: "a" }]);
    await stubOf(room).expel(`person:${id}`, await sha256Hex(owner.key as string));
    expect(await line.closeCode()).toBe(4401);
  });
});

describe("connections from one address", () => {
  it("are as many as the limit, and one more is told to try later and closed with 1013", async () => {
    const { room } = await ownerWithRoom();
    const visitor = new Visitor();
    const limit = Number(env.SOCKETS_PER_ADDRESS);
    const lines = await Promise.all(Array.from({ length: limit }, () => visitor.connect(room)));
    await Promise.all(lines.map((line) => line.welcome()));
    const refused = await visitor.connect(room);
    expect(await refused.next("error")).toMatchObject({ code: "rate_limited", retryAfter: 60 });
    expect(await refused.closeCode()).toBe(1013);
    await (await new Visitor().connect(room)).welcome();
    for (const line of lines) line.close();
  });
});

describe("an address of a socket that is asked for without an upgrade", () => {
  it("says so, and whether a proxy has taken the upgrade away", async () => {
    const log = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const visitor = new Visitor();
    const plain = await visitor.fetch("/api/rooms/lobby/ws");
    expect(await plain.clone().text()).toContain("upgrade, or read it over /events");
    expect(await refusalOf(plain)).toEqual([400, "invalid"]);
    const ask = () => visitor.fetch("/api/rooms/lobby/ws", { headers: { "sec-websocket-key": "bWVldC1haQ==" } });
    expect(await (await ask()).text()).toContain("has removed the Upgrade header");
    await ask();
    expect(eventsOf(log)).toEqual(["proxy.removes_upgrade"]);
    log.mockRestore();
  });
});
