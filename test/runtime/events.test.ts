/** `/api/rooms/:id/events`: the socket's frames as Server-Sent Events. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FLOW, LIMITS, type ServerFrame } from "../../party/protocol.ts";
import { evict, ownerWithRoom, refusalOf, stubOf, Visitor } from "./visitor.ts";

interface SentEvent {
  event: string;
  id: string;
  data: ServerFrame;
}

/** Reads a stream of events as a browser does: field by field, an event at each blank line. */
class EventReader {
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    this.response = response;
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  /** The next event that is one. */
  async next(event: string): Promise<SentEvent> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) {
        const { value, done } = await this.#reader.read();
        if (done) throw new Error(`The stream ended before ${event}.`);
        this.#text += this.#decoder.decode(value, { stream: true });
        continue;
      }
      const fields = this.#text
        .slice(0, end)
        .split("\n")
        .map((line) => line.split(/: ?(.*)/s) as [string, string]);
      this.#text = this.#text.slice(end + 2);
      const { event: name, id = "", data } = Object.fromEntries(fields);
      if (name === event && data !== undefined) return { event, id, data: JSON.parse(data) as ServerFrame };
    }
  }

  async end(): Promise<void> {
    await this.#reader.cancel();
  }
}

async function listen(room: string, options: { query?: string; lastEventId?: string } = {}): Promise<EventReader> {
  const headers = options.lastEventId === undefined ? {} : { "last-event-id": options.lastEventId };
  return new EventReader(await new Visitor().fetch(`/api/rooms/${room}/events${options.query ?? ""}`, { headers }));
}

it("are the frames of the socket, each with the cursor to go on from", async () => {
  const { owner, room } = await ownerWithRoom();
  const line = await owner.enter(room);
  line.say("a");
  await line.messages(1);
  const events = await listen(room);
  expect(events.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(events.response.headers.get("cache-control")).toBe("no-store");
  expect(events.response.headers.get("access-control-allow-origin")).toBe("*");
  const welcome = await events.next("welcome");
  expect(welcome.data).toMatchObject({ type: "welcome", head: 1, messages: [{ id: "a" }] });
  const { epoch } = welcome.data as { epoch: string };
  expect(welcome.id).toBe(`${epoch}.1`);
  line.say("b");
  let update = await events.next("update");
  while (!("messages" in update.data)) update = await events.next("update");
  expect(update).toMatchObject({ id: `${epoch}.2`, data: { type: "update", messages: [{ seq: 2, id: "b" }] } });
  await events.end();
});

it("go on exactly after Last-Event-ID", async () => {
  const { owner, room } = await ownerWithRoom();
  const line = await owner.enter(room);
  for (const id of ["a", "b", "c"]) line.say(id);
  await line.messages(3);
  const first = await listen(room);
  const { id } = await first.next("welcome");
  await first.end();
  const lastEventId = id.replace(/3$/, "1");
  const { data } = await (await listen(room, { lastEventId })).next("welcome");
  expect(data).toMatchObject({ messages: [{ seq: 2 }, { seq: 3 }] });
  expect(data).not.toHaveProperty("reset");
});

it("start over visibly when Last-Event-ID is of another history", async () => {
  const { owner, room } = await ownerWithRoom();
  await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
  const { data } = await (await listen(room, { lastEventId: "another.1" })).next("welcome");
  expect(data).toMatchObject({ reset: true, messages: [{ seq: 1 }] });
});

it("go on from the query as the socket does, and ignore a Last-Event-ID that is none", async () => {
  const { owner, room } = await ownerWithRoom();
  for (const content of ["a", "b"]) await owner.send("POST", `/api/rooms/${room}/messages`, { content });
  const { data } = await (await listen(room, { query: "?after=1", lastEventId: "not one of ours" })).next("welcome");
  expect(data).toMatchObject({ messages: [{ seq: 2 }] });
});

it("say that the room was deleted, and end, with their heartbeat", async () => {
  const { owner, room } = await ownerWithRoom();
  const [begun, ended] = [vi.spyOn(globalThis, "setInterval"), vi.spyOn(globalThis, "clearInterval")];
  const events = await listen(room);
  await events.next("welcome");
  await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" });
  expect((await events.next("close")).data).toMatchObject({ code: 4410 });
  await expect(events.next("more")).rejects.toThrow("ended");
  const heartbeats = begun.mock.results.map(({ value }) => value as unknown);
  expect(heartbeats).toHaveLength(1);
  expect(ended.mock.calls.map(([timer]) => timer)).toContain(heartbeats[0]);
  vi.restoreAllMocks();
});

it("open no socket for HEAD, which has no end that would close it", async () => {
  const { room } = await ownerWithRoom();
  const response = await new Visitor().fetch(`/api/rooms/${room}/events`, { method: "HEAD" });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
  const sockets = await runInDurableObject(stubOf(room), (_, state) => state.getWebSockets().length);
  expect(sockets).toBe(0);
});

it("say how it ended also to a client that has not read the room's last question yet", async () => {
  const { owner, room } = await ownerWithRoom();
  const line = await owner.enter(room);
  const events = await listen(room);
  // More than half of the first window, so that the room asks whether it was read.
  for (const id of ["a", "b"]) line.say(id, "x".repeat(LIMITS.contentBytes - 100));
  await line.messages(2);
  await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" });
  await expect.poll(async () => (await stubOf(room).look(undefined)) as object).toHaveProperty("fault");
  expect((await events.next("close")).data).toMatchObject({ code: 4410 });
  await expect(events.next("more")).rejects.toThrow("The stream ended");
});

describe("whoever listens", () => {
  it("watches, until they go", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const events = await listen(room);
    await events.next("welcome");
    await line.next("update", ({ presence }) => presence?.spectators === 1);
    await events.end();
    // Nothing tells the Worker that its reader has gone before it writes to it again.
    line.say("a");
    line.say("b");
    await line.next("update", ({ presence }) => presence?.spectators === 0);
  });
});

describe("whoever opens them and does not read", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is ended where it is when it has not read for too long, and no socket is left behind", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const { body } = await new Visitor().fetch(`/api/rooms/${room}/events`);
    await line.next("update", ({ presence }) => presence?.spectators === 1);
    for (let count = 0; count < 8; count++) line.say(`m${count}`, "x".repeat(LIMITS.contentBytes));
    await line.messages(8);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + FLOW.answerWithin });
    // The room reads its clock anew when it wakes.
    await evict(stubOf(room));
    await runDurableObjectAlarm(stubOf(room));
    await line.next("update", ({ presence }) => presence?.spectators === 0);
    const read = async () => {
      for await (const _ of body as ReadableStream<Uint8Array>);
    };
    await expect(read()).rejects.toThrow();
    const sockets = () => runInDurableObject(stubOf(room), (_, state) => state.getWebSockets().length);
    await expect.poll(sockets).toBe(1);
  });
});

it("are not found where there is no room, and refuse a cursor that is none", async () => {
  expect(await refusalOf(await new Visitor().fetch("/api/rooms/no-such/events"))).toEqual([404, "not_found"]);
  const { room } = await ownerWithRoom();
  expect(await refusalOf(await new Visitor().fetch(`/api/rooms/${room}/events?after=x`))).toEqual([400, "invalid"]);
});
