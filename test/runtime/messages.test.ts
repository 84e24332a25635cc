/** `/api/rooms/:id/messages`: reading pages, waiting, sending, deleting. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import app from "../../api/index.ts";
import type { Message } from "../../party/protocol.ts";
import {
  archive,
  archived,
  expectStatus,
  ORIGIN,
  ownerWithRoom,
  refusalOf,
  stopTime,
  stubOf,
  Visitor,
  without,
} from "./visitor.ts";

interface Page {
  messages: Message[];
  head: number;
  epoch: string;
  more: boolean;
  reset?: true;
}

/** A room in which its owner has said `m1` … `m<count>`. */
async function roomWith(count: number) {
  const { owner, room } = await ownerWithRoom();
  const line = await owner.enter(room);
  for (let index = 1; index <= count; index++) line.say(`m${index}`);
  if (count > 0) await line.messages(count);
  const read = (query: string) => new Visitor().json<Page>(`/api/rooms/${room}/messages${query}`);
  const send = (body: Record<string, unknown>) => owner.send("POST", `/api/rooms/${room}/messages`, body);
  return { owner, room, line, read, send };
}

/** Somebody with a room in which nothing is said. */
let quiet: { owner: Visitor; room: string };

beforeAll(async () => {
  quiet = await ownerWithRoom();
});

const ids = ({ messages }: Page): string[] => messages.map(({ id }) => id);

describe("GET", () => {
  it("gives the newest, oldest first, with the head and the epoch of the history", async () => {
    const { read, room } = await roomWith(5);
    const page = await read("?limit=3");
    expect(ids(page)).toEqual(["m3", "m4", "m5"]);
    const { epoch, head } = await (await new Visitor().connect(room)).welcome();
    expect(page).toMatchObject({ head, epoch, more: true });
    expect(await read("")).toMatchObject({ more: false });
  });

  it("gives an empty page of an empty room", async () => {
    const { read } = await roomWith(0);
    expect(await read("")).toEqual({ messages: [], head: 0, epoch: expect.any(String), more: false });
  });

  it("goes on after a cursor until there is no more, with nothing twice or missing", async () => {
    const { read } = await roomWith(7);
    const seen: string[] = [];
    let page = await read("?after=0&limit=3");
    for (;;) {
      seen.push(...ids(page));
      if (!page.more) break;
      page = await read(`?after=${page.messages.at(-1)?.seq}&epoch=${page.epoch}&limit=3`);
    }
    expect(seen).toEqual(["m1", "m2", "m3", "m4", "m5", "m6", "m7"]);
    expect(await read("?after=7")).toMatchObject({ messages: [], more: false });
  });

  it("goes back before a seq, the same from the room as from D1", async () => {
    const { read, room } = await roomWith(7);
    const fromRoom = [await read("?before=6&limit=3"), await read("?before=3&limit=3"), await read("?before=1")];
    expect(fromRoom.map(ids)).toEqual([["m3", "m4", "m5"], ["m1", "m2"], []]);
    expect(fromRoom.map(({ more }) => more)).toEqual([true, false, false]);
    await archive(room);
    expect([await read("?before=6&limit=3"), await read("?before=3&limit=3"), await read("?before=1")]).toEqual(
      fromRoom,
    );
  });

  it("goes back before a seq, whatever of it D1 has already", async () => {
    const { read, send, room } = await roomWith(3);
    await archive(room);
    await send({ id: "m4", content: "m4" });
    expect(ids(await read("?before=5&limit=3"))).toEqual(["m2", "m3", "m4"]);
    expect(ids(await read("?before=5&limit=1"))).toEqual(["m4"]);
    expect(ids(await read("?before=9&limit=2"))).toEqual(["m3", "m4"]);
  });

  it("starts over visibly when the cursor is of another history, or ahead of this one", async () => {
    const { read } = await roomWith(3);
    for (const query of ["?after=2&epoch=another", "?after=9"]) {
      expect(await read(query)).toMatchObject({ reset: true, head: 3, messages: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] });
    }
  });

  it("shows what its author wrote as soon as it is acknowledged (promise 5)", async () => {
    const { read, send } = await roomWith(0);
    for (let index = 1; index <= 5; index++) {
      const { seq } = await (await send({ content: `${index}` })).json<Message>();
      const [newest, after, before] = await Promise.all([
        read("?limit=1"),
        read(`?after=${seq - 1}`),
        read(`?before=${seq + 1}&limit=1`),
      ]);
      for (const page of [newest, after, before]) expect(page.messages.at(-1)?.seq).toBe(seq);
    }
  });

  it.each([
    "?limit=0",
    "?limit=201",
    "?limit=x",
    "?after=-1",
    "?after=1.5",
    "?before=0",
    "?before=x",
    "?before=3&after=1",
    "?wait=5",
    "?after=1&wait=51",
    "?after=1&wait=-1",
  ])("refuses %s", async (query) => {
    expect(await refusalOf(await new Visitor().fetch(`/api/rooms/lobby/messages${query}`))).toEqual([400, "invalid"]);
  });

  it("does not find a room that there is not", async () => {
    expect(await refusalOf(await new Visitor().fetch("/api/rooms/no-such/messages"))).toEqual([404, "not_found"]);
  });
});

describe("GET with wait", () => {
  it("answers as soon as something comes, with all that came", async () => {
    const { read, line } = await roomWith(2);
    const waiting = read("?after=2&wait=25");
    line.say("m3");
    const page = await waiting;
    expect(page).toMatchObject({ messages: [{ seq: 3, id: "m3" }], head: 3, more: false });
  });

  it("answers at once when there is something already", async () => {
    const { read } = await roomWith(2);
    expect(ids(await read("?after=1&wait=25"))).toEqual(["m2"]);
  });

  it("answers with an empty page and the same cursor when nothing comes", async () => {
    const { read } = await roomWith(2);
    const { epoch } = await read("");
    expect(await read(`?after=2&epoch=${epoch}&wait=1`)).toEqual({ messages: [], head: 2, epoch, more: false });
  });

  it("answers with nothing when the history is begun anew just then, so that asking again says so (promise 4)", async () => {
    const { room } = await roomWith(2);
    const real = env.CHAT_ROOM.getByName(room);
    // The room's object was another a moment ago.
    const earlier = { messages: [], head: 1, epoch: "earlier", more: false };
    const between = { page: async () => earlier, fetch: (url: string, init: RequestInit) => real.fetch(url, init) };
    const bindings = { ...env, CHAT_ROOM: { getByName: () => between } } as unknown as Env;
    const address = `${ORIGIN}/api/rooms/${room}/messages?after=1&epoch=earlier&wait=25`;
    const response = await app.fetch(new Request(address), bindings);
    expect(await response.json()).toEqual(earlier);
  });

  it("is nobody who watches", async () => {
    const { read, room, line, owner } = await roomWith(1);
    const waiting = read("?after=1&wait=25");
    const { presence } = await owner.json<{ presence: unknown }>(`/api/rooms/${room}`);
    expect(presence).toEqual({ people: [owner.handle], spectators: 0 });
    line.say("m2");
    await waiting;
  });

  it("ends with not_found when the room does", async () => {
    const { room, owner } = await roomWith(1);
    const waiting = new Visitor().fetch(`/api/rooms/${room}/messages?after=1&wait=25`);
    await new Visitor().json(`/api/rooms/${room}`);
    await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" });
    expect(await refusalOf(await waiting)).toEqual([404, "not_found"]);
  });
});

describe("a request that has waited", () => {
  const socketsOf = (room: string) => {
    return runInDurableObject(stubOf(room), (_, state) => state.getWebSockets().map(({ readyState }) => readyState));
  };

  it("for a message leaves no socket behind", async () => {
    const { read, line, room } = await roomWith(1);
    const waiting = read("?after=1&wait=50");
    await expect.poll(() => socketsOf(room)).toHaveLength(2);
    line.say("new");
    await waiting;
    await expect.poll(() => socketsOf(room)).toEqual([WebSocket.READY_STATE_OPEN]);
  });

  it("in vain leaves no socket behind", async () => {
    const { read, room } = await roomWith(1);
    await read("?after=1&wait=1");
    await expect.poll(() => socketsOf(room)).toEqual([WebSocket.READY_STATE_OPEN]);
  });
});

describe("POST", () => {
  it("gives the message with its place, to the sender and to everybody", async () => {
    const { owner, room, send } = await roomWith(1);
    const watcher = await new Visitor().connect(room);
    const response = await send({ id: "a", content: " Hello ", replyTo: 1 });
    await expectStatus(response, 201);
    const message = await response.json<Message>();
    expect(message).toEqual({
      seq: 2,
      id: "a",
      kind: "text",
      sender: owner.handle,
      content: "Hello",
      createdAt: expect.any(String),
      replyTo: 1,
    });
    expect(await watcher.messages(1)).toEqual([message]);
  });

  it("writes as an agent of the key's holder, and as nobody else (promise 10)", async () => {
    const { owner, send } = await roomWith(0);
    expect(await (await send({ content: "a", as: "claude" })).json()).toMatchObject({
      sender: `${owner.handle}/claude`,
    });
    for (const as of ["admin", "Claude", "a/b", "", 7]) {
      expect(await refusalOf(await send({ content: "a", as }))).toEqual([400, "invalid"]);
    }
  });

  it("again with the same id gives the first, 200, and costs nothing (promise 3)", async () => {
    const { read, send } = await roomWith(0);
    const first = await send({ id: "a", content: "Hello" });
    const again = await send({ id: "a", content: "Hello" });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(await again.json()).toEqual(await first.json());
    expect((await read("")).head).toBe(1);
    expect((await send({ content: "b" })).headers.get("ratelimit")).toBe('"messages";r=58;t=60');
  });

  it("again with the same id and another content is a conflict", async () => {
    const { send } = await roomWith(0);
    await send({ id: "a", content: "Hello" });
    expect(await refusalOf(await send({ id: "a", content: "Goodbye" }))).toEqual([409, "conflict"]);
  });

  it("tells of the quota, and when to come again when it is used up, over all rooms and transports", async () => {
    stopTime();
    const { send, line } = await roomWith(58);
    const last = [await send({ content: "59" }), await send({ content: "60" })];
    expect(last.map(({ status }) => status)).toEqual([201, 201]);
    expect(last.map(({ headers }) => headers.get("ratelimit-policy"))).toEqual(Array(2).fill('"messages";q=60;w=60'));
    const refused = await send({ content: "61" });
    expect(Number(refused.headers.get("retry-after"))).toSatisfy((seconds: number) => seconds > 0 && seconds <= 60);
    expect(refused.headers.get("ratelimit")).toMatch(/^"messages";r=0;t=\d+$/);
    expect(await refusalOf(refused)).toEqual([429, "rate_limited"]);
    line.say("socket");
    expect(await line.next("error")).toMatchObject({ code: "rate_limited" });
  });

  it.each([
    [{}, 400, "invalid"],
    [{ content: "" }, 400, "invalid"],
    [{ content: 7 }, 400, "invalid"],
    [{ content: "x".repeat(16_385) }, 413, "too_large"],
    [{ content: "a", id: "a b" }, 400, "invalid"],
    [{ content: "a", replyTo: 0 }, 400, "invalid"],
    [{ content: "a", replyTo: 5 }, 400, "invalid"],
    [{ content: "a", sender: "calm-heron" }, 400, "invalid"],
    [{ content: "a", seq: 9 }, 400, "invalid"],
  ])("refuses %.40j", async (body, status, code) => {
    const response = await quiet.owner.send("POST", `/api/rooms/${quiet.room}/messages`, body);
    expect(await refusalOf(response)).toEqual([status, code]);
  });

  it("stops agents that only answer each other, until a person speaks", async () => {
    const { owner, room, send } = await roomWith(0);
    await owner.send("PATCH", `/api/rooms/${room}`, { loopGuard: 2 });
    const watcher = await new Visitor().connect(room);
    for (const as of ["ping", "pong"]) await send({ content: "again", as });
    expect(await refusalOf(await send({ content: "again", as: "ping" }))).toEqual([409, "loop_guard"]);
    expect((await watcher.next("update", ({ room: told }) => told !== undefined)).room).toMatchObject({
      agentsPaused: true,
    });
    await send({ content: "Enough." });
    await expectStatus(await send({ content: "again", as: "ping" }), 201);
  });

  it("without a key is refused, and a room that is not there is not found", async () => {
    const { owner, room } = await roomWith(0);
    const nobody = await new Visitor().send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    expect(await refusalOf(nobody)).toEqual([401, "unauthorized"]);
    const nowhere = await owner.send("POST", "/api/rooms/no-such/messages", { content: "a" });
    expect(await refusalOf(nowhere)).toEqual([404, "not_found"]);
  });
});

describe("DELETE", () => {
  it("takes the content from every store and read path, D1 among them, and leaves the place", async () => {
    const { owner, room, read } = await roomWith(3);
    await archive(room);
    expect((await archived(room))[1]?.content).toBe("says m2");
    const response = await owner.fetch(`/api/rooms/${room}/messages/2`, { method: "DELETE" });
    expect([response.status, await response.text()]).toEqual([204, ""]);
    await archive(room);
    expect((await archived(room)).map(({ content }) => content)).toEqual(["says m1", "", "says m3", ""]);
    const gone = { seq: 2, content: "", deleted: true };
    expect((await read("?before=3&limit=1")).messages).toMatchObject([gone]);
    expect((await read("?after=1")).messages).toMatchObject([
      gone,
      { seq: 3 },
      { seq: 4, kind: "deletion", target: 2 },
    ]);
    const events = await new Visitor().fetch(`/api/rooms/${room}/events?after=0`);
    const chunk = new TextDecoder().decode((await events.body?.getReader().read())?.value);
    expect(chunk).not.toContain("says m2");
  });

  it("again is done already", async () => {
    const { owner, room, read } = await roomWith(1);
    for (let time = 0; time < 2; time++) {
      await expectStatus(await owner.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE" }), 204);
    }
    expect((await read("")).head).toBe(2);
  });

  it("as an agent takes that agent's, and as its person the agent's too", async () => {
    const { owner, room, send } = await roomWith(1);
    const stranger = await Visitor.withKey();
    const remove = (who: Visitor, seq: number, query = "") => {
      return who.fetch(`/api/rooms/${room}/messages/${seq}${query}`, { method: "DELETE" });
    };
    await stranger.send("POST", `/api/rooms/${room}/messages`, { content: "b", as: "claude" });
    await stranger.send("POST", `/api/rooms/${room}/messages`, { content: "c", as: "gemini" });
    expect(await refusalOf(await remove(stranger, 2, "?as=gemini"))).toEqual([403, "forbidden"]);
    await expectStatus(await remove(stranger, 2, "?as=claude"), 204);
    await expectStatus(await remove(stranger, 3), 204);
    expect(await refusalOf(await remove(stranger, 1))).toEqual([403, "forbidden"]);
    await expectStatus(await remove(owner, 1), 204);
    await expectStatus(await send({ content: "d" }), 201);
  });

  it("refuses what is not there, is no seq, or without a key", async () => {
    const { owner, room } = await roomWith(1);
    const remove = (who: Visitor, seq: string) => who.fetch(`/api/rooms/${room}/messages/${seq}`, { method: "DELETE" });
    expect(await refusalOf(await remove(owner, "9"))).toEqual([404, "not_found"]);
    expect(await refusalOf(await remove(owner, "0"))).toEqual([400, "invalid"]);
    expect(await refusalOf(await remove(owner, "one"))).toEqual([400, "invalid"]);
    expect(await refusalOf(await remove(new Visitor(), "1"))).toEqual([401, "unauthorized"]);
    const nowhere = await owner.fetch("/api/rooms/no-such/messages/1", { method: "DELETE" });
    expect(await refusalOf(nowhere)).toEqual([404, "not_found"]);
  });

  it("is done at once while D1 is away, and D1 follows", async () => {
    const { owner, room, read } = await roomWith(1);
    await archive(room);
    const response = await without("packs", () => {
      return owner.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE" });
    });
    await expectStatus(response, 204);
    expect((await read("")).messages[0]).toMatchObject({ seq: 1, deleted: true });
    await archive(room);
    expect((await archived(room))[0]?.content).toBe("");
  });
});
