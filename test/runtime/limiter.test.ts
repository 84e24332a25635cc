/** Quotas: exact, over rooms, transports, sleep and crash; and a key that is over is over everywhere. */

import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sha256Hex } from "../../party/identity/sender.ts";
import { makeRoom, ownerWithRoom, refusalOf, stubOf, Visitor } from "./visitor.ts";

afterEach(() => {
  vi.useRealTimers();
});

const limiterOf = async (visitor: Visitor) => env.LIMITER.getByName(`key:${await sha256Hex(visitor.key as string)}`);
const statuses = (responses: Response[]): number[] => responses.map(({ status }) => status);

describe("a key's messages", () => {
  it("are sixty a minute, over all rooms and transports together, however they come at once", async () => {
    const { owner, room } = await ownerWithRoom();
    const rooms = [room, await makeRoom(owner), await makeRoom(owner)];
    const lines = await Promise.all(rooms.map((id) => owner.enter(id)));
    for (const line of lines) for (let index = 0; index < 15; index++) line.say(`s${index}`);
    const posts = Array.from({ length: 45 }, (_, index) => {
      return owner.send("POST", `/api/rooms/${rooms[index % 3]}/messages`, { content: "posted" });
    });
    for (const status of statuses(await Promise.all(posts))) expect([201, 429]).toContain(status);
    const heads = await Promise.all(
      rooms.map(async (id) => (await new Visitor().json<{ head: number }>(`/api/rooms/${id}/messages`)).head),
    );
    expect(heads.reduce((sum, head) => sum + head, 0)).toBe(60);
  });

  it("are sixty in any minute: room comes back one by one, when each leaves the window", async () => {
    const { owner, room } = await ownerWithRoom();
    const limiter = await limiterOf(owner);
    await owner.fetch("/api/keys/me");
    const noon = Math.ceil(Date.now() / 1_000) * 1_000;
    vi.useFakeTimers({ toFake: ["Date"], now: noon });
    const admit = async (count: number) => {
      const admission = await limiter.admit(count);
      return "granted" in admission ? [admission.granted, admission.retryAfter] : admission;
    };
    expect(await admit(20)).toEqual([20, 0]);
    vi.setSystemTime(noon + 30_000);
    expect(await admit(50)).toEqual([40, 30]);
    vi.setSystemTime(noon + 59_999);
    expect(await admit(1)).toEqual([0, 1]);
    vi.setSystemTime(noon + 60_000);
    expect(await admit(30)).toEqual([20, 30]);
    vi.setSystemTime(noon + 90_000);
    expect(await admit(60)).toEqual([40, 30]);
    expect(room).not.toBe("");
  });

  it("are not forgotten when the Limiter sleeps after a pause", async () => {
    const { owner, room } = await ownerWithRoom();
    for (let index = 0; index < 3; index++) await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    const limiter = await limiterOf(owner);
    // Written down by itself once its principal pauses; until then a timer keeps it from sleeping.
    const isWrittenDown = () =>
      runInDurableObject(limiter, (_, { storage }) => storage.kv.get("messages") !== undefined);
    await vi.waitFor(async () => expect(await isWrittenDown()).toBe(true), { timeout: 20_000, interval: 200 });
    await evictDurableObject(limiter);
    expect((await limiter.quota()).remaining).toBe(57);
  });
});

describe("guests", () => {
  it("have five a minute for their address together, whatever secrets they have", async () => {
    const { room } = await ownerWithRoom();
    const visitor = new Visitor();
    const lines = await Promise.all([1, 2, 3].map(() => visitor.connect(room)));
    for (const [index, line] of lines.entries())
      line.send({ type: "hello", guest: `secret-number-${index}-of-128-bits` });
    for (const line of lines) await line.next("you");
    for (const line of lines) for (const id of ["a", "b"]) line.say(id);
    await lines[0]?.messages(5);
    const { head } = await new Visitor().json<{ head: number }>(`/api/rooms/${room}/messages?after=4&wait=5`);
    expect(head).toBe(5);
    expect(
      statuses([await (await Visitor.withKey()).send("POST", `/api/rooms/${room}/messages`, { content: "x" })]),
    ).toEqual([201]);
  });

  it("of one IPv6 household are one address", async () => {
    const { room } = await ownerWithRoom();
    const [one, two] = [
      await new Visitor("2001:db8:77:1::1").enter(room),
      await new Visitor("2001:db8:77:1::2").enter(room),
    ];
    for (const id of ["a", "b", "c"]) one.say(id);
    await one.messages(3);
    for (const id of ["a", "b", "c"]) two.say(id);
    expect(await two.next("error")).toMatchObject({ code: "rate_limited", id: "c" });
  });
});

describe("the day's quotas", () => {
  it("survive a crash", async () => {
    const visitor = new Visitor();
    const make = () => visitor.fetch("/api/keys", { method: "POST" });
    for (let index = 0; index < 10; index++) await make();
    await abortAllDurableObjects();
    expect(await refusalOf(await make())).toEqual([429, "rate_limited"]);
  });

  it("are exact when all come at once", async () => {
    const visitor = new Visitor();
    const made = await Promise.all(Array.from({ length: 14 }, () => visitor.fetch("/api/keys", { method: "POST" })));
    expect(statuses(made).filter((status) => status === 201)).toHaveLength(10);
  });
});

describe("a key that was revoked", () => {
  it("stays revoked over a crash, also where D1 can't be asked", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.fetch("/api/keys/me", { method: "DELETE" });
    await abortAllDurableObjects();
    const write = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    expect(await refusalOf(write)).toEqual([401, "unauthorized"]);
  });

  it("can't write in a room that the news has not reached", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    // The room is asleep, and so is all that it knew.
    await evictDurableObject(stubOf(room));
    await owner.fetch("/api/keys/me", { method: "DELETE" });
    expect(await line.closeCode()).toBe(4401);
  });
});
