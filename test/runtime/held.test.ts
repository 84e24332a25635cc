/** Messages that wait for a moderator: who sees them, what becomes of them, and that each is one message. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { HELD_FOR, MOST_HELD } from "../../party/moderation/held-messages.ts";
import type { Held } from "../../party/room-rpc.ts";
import {
  admit,
  archive,
  copiedState,
  evict,
  expectStatus,
  type Line,
  ownerWithRoom,
  refusalOf,
  stopTime,
  stubOf,
  Visitor,
} from "./visitor.ts";

const write = (who: Visitor, room: string, content = "hello", id?: string, as?: string) =>
  who.send("POST", `/api/rooms/${room}/messages`, { content, ...(id && { id }), ...(as && { as }) });
const heldOf = async (who: Visitor, room: string) => (await who.json<{ held: Held[] }>(`/api/rooms/${room}/held`)).held;
const decide = (who: Visitor, room: string, id: string, deed: "approve" | "refuse") =>
  who.fetch(`/api/rooms/${room}/held/${id}/${deed}`, { method: "POST" });
const log = async (room: string) =>
  (
    await new Visitor().json<{ messages: { seq: number; id: string; sender: string; content: string }[] }>(
      `/api/rooms/${room}/messages`,
    )
  ).messages;

/** What has come over a line of anything but flow control. */
const told = (line: Line) => JSON.stringify([...line.passed, ...line.unread]);

/** A room in which a stranger's message waits. */
async function withOneHeld(settings: Record<string, unknown> = { hold: "newcomers" }) {
  const { owner, room } = await ownerWithRoom(settings);
  const stranger = await Visitor.withKey();
  const response = await write(stranger, room, "first words", "m1");
  const answer = await response.json<{ held: string; error: { code: string } }>();
  return { owner, room, stranger, status: response.status, id: answer.held, code: answer.error.code };
}

describe("a held message", () => {
  it("is answered with 202 and an id, and shown to nobody but the moderators and its author", async () => {
    const { owner, room, stranger, status, code, id } = await withOneHeld();
    expect([status, code]).toEqual([202, "held"]);
    const reader = await new Visitor().enter(room);
    const other = await Visitor.withKey();
    await write(owner, room, "told");
    await reader.messages(1);
    expect(told(reader)).not.toContain("first words");
    expect((await log(room)).map(({ content }) => content)).toEqual(["told"]);
    const expected = { id, messageId: "m1", sender: stranger.handle, content: "first words", why: "newcomer" };
    expect(await heldOf(owner, room)).toMatchObject([expected]);
    expect(await heldOf(stranger, room)).toMatchObject([expected]);
    expect(await heldOf(other, room)).toEqual([]);
    expect(await refusalOf(await new Visitor().fetch(`/api/rooms/${room}/held`))).toEqual([401, "unauthorized"]);
  });

  it("is told of at once to those who decide, by its number alone, and to nobody else", async () => {
    const { owner, room } = await ownerWithRoom({ hold: "newcomers" });
    const moderator = await Visitor.withKey();
    await admit(owner, room, moderator, "moderator");
    const member = await Visitor.withKey();
    await admit(owner, room, member);
    const lines = [await owner.enter(room), await moderator.enter(room)];
    const others = [await member.enter(room), await owner.enter(room, "bot"), await new Visitor().enter(room)];
    const stranger = await (await Visitor.withKey()).enter(room);
    stranger.say("m1", "first words");
    expect(await stranger.next("error")).toMatchObject({
      code: "held",
      about: "send",
      id: "m1",
      held: expect.any(String),
    });
    for (const line of lines) expect(await line.next("held")).toEqual({ type: "held", waiting: 1 });
    expect((await (await owner.enter(room)).next("held")).waiting).toBe(1);
    await write(owner, room, "the end");
    for (const line of others) {
      await line.messages(1);
      expect(told(line)).not.toContain("held");
      expect(told(line)).not.toContain("first words");
    }
  });

  it("is stored once however often it is sent, and paid for once", async () => {
    const { owner, room, stranger, id } = await withOneHeld();
    const again = await write(stranger, room, "first words", "m1");
    expect([again.status, (await again.json<{ held: string }>()).held]).toEqual([202, id]);
    expect(again.headers.has("ratelimit")).toBe(false);
    expect(await refusalOf(await write(stranger, room, "other words", "m1"))).toEqual([409, "conflict"]);
    expect(await heldOf(owner, room)).toHaveLength(1);
  });

  it("is there after a crash", async () => {
    const { owner, room, id } = await withOneHeld();
    await evict(stubOf(room));
    expect(await heldOf(owner, room)).toMatchObject([{ id, content: "first words" }]);
    await expectStatus(await decide(owner, room, id, "approve"), 200);
  });

  it("is in D1 for a backup, and there again when the room has lost its own storage", async () => {
    const { owner, room, id } = await withOneHeld();
    await archive(room);
    expect(await copiedState(room, "held")).toMatchObject([{ id, content: "first words" }]);
    await runInDurableObject(stubOf(room), (_, { storage }) => storage.deleteAll());
    await evict(stubOf(room));
    expect(await heldOf(owner, room)).toMatchObject([{ id, content: "first words" }]);
  });

  it("goes with its author's erasure, also where they have said nothing else", async () => {
    const { owner, room, stranger } = await withOneHeld();
    await owner.fetch(`/api/rooms/${room}/messages?sender=${stranger.handle}`, { method: "DELETE" });
    expect(await heldOf(owner, room)).toEqual([]);
    const rows = await runInDurableObject(stubOf(room), (_, { storage }) =>
      storage.sql.exec("SELECT * FROM held").toArray(),
    );
    expect(rows).toEqual([]);
  });

  it("is gone after a week, and can't be approved any more", async () => {
    const { owner, room, id } = await withOneHeld();
    await runInDurableObject(stubOf(room), (_, { storage }) => {
      storage.sql.exec("UPDATE held SET at = ?", Date.now() - HELD_FOR);
    });
    expect(await heldOf(owner, room)).toEqual([]);
    expect(await refusalOf(await decide(owner, room, id, "approve"))).toEqual([404, "not_found"]);
    await runDurableObjectAlarm(stubOf(room));
    const count = () =>
      runInDurableObject(stubOf(room), (_, { storage }) => storage.sql.exec("SELECT id FROM held").toArray().length);
    await expect.poll(count).toBe(0);
  });

  it("is one of few: a person, an address and a room have so many waiting and no more", async () => {
    const { owner, room } = await ownerWithRoom({ hold: "newcomers" });
    const stranger = await Visitor.withKey();
    for (let n = 0; n < MOST_HELD.person; n++) await expectStatus(await write(stranger, room, `n ${n}`, `m${n}`), 202);
    expect(await refusalOf(await write(stranger, room, "one more", "x", "bot"))).toEqual([429, "rate_limited"]);
    expect(await heldOf(owner, room)).toHaveLength(MOST_HELD.person);
  });
});

describe("an approved message", () => {
  it("gets its place as its author's message, which they hear, and a retry of it is that seq", async () => {
    const { owner, room, stranger, id } = await withOneHeld();
    const line = await stranger.enter(room);
    await write(owner, room, "before");
    const response = await decide(owner, room, id, "approve");
    expect(await response.json()).toMatchObject({ seq: 2, id: "m1", sender: stranger.handle, content: "first words" });
    expect((await line.messages(2))[1]).toMatchObject({ seq: 2, id: "m1" });
    const again = await write(stranger, room, "first words", "m1");
    expect([again.status, (await again.json<{ seq: number }>()).seq]).toEqual([200, 2]);
    expect(await heldOf(owner, room)).toEqual([]);
    await expectStatus(await write(stranger, room, "no newcomer any more"), 201);
  });

  it("is one message, however often and by however many it is approved", async () => {
    const { owner, room, id } = await withOneHeld();
    const moderator = await Visitor.withKey();
    await admit(owner, room, moderator, "moderator");
    const answers = await Promise.all([owner, moderator, owner].map((who) => decide(who, room, id, "approve")));
    for (const answer of answers) expect(await answer.json()).toMatchObject({ seq: 1, id: "m1" });
    await evict(stubOf(room));
    expect(await (await decide(moderator, room, id, "approve")).json()).toMatchObject({ seq: 1 });
    expect(await log(room)).toHaveLength(1);
    expect(await refusalOf(await decide(owner, room, id, "refuse"))).toEqual([409, "conflict"]);
    const { entries } = await owner.json<{ entries: object[] }>(`/api/rooms/${room}/moderation`);
    expect(entries.filter((entry) => (entry as { deed: string }).deed === "approve")).toHaveLength(1);
  });

  it("is what a moderator wants whatever the rules are by then, but not past a mute", async () => {
    const { owner, room, stranger, id } = await withOneHeld();
    await expectStatus(await owner.fetch(`/api/rooms/${room}/mutes/${stranger.handle}`, { method: "PUT" }), 200);
    expect(await refusalOf(await decide(owner, room, id, "approve"))).toEqual([409, "conflict"]);
    await owner.fetch(`/api/rooms/${room}/mutes/${stranger.handle}`, { method: "DELETE" });
    await owner.send("PATCH", `/api/rooms/${room}`, { blocked: ["words"], slow: 600, hold: "guests" });
    await expectStatus(await decide(owner, room, id, "approve"), 200);
  });

  it("is not approved of somebody who may not read the room any more", async () => {
    const { owner, room, id } = await withOneHeld();
    await owner.send("PATCH", `/api/rooms/${room}`, { access: "members" });
    expect(await refusalOf(await decide(owner, room, id, "approve"))).toEqual([409, "conflict"]);
    await expectStatus(await decide(owner, room, id, "refuse"), 204);
  });
});

describe("a refused message", () => {
  it("is told to its author, has lost its text everywhere, and is refused again", async () => {
    const { owner, room, stranger, id } = await withOneHeld();
    const line = await stranger.enter(room);
    await expectStatus(await decide(owner, room, id, "refuse"), 204);
    expect(await line.next("error")).toMatchObject({ code: "forbidden", about: "send", id: "m1" });
    await expectStatus(await decide(owner, room, id, "refuse"), 204);
    expect(await refusalOf(await write(stranger, room, "first words", "m1"))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await decide(owner, room, id, "approve"))).toEqual([409, "conflict"]);
    await archive(room);
    const stored = await runInDurableObject(stubOf(room), (_, { storage }) =>
      JSON.stringify([
        storage.sql.exec("SELECT * FROM held").toArray(),
        storage.sql.exec("SELECT * FROM deeds").toArray(),
      ]),
    );
    const copied = [await copiedState(room, "held"), await copiedState(room, "deeds")];
    expect(stored + JSON.stringify(copied)).not.toContain("first words");
    const { entries } = await owner.json<{ entries: object[] }>(`/api/rooms/${room}/moderation`);
    expect(entries[0]).toMatchObject({ deed: "refuse", target: stranger.handle, by: owner.handle });
  });

  it("is for moderators to decide, and for nobody else", async () => {
    const { owner, room, stranger, id } = await withOneHeld();
    const member = await Visitor.withKey();
    await admit(owner, room, member);
    for (const who of [stranger, member]) {
      for (const deed of ["approve", "refuse"] as const) {
        expect(await refusalOf(await decide(who, room, id, deed))).toEqual([403, "forbidden"]);
      }
    }
    expect(await refusalOf(await decide(owner, room, "no-such", "approve"))).toEqual([404, "not_found"]);
    expect(await heldOf(owner, room)).toHaveLength(1);
  });
});

describe("who is held", () => {
  it("is a guest, or a newcomer, but no member, and nobody of whom the room has a message", async () => {
    const { owner, room } = await ownerWithRoom();
    const [regular, archivedOne] = [await Visitor.withKey(), await Visitor.withKey()];
    await write(archivedOne, room);
    await archive(room);
    await write(regular, room);
    await owner.send("PATCH", `/api/rooms/${room}`, { hold: "newcomers" });
    await evict(stubOf(room));
    for (const known of [regular, archivedOne]) {
      await expectStatus(await write(known, room), 201);
      await expectStatus(await write(known, room, "as an agent", undefined, "bot"), 201);
    }
    const member = await Visitor.withKey();
    await admit(owner, room, member);
    await expectStatus(await write(member, room), 201);
    await expectStatus(await write(owner, room, "as my agent", undefined, "bot"), 201);
    await expectStatus(await write(await Visitor.withKey(), room), 202);

    await owner.send("PATCH", `/api/rooms/${room}`, { hold: "guests" });
    await expectStatus(await write(await Visitor.withKey(), room), 201);
    const guest = await new Visitor().enter(room);
    guest.say("g1");
    expect(await guest.next("error")).toMatchObject({ code: "held", id: "g1" });
  });

  it("is who links without being a member, where only members link", async () => {
    const { owner, room } = await ownerWithRoom({ links: "members" });
    const stranger = await Visitor.withKey();
    await expectStatus(await write(stranger, room, "no link here, v1.2 and e.g. this"), 201);
    for (const link of ["see https://example.com", "evil.example/path", "www.spam.test", "[x](HTTP://a.b)", "t.me/x"]) {
      await expectStatus(await write(stranger, room, link), 202);
    }
    expect((await heldOf(owner, room)).map(({ why }) => why)).toEqual(Array(5).fill("link"));
    const member = await Visitor.withKey();
    await admit(owner, room, member);
    await expectStatus(await write(member, room, "see https://example.com"), 201);
  });

  it("shows nobody what they are writing either", async () => {
    const { room } = await ownerWithRoom({ hold: "guests", links: "members", blocked: ["nasty"] });
    const reader = await new Visitor().connect(room);
    await reader.first();
    const guest = await new Visitor().enter(room);
    guest.send({ type: "draft", id: "d", append: "first words" });
    expect(await guest.next("error")).toMatchObject({ code: "held", about: "draft", id: "d" });
    const stranger = await (await Visitor.withKey()).enter(room);
    for (const [id, pieces, code] of [
      ["a", ["see http", "s://example.com"], "held"],
      ["b", ["na", "sty"], "forbidden"],
    ] as const) {
      for (const append of pieces) stranger.send({ type: "draft", id, append });
      expect(await stranger.next("error")).toMatchObject({ code, about: "draft", id });
    }
    stranger.say("end");
    await reader.messages(1);
    expect(told(reader)).not.toContain("first words");
    expect(told(reader)).not.toContain("example.com");
  });

  it("shows what somebody writes who has a message here already, also after the room has slept", async () => {
    const { owner, room } = await ownerWithRoom();
    const author = await Visitor.withKey();
    await expectStatus(await write(author, room), 201);
    await archive(room);
    await owner.send("PATCH", `/api/rooms/${room}`, { hold: "newcomers" });
    const line = await author.enter(room);
    await evict(stubOf(room));
    line.send({ type: "draft", id: "d", append: "I go on" });
    line.say("m2", "said");
    await line.messages(1);
    expect(told(line)).not.toContain('"code":"held"');
  });
});

describe("slow mode", () => {
  it("lets a sender write once in so many seconds, says how long to wait, and is told in the room's info", async () => {
    stopTime();
    const { owner, room } = await ownerWithRoom({ slow: 600 });
    const stranger = await Visitor.withKey();
    await expectStatus(await write(stranger, room), 201);
    const refused = await write(stranger, room);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(590);
    await evict(stubOf(room));
    expect(await refusalOf(await write(stranger, room))).toEqual([429, "rate_limited"]);
    await expectStatus(await write(stranger, room, "as an agent", undefined, "one"), 201);
    expect(await refusalOf(await write(stranger, room, "as another", undefined, "two"))).toEqual([429, "rate_limited"]);
    for (let n = 0; n < 3; n++) await expectStatus(await write(owner, room), 201);
    const line = await new Visitor().connect(room);
    expect((await line.welcome()).room).toMatchObject({ slow: 600 });
    expect(await new Visitor().json(`/api/rooms/${room}`)).toMatchObject({
      slow: 600,
      hold: "nobody",
      links: "anyone",
    });
  });

  it("holds for two messages at once, also over two ways", async () => {
    const { room } = await ownerWithRoom({ slow: 600 });
    const stranger = await Visitor.withKey();
    const answers = await Promise.all(["a", "b", "c"].map((id) => write(stranger, room, "now", id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 429, 429]);
  });

  it("counts the guests of one address as one", async () => {
    const { room } = await ownerWithRoom({ slow: 600 });
    const home = new Visitor().address;
    const lines: Line[] = [];
    for (const name of ["one", "two"]) {
      const line = await new Visitor(home).connect(room);
      await line.first();
      line.send({ type: "hello", guest: name.padEnd(22, "x") });
      await line.next("you");
      lines.push(line);
    }
    const [one, two] = lines as [Line, Line];
    one.say("a");
    await one.messages(1);
    two.say("b");
    expect(await two.next("error")).toMatchObject({ code: "rate_limited", about: "send", id: "b" });
  });
});

describe("rules", () => {
  it("refuse blocked words, but not of those who decide", async () => {
    const { owner, room } = await ownerWithRoom({ blocked: ["Tröll", "buy now"] });
    const stranger = await Visitor.withKey();
    for (const content of ["you TROLL!", "tr0ll", "tro\u0308ll", "t\u200broll", "Buy, now!"]) {
      expect(await refusalOf(await write(stranger, room, content))).toEqual([403, "forbidden"]);
    }
    for (const content of ["trolley", "buy it now", "patrol"])
      await expectStatus(await write(stranger, room, content), 201);
    await expectStatus(await write(owner, room, "no troll here"), 201);
  });

  it("are settled by moderators, too, who are shown the words, and nothing else is theirs", async () => {
    const { owner, room } = await ownerWithRoom();
    const [moderator, member] = [await Visitor.withKey(), await Visitor.withKey()];
    await admit(owner, room, moderator, "moderator");
    await admit(owner, room, member);
    const patch = (who: Visitor, body: object) => who.send("PATCH", `/api/rooms/${room}`, body);
    await expectStatus(await patch(moderator, { slow: 5, hold: "guests", links: "members", blocked: ["spam"] }), 200);
    expect(await moderator.json(`/api/rooms/${room}`)).toMatchObject({ slow: 5, blocked: ["spam"] });
    for (const who of [member, new Visitor()]) {
      expect(await who.json(`/api/rooms/${room}`)).not.toHaveProperty("blocked");
    }
    expect(await refusalOf(await patch(moderator, { slow: 5, name: "Mine" }))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await patch(moderator, {}))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await patch(member, { slow: 0 }))).toEqual([403, "forbidden"]);
    const { entries } = await owner.json<{ entries: object[] }>(`/api/rooms/${room}/moderation`);
    expect(entries[0]).toMatchObject({
      by: moderator.handle,
      deed: "settings",
      settings: ["blocked", "hold", "links", "slow"],
    });
    expect(JSON.stringify(entries)).not.toContain("spam");
    await expectStatus(await patch(owner, { slow: null, hold: null, links: null, blocked: [] }), 200);
    expect(await owner.json(`/api/rooms/${room}`)).toMatchObject({
      slow: 0,
      hold: "nobody",
      links: "anyone",
      blocked: [],
    });
  });

  it.each([
    { slow: -1 },
    { slow: 1.5 },
    { slow: 3601 },
    { slow: "5" },
    { hold: "all" },
    { links: true },
    { blocked: "spam" },
    { blocked: ["a"] },
    { blocked: ["*"] },
    { blocked: ["spam*"] },
    { blocked: ["(a+)+"] },
    { blocked: [""] },
    { blocked: [7] },
    { blocked: ["x".repeat(41)] },
    { blocked: Array.from({ length: 101 }, (_, n) => `word ${n}`) },
  ])("are not %j", async (settings) => {
    const { owner, room } = await ownerWithRoom();
    expect(await refusalOf(await owner.send("PATCH", `/api/rooms/${room}`, settings))).toEqual([400, "invalid"]);
  });
});
