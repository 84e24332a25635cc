/** Quotas: exact, over rooms, transports, sleep and crash; and a key that is over is over everywhere. */

import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sha256Hex } from "../../party/identity/sender.ts";
import { Person } from "../../party/limits/person.ts";
import { evict, type Line, makeRoom, ownerWithRoom, refusalOf, stopTime, stubOf, Visitor, without } from "./visitor.ts";

beforeEach(stopTime);

afterEach(() => void vi.restoreAllMocks());

const hashOf = (visitor: Visitor): Promise<string> => sha256Hex(visitor.key as string);

async function limiterOf(visitor: Visitor) {
  const { id } = await visitor.json<{ id: string }>("/api/keys/me");
  return env.PERSON.getByName(`person:${id}`);
}
const statuses = (responses: Response[]): number[] => responses.map(({ status }) => status);

describe("a key's messages", () => {
  it("are sixty a minute, over all rooms and transports together, however they come at once", async () => {
    const { owner, room } = await ownerWithRoom();
    const rooms = [room, await makeRoom(owner), await makeRoom(owner)];
    const lines = await Promise.all(rooms.map((id) => owner.enter(id)));
    for (const line of lines) for (let index = 0; index < 15; index++) line.say(`said-${index}`);
    const posts = Array.from({ length: 45 }, (_, index) => {
      return owner.send("POST", `/api/rooms/${rooms[index % 3]}/messages`, { content: "posted" });
    });
    for (const status of statuses(await Promise.all(posts))) expect([201, 429]).toContain(status);
    const answered = ({ unread }: Line) => {
      const ids = unread.flatMap((frame) => {
        if (frame.type === "update") return frame.messages?.map(({ id }) => id) ?? [];
        return frame.type === "error" ? (frame.id ?? []) : [];
      });
      return new Set(ids.filter((id) => id.startsWith("said-"))).size;
    };
    await expect.poll(() => lines.map(answered)).toEqual([15, 15, 15]);
    const heads = await Promise.all(
      rooms.map(async (id) => (await new Visitor().json<{ head: number }>(`/api/rooms/${id}/messages`)).head),
    );
    expect(heads.reduce((sum, head) => sum + head, 0)).toBe(60);
  });

  it("are sixty in any minute: room comes back one by one, when each leaves the window", async () => {
    const owner = await Visitor.withKey();
    const limiter = await limiterOf(owner);
    const keyHash = await hashOf(owner);
    const noon = Math.ceil(Date.now() / 1_000) * 1_000;
    vi.setSystemTime(noon);
    const admit = async (count: number) => {
      const admission = await limiter.admit({ id: crypto.randomUUID(), count, keyHash });
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
  });

  it("are not forgotten when the Limiter sleeps, nor when it crashes", async () => {
    const { owner, room } = await ownerWithRoom();
    const limiter = await limiterOf(owner);
    const say = () => owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    await say();
    await evict(limiter);
    expect((await limiter.quota()).remaining).toBe(59);
    await say();
    await abortAllDurableObjects();
    expect((await (await limiterOf(owner)).quota()).remaining).toBe(58);
  });

  it("are mostly admitted by a lease, which another room gets back when it needs the places", async () => {
    const { owner, room } = await ownerWithRoom({ loopGuard: 0 });
    const other = await makeRoom(owner);
    const limiter = await limiterOf(owner);
    const questions: number[] = [];
    const admit = Person.prototype.admit;
    vi.spyOn(Person.prototype, "admit").mockImplementation(function (this: Person, question) {
      questions.push(question.count);
      return admit.call(this, question);
    });
    const line = await owner.enter(room);
    for (let index = 0; index < 6; index++) {
      line.say(`a${index}`);
      await line.messages(1);
    }
    // The second question brought six places, of which four are used.
    expect(questions).toEqual([1, 1]);
    expect((await limiter.quota()).remaining).toBe(58);
    const posts = await Promise.all(
      Array.from({ length: 60 }, () => owner.send("POST", `/api/rooms/${other}/messages`, { content: "b" })),
    );
    expect(statuses(posts).filter((status) => status === 201)).toHaveLength(54);
    line.say("a7");
    expect(await line.next("error")).toMatchObject({ code: "rate_limited", id: "a7" });
  });

  it("that a room admitted by a lease count for a Limiter that has slept or crashed meanwhile", async () => {
    const { owner, room } = await ownerWithRoom();
    const limiter = await limiterOf(owner);
    const line = await owner.enter(room);
    for (const id of ["a", "b", "c", "d"]) {
      line.say(id);
      await line.messages(1);
    }
    await evict(limiter);
    const admission = await limiter.admit({ id: "q", count: 60, keyHash: await hashOf(owner) });
    expect(admission).toMatchObject({ granted: 56 });
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

describe("new guests", () => {
  it("of one address are thirty a minute; one who comes back is none, also after a sleep", async () => {
    const { room } = await ownerWithRoom();
    const visitor = new Visitor();
    const hello = async (secret: string) => {
      const line = await visitor.connect(room);
      line.send({ type: "hello", guest: secret.padEnd(30, "-") });
      return line;
    };
    const limiter = env.QUOTA.getByName(`address:${visitor.address}`);
    for (let index = 0; index < 30; index++) {
      const line = await hello(`guest-${index}`);
      await line.next("you");
      line.close();
    }
    await evict(limiter);
    const refused = await (await hello("guest-30")).next("error");
    expect(refused).toMatchObject({ code: "rate_limited", retryAfter: expect.any(Number) });
    expect(await (await hello("guest-7")).next("you")).toMatchObject({ quota: { remaining: 5 } });
  });
});

describe("agents on other people's Workers, who share one address", () => {
  const ADDRESS = "2a06:98c0:3600::103";

  it("are counted by their keys: one who takes all of its connections leaves the others theirs", async () => {
    const { owner, room } = await ownerWithRoom();
    const other = await Visitor.withKey();
    const shared = new Visitor(ADDRESS);
    const enter = (key: string | undefined) => shared.connect(room, { headers: { authorization: `Bearer ${key}` } });
    for (let count = 0; count < Number(env.SOCKETS_PER_ADDRESS); count++) {
      await (await enter(owner.key)).next("you");
    }
    expect(await (await enter(owner.key)).next("error")).toMatchObject({ code: "rate_limited" });
    expect(await (await enter(other.key)).next("you")).toMatchObject({ sender: other.handle });
    // A connection without a key is counted by the address, which has none yet.
    expect(await (await shared.connect(room)).welcome()).toMatchObject({ type: "welcome", room: { id: room } });
  });
});

describe("what the first version has kept for a key", () => {
  it("is taken over by its person's Limiter, without D1: whose it is, what counts, and where its sockets are", async () => {
    const { owner, room } = await ownerWithRoom();
    const me = await owner.json<{ id: string; handle: string; createdAt: string }>("/api/keys/me");
    const line = await owner.enter(room);
    const person = () => env.PERSON.getByName(`person:${me.id}`);
    // As the first version left it: the key's own object has all, and there is no Limiter of the person.
    await runInDurableObject(person(), (_, { storage }) => storage.deleteAll());
    const now = Date.now();
    await runInDurableObject(env.PERSON.getByName(`key:${await hashOf(owner)}`), async (_, { storage }) => {
      await storage.deleteAll();
      storage.kv.put("owner", { id: me.id, handle: me.handle, createdAt: me.createdAt });
      storage.kv.put("messages", [[now - 1_000, 50]]);
      storage.kv.put("daily:rooms", [[now - 3_600_000, 4]]);
      storage.kv.put("rooms", [room]);
      storage.kv.put("lastUsed", now);
    });
    await abortAllDurableObjects();
    await without("api_keys", async () => {
      const posted = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
      expect([posted.status, posted.headers.get("ratelimit")]).toEqual([201, '"messages";r=9;t=60']);
    });
    expect((await owner.send("POST", "/api/rooms", { name: "Fifth" })).status).toBe(201);
    expect(await refusalOf(await owner.send("POST", "/api/rooms", { name: "Sixth" }))).toEqual([429, "rate_limited"]);
    expect(await line.closeCode()).toBe(1006);
    // A socket that the first version opened is closed with the key, too: its room was handed over.
    const kept = await runInDurableObject(person(), (_, { storage }) => storage.kv.get("rooms"));
    expect(kept).toEqual([[room, expect.any(Number)]]);
  });

  it("stays revoked where D1 can't be asked", async () => {
    const { room } = await ownerWithRoom();
    const revoked = await Visitor.withKey();
    await runInDurableObject(env.PERSON.getByName(`key:${await hashOf(revoked)}`), (_, { storage }) => {
      storage.kv.put("owner", "revoked");
    });
    await without("api_keys", async () => {
      const posted = await revoked.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
      expect(await refusalOf(posted)).toEqual([401, "unauthorized"]);
    });
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

  it("takes nothing of the day's any more, whoever had been let in before", async () => {
    const owner = await Visitor.withKey();
    const limiter = await limiterOf(owner);
    await owner.fetch("/api/keys/me", { method: "DELETE" });
    expect(await limiter.takeDaily("rooms")).toMatchObject({ fault: "unauthorized" });
  });

  it("closes its sockets also when its Limiter has slept since they were opened", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    await evict(await limiterOf(owner));
    await owner.fetch("/api/keys/me", { method: "DELETE" });
    expect(await line.closeCode()).toBe(4401);
  });

  it("can't write by a lease that a room still had", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    for (const id of ["a", "b", "c"]) {
      line.say(id);
      await line.messages(1);
    }
    const keyHash = await hashOf(owner);
    const { id } = await owner.json<{ id: string }>("/api/keys/me");
    const admitted = () =>
      runInDurableObject(env.PERSON.getByName(`person:${id}`), (_, { storage }) => storage.kv.get("quota"));
    expect(await admitted()).toMatchObject({ lent: [[expect.any(String), { room }]] });
    expect((await owner.fetch("/api/keys/me", { method: "DELETE" })).status).toBe(204);
    expect(await admitted()).toMatchObject({ lent: [] });
    // What a request that was let in before brings afterwards, past every other check.
    const participant = { sender: owner.handle, principal: `person:${id}`, keyId: id, keyHash };
    const sent = await stubOf(room).send(undefined, participant, { id: "late", content: "late" }, undefined);
    expect(sent).toMatchObject({ fault: "unauthorized" });
  });

  it("can't write in a room that the news has not reached", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    // The room is asleep, and so is all that it knew.
    await evict(stubOf(room));
    await owner.fetch("/api/keys/me", { method: "DELETE" });
    expect(await line.closeCode()).toBe(4401);
  });
});
