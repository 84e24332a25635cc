/** Members of a room: who becomes one, what they may, and what happens at once when they are none any more. */

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { ChatRoom } from "../../party/chat-room.ts";
import { Person } from "../../party/limits/person.ts";
import type { OpenRoom } from "../../party/open-room.ts";
import { CLOSE, IDENTIFY_WITHIN } from "../../party/protocol.ts";
import {
  admit,
  archive,
  copiedState,
  evict,
  expectStatus,
  loseStorage,
  makeRoom,
  ownerWithRoom,
  refusalOf,
  ring,
  stopTime,
  stubOf,
  Visitor,
  without,
} from "./visitor.ts";

const membersRoom = () => ownerWithRoom({ access: "members" });

const memberOf = async (owner: Visitor, room: string, role = "member"): Promise<Visitor> => {
  const visitor = await Visitor.withKey();
  await admit(owner, room, visitor, role);
  return visitor;
};

const at = (room: string, visitor: Visitor) => `/api/rooms/${room}/members/${visitor.handle}`;
const put = (who: Visitor, room: string, whom: Visitor, role: string) => who.send("PUT", at(room, whom), { role });
const remove = (who: Visitor, room: string, whom: Visitor) => who.fetch(at(room, whom), { method: "DELETE" });

const DELETE = { method: "DELETE" };

/** Lets the next answer of a Limiter to a room wait until `release`. */
function holdAnswers(): { release: () => void; isAsked: () => boolean } {
  const held = Promise.withResolvers<void>();
  const { admit } = Person.prototype;
  let isAsked = false;
  async function hold(this: Person, ...question: Parameters<typeof admit>) {
    const answer = await admit.apply(this, question);
    isAsked = true;
    await held.promise;
    return answer;
  }
  const spied = vi.spyOn(Person.prototype, "admit").mockImplementation(hold as unknown as typeof admit);
  const release = () => {
    spied.mockRestore();
    held.resolve();
  };
  return { release, isAsked: () => isAsked };
}

/** What is left of an answer that streams. */
async function rest(response: Response): Promise<string> {
  return response.text();
}

describe("who is removed", () => {
  it("loses live sockets at once, and those of their agents", async () => {
    const { owner, room } = await membersRoom();
    const member = await memberOf(owner, room);
    const lines = [await member.enter(room), await member.enter(room, "claude")];
    const stays = await owner.enter(room);
    await expectStatus(await remove(owner, room, member), 204);
    for (const line of lines) {
      expect(await line.next("error")).toMatchObject({ code: "forbidden" });
      expect(await line.closeCode()).toBe(CLOSE.forbidden);
    }
    stays.say("after");
    await stays.messages(1);
    for (const line of lines) expect(JSON.stringify([...line.passed, ...line.unread])).not.toContain("says after");
  });

  it("loses a stream of events at once", async () => {
    const { owner, room } = await membersRoom();
    const member = await memberOf(owner, room);
    const response = await member.fetch(`/api/rooms/${room}/events`);
    await expectStatus(response, 200);
    await expectStatus(await remove(owner, room, member), 204);
    const line = await owner.enter(room);
    line.say("after");
    await line.messages(1);
    const text = await rest(response);
    expect(text).toContain(`event: close\ndata: {"code":${CLOSE.forbidden}`);
    expect(text).not.toContain("says after");
  });

  it("loses a request that waits, at once", async () => {
    const { owner, room } = await membersRoom();
    const member = await memberOf(owner, room);
    const { epoch } = await member.json<{ epoch: string }>(`/api/rooms/${room}/messages`);
    const waiting = member.fetch(`/api/rooms/${room}/messages?after=0&epoch=${epoch}&wait=25`);
    const sockets = () => runInDurableObject(stubOf(room), (_, state) => state.getWebSockets().length);
    await expect.poll(sockets).toBe(1);
    await expectStatus(await remove(owner, room, member), 204);
    expect(await refusalOf(await waiting)).toEqual([403, "forbidden"]);
  });

  it("and whose key has ended while a stream was on its way, gets none", async () => {
    const { owner, room } = await membersRoom();
    const member = await memberOf(owner, room);
    await expectStatus(await member.fetch(`/api/rooms/${room}/messages`), 200);
    const { id } = await member.json<{ id: string }>("/api/keys/me");
    // The Worker has found the key valid; the word that it has ended is here before the stream.
    await stubOf(room).expel(`person:${id}`, undefined);
    expect(await refusalOf(await member.fetch(`/api/rooms/${room}/events`))).toEqual([401, "unauthorized"]);
  });

  it("by the end of their key loses their streams, too", async () => {
    const { owner, room } = await membersRoom();
    const member = await memberOf(owner, room);
    const response = await member.fetch(`/api/rooms/${room}/events`);
    await expectStatus(await member.fetch("/api/keys/me", { method: "DELETE" }), 204);
    expect(await rest(response)).toContain(`event: close\ndata: {"code":${CLOSE.unauthorized}`);
  });

  it("can't write with what they had before: neither over HTTP nor into what waits for their Limiter", async () => {
    const { owner, room } = await membersRoom();
    const member = await memberOf(owner, room);
    const post = () => member.send("POST", `/api/rooms/${room}/messages`, { id: "same", content: "Hello" });
    await expectStatus(await post(), 201);
    await remove(owner, room, member);
    // A retry is no way to see that it is there.
    expect(await refusalOf(await post())).toEqual([403, "forbidden"]);
    expect(await refusalOf(await member.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE" }))).toEqual([
      403,
      "forbidden",
    ]);
  });

  it.each([
    ["deletion", "messages/1"],
    ["erasure", ""],
  ])("has no %s that waited for their Limiter's answer meanwhile", async (_, path) => {
    const { owner, room } = await membersRoom();
    const moderator = await memberOf(owner, room, "moderator");
    const member = await memberOf(owner, room);
    await member.send("POST", `/api/rooms/${room}/messages`, { content: "kept" });
    const undo = () => moderator.fetch(`/api/rooms/${room}/${path || `messages?sender=${member.handle}`}`, DELETE);
    const messages = `/api/rooms/${room}/messages`;
    const { release, isAsked } = holdAnswers();
    const removed = undo();
    await expect.poll(isAsked).toBe(true);
    await expectStatus(await remove(owner, room, moderator), 204);
    release();
    expect(await refusalOf(await removed)).toEqual([403, "forbidden"]);
    // The same for one whose key ends.
    await admit(owner, room, moderator, "moderator");
    const held = holdAnswers();
    const ended = undo();
    await expect.poll(held.isAsked).toBe(true);
    const { id } = await moderator.json<{ id: string }>("/api/keys/me");
    await stubOf(room).expel(`person:${id}`, undefined);
    held.release();
    expect(await refusalOf(await ended)).toEqual([401, "unauthorized"]);
    expect((await owner.json<{ messages: unknown[] }>(messages)).messages).toMatchObject([{ content: "kept" }]);
  });

  it("hears nothing when the room sleeps and wakes, and comes back when they are made a member again", async () => {
    const { owner, room } = await membersRoom();
    const member = await memberOf(owner, room);
    await remove(owner, room, member);
    await evict(stubOf(room));
    expect(await refusalOf(await member.fetch(`/api/rooms/${room}`))).toEqual([403, "forbidden"]);
    await admit(owner, room, member);
    await expectStatus(await member.fetch(`/api/rooms/${room}`), 200);
  });
});

describe("a room that becomes its members'", () => {
  it("lets every socket and stream say again who it is", async () => {
    const { owner, room } = await ownerWithRoom();
    const lines = [await new Visitor().connect(room), await new Visitor().enter(room), await owner.enter(room)];
    const stream = await new Visitor().fetch(`/api/rooms/${room}/events`);
    await expectStatus(await owner.send("PATCH", `/api/rooms/${room}`, { access: "members" }), 200);
    for (const line of lines) expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
    expect(await rest(stream)).toContain(`"code":${CLOSE.identifyAgain}`);
    expect(await (await new Visitor().connect(room)).first()).toEqual({ type: "identify" });
    expect((await owner.enter(room)).passed.map(({ type }) => type)).toContain("welcome");
  });

  describe("while D1 takes no writes", () => {
    const messages = (room: string) => `/api/rooms/${room}/messages`;
    const patch = (who: Visitor, room: string, access: string) => who.send("PATCH", `/api/rooms/${room}`, { access });
    const accessOf = (room: string) =>
      env.DB.prepare("SELECT access FROM rooms WHERE id = ?").bind(room).first("access");

    /** A room that its owner wanted to close meanwhile, with somebody in it, and D1 as it is then. */
    async function closing() {
      for (const level of ["error", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => undefined);
      const { owner, room } = await ownerWithRoom();
      const stranger = await Visitor.withKey();
      const line = await stranger.enter(room);
      await env.DB.exec("CREATE TRIGGER stuck BEFORE UPDATE ON rooms BEGIN SELECT RAISE(ABORT, 'stuck'); END");
      const goOn = () => env.DB.exec("DROP TRIGGER IF EXISTS stuck");
      onTestFinished(async () => void (await goOn()));
      const answer = await patch(owner, room, "members");
      const { error } = await answer.clone().json<{ error: { message: string } }>();
      expect(error.message).toContain("closed to strangers already");
      expect(await refusalOf(answer)).toEqual([503, "unavailable"]);
      return { owner, room, stranger, line, goOn };
    }

    it("is closed to strangers at once, after a crash, and whatever else is changed, until its row is, too", async () => {
      const { owner, room, stranger, line, goOn } = await closing();
      expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
      const isClosed = async () => {
        expect(await refusalOf(await stranger.fetch(messages(room)))).toEqual([403, "forbidden"]);
        expect(await (await new Visitor().connect(room)).first()).toEqual({ type: "identify" });
        await expectStatus(await owner.fetch(messages(room)), 200);
      };
      await isClosed();
      await abortAllDurableObjects();
      await isClosed();
      await ring(room);
      await goOn();
      await expectStatus(await owner.send("PATCH", `/api/rooms/${room}`, { topic: "Bears" }), 200);
      expect(await accessOf(room)).toBe("open");
      await isClosed();
      // It does not ask D1 again at once, unless it has started anew.
      await abortAllDurableObjects();
      await isClosed();
      await expect.poll(() => accessOf(room)).toBe("members");
      await abortAllDurableObjects();
      await isClosed();
      await expectStatus(await patch(owner, room, "open"), 200);
      await expectStatus(await stranger.fetch(messages(room)), 200);
    });

    it("is open again by its owner's word, also before its row was changed", async () => {
      const { owner, room, stranger, goOn } = await closing();
      await goOn();
      await expectStatus(await patch(owner, room, "open"), 200);
      await ring(room);
      await expectStatus(await stranger.fetch(messages(room)), 200);
      expect(await accessOf(room)).toBe("open");
    });
  });

  it("is not in the list of rooms, also where it is listed, and is again when it is open", async () => {
    const { owner, room } = await ownerWithRoom({ name: "Nowhere else 8421" });
    const found = async () => {
      return (await new Visitor().json<{ rooms: { id: string }[] }>("/api/rooms?q=8421")).rooms.map(({ id }) => id);
    };
    expect(await found()).toEqual([room]);
    await owner.send("PATCH", `/api/rooms/${room}`, { access: "members" });
    expect(await found()).toEqual([]);
    await owner.send("PATCH", `/api/rooms/${room}`, { access: "open" });
    expect(await found()).toEqual([room]);
  });

  it("is one from the beginning when it is made so", async () => {
    const owner = await Visitor.withKey();
    const response = await owner.send("POST", "/api/rooms", { name: "Den", access: "members" });
    const made = await response.json<{ id: string; access: string }>();
    expect(made.access).toBe("members");
    expect(await refusalOf(await new Visitor().fetch(`/api/rooms/${made.id}`))).toEqual([401, "unauthorized"]);
    expect(await refusalOf(await owner.send("POST", "/api/rooms", { name: "Den", access: "secret" }))).toEqual([
      400,
      "invalid",
    ]);
  });
});

describe("a client that does not say who it is", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is told so and closed with 4401 after ten seconds, also when the room has slept", async () => {
    const { room } = await membersRoom();
    stopTime();
    const line = await new Visitor().connect(room);
    expect(await line.first()).toEqual({ type: "identify" });
    const now = Date.now() + IDENTIFY_WITHIN - 5_000;
    vi.setSystemTime(now);
    await evict(stubOf(room));
    await runDurableObjectAlarm(stubOf(room));
    line.send("ping");
    await line.nextText();
    expect(line.unread).toEqual([]);
    vi.setSystemTime(now + 5_000);
    await evict(stubOf(room));
    await runDurableObjectAlarm(stubOf(room));
    expect(await line.next("error")).toMatchObject({ code: "unauthorized" });
    expect(await line.closeCode()).toBe(CLOSE.unauthorized);
  });

  it("is closed in time also while what the room does by itself hangs", async () => {
    const { room } = await membersRoom();
    stopTime();
    const line = await new Visitor().connect(room);
    await line.first();
    const hangs = Promise.withResolvers<void>();
    await runInDurableObject(stubOf(room), (object: ChatRoom) => {
      const { lifecycle } = object as unknown as { lifecycle: { room: OpenRoom } };
      vi.spyOn(lifecycle.room.followers, "run").mockImplementation(() => hangs.promise);
    });
    vi.setSystemTime(Date.now() + IDENTIFY_WITHIN);
    const rung = runDurableObjectAlarm(stubOf(room));
    expect(await line.closeCode()).toBe(CLOSE.unauthorized);
    hangs.resolve();
    await rung;
  });

  it("is told to come back, and not refused for good, when its hello can't be checked or comes too often", async () => {
    const { owner, room } = await membersRoom();
    await owner.enter(room);
    const newcomer = await Visitor.withKey();
    const unchecked = await newcomer.connect(room);
    await without("api_keys", async () => {
      unchecked.send({ type: "hello", key: newcomer.key as string });
      expect(await unchecked.next("error")).toMatchObject({ code: "unavailable", retryAfter: 5, about: "hello" });
    });
    expect(await unchecked.closeCode()).toBe(CLOSE.tryLater);
    const crowd = new Visitor();
    const refusals: string[] = [];
    while (!refusals.includes("rate_limited") && refusals.length < 100) {
      const guest = await crowd.connect(room);
      guest.send({ type: "hello", guest: `guest-${refusals.length}`.padEnd(22, "x") });
      refusals.push((await guest.next("error")).code);
      expect(await guest.closeCode()).toBe(refusals.at(-1) === "rate_limited" ? CLOSE.tryLater : CLOSE.forbidden);
    }
    expect(refusals.at(-1)).toBe("rate_limited");
  });

  it("hears nothing while the room wakes for others, and may still say it", async () => {
    const { owner, room } = await membersRoom();
    const late = await owner.connect(room);
    await late.first();
    await evict(stubOf(room));
    const line = await owner.enter(room);
    line.say("m1");
    await line.messages(1);
    expect(late.unread).toEqual([]);
    late.send({ type: "hello", key: owner.key as string });
    expect((await late.welcome()).messages.map(({ id }) => id)).toEqual(["m1"]);
    expect(late.passed.map(({ type }) => type)).toEqual(["welcome"]);
    await late.next("you");
    line.say("m2");
    expect((await late.messages(1)).map(({ id }) => id)).toEqual(["m2"]);
  });
});

describe("a role", () => {
  it("lets a reader read and not write, a member write, a moderator decide", async () => {
    const { owner, room } = await membersRoom();
    const [reader, member, moderator] = [
      await memberOf(owner, room, "reader"),
      await memberOf(owner, room),
      await memberOf(owner, room, "moderator"),
    ];
    const say = (who: Visitor) => who.send("POST", `/api/rooms/${room}/messages`, { content: "Hello" });
    expect(await refusalOf(await say(reader))).toEqual([403, "read_only"]);
    await expectStatus(await reader.fetch(`/api/rooms/${room}/messages`), 200);
    await expectStatus(await say(member), 201);
    const removeFirst = (who: Visitor) => who.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE" });
    expect(await refusalOf(await removeFirst(reader))).toEqual([403, "forbidden"]);
    await expectStatus(await removeFirst(moderator), 204);
  });

  it("is told with `you`, anew as soon as it is another", async () => {
    const { owner, room } = await ownerWithRoom();
    const member = await memberOf(owner, room);
    const line = await member.connect(room);
    line.send({ type: "hello", key: member.key as string });
    expect(await line.next("you")).toMatchObject({ owner: false, role: "member" });
    await admit(owner, room, member, "moderator");
    expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
    const again = await member.connect(room);
    again.send({ type: "hello", key: member.key as string });
    expect(await again.next("you")).toMatchObject({ owner: false, role: "moderator" });
  });

  it("of an agent is its person's, and at most a member's: also the owner's", async () => {
    const { owner, room } = await membersRoom();
    const moderator = await memberOf(owner, room, "moderator");
    const reader = await memberOf(owner, room, "reader");
    const line = await owner.enter(room);
    line.say("m1");
    await line.messages(1);
    for (const [who, role] of [
      [owner, "member"],
      [moderator, "member"],
      [reader, "reader"],
    ] as const) {
      const agent = await who.connect(room);
      agent.send({ type: "hello", key: who.key as string, as: "claude" });
      expect(await agent.next("you")).toMatchObject({ owner: false, role });
      agent.send({ type: "delete", seq: 1 });
      expect(await agent.next("error")).toMatchObject({ code: "forbidden", about: "delete" });
    }
  });

  it("is given by the owner and by moderators, who make no moderators and act against none", async () => {
    const { owner, room } = await membersRoom();
    const [moderator, other] = [await memberOf(owner, room, "moderator"), await memberOf(owner, room, "moderator")];
    const [member, stranger] = [await memberOf(owner, room), await Visitor.withKey()];
    await expectStatus(await put(moderator, room, stranger, "member"), 200);
    await expectStatus(await put(moderator, room, member, "reader"), 200);
    expect(await refusalOf(await put(moderator, room, member, "moderator"))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await put(moderator, room, other, "reader"))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await remove(moderator, room, other))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await put(moderator, room, moderator, "moderator"))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await put(moderator, room, owner, "reader"))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await remove(moderator, room, owner))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await put(member, room, stranger, "reader"))).toEqual([403, "forbidden"]);
    await expectStatus(await remove(owner, room, other), 204);
  });

  it.each([
    ["Moderator", 400, "invalid"],
    ["owner", 400, "invalid"],
    [7, 400, "invalid"],
    [null, 400, "invalid"],
  ])("can't be %j", async (role, ...refusal) => {
    const { owner, room } = await ownerWithRoom();
    expect(await refusalOf(await owner.send("PUT", `/api/rooms/${room}/members/a-b`, { role }))).toEqual(refusal);
  });

  it.each([
    ["nobody-with-a-key-of-this-name", 404, "not_found"],
    ["~brisk-lynx-4f2a9c", 409, "conflict"],
    ["anna@before", 400, "invalid"],
    ["A", 400, "invalid"],
  ])("can't be that of %s", async (sender, ...refusal) => {
    const { owner, room } = await ownerWithRoom();
    const path = `/api/rooms/${room}/members/${encodeURIComponent(sender)}`;
    expect(await refusalOf(await owner.send("PUT", path, { role: "member" }))).toEqual(refusal);
  });

  it("is a person's and no agent's, and the owner needs none", async () => {
    const { owner, room } = await ownerWithRoom();
    const other = await Visitor.withKey();
    const agent = `/api/rooms/${room}/members/${other.handle}%2Fclaude`;
    expect(await refusalOf(await owner.send("PUT", agent, { role: "member" }))).toEqual([400, "invalid"]);
    expect(await refusalOf(await put(owner, room, owner, "member"))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await remove(owner, room, owner))).toEqual([409, "conflict"]);
  });
});

describe("members", () => {
  it("are listed for those who moderate, a page at a time, and one may ask about oneself", async () => {
    const { owner, room } = await membersRoom();
    const members = [
      await memberOf(owner, room),
      await memberOf(owner, room),
      await memberOf(owner, room, "moderator"),
    ];
    const list = (who: Visitor, query = "") => who.fetch(`/api/rooms/${room}/members${query}`);
    type Page = { members: { sender: string; role: string }[]; next: string | null };
    const first = (await (await list(owner, "?limit=2")).json()) as Page;
    const second = (await (await list(owner, `?limit=2&cursor=${first.next}`)).json()) as Page;
    expect([...first.members, ...second.members].map(({ sender }) => sender)).toEqual(
      members.map(({ handle }) => handle).sort(),
    );
    expect(second.next).toBe(null);
    await expectStatus(await list(members[2] as Visitor), 200);
    expect(await refusalOf(await list(members[0] as Visitor))).toEqual([403, "forbidden"]);
    const self = await (members[0] as Visitor).json(at(room, members[0] as Visitor));
    expect(self).toEqual({ sender: members[0]?.handle, role: "member", since: expect.any(String) });
    expect(await refusalOf(await (members[0] as Visitor).fetch(at(room, owner)))).toEqual([403, "forbidden"]);
    expect(await owner.json(at(room, owner))).toMatchObject({ role: "owner" });
  });

  it("may leave, more than once, and are gone", async () => {
    const { owner, room } = await membersRoom();
    const member = await memberOf(owner, room);
    await expectStatus(await remove(member, room, member), 204);
    expect(await refusalOf(await remove(member, room, member))).toEqual([403, "forbidden"]);
    await expectStatus(await remove(owner, room, member), 204);
    expect(await refusalOf(await owner.fetch(at(room, member)))).toEqual([404, "not_found"]);
  });

  it("are in D1, and known again to a room that has lost its own storage", async () => {
    const { owner, room } = await membersRoom();
    const [stays, goes] = [await memberOf(owner, room, "reader"), await memberOf(owner, room)];
    await remove(owner, room, goes);
    await archive(room);
    expect(await copied(room)).toEqual(
      expect.arrayContaining([
        { sender: stays.handle, role: "reader", removed: false },
        { sender: goes.handle, role: null, removed: true },
      ]),
    );
    await loseStorage(room);
    await expectStatus(await stays.fetch(`/api/rooms/${room}/messages`), 200);
    expect(await refusalOf(await goes.fetch(`/api/rooms/${room}/messages`))).toEqual([403, "forbidden"]);
  });

  it("are copied to D1 later when D1 takes nothing now", async () => {
    const { owner, room } = await membersRoom();
    const member = await Visitor.withKey();
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await env.DB.exec("ALTER TABLE room_state RENAME TO room_state_away");
    try {
      await admit(owner, room, member);
      await archive(room);
      expect(warn.mock.calls).not.toEqual([]);
    } finally {
      await env.DB.exec("ALTER TABLE room_state_away RENAME TO room_state");
      warn.mockRestore();
    }
    await expectStatus(await member.fetch(`/api/rooms/${room}`), 200);
    await archive(room);
    expect(await copied(room)).toEqual([{ sender: member.handle, role: "member", removed: false }]);
  });

  it("go with their room", async () => {
    const { owner, room } = await membersRoom();
    const member = await memberOf(owner, room);
    await archive(room);
    expect(await copied(room)).toHaveLength(1);
    await expectStatus(await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" }), 204);
    expect(await copied(room)).toEqual([]);
    const { status } = await owner.send("POST", "/api/rooms", { name: "Again", id: room, access: "members" });
    expect(status).toBe(201);
    expect(await refusalOf(await member.fetch(`/api/rooms/${room}`))).toEqual([403, "forbidden"]);
  });
});

type Copied = { sender: string; role: string | null; removed: boolean };

async function copied(room: string): Promise<Copied[]> {
  const members = await copiedState<Copied>(room, "members");
  return members.map(({ sender, role, removed }) => ({ sender, role, removed }));
}

it("reading an open room costs no more with credentials than without, and needs none", async () => {
  const owner = await Visitor.withKey();
  const room = await makeRoom(owner);
  const headers = { authorization: "Bearer not-a-key" };
  await expectStatus(await new Visitor().fetch(`/api/rooms/${room}/messages`, { headers }), 200);
});
