/** Mutes of an address, who may mute whom, and the log of who did what. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { REMEMBERED_FOR } from "../../party/moderation/address-book.ts";
import {
  admit,
  alarmOf,
  archive,
  copiedState,
  evict,
  expectStatus,
  ownerWithRoom,
  refusalOf,
  stopTime,
  stubOf,
  Visitor,
} from "./visitor.ts";

const at = (room: string, sender: string) => `/api/rooms/${room}/mutes/${encodeURIComponent(sender)}`;
const mute = (who: Visitor, room: string, sender: string, body: object = { address: true }) =>
  who.send("PUT", at(room, sender), body);
const write = (who: Visitor, room: string, as?: string) =>
  who.send("POST", `/api/rooms/${room}/messages`, { content: "hello", ...(as !== undefined && { as }) });

/** Somebody else at the same address. */
async function another(address: string): Promise<Visitor> {
  const visitor = await Visitor.withKey();
  const { key, handle } = visitor;
  return Object.assign(new Visitor(address), { key, handle });
}

/** A guest of `address` with a secret of their own says hello over a socket. */
async function guest(room: string, address: string, secret: string) {
  const line = await new Visitor(address).connect(room);
  await line.first();
  line.send({ type: "hello", guest: secret.padEnd(22, "x") });
  const { sender } = await line.next("you");
  return { line, sender };
}

describe("a mute with the address", () => {
  it("reaches the troll under every other name, over the socket and over HTTP, at once", async () => {
    const { owner, room } = await ownerWithRoom();
    const home = new Visitor().address;
    const first = await guest(room, home, "first");
    const open = await guest(room, home, "second");
    const keys = [await another(home), await another(home)];
    await expectStatus(await write(keys[0] as Visitor, room), 201);
    const answer = await mute(owner, room, first.sender);
    expect(await answer.json()).toEqual({
      sender: first.sender,
      until: null,
      address: true,
      addressUntil: expect.stringMatching(/Z$/),
    });
    const third = await guest(room, home, "third");
    for (const { line } of [first, open, third]) {
      line.say("a");
      expect(await line.next("error")).toMatchObject({ code: "muted", about: "send" });
      line.send({ type: "draft", id: "d", append: "nasty" });
      expect(await line.next("error")).toMatchObject({ code: "muted", about: "draft" });
    }
    for (const key of keys) {
      expect(await refusalOf(await write(key, room))).toEqual([403, "muted"]);
      expect(await refusalOf(await write(key, room, "claude"))).toEqual([403, "muted"]);
    }
    await expectStatus(await write(await Visitor.withKey(), room), 201);
  });

  it("reaches one who has left, also after the room has slept", async () => {
    const { owner, room } = await ownerWithRoom();
    const home = new Visitor().address;
    const troll = await another(home);
    await expectStatus(await write(troll, room, "bot"), 201);
    await evict(stubOf(room));
    await expectStatus(await mute(owner, room, `${troll.handle}/bot`), 200);
    await evict(stubOf(room));
    expect(await refusalOf(await write(await another(home), room))).toEqual([403, "muted"]);
  });

  it("keeps no tag for longer than a week, also in a room where nothing happens any more", async () => {
    const { room } = await ownerWithRoom();
    await expectStatus(await write(await Visitor.withKey(), room), 201);
    await archive(room);
    await runDurableObjectAlarm(stubOf(room));
    const storage = <T>(look: (storage: DurableObjectStorage) => T) =>
      runInDurableObject(stubOf(room), (_, { storage }) => look(storage));
    await expect.poll(() => alarmOf(room)).toBeLessThanOrEqual(Date.now() + REMEMBERED_FOR);
    await storage(({ sql }) => sql.exec("UPDATE senders SET at = 0").toArray());
    await evict(stubOf(room));
    await runDurableObjectAlarm(stubOf(room));
    await expect.poll(() => storage(({ sql }) => sql.exec("SELECT * FROM senders").toArray())).toEqual([]);
  });

  it("counts a household of IPv6 as one", async () => {
    const { owner, room } = await ownerWithRoom();
    const troll = await another("2001:db8:77:1::7");
    await expectStatus(await write(troll, room), 201);
    await mute(owner, room, troll.handle);
    expect(await refusalOf(await write(await another("2001:db8:77:1:ffff::1"), room))).toEqual([403, "muted"]);
    await expectStatus(await write(await another("2001:db8:77:2::7"), room), 201);
  });

  it("spares the owner, the moderators, their agents and the operator behind the same address", async () => {
    const { owner, room } = await ownerWithRoom();
    const moderator = await Visitor.withKey();
    await admit(owner, room, moderator, "moderator");
    const troll = await another(owner.address);
    await expectStatus(await write(troll, room), 201);
    await expectStatus(await mute(moderator, room, troll.handle), 200);
    const atHome = Object.assign(new Visitor(owner.address), { key: moderator.key, handle: moderator.handle });
    for (const who of [owner, atHome]) {
      await expectStatus(await write(who, room), 201);
      await expectStatus(await write(who, room, "claude"), 201);
    }
    expect(await refusalOf(await write(troll, room))).toEqual([403, "muted"]);
  });

  it("is lifted with the name, and by a mute of the name alone", async () => {
    const { owner, room } = await ownerWithRoom();
    const home = new Visitor().address;
    const [troll, neighbour] = [await another(home), await another(home)];
    await write(troll, room);
    await mute(owner, room, troll.handle);
    expect(await refusalOf(await write(neighbour, room))).toEqual([403, "muted"]);
    await mute(owner, room, troll.handle, {});
    await expectStatus(await write(neighbour, room), 201);
    expect(await refusalOf(await write(troll, room))).toEqual([403, "muted"]);
    await mute(owner, room, troll.handle);
    await expectStatus(await owner.fetch(at(room, troll.handle), { method: "DELETE" }), 204);
    await expectStatus(await write(neighbour, room), 201);
    await expectStatus(await write(troll, room), 201);
  });

  it("ends with its time, and after a month in any case", async () => {
    stopTime();
    const { owner, room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    await write(troll, room);
    const soon = new Date(Date.now() + 60_000).toISOString();
    const short = await (await mute(owner, room, troll.handle, { address: true, until: soon })).json();
    expect(short).toMatchObject({ until: soon, addressUntil: soon });
    const long = await (await mute(owner, room, troll.handle)).json<{ until: null; addressUntil: string }>();
    expect(long.until).toBeNull();
    expect(Date.parse(long.addressUntil) - Date.now()).toBeLessThanOrEqual(30 * 86_400_000);
  });

  it("takes the eight newest addresses, and no place of one that has ended", async () => {
    const { owner, room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    for (let from = 0; from < 10; from++) {
      const there = Object.assign(new Visitor(), { key: troll.key, handle: troll.handle });
      await expectStatus(
        await there.send("POST", `/api/rooms/${room}/messages`, { content: "hi", as: `bot-${from}` }),
        201,
      );
    }
    const until = new Date(Date.now() - 1).toISOString();
    const addressMutes = Array.from({ length: 100 }, (_, n) => ({ sender: `long-over-${n}`, tags: [`${n}`], until }));
    await env.DB.prepare("UPDATE rooms SET settings = ?, revision = revision + 1 WHERE id = ?")
      .bind(JSON.stringify({ addressMutes }), room)
      .run();
    await expectStatus(await mute(owner, room, troll.handle), 200);
    const row = await env.DB.prepare("SELECT settings FROM rooms WHERE id = ?")
      .bind(room)
      .first<{ settings: string }>();
    const kept = (JSON.parse(row?.settings ?? "{}") as { addressMutes: { tags: string[] }[] }).addressMutes;
    expect(kept.map(({ tags }) => tags.length)).toEqual([8]);
  });

  it("is in the list until it ends, and no longer", async () => {
    stopTime();
    const { owner, room } = await ownerWithRoom();
    const until = (ms: number) => new Date(Date.now() + ms).toISOString();
    await expectStatus(await mute(owner, room, "gone-by", { until: until(60_000) }), 200);
    await expectStatus(await mute(owner, room, "long-over", { until: until(-1) }), 200);
    expect(await owner.json(`/api/rooms/${room}/mutes`)).toMatchObject({ mutes: [{ sender: "gone-by" }] });
  });

  it("is refused where nothing is known of where they write from", async () => {
    const { owner, room } = await ownerWithRoom();
    expect(await refusalOf(await mute(owner, room, "never-here"))).toEqual([409, "conflict"]);
    expect(await owner.json(`/api/rooms/${room}/mutes`)).toEqual({ mutes: [] });
  });

  it("shows no tag to anybody, and no store has an address", async () => {
    const { owner, room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    await write(troll, room);
    const answers = [await (await mute(owner, room, troll.handle)).text()];
    for (const path of ["", "/mutes", "/moderation", "/messages"]) {
      answers.push(await (await owner.fetch(`/api/rooms/${room}${path}`)).text());
    }
    await archive(room);
    const row = await env.DB.prepare("SELECT settings FROM rooms WHERE id = ?").bind(room).first<string>("settings");
    const { addressMutes } = JSON.parse(row ?? "{}") as { addressMutes: { tags: string[] }[] };
    const [tag = ""] = addressMutes[0]?.tags ?? [];
    expect(tag).toMatch(/^[0-9a-f]{24}$/);
    for (const answer of answers) expect(answer).not.toContain(tag);
    const stored = await runInDurableObject(stubOf(room), (_, { storage }) => {
      const rows = storage.sql.exec("SELECT * FROM senders").toArray();
      return JSON.stringify([rows, storage.sql.exec("SELECT * FROM deeds").toArray(), row]);
    });
    expect(stored).not.toContain(troll.address);
  });
});

describe("who may mute whom", () => {
  it("lets moderators act against those below them, and nobody against themselves or the owner", async () => {
    const { owner, room } = await ownerWithRoom();
    const [moderator, second, member] = [await Visitor.withKey(), await Visitor.withKey(), await Visitor.withKey()];
    await admit(owner, room, moderator, "moderator");
    await admit(owner, room, second, "moderator");
    await admit(owner, room, member);
    const by = async (who: Visitor, whom: Visitor) => (await mute(who, room, whom.handle, {})).status;
    expect(await by(moderator, member)).toBe(200);
    expect(await by(moderator, second)).toBe(403);
    expect(await by(moderator, owner)).toBe(403);
    expect(await by(moderator, moderator)).toBe(403);
    expect(await by(owner, owner)).toBe(403);
    expect(await by(owner, second)).toBe(200);
    expect(await by(member, second)).toBe(403);
    expect(await refusalOf(await member.fetch(`/api/rooms/${room}/mutes`))).toEqual([403, "forbidden"]);
    await expectStatus(await moderator.fetch(`/api/rooms/${room}/mutes`), 200);
    await expectStatus(await moderator.fetch(at(room, member.handle), { method: "DELETE" }), 204);
    // A moderator who was muted can't lift it.
    expect(await refusalOf(await second.fetch(at(room, second.handle), { method: "DELETE" }))).toEqual([
      403,
      "forbidden",
    ]);
  });
});

describe("the log of who did what", () => {
  const entries = async (who: Visitor, room: string) =>
    (await who.json<{ entries: Record<string, unknown>[] }>(`/api/rooms/${room}/moderation`)).entries;

  it("has mutes, deletions of what others said, and settings, but not what somebody did to their own", async () => {
    stopTime();
    const { owner, room } = await ownerWithRoom();
    const troll = await Visitor.withKey();
    await write(troll, room);
    await write(owner, room);
    const until = new Date(Date.now() + 60_000).toISOString();
    await mute(owner, room, troll.handle, { address: true, until });
    await owner.fetch(at(room, troll.handle), { method: "DELETE" });
    await owner.fetch(at(room, troll.handle), { method: "DELETE" });
    for (const seq of [1, 2, 1]) await owner.fetch(`/api/rooms/${room}/messages/${seq}`, { method: "DELETE" });
    await owner.send("PATCH", `/api/rooms/${room}`, { guests: "read", topic: "Quiet" });
    const by = owner.handle;
    const common = { by, id: expect.any(Number), at: expect.any(String) };
    expect(await entries(owner, room)).toEqual([
      { ...common, deed: "settings", settings: ["guests", "topic"] },
      { ...common, deed: "delete", target: troll.handle, seq: 1 },
      { ...common, deed: "unmute", target: troll.handle },
      { ...common, deed: "mute", target: troll.handle, until, address: true },
    ]);
  });

  it("is the owner's and the moderators' alone, and says who of them it was", async () => {
    const { owner, room } = await ownerWithRoom();
    const [moderator, member] = [await Visitor.withKey(), await Visitor.withKey()];
    await admit(owner, room, moderator, "moderator");
    await admit(owner, room, member);
    await mute(moderator, room, "some-troll", {});
    await expectStatus(await moderator.fetch(`/api/rooms/${room}/members/${member.handle}`, { method: "DELETE" }), 204);
    expect((await entries(owner, room)).map(({ by, deed, target, role }) => [by, deed, target, role])).toEqual([
      [moderator.handle, "remove", member.handle, undefined],
      [moderator.handle, "mute", "some-troll", undefined],
      [owner.handle, "role", member.handle, "member"],
      [owner.handle, "role", moderator.handle, "moderator"],
    ]);
    await expectStatus(await moderator.fetch(`/api/rooms/${room}/moderation`), 200);
    for (const who of [member, await Visitor.withKey()]) {
      expect(await refusalOf(await who.fetch(`/api/rooms/${room}/moderation`))).toEqual([403, "forbidden"]);
    }
    expect(await refusalOf(await new Visitor().fetch(`/api/rooms/${room}/moderation`))).toEqual([401, "unauthorized"]);
    for (const query of ["limit=0", "limit=201", "cursor=x", "cursor=0"]) {
      expect(await refusalOf(await owner.fetch(`/api/rooms/${room}/moderation?${query}`))).toEqual([400, "invalid"]);
    }
  });

  it("is copied to D1, and there again when the room has lost its own storage", async () => {
    const { owner, room } = await ownerWithRoom();
    await mute(owner, room, "some-troll", {});
    await archive(room);
    expect(await copiedState(room, "deeds")).toMatchObject([{ deed: "mute", target: "some-troll" }]);
    await runInDurableObject(stubOf(room), (_, { storage }) => storage.deleteAll());
    await evict(stubOf(room));
    expect((await entries(owner, room))[0]).toMatchObject({ deed: "mute", target: "some-troll" });
    await expectStatus(await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" }), 204);
    expect(await copiedState(room, "deeds")).toEqual([]);
  });
});
