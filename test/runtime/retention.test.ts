/** Messages that go because of their age, as clients see it, and rooms that end because nothing is said in them. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findRoom } from "../../api/directory.ts";
import app from "../../api/index.ts";
import { tellRooms } from "../../api/retention.ts";
import type { Page } from "../../party/room-rpc.ts";
import {
  archive,
  archived,
  evict,
  kept,
  makeRoom,
  ownerWithRoom,
  refusalOf,
  stubOf,
  Visitor,
  without,
} from "./visitor.ts";

const { OPERATOR_SECRET } = env as unknown as { OPERATOR_SECRET: string };
const DAY = 86_400_000;
const BEGIN = Date.now();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: BEGIN });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const later = (days: number) => vi.setSystemTime(Date.now() + days * DAY);

async function say(owner: Visitor, room: string, ...contents: string[]): Promise<void> {
  for (const content of contents) {
    const response = await owner.send("POST", `/api/rooms/${room}/messages`, { content });
    if (response.status !== 201) throw new Error(await response.text());
  }
}

/** A room that keeps messages for a week, with two old messages and two young ones. */
async function weekOld(settings: Record<string, unknown> = { keepDays: 7 }) {
  const { owner, room } = await ownerWithRoom(settings);
  await say(owner, room, "old words 1", "old words 2");
  await archive(room);
  later(5);
  await say(owner, room, "young words 3", "young words 4");
  await archive(room);
  const { epoch } = await owner.json<Page>(`/api/rooms/${room}/messages`);
  later(3);
  return { owner, room, epoch };
}

/** Every text that the room's own storage and D1 have of the room. */
async function stored(room: string): Promise<string[]> {
  const here = await kept(room);
  return [...here, ...(await archived(room)).map(({ content }) => content)].sort();
}

const alarmOf = (room: string) => runInDurableObject(stubOf(room), (_, { storage }) => storage.getAlarm());

/** Lets the room do what it does by itself, and then bring that to D1. */
async function ring(room: string): Promise<void> {
  await evict(stubOf(room));
  await runDurableObjectAlarm(stubOf(room));
  await archive(room);
}

const YOUNG = ["young words 3", "young words 3", "young words 4", "young words 4"];

describe("old messages", () => {
  it("are in no page, text, event, poll, socket or export from the moment on at which they are too old", async () => {
    const { owner, room, epoch } = await weekOld();
    const api = `/api/rooms/${room}`;
    const visitor = new Visitor();
    const line = await visitor.connect(room);
    const welcome = await line.welcome();
    expect(welcome.messages.map(({ seq }) => seq)).toEqual([3, 4]);
    const pages = [
      "",
      "?before=5",
      "?before=3",
      "?after=0",
      `?after=1&epoch=${epoch}`,
      `?after=0&epoch=${epoch}&wait=1`,
    ];
    const texts = await Promise.all([
      ...pages.map(async (query) => (await visitor.fetch(`${api}/messages${query}`)).text()),
      (await visitor.fetch(`/r/${room}?format=md`)).text(),
      (await owner.fetch(`${api}/export`)).text(),
      (await owner.fetch(`${api}/export?format=md`)).text(),
    ]);
    for (const text of texts) expect(text).not.toContain("old words");
    expect(texts.at(-2)).toContain('"first":3');
    expect(texts.at(-2)).toContain("young words 3");
    expect(await stored(room)).toHaveLength(8);
  });

  it("answer a cursor before them with reset, on every transport, and a later one without", async () => {
    const { owner, room, epoch } = await weekOld();
    const page = (after: number) => owner.json<Page>(`/api/rooms/${room}/messages?after=${after}&epoch=${epoch}`);
    expect(await page(1)).toMatchObject({ reset: true, head: 4, epoch });
    expect((await page(2)).reset).toBeUndefined();
    expect((await page(2)).messages).toHaveLength(2);
    const welcomeOf = async (after: number) => {
      const line = await new Visitor().connect(room, { query: `?after=${after}&epoch=${epoch}` });
      return line.welcome();
    };
    expect((await welcomeOf(1)).reset).toBe(true);
    expect((await welcomeOf(2)).reset).toBeUndefined();
    expect((await welcomeOf(2)).messages.map(({ seq }) => seq)).toEqual([3, 4]);
  });

  it("are not shown again out of what was told to an earlier visitor", async () => {
    const { owner, room } = await ownerWithRoom({ keepDays: 7 });
    await say(owner, room, "old words 1");
    later(5);
    await say(owner, room, "young words 2");
    const toldNow = async () => (await (await new Visitor().connect(room)).welcome()).messages.map(({ seq }) => seq);
    expect(await toldNow()).toEqual([1, 2]);
    later(3);
    expect(await toldNow()).toEqual([2]);
    later(5);
    expect(await toldNow()).toEqual([]);
  });

  it("can't be deleted, and their ids are free", async () => {
    const { owner, room } = await weekOld();
    expect((await owner.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE" })).status).toBe(404);
    await say(owner, room, "young words 5");
    expect((await owner.json<Page>(`/api/rooms/${room}/messages`)).messages.at(-1)).toMatchObject({ seq: 5 });
  });

  it("are removed from the room and from D1 by a room that nobody wakes", async () => {
    const { room } = await weekOld();
    expect(await alarmOf(room)).toBeLessThanOrEqual(BEGIN + 7 * DAY + 60_000);
    await ring(room);
    expect(await stored(room)).toEqual(YOUNG);
    expect((await findRoom(env.DB, room))?.firstSeq).toBe(3);
    // The next one comes when there is something to do again, and not every day.
    expect(await alarmOf(room)).toBe(BEGIN + 12 * DAY);
  });

  it("are gone in the room while D1 is away, and in D1 after that", async () => {
    const { room } = await weekOld();
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await without("packs", () => ring(room));
    expect(await stored(room)).toEqual(["old words 1", "old words 2", ...YOUNG].sort());
    expect(await alarmOf(room)).toBeLessThanOrEqual(Date.now() + 120_000);
    later(0.1);
    await ring(room);
    expect(await stored(room)).toEqual(YOUNG);
  });

  it("stay gone when the room has lost its own storage, and when it keeps messages for longer again", async () => {
    const { owner, room } = await weekOld();
    expect((await owner.send("PATCH", `/api/rooms/${room}`, { keepDays: null })).status).toBe(200);
    const seqsOf = async (query: string) => {
      const { messages } = await owner.json<Page>(`/api/rooms/${room}/messages${query}`);
      return messages.map(({ seq }) => seq);
    };
    expect(await seqsOf("")).toEqual([3, 4]);
    expect(await seqsOf("?before=5")).toEqual([3, 4]);
    await runInDurableObject(stubOf(room), (_, { storage }) => storage.deleteAll());
    await evict(stubOf(room));
    expect(await seqsOf("")).toEqual([3, 4]);
    await ring(room);
    expect(await stored(room)).toEqual(YOUNG);
  });

  it("take no seq with them, whatever of the room is lost", async () => {
    const { owner, room } = await weekOld();
    later(30);
    await ring(room);
    expect(await stored(room)).toEqual([]);
    // Nothing is left that could be told with it, and yet it does not wait.
    const poll = await owner.json<Page>(`/api/rooms/${room}/messages?after=2&wait=25`);
    expect(poll).toMatchObject({ messages: [], head: 4, reset: true });
    expect(await (await new Visitor().connect(room)).welcome()).toMatchObject({ messages: [], head: 4 });
    await runInDurableObject(stubOf(room), (_, { storage }) => storage.deleteAll());
    await evict(stubOf(room));
    await say(owner, room, "words 5");
    expect((await owner.json<Page>(`/api/rooms/${room}/messages`)).messages).toMatchObject([{ seq: 5 }]);
  });
});

describe("what an owner may choose", () => {
  it("is told in every answer, and is kept", async () => {
    const { owner, room } = await ownerWithRoom();
    const of = (body: object) => body as { keepDays: unknown; keepDaysLimit: unknown; endAfterDays: unknown };
    const before = of(await owner.json(`/api/rooms/${room}`));
    expect([before.keepDays, before.keepDaysLimit, before.endAfterDays]).toEqual([null, null, null]);
    const change = { keepDays: 30, endAfterDays: 90 };
    expect(await (await owner.send("PATCH", `/api/rooms/${room}`, change)).json()).toMatchObject(change);
    expect(await owner.json(`/api/rooms/${room}`)).toMatchObject(change);
    const made = await owner.send("POST", "/api/rooms", { name: "Short", ...change });
    expect(await made.json()).toMatchObject(change);
    for (const field of ["keepDays", "endAfterDays"]) {
      for (const wrong of [0, -1, 1.5, "7", 36_501, true]) {
        const refused = await owner.send("PATCH", `/api/rooms/${room}`, { [field]: wrong });
        expect(await refusalOf(refused)).toEqual([400, "invalid"]);
      }
    }
  });

  it("is at most what the deployment keeps", async () => {
    const { owner, room } = await ownerWithRoom();
    const bindings = { ...env, KEEP_DAYS: "30" } as unknown as Env;
    const patch = (body: object) =>
      app.request(
        `/api/rooms/${room}`,
        {
          method: "PATCH",
          headers: { authorization: `Bearer ${owner.key}`, "content-type": "application/json" },
          body: JSON.stringify(body),
        },
        bindings,
      );
    const refused = await patch({ keepDays: 31 });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("at most 30");
    expect(await (await patch({ keepDays: 30 })).json()).toMatchObject({ keepDays: 30, keepDaysLimit: 30 });
  });

  it("does not end the lobby", async () => {
    const headers = { authorization: `Operator ${OPERATOR_SECRET}` };
    const refused = await new Visitor().send("PATCH", "/api/rooms/lobby", { endAfterDays: 7 }, headers);
    expect(await refusalOf(refused)).toEqual([400, "invalid"]);
  });
});

describe("a silent room", () => {
  it("ends as if its owner had deleted it, with nobody to wake it", async () => {
    const { owner, room } = await ownerWithRoom({ endAfterDays: 7 });
    await say(owner, room, "last words");
    await archive(room);
    later(6.9);
    await ring(room);
    expect((await owner.fetch(`/api/rooms/${room}`)).status).toBe(200);
    const line = await new Visitor().connect(room);
    await line.welcome();
    later(0.2);
    await runDurableObjectAlarm(stubOf(room));
    expect(await line.closeCode()).toBe(4410);
    expect((await owner.fetch(`/api/rooms/${room}`)).status).toBe(404);
    expect(await stored(room)).toEqual([]);
    expect(await alarmOf(room)).toBeNull();
  });

  it("does not end for the silence of before its owner has asked for it, nor after a word", async () => {
    const { owner, room } = await ownerWithRoom();
    await say(owner, room, "words");
    await archive(room);
    later(100);
    await owner.send("PATCH", `/api/rooms/${room}`, { endAfterDays: 7 });
    await ring(room);
    expect((await owner.fetch(`/api/rooms/${room}`)).status).toBe(200);
    later(6);
    // Saved again as it is, it counts on; and a word counts.
    await owner.send("PATCH", `/api/rooms/${room}`, { endAfterDays: 7 });
    await say(owner, room, "more words");
    later(6);
    await ring(room);
    expect((await owner.fetch(`/api/rooms/${room}`)).status).toBe(200);
    later(2);
    await ring(room);
    expect((await owner.fetch(`/api/rooms/${room}`)).status).toBe(404);
  });

  it("in which nothing was ever said ends, too", async () => {
    const owner = await Visitor.withKey();
    const made = await owner.send("POST", "/api/rooms", { name: "Short", endAfterDays: 1 });
    const { id } = await made.json<{ id: string }>();
    later(2);
    await ring(id);
    expect((await owner.fetch(`/api/rooms/${id}`)).status).toBe(404);
  });

  it("goes on once D1 can be asked, and where its owner has changed their mind meanwhile", async () => {
    const { owner, room } = await ownerWithRoom({ endAfterDays: 7 });
    await say(owner, room, "words");
    await archive(room);
    later(8);
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await without("rooms", () => ring(room));
    const path = `/api/rooms/${room}/messages`;
    expect(await refusalOf(await owner.send("POST", path, { content: "lost?" }))).toEqual([503, "unavailable"]);
    later(2 / (24 * 60));
    await ring(room);
    await say(owner, room, "more words");
    expect((await owner.fetch(`/api/rooms/${room}`)).status).toBe(200);
    later(8);
    await env.DB.prepare("UPDATE rooms SET settings = '{}', revision = revision + 1 WHERE id = ?").bind(room).run();
    await ring(room);
    expect((await owner.fetch(`/api/rooms/${room}`)).status).toBe(200);
    await say(owner, room, "and more");
  });
});

describe("a room that nobody visits", () => {
  it("is told of the deployment's number, once, and of its row where it was not", async () => {
    const { owner, room } = await ownerWithRoom();
    await say(owner, room, "words");
    await archive(room);
    const silent = await makeRoom(owner);
    const told: string[] = [];
    const bindings = {
      ...env,
      KEEP_DAYS: "30",
      CHAT_ROOM: { getByName: (id: string) => ({ lookAgain: async () => void told.push(id) }) },
    } as unknown as Env;
    await tellRooms(bindings);
    expect(told).toContain(room);
    // Nothing was said there: it looks when something is.
    expect(told).not.toContain(silent);
    expect((await findRoom(env.DB, silent))?.knownKeepDays).toBe(30);
    await env.DB.prepare("UPDATE rooms SET known_keep_days = 30 WHERE id = ?").bind(room).run();
    told.length = 0;
    await tellRooms(bindings);
    expect(told).not.toContain(room);
  });
});
