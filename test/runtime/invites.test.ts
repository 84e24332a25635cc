/** Invites: who makes them, what their secret does, how often, and when no more. And how a room is handed over. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import app from "../../api/index.ts";
import { CLOSE } from "../../party/protocol.ts";
import {
  admit,
  alarmOf,
  archive,
  copiedState,
  evict,
  expectStatus,
  type Line,
  loseStorage,
  makeRoom,
  ownerWithRoom,
  refusalOf,
  ring,
  stubOf,
  Visitor,
} from "./visitor.ts";

const membersRoom = () => ownerWithRoom({ access: "members" });

interface Made {
  readonly id: string;
  readonly secret: string;
  readonly url: string;
  readonly role: string;
  readonly uses: number;
  readonly used: number;
  readonly expires: string | null;
}

async function invite(who: Visitor, room: string, wish: Record<string, unknown> = {}): Promise<Made> {
  const response = await who.send("POST", `/api/rooms/${room}/invites`, wish);
  await expectStatus(response, 201);
  return response.json<Made>();
}

const join = (who: Visitor, room: string, secret: string) =>
  who.send("POST", `/api/rooms/${room}/join`, { invite: secret }, who.key === undefined ? asGuest(who) : {});
const asGuest = (who: Visitor) => ({ authorization: `Guest ${who.guest}` });
const revoke = (who: Visitor, room: string, id: string) =>
  who.fetch(`/api/rooms/${room}/invites/${id}`, { method: "DELETE" });
const listed = async (who: Visitor, room: string) =>
  (await who.json<{ invites: Made[] }>(`/api/rooms/${room}/invites`)).invites;

/** Says hello with an invite, as the person or guest that `who` is. */
async function hello(who: Visitor, room: string, secret: string): Promise<Line> {
  const line = await who.connect(room);
  await line.first();
  if (who.key === undefined) line.send({ type: "hello", guest: who.guest, invite: secret });
  else line.send({ type: "hello", key: who.key, invite: secret });
  return line;
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("an invite", () => {
  it("is made with a secret that is told once, in a fragment, and kept as its hash alone", async () => {
    const { owner, room } = await membersRoom();
    const made = await invite(owner, room);
    expect(made).toMatchObject({ role: "member", uses: 1, used: 0 });
    expect(Date.parse(made.expires as string) - Date.now()).toBeGreaterThan(6 * 24 * 3_600_000);
    expect(new URL(made.url).hash).toBe(`#invite=${made.secret}`);
    expect(JSON.stringify(await listed(owner, room))).not.toContain(made.secret);
    const stored = await runInDurableObject(stubOf(room), (_, { storage }) =>
      JSON.stringify(storage.sql.exec("SELECT * FROM invites").toArray()),
    );
    expect(stored).toContain(made.id);
    expect(stored).not.toContain(made.secret);
    await archive(room);
    expect(await copiedState(room, "invites")).toHaveLength(1);
    expect(JSON.stringify(await copiedState(room, "invites"))).not.toContain(made.secret);
  });

  it("leads to the address under which people reach the server, whatever a proxy calls it", async () => {
    const { owner, room } = await membersRoom();
    const bindings = { ...env, PUBLIC_URL: "https://chat.example.com" } as unknown as Env;
    const headers = { authorization: `Bearer ${owner.key}` };
    const request = new Request(`http://inside/api/rooms/${room}/invites`, { method: "POST", headers });
    const { url, secret } = await (await app.fetch(request, bindings)).json<Made>();
    expect(url).toBe(`https://chat.example.com/r/${room}#invite=${secret}`);
  });

  it("makes a person with a key a member for good, over HTTP and by a hello, and their agents with them", async () => {
    const { owner, room } = await membersRoom();
    const { id, secret } = await invite(owner, room, { uses: 2, role: "reader" });
    const [first, second] = [await Visitor.withKey(), await Visitor.withKey()];
    const response = await join(first, room, secret);
    await expectStatus(response, 200);
    expect(await response.json()).toEqual({ sender: first.handle, role: "reader", since: expect.any(String) });
    const line = await hello(second, room, secret);
    await line.welcome();
    expect(await line.next("you")).toMatchObject({ role: "reader" });
    await expectStatus(await revoke(owner, room, id), 204);
    for (const who of [first, second]) await expectStatus(await who.fetch(`/api/rooms/${room}`), 200);
    expect((await second.enter(room, "claude")).passed.map(({ type }) => type)).toContain("welcome");
  });

  it("is counted once for each person, however often they come with it, also at once and after its end", async () => {
    const { owner, room } = await membersRoom();
    const { id, secret } = await invite(owner, room, { uses: 2 });
    const member = await Visitor.withKey();
    const answers = await Promise.all(Array.from({ length: 5 }, () => join(member, room, secret)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    await (await hello(member, room, secret)).next("you");
    expect((await listed(owner, room)).map(({ used }) => used)).toEqual([1]);
    const other = await Visitor.withKey();
    await expectStatus(await join(other, room, secret), 200);
    expect(await refusalOf(await join(await Visitor.withKey(), room, secret))).toEqual([409, "conflict"]);
    await expectStatus(await join(member, room, secret), 200);
    await revoke(owner, room, id);
    await expectStatus(await join(member, room, secret), 200);
    await (await hello(member, room, secret)).next("you");
  });

  it.each(["a hello", "HTTP"])("lets nobody in by %s whose key ends while the invite is looked up", async (way) => {
    const { owner, room } = await membersRoom();
    const { secret } = await invite(owner, room);
    const newcomer = await Visitor.withKey();
    await owner.enter(room);
    let isLookedUp = false;
    let isRevoked = false;
    const { digest } = crypto.subtle;
    vi.spyOn(crypto.subtle, "digest").mockImplementation(async (algorithm, data) => {
      const isInvite = new TextDecoder().decode(data as BufferSource).startsWith("inv_");
      isLookedUp ||= isInvite;
      // An object can't be woken by a promise that another context resolves.
      while (isInvite && !isRevoked) await new Promise((resolve) => setTimeout(resolve, 1));
      return digest.call(crypto.subtle, algorithm, data);
    });
    const coming = way === "HTTP" ? join(newcomer, room, secret) : hello(newcomer, room, secret);
    await expect.poll(() => isLookedUp).toBe(true);
    await expectStatus(await newcomer.fetch("/api/keys/me", { method: "DELETE" }), 204);
    isRevoked = true;
    const outcome = await coming;
    if (outcome instanceof Response) expect(await refusalOf(outcome)).toEqual([401, "unauthorized"]);
    else {
      expect(await outcome.next("error")).toMatchObject({ code: "unauthorized" });
      expect(await outcome.closeCode()).toBe(CLOSE.unauthorized);
    }
    const { members } = await owner.json<{ members: { sender: string }[] }>(`/api/rooms/${room}/members`);
    expect(members.map(({ sender }) => sender)).not.toContain(newcomer.handle);
  });

  it("with two at once for one use lets exactly one in", async () => {
    const { owner, room } = await membersRoom();
    const { secret } = await invite(owner, room);
    const people = await Promise.all(Array.from({ length: 4 }, () => Visitor.withKey()));
    const answers = await Promise.all(people.map((who) => join(who, room, secret)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  });

  it.each(["another room's", "revoked", "expired", "made up", "no secret"] as const)(
    "that is %s lets nobody in, over HTTP or by a hello",
    async (kind) => {
      const { owner, room } = await membersRoom();
      let { id, secret } = await invite(owner, room, { expires: new Date(Date.now() + 60_000).toISOString() });
      if (kind === "another room's") ({ secret } = await invite(owner, await makeRoom(owner, { access: "members" })));
      if (kind === "revoked") await expectStatus(await revoke(owner, room, id), 204);
      if (kind === "made up") secret = `${secret.slice(0, -1)}${secret.endsWith("x") ? "y" : "x"}`;
      if (kind === "no secret") secret = "please";
      if (kind === "expired") {
        vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
        await evict(stubOf(room));
      }
      const stranger = await Visitor.withKey();
      expect(await refusalOf(await join(stranger, room, secret))).toEqual([403, "forbidden"]);
      const line = await hello(stranger, room, secret);
      expect(await line.next("error")).toMatchObject({ code: "forbidden", about: "hello" });
      expect(await line.closeCode()).toBe(CLOSE.forbidden);
      expect((await listed(owner, room)).map(({ used }) => used)).toEqual(kind === "revoked" ? [] : [0]);
    },
  );

  it("lets nobody back in whom somebody has removed; another invite does, and who has left may come back", async () => {
    const { owner, room } = await membersRoom();
    const { secret } = await invite(owner, room, { uses: 10 });
    const member = await Visitor.withKey();
    const path = `/api/rooms/${room}/members/${member.handle}`;
    await join(member, room, secret);
    await expectStatus(await member.fetch(path, { method: "DELETE" }), 204);
    expect(await refusalOf(await member.fetch(`/api/rooms/${room}`))).toEqual([403, "forbidden"]);
    await expectStatus(await join(member, room, secret), 200);
    await expectStatus(await owner.fetch(path, { method: "DELETE" }), 204);
    expect(await refusalOf(await join(member, room, secret))).toEqual([403, "forbidden"]);
    await expectStatus(await join(member, room, (await invite(owner, room)).secret), 200);
    expect((await listed(owner, room)).map(({ used }) => used)).toEqual([1, 1]);
  });

  it("never takes a role away, and gives a higher one", async () => {
    const { owner, room } = await membersRoom();
    const member = await Visitor.withKey();
    await admit(owner, room, member);
    const role = async (wish: string) => {
      const response = await join(member, room, (await invite(owner, room, { role: wish })).secret);
      return (await response.json<{ role: string }>()).role;
    };
    expect(await role("reader")).toBe("member");
    expect(await role("moderator")).toBe("moderator");
    expect((await listed(owner, room)).map(({ used }) => used)).toEqual([0, 1]);
    const own = await join(owner, room, (await invite(owner, room)).secret);
    expect(await own.json()).toMatchObject({ role: "owner" });
  });

  it("is made, listed and revoked by those who moderate, and one for moderators by the owner", async () => {
    const { owner, room } = await membersRoom();
    const [member, moderator] = [await Visitor.withKey(), await Visitor.withKey()];
    await admit(owner, room, member);
    await admit(owner, room, moderator, "moderator");
    const make = (who: Visitor, wish = {}) => who.send("POST", `/api/rooms/${room}/invites`, wish);
    expect(await refusalOf(await make(member))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await member.fetch(`/api/rooms/${room}/invites`))).toEqual([403, "forbidden"]);
    const { id } = await invite(moderator, room);
    expect(await refusalOf(await revoke(member, room, id))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await make(moderator, { role: "moderator" }))).toEqual([403, "forbidden"]);
    const high = await invite(owner, room, { role: "moderator" });
    expect(await refusalOf(await revoke(moderator, room, high.id))).toEqual([403, "forbidden"]);
    await expectStatus(await revoke(moderator, room, id), 204);
    await expectStatus(await revoke(moderator, room, id), 204);
    expect(await refusalOf(await revoke(owner, room, "no-such"))).toEqual([404, "not_found"]);
  });

  it.each([
    { uses: 0 },
    { uses: 10_001 },
    { uses: "1" },
    { role: "owner" },
    { expires: "tomorrow" },
    { expires: "2020-01-01T00:00:00.000Z" },
    { secret: "mine" },
  ])("can't be %j", async (wish) => {
    const { owner, room } = await ownerWithRoom();
    expect(await refusalOf(await owner.send("POST", `/api/rooms/${room}/invites`, wish))).toEqual([400, "invalid"]);
  });
});

describe("an invited guest", () => {
  it("reads over HTTP, by events and over a socket, writes there, and is at most a member", async () => {
    const { owner, room } = await membersRoom();
    const { secret } = await invite(owner, room, { role: "moderator", expires: null });
    const guest = new Visitor();
    const line = await hello(guest, room, secret);
    const { sender, role } = await line.next("you");
    expect(role).toBe("member");
    line.say("m1");
    await line.messages(1);
    const headers = asGuest(guest);
    await expectStatus(await guest.fetch(`/api/rooms/${room}/messages`, { headers }), 200);
    const events = await guest.fetch(`/api/rooms/${room}/events`, { headers });
    await expectStatus(events, 200);
    await events.body?.cancel();
    const path = `/api/rooms/${room}/members/${encodeURIComponent(sender)}`;
    expect(await (await guest.fetch(path, { headers })).json()).toMatchObject({ sender, role: "member" });
    await expectStatus(await owner.send("PUT", path, { role: "reader" }), 200);
    expect(await refusalOf(await owner.send("PUT", path, { role: "moderator" }))).toEqual([400, "invalid"]);
    await expectStatus(await guest.fetch(path, { method: "DELETE", headers }), 204);
    expect(await refusalOf(await guest.fetch(`/api/rooms/${room}/messages`, { headers }))).toEqual([403, "forbidden"]);
  });

  it("is one for as long as the invite lives: revoked, it ends their sockets and streams at once", async () => {
    const { owner, room } = await membersRoom();
    const { id, secret } = await invite(owner, room);
    const guest = new Visitor();
    const line = await hello(guest, room, secret);
    await line.next("you");
    const events = await guest.fetch(`/api/rooms/${room}/events`, { headers: asGuest(guest) });
    await expectStatus(await revoke(owner, room, id), 204);
    expect(await line.next("error")).toMatchObject({ code: "forbidden" });
    expect(await line.closeCode()).toBe(CLOSE.forbidden);
    expect(await events.text()).toContain(`"code":${CLOSE.forbidden}`);
    expect(await refusalOf(await join(guest, room, secret))).toEqual([403, "forbidden"]);
  });

  it("is let go when the invite expires, also while the room sleeps", async () => {
    const { owner, room } = await membersRoom();
    const { secret } = await invite(owner, room, { expires: new Date(Date.now() + 600_000).toISOString() });
    const guest = new Visitor();
    const line = await hello(guest, room, secret);
    await line.next("you");
    await expect.poll(() => alarmOf(room)).toBeLessThanOrEqual(Date.now() + 601_000);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 601_000 });
    await evict(stubOf(room));
    await ring(room);
    expect(await line.closeCode()).toBe(CLOSE.forbidden);
    const { status } = await guest.fetch(`/api/rooms/${room}/messages`, { headers: asGuest(guest) });
    expect(status).toBe(403);
  });

  it("is in a room that has lost its own storage what they were, and so is the count of uses", async () => {
    const { owner, room } = await membersRoom();
    const { secret } = await invite(owner, room, { uses: 2 });
    const guest = new Visitor();
    await expectStatus(await join(guest, room, secret), 200);
    await archive(room);
    expect(await copiedState(room, "invites")).toMatchObject([{ used: 1 }]);
    await loseStorage(room);
    await expectStatus(await guest.fetch(`/api/rooms/${room}/messages`, { headers: asGuest(guest) }), 200);
    await expectStatus(await join(guest, room, secret), 200);
    await expectStatus(await join(new Visitor(), room, secret), 200);
    expect(await refusalOf(await join(new Visitor(), room, secret))).toEqual([409, "conflict"]);
  });
});

describe("a guest who has used an invite and then makes a key", () => {
  /** A room with an invite, and a guest who has come by it. */
  async function invitedGuest(wish: Record<string, unknown> = {}) {
    const { owner, room } = await membersRoom();
    const made = await invite(owner, room, wish);
    const guest = new Visitor();
    await expectStatus(await join(guest, room, made.secret), 200);
    const person = await Visitor.withKey();
    const change = (secret = guest.guest, who = person) =>
      who.send("POST", `/api/rooms/${room}/join`, { invite: made.secret, guest: secret });
    return { owner, room, ...made, guest, person, change };
  }
  const readAs = (guest: Visitor, room: string) => guest.fetch(`/api/rooms/${room}`, { headers: asGuest(guest) });

  it("takes the guest's place, which is one place, however often they ask", async () => {
    const { owner, room, id, guest, person, change, secret } = await invitedGuest({ role: "reader" });
    const line = await hello(guest, room, secret);
    await line.next("you");
    const answers = await Promise.all([change(), change(), change()]);
    for (const answer of answers) {
      await expectStatus(answer, 200);
      expect(await answer.json()).toMatchObject({ sender: person.handle, role: "reader" });
    }
    expect(await line.closeCode()).toBe(CLOSE.forbidden);
    expect(await refusalOf(await readAs(guest, room))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await join(guest, room, secret))).toEqual([409, "conflict"]);
    expect((await listed(owner, room)).map(({ used }) => used)).toEqual([1]);
    const { members } = await owner.json<{ members: { sender: string }[] }>(`/api/rooms/${room}/members`);
    expect(members.map(({ sender }) => sender)).toEqual([person.handle]);
    // For good, as of anybody with a key.
    await expectStatus(await revoke(owner, room, id), 204);
    await evict(stubOf(room));
    await expectStatus(await person.fetch(`/api/rooms/${room}`), 200);
    await (await hello(person, room, secret)).next("you");
  });

  it("does so by the guest's own secret alone, and not by that of one who was removed", async () => {
    const { owner, room, guest, person, change, secret } = await invitedGuest();
    expect(await refusalOf(await change(new Visitor().guest))).toEqual([409, "conflict"]);
    expect(await refusalOf(await change("too short"))).toEqual([400, "invalid"]);
    const other = await (await join(guest, room, secret)).json<{ sender: string }>();
    const gone = await owner.fetch(`/api/rooms/${room}/members/${encodeURIComponent(other.sender)}`, {
      method: "DELETE",
    });
    await expectStatus(gone, 204);
    expect(await refusalOf(await change())).toEqual([409, "conflict"]);
    expect(await refusalOf(await person.fetch(`/api/rooms/${room}`))).toEqual([403, "forbidden"]);
  });

  it("gets no more by it than the invite gives, and nothing once that is over", async () => {
    const { owner, room, id, person, change } = await invitedGuest({ uses: 2 });
    await admit(owner, room, person, "moderator");
    expect(await (await change()).json()).toMatchObject({ role: "moderator" });
    expect((await listed(owner, room)).map(({ used }) => used)).toEqual([1]);
    await revoke(owner, room, id);
    expect(await refusalOf(await change(undefined, await Visitor.withKey()))).toEqual([403, "forbidden"]);
  });
});

describe("a room", () => {
  const handOver = (who: Visitor, room: string, handle: string) =>
    who.send("POST", `/api/rooms/${room}/owner`, { handle });

  it("is handed to a member, and its owner of before moderates; both are told at once", async () => {
    const { owner, room } = await membersRoom();
    const next = await Visitor.withKey();
    await admit(owner, room, next, "reader");
    const lines = [await owner.enter(room), await next.enter(room)];
    await expectStatus(await handOver(owner, room, next.handle), 200);
    for (const line of lines) expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
    expect(await refusalOf(await owner.send("PATCH", `/api/rooms/${room}`, { topic: "Mine" }))).toEqual([
      403,
      "forbidden",
    ]);
    await expectStatus(await next.send("PATCH", `/api/rooms/${room}`, { topic: "Mine" }), 200);
    expect(await owner.json(`/api/rooms/${room}/members/${owner.handle}`)).toMatchObject({ role: "moderator" });
    const { members } = await next.json<{ members: { sender: string }[] }>(`/api/rooms/${room}/members`);
    expect(members.map(({ sender }) => sender)).toEqual([owner.handle]);
    expect(await next.json(`/api/rooms/${room}`)).toMatchObject({ createdBy: next.handle });
    // And back.
    await expectStatus(await handOver(next, room, owner.handle), 200);
    await expectStatus(await owner.send("PATCH", `/api/rooms/${room}`, { topic: "Mine" }), 200);
  });

  it("is handed to no stranger, no guest, no agent and nobody who does not exist, and by its owner alone", async () => {
    const { owner, room } = await membersRoom();
    const [stranger, moderator] = [await Visitor.withKey(), await Visitor.withKey()];
    await admit(owner, room, moderator, "moderator");
    for (const [handle, ...refusal] of [
      [stranger.handle, 409, "conflict"],
      ["nobody-of-this-name", 409, "conflict"],
      ["~brisk-lynx-4f2a9c", 400, "invalid"],
      [`${moderator.handle}/claude`, 400, "invalid"],
    ] as const) {
      expect(await refusalOf(await handOver(owner, room, handle))).toEqual(refusal);
    }
    expect(await refusalOf(await handOver(moderator, room, moderator.handle))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await handOver(stranger, room, stranger.handle))).toEqual([403, "forbidden"]);
    await expectStatus(await owner.send("PATCH", `/api/rooms/${room}`, { topic: "Mine" }), 200);
  });

  it("is handed over once when its owner of before asks again, because no answer came, and by nobody else so", async () => {
    const { owner, room } = await membersRoom();
    const [next, third, member] = [await Visitor.withKey(), await Visitor.withKey(), await Visitor.withKey()];
    for (const who of [next, third, member]) await admit(owner, room, who);
    for (let time = 0; time < 2; time++) {
      const answer = await handOver(owner, room, next.handle);
      await expectStatus(answer, 200);
      expect(await answer.json()).toEqual({ owner: next.handle });
    }
    const { entries } = await owner.json<{ entries: { deed: string }[] }>(`/api/rooms/${room}/moderation`);
    expect(entries.filter(({ deed }) => deed === "owner")).toHaveLength(1);
    // Also where the row has changed, and the room was not told before everything broke.
    const update = `UPDATE rooms SET created_by = (SELECT id FROM api_keys WHERE handle = ?), revision = revision + 1
      WHERE id = ?`;
    await env.DB.prepare(update).bind(third.handle, room).run();
    await expectStatus(await handOver(owner, room, third.handle), 200);
    const line = await third.connect(room);
    line.send({ type: "hello", key: third.key as string });
    expect(await line.next("you")).toMatchObject({ role: "owner" });
    expect(await refusalOf(await handOver(owner, room, next.handle))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await handOver(member, room, third.handle))).toEqual([403, "forbidden"]);
  });

  it("is handed to nobody whose key was revoked", async () => {
    const { owner, room } = await membersRoom();
    const gone = await Visitor.withKey();
    await admit(owner, room, gone);
    await gone.fetch("/api/keys/me", { method: "DELETE" });
    expect(await refusalOf(await handOver(owner, room, gone.handle))).toEqual([404, "not_found"]);
    await expectStatus(await owner.send("PATCH", `/api/rooms/${room}`, { topic: "Mine" }), 200);
  });
});

describe("muting", () => {
  it("is the owner's and the moderators', who mute neither themselves, nor each other, nor the owner", async () => {
    const { owner, room } = await ownerWithRoom();
    const [moderator, other, member] = [await Visitor.withKey(), await Visitor.withKey(), await Visitor.withKey()];
    for (const who of [moderator, other]) await admit(owner, room, who, "moderator");
    const mute = (who: Visitor, handle: string, method = "PUT") =>
      who.fetch(`/api/rooms/${room}/mutes/${encodeURIComponent(handle)}`, { method });
    await expectStatus(await mute(moderator, member.handle), 200);
    await expectStatus(await moderator.fetch(`/api/rooms/${room}/mutes`), 200);
    for (const whom of [moderator.handle, other.handle, owner.handle, `${owner.handle}/claude`]) {
      expect(await refusalOf(await mute(moderator, whom)), whom).toEqual([403, "forbidden"]);
    }
    expect(await refusalOf(await mute(member, other.handle))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await mute(owner, owner.handle))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await mute(moderator, `${moderator.handle}/claude`))).toEqual([403, "forbidden"]);
    // An owner stops their own agent.
    await expectStatus(await mute(owner, `${owner.handle}/claude`), 200);
    await expectStatus(await mute(owner, moderator.handle), 200);
    // Who is muted does not lift it.
    expect(await refusalOf(await mute(moderator, moderator.handle, "DELETE"))).toEqual([403, "forbidden"]);
    await expectStatus(await mute(moderator, member.handle, "DELETE"), 204);
  });
});
