/** Rooms of a site, which its users make by writing in them: until then there is nothing of them, for anybody else. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { CLOSE } from "../../party/protocol.ts";
import { TestSite } from "./site.ts";
import { archive, archived, evict, expectStatus, refusalOf, stubOf, Visitor } from "./visitor.ts";

const rowOf = (room: string) =>
  env.DB.prepare("SELECT name, listed, access, created_by FROM rooms WHERE id = ?").bind(room).first();

/** A site and the id of one of its rooms, of which there is nothing. */
async function unmade(slug = "first-post") {
  const site = await TestSite.register();
  return { site, room: `${site.name}--${slug}` };
}

describe("a room of a site", () => {
  it("is empty for a user of it, and made by their first message", async () => {
    const { site, room } = await unmade();
    const line = await site.hello(room, "anna", { name: "Anna", rooms: [`${site.name}--*`] });
    expect(await line.welcome()).toMatchObject({ head: 0, messages: [], room: { id: room, name: "first-post" } });
    expect(await line.next("you")).toMatchObject({ sender: `anna@${site.name}`, role: "member" });
    expect(await rowOf(room)).toBeNull();
    line.say("m1", "The first");
    expect(await line.messages(1)).toMatchObject([{ seq: 1, content: "The first" }]);
    const owner = await site.owner.json<{ id: string }>("/api/keys/me");
    expect(await rowOf(room)).toEqual({ name: "first-post", listed: 0, access: "open", created_by: owner.id });
    await archive(room);
    expect(await archived(room)).toMatchObject([{ content: "The first" }]);
    // From now on it is a room as others are.
    expect(await (await new Visitor().connect(room)).welcome()).toMatchObject({ head: 1, room: { access: "open" } });
    await expectStatus(await site.owner.send("PATCH", `/api/rooms/${room}`, { name: "Comments" }), 200);
    line.say("m2");
    expect(await line.messages(1)).toMatchObject([{ seq: 2 }]);
  });

  it("is made over HTTP, too, once, however many write first", async () => {
    const { site, room } = await unmade();
    const post = async (subject: string) => {
      const headers = await site.authorization(subject);
      return new Visitor().send("POST", `/api/rooms/${room}/messages`, { content: `I am ${subject}` }, headers);
    };
    const statuses = (await Promise.all(["anna", "bob", "carl"].map(post))).map(({ status }) => status);
    expect(statuses).toEqual([201, 201, 201]);
    const { messages } = await new Visitor().json<{ messages: { seq: number }[] }>(`/api/rooms/${room}/messages`);
    expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const limiter = env.QUOTA.getByName(`site:${site.name}`);
    const { quota } = (await limiter.takeDaily("siteRooms")) as { quota: { limit: number; remaining: number } };
    expect(quota.limit - quota.remaining).toBe(2);
  });

  it("is not there for anybody else, by any way, before it is made", async () => {
    const { site, room } = await unmade();
    const other = await TestSite.register();
    await site.enter(room, "anna");
    const stranger = await Visitor.withKey();
    const ways = [
      `/api/rooms/${room}`,
      `/api/rooms/${room}/messages`,
      `/api/rooms/${room}/events`,
      `/r/${room}?format=md`,
    ];
    for (const path of ways) {
      for (const who of [new Visitor(), stranger]) {
        const response = await who.fetch(path);
        expect(response.status, path).toBe(404);
      }
    }
    const post = await stranger.send("POST", `/api/rooms/${room}/messages`, { content: "Mine" });
    expect(await refusalOf(post)).toEqual([404, "not_found"]);
    const line = await stranger.connect(room);
    expect(await line.first()).toEqual({ type: "identify" });
    line.send({ type: "hello", key: stranger.key as string });
    expect(await line.next("error")).toMatchObject({ code: "not_found" });
    expect(await line.closeCode()).toBe(CLOSE.notFound);
    const foreign = await other.hello(room, "anna");
    expect(await foreign.next("error")).toMatchObject({ code: "forbidden" });
    const elsewhere = await site.hello(room, "anna", { rooms: ["elsewhere"] });
    expect(await elsewhere.next("error")).toMatchObject({ code: "forbidden" });
    expect(await rowOf(room)).toBeNull();
  });

  it("is no room where there is no such site", async () => {
    const line = await new Visitor().connect("no-such-site--post");
    expect(await line.closeCode()).toBe(CLOSE.notFound);
  });

  it("is not made by a message that is refused", async () => {
    const { site, room } = await unmade();
    const line = await site.enter(room, "anna", { role: "reader" });
    line.say("m1");
    expect(await line.next("error")).toMatchObject({ code: "read_only" });
    expect(await rowOf(room)).toBeNull();
  });

  it("is one of so many that a site's users make in a day", async () => {
    const { site, room } = await unmade();
    const limiter = env.QUOTA.getByName(`site:${site.name}`);
    await runInDurableObject(limiter, (instance) => {
      for (let taken = 0; taken < Number(env.SITE_ROOMS_PER_DAY); taken++) instance.takeDaily("siteRooms");
    });
    const line = await site.enter(room, "anna");
    line.say("m1");
    expect(await line.next("error")).toMatchObject({ code: "rate_limited", about: "send" });
    expect(await rowOf(room)).toBeNull();
  });

  it("leaves nothing behind when everybody has gone and nobody has written, nor when a stranger has knocked", async () => {
    const { site, room } = await unmade();
    const line = await site.enter(room, "anna");
    const stranger = await new Visitor().connect(`${site.name}--other`);
    expect(await stranger.first()).toEqual({ type: "identify" });
    stranger.send({ type: "hello", guest: "g".repeat(22) });
    expect(await stranger.closeCode()).toBe(CLOSE.notFound);
    line.close();
    for (const id of [room, `${site.name}--other`]) {
      const entries = () =>
        runInDurableObject(stubOf(id), (_, { storage }) => {
          const tables =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'";
          return [...storage.sql.exec(tables), ...storage.kv.list()].length;
        });
      await expect.poll(() => runInDurableObject(stubOf(id), (_, state) => state.getWebSockets().length)).toBe(0);
      await runDurableObjectAlarm(stubOf(id));
      await expect.poll(entries, { message: id }).toBe(0);
    }
    // It can be made afterwards as before.
    const again = await site.enter(room, "anna");
    again.say("m1");
    expect(await again.messages(1)).toMatchObject([{ seq: 1 }]);
  });

  it("stays as it is when it sleeps before it is made", async () => {
    const { site, room } = await unmade();
    const line = await site.enter(room, "anna");
    await evict(stubOf(room));
    line.say("m1");
    expect(await line.messages(1)).toMatchObject([{ seq: 1 }]);
    expect(await rowOf(room)).toMatchObject({ listed: 0 });
  });

  it("gives way to one that its owner makes meanwhile", async () => {
    const { site, room } = await unmade();
    const line = await site.enter(room, "anna");
    const made = await site.owner.send("POST", "/api/rooms", { id: room, name: "By hand" });
    await expectStatus(made, 201);
    const visitor = await new Visitor().connect(room);
    expect(await visitor.welcome()).toMatchObject({ room: { name: "By hand" } });
    expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
    const again = await site.enter(room, "anna");
    again.say("m1");
    expect(await again.messages(1)).toMatchObject([{ seq: 1 }]);
  });

  it("has an id that nobody else may take", async () => {
    const { site, room } = await unmade();
    const stranger = await Visitor.withKey();
    const post = (who: Visitor, id: string) => who.send("POST", "/api/rooms", { id, name: "Den" });
    expect(await refusalOf(await post(stranger, room))).toEqual([409, "conflict"]);
    await expectStatus(await post(site.owner, room), 201);
    await expectStatus(await post(stranger, `no-${site.name}`), 201);
    await expectStatus(await post(stranger, "nobodys-site--room"), 201);
  });
});
