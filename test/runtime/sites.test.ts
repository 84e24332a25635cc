/** Sites: registering one, what its users may by its tokens, and when that ends. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Quota } from "../../party/limits/quota.ts";
import { CLOSE } from "../../party/protocol.ts";
import { siteDirectory } from "../../party/sites/site-directory.ts";
import { SiteSigner } from "../site-signer.ts";
import { newSiteName, TestSite } from "./site.ts";
import {
  admit,
  alarmOf,
  evict,
  expectStatus,
  makeRoom,
  ownerWithRoom,
  refusalOf,
  stopTime,
  stubOf,
  Visitor,
} from "./visitor.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const { OPERATOR_SECRET } = env as unknown as { OPERATOR_SECRET: string };
const operator = { authorization: `Operator ${OPERATOR_SECRET}` };

describe("a site", () => {
  it("is registered, read, changed and removed by its owner", async () => {
    const site = await TestSite.register();
    const { jwk } = site.signer;
    const shown = await site.owner.json<{ name: string; keys: unknown[]; origins: string[] }>(site.path);
    expect(shown).toMatchObject({ name: site.name, keys: [{ ...jwk, alg: "ES256", use: "sig" }], origins: [] });
    const second = await SiteSigner.of(site.name, "EdDSA", "next");
    const both = await site.put({ keys: [jwk, second.jwk], origins: ["https://acme.example"] });
    await expectStatus(both, 200);
    expect(await both.json()).toMatchObject({ keys: [{}, { kid: "next" }], origins: ["https://acme.example"] });
    await expectStatus(await site.owner.fetch(site.path, { method: "DELETE" }), 204);
    expect(await refusalOf(await site.owner.fetch(site.path))).toEqual([404, "not_found"]);
  });

  it("is known as soon as it is registered, also to a room that was shown a token of it before", async () => {
    const site = await TestSite.unregistered(await Visitor.withKey());
    const room = await site.room();
    expect(await (await site.hello(room, "anna")).next("error")).toMatchObject({ code: "unauthorized" });
    await expectStatus(await site.put(), 201);
    await site.enter(room, "anna");
  });

  it("is nobody else's, but the operator may look and remove it", async () => {
    const site = await TestSite.register();
    const stranger = await Visitor.withKey();
    expect(await refusalOf(await stranger.fetch(site.path))).toEqual([403, "forbidden"]);
    expect(await refusalOf(await stranger.fetch(site.path, { method: "DELETE" }))).toEqual([403, "forbidden"]);
    const wish = { keys: [(await SiteSigner.of(site.name)).jwk], origins: [] };
    expect(await refusalOf(await site.put(wish, stranger))).toEqual([409, "conflict"]);
    await expectStatus(await new Visitor().fetch(site.path, { headers: operator }), 200);
    await expectStatus(await new Visitor().fetch(site.path, { method: "DELETE", headers: operator }), 204);
  });

  it("keeps its name for its owner when it was removed", async () => {
    const site = await TestSite.register();
    const wish = { keys: [site.signer.jwk], origins: [] };
    await site.owner.fetch(site.path, { method: "DELETE" });
    expect(await refusalOf(await site.put(wish, await Visitor.withKey()))).toEqual([409, "conflict"]);
    await expectStatus(await site.put(wish), 201);
  });

  it("has no name that is somebody's handle, but one's own", async () => {
    const [one, other] = [await Visitor.withKey(), await Visitor.withKey()];
    const { jwk } = await SiteSigner.of(one.handle);
    const put = (who: Visitor) => who.send("PUT", `/api/sites/${one.handle}`, { keys: [jwk], origins: [] });
    expect(await refusalOf(await put(other))).toEqual([409, "conflict"]);
    await expectStatus(await put(one), 201);
  });

  it.each(["before", "support", "ab", "Acme", "a--b"])("is not called %s", async (name) => {
    const { jwk } = await SiteSigner.of(name);
    const owner = await Visitor.withKey();
    const response = await owner.send("PUT", `/api/sites/${name}`, { keys: [jwk], origins: [] });
    expect(await refusalOf(response)).toEqual([400, "invalid"]);
  });

  it("takes no private key, and has kept nothing of one", async () => {
    const owner = await Visitor.withKey();
    const signer = await SiteSigner.of(newSiteName());
    const path = `/api/sites/${signer.name}`;
    const response = await owner.send("PUT", path, { keys: [await signer.secret()], origins: [] });
    await expectStatus(response, 400);
    expect(await response.text()).toContain("private key");
    expect(await refusalOf(await owner.fetch(path))).toEqual([404, "not_found"]);
  });

  it("is one of five that a key registers in a day; a change, and what is refused, costs none", async () => {
    const owner = await Visitor.withKey();
    for (let made = 0; made < 5; made++) {
      const site = await TestSite.register(owner);
      await expectStatus(await site.put({ keys: [site.signer.jwk], origins: [] }), 200);
      await owner.send("PUT", `/api/sites/${newSiteName()}`, { keys: [], origins: [] });
    }
    const { jwk } = await SiteSigner.of("more");
    const response = await owner.send("PUT", `/api/sites/${newSiteName()}`, { keys: [jwk], origins: [] });
    expect(await refusalOf(response)).toEqual([429, "rate_limited"]);
  });

  it("of one name that two people ask for at once is one's", async () => {
    const signer = await SiteSigner.of(newSiteName());
    const people = [await Visitor.withKey(), await Visitor.withKey()];
    const put = (who: Visitor) => who.send("PUT", `/api/sites/${signer.name}`, { keys: [signer.jwk], origins: [] });
    const statuses = (await Promise.all(people.map(put))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, 409]);
  });

  it("is in the operator's directory, for a backup, with its keys and without a secret", async () => {
    const site = await TestSite.register();
    const { records } = await new Visitor().json<{ records: { type: string; name: string }[] }>(
      "/api/operator/directory?cursor=site:",
      { headers: operator },
    );
    const record = records.find(({ name }) => name === site.name);
    expect(record).toMatchObject({ type: "site", keys: [{ jwk: site.signer.jwk }], origins: [], removedAt: null });
  });
});

describe("a site's user", () => {
  it("writes and deletes over a socket, under the name that the site gives", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    const line = await site.hello(room, "anna");
    expect(await line.next("you")).toMatchObject({
      sender: `anna@${site.name}`,
      owner: false,
      role: "member",
      quota: { limit: 60 },
    });
    line.say("m1", "Hello");
    const [message] = await line.messages(1);
    expect(message).toMatchObject({ sender: `anna@${site.name}`, content: "Hello" });
    line.send({ type: "delete", seq: 1 });
    expect(await line.messages(1)).toMatchObject([{ kind: "deletion", target: 1 }]);
    const { presence } = await site.owner.json<{ presence: { people: string[] } }>(`/api/rooms/${room}`);
    expect(presence.people).toEqual([`anna@${site.name}`]);
  });

  it("writes and deletes over HTTP", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    const headers = await site.authorization("anna");
    const anna = new Visitor();
    const post = await anna.send("POST", `/api/rooms/${room}/messages`, { id: "m1", content: "Hello" }, headers);
    await expectStatus(post, 201);
    expect(await post.json()).toMatchObject({ seq: 1, sender: `anna@${site.name}` });
    const again = await anna.send("POST", `/api/rooms/${room}/messages`, { id: "m1", content: "Hello" }, headers);
    await expectStatus(again, 200);
    const remove = await anna.fetch(`/api/rooms/${room}/messages/1`, { method: "DELETE", headers });
    await expectStatus(remove, 204);
    const asAgent = { id: "m2", content: "Hello", as: "claude" };
    const agent = await anna.send("POST", `/api/rooms/${room}/messages`, asAgent, headers);
    expect(await refusalOf(agent)).toEqual([400, "invalid"]);
  });

  it("may come with the token in the upgrade's own header", async () => {
    const site = await TestSite.register();
    const room = await site.room({ access: "members" });
    const line = await new Visitor().connect(room, { headers: await site.authorization("anna") });
    expect(await line.next("you")).toMatchObject({ sender: `anna@${site.name}` });
  });

  it("reads a members' room by every way, and nobody reads it by a token of another site", async () => {
    const site = await TestSite.register();
    const other = await TestSite.register();
    const room = await site.room({ access: "members" });
    const paths = ["", "/messages", "/messages?before=1", "/events"].map((path) => `/api/rooms/${room}${path}`);
    for (const path of paths) {
      const headers = await site.authorization("anna", { role: "reader" });
      const response = await new Visitor().fetch(path, { headers });
      await expectStatus(response, 200);
      await response.body?.cancel();
      expect(await refusalOf(await new Visitor().fetch(path, { headers: await other.authorization("anna") }))).toEqual([
        403,
        "forbidden",
      ]);
    }
    const line = await other.hello(room, "anna");
    expect(await line.next("error")).toMatchObject({ code: "forbidden", about: "hello" });
    expect(await line.closeCode()).toBe(CLOSE.forbidden);
  });

  it.each([
    ["ended", { exp: -120 }, "unauthorized", CLOSE.unauthorized],
    ["is for another server", { aud: "https://other.example" }, "unauthorized", CLOSE.unauthorized],
    ["is for other rooms", { rooms: ["elsewhere-*"] }, "forbidden", CLOSE.forbidden],
    ["is of no site", { iss: "nobody-at-all" }, "unauthorized", CLOSE.unauthorized],
  ] as const)("is refused with a token that %s, over every way, with a code", async (_, claims, code, close) => {
    const site = await TestSite.register();
    const room = await site.room();
    const line = await site.hello(room, "anna", claims);
    expect(await line.next("error")).toMatchObject({ code, about: "hello" });
    expect(await line.closeCode()).toBe(close);
    const headers = await site.authorization("anna", claims);
    const response = await new Visitor().send("POST", `/api/rooms/${room}/messages`, { content: "Hello" }, headers);
    expect((await refusalOf(response))[1]).toBe(code);
  });

  it("is refused with a token of 5 KB, over every way", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    const claims = { padding: "x".repeat(5_000) };
    expect(await (await site.hello(room, "anna", claims)).next("error")).toMatchObject({ code: "too_large" });
    const headers = await site.authorization("anna", claims);
    const response = await new Visitor().send("POST", `/api/rooms/${room}/messages`, { content: "Hello" }, headers);
    expect(await refusalOf(response)).toEqual([413, "too_large"]);
  });

  it("reads as a reader, and writes as a member", async () => {
    const site = await TestSite.register();
    for (const access of ["open", "members"]) {
      const room = await site.room({ access });
      const line = await site.enter(room, "anna", { role: "reader" });
      line.say("m1");
      expect(await line.next("error")).toMatchObject({ code: "read_only", about: "send" });
    }
  });

  it("moderates as the site says, and is never the owner", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    const line = await site.enter(room, "bob");
    line.say("m1");
    await line.messages(1);
    const moderator = await site.hello(room, "anna", { role: "moderator" });
    expect(await moderator.next("you")).toMatchObject({ owner: false, role: "moderator" });
    moderator.send({ type: "delete", seq: 1 });
    expect(await moderator.messages(1)).toMatchObject([{ kind: "deletion", sender: `anna@${site.name}` }]);
    const headers = await site.authorization("anna", { role: "moderator" });
    const rename = await new Visitor().send("PATCH", `/api/rooms/${room}`, { name: "Mine" }, headers);
    expect(await refusalOf(rename)).toEqual([401, "unauthorized"]);
    const owner = await site.hello(room, "eve", { role: "owner" });
    expect(await owner.next("error")).toMatchObject({ code: "unauthorized" });
  });

  it("is muted by name, over every way", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    const line = await site.enter(room, "anna");
    await expectStatus(await site.owner.send("PUT", `/api/rooms/${room}/mutes/anna@${site.name}`, {}), 200);
    line.say("m1");
    expect(await line.next("error")).toMatchObject({ code: "muted" });
    const headers = await site.authorization("anna");
    const response = await new Visitor().send("POST", `/api/rooms/${room}/messages`, { content: "Hello" }, headers);
    expect(await refusalOf(response)).toEqual([403, "muted"]);
    const other = await site.enter(room, "bob");
    other.say("m1");
    expect(await other.messages(1)).toMatchObject([{ sender: `bob@${site.name}` }]);
  });

  it("can't be made a member by hand: the site gives the role", async () => {
    const site = await TestSite.register();
    const room = await site.room({ access: "members" });
    const put = await site.owner.send("PUT", `/api/rooms/${room}/members/anna@${site.name}`, { role: "moderator" });
    expect(await refusalOf(put)).toEqual([400, "invalid"]);
  });

  it("comes only from the pages that the site has named", async () => {
    const site = await TestSite.register(undefined, ["https://acme.example"]);
    const room = await site.room();
    for (const [origin, answer] of [
      ["https://acme.example", "you"],
      ["https://evil.example", "error"],
    ] as const) {
      const line = await new Visitor().connect(room, { headers: { origin } });
      await line.welcome();
      line.send({ type: "hello", token: await site.signer.token("anna") });
      // Before it may come who else is here.
      expect(await line.next(answer)).toMatchObject(answer === "error" ? { code: "forbidden" } : { type: "you" });
    }
  });

  it("has a quota of their own over all rooms, and costs their site's others nothing", async () => {
    stopTime();
    const site = await TestSite.register();
    const room = await site.room();
    const line = await site.enter(room, "anna");
    for (let said = 0; said < 61; said++) line.say(`m${said}`);
    expect(await line.next("error")).toMatchObject({ code: "rate_limited", about: "send" });
    const elsewhere = await site.hello(await site.room(), "anna");
    expect(await elsewhere.next("you")).toMatchObject({ quota: { remaining: 0 } });
    expect(await (await site.hello(room, "bob")).next("you")).toMatchObject({ quota: { remaining: 60 } });
  });

  it("is one of so many whom a site may bring in a day; those who come back are none", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    await site.enter(room, "anna");
    const limiter = env.QUOTA.getByName(`site:${site.name}`);
    await runInDurableObject(limiter, async (instance) => {
      for (let taken = 0; taken < Number(env.SITE_USERS_PER_DAY); taken++) instance.takeDaily("subjects");
    });
    const late = await site.hello(room, "bob");
    expect(await late.next("error")).toMatchObject({ code: "rate_limited", about: "hello" });
    await site.enter(room, "anna");
  });
});

describe("the end of a token", () => {
  it("closes its live socket with 4408, also when the room has slept", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    stopTime();
    const line = await site.enter(room, "anna", { exp: 300 });
    const longer = await site.enter(room, "bob", { exp: 3_600 });
    vi.setSystemTime(Date.now() + 355_000);
    await evict(stubOf(room));
    await runDurableObjectAlarm(stubOf(room));
    line.say("within-the-skew");
    await line.messages(1);
    vi.setSystemTime(Date.now() + 10_000);
    await evict(stubOf(room));
    await runDurableObjectAlarm(stubOf(room));
    expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
    longer.send("ping");
    expect(await longer.nextText()).toBe("pong");
  });

  it("asks to be woken when it comes", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    await site.enter(room, "anna", { exp: 5 });
    await expect.poll(() => alarmOf(room)).toBeLessThanOrEqual(Date.now() + 70_000);
  });

  it("lets nothing more be written over its socket, whether the alarm has rung or not", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    for (const frame of [
      { type: "send", id: "late", content: "Too late" },
      { type: "draft", id: "late", append: "Too late" },
      { type: "delete", seq: 1 },
    ] as const) {
      const line = await site.enter(room, "anna", { exp: 300 });
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 361_000 });
      line.send(frame);
      expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
      vi.useRealTimers();
    }
    const { messages } = await site.owner.json<{ messages: unknown[] }>(`/api/rooms/${room}/messages`);
    expect(messages).toEqual([]);
  });

  it("ends a stream of events", async () => {
    const site = await TestSite.register();
    const room = await site.room({ access: "members" });
    const headers = await site.authorization("anna", { exp: 300 });
    const response = await new Visitor().fetch(`/api/rooms/${room}/events`, { headers });
    await expectStatus(response, 200);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 361_000 });
    await runDurableObjectAlarm(stubOf(room));
    vi.useRealTimers();
    expect(await response.text()).toContain(`event: close\ndata: {"code":${CLOSE.identifyAgain}`);
  });
});

describe("a room that its site's owner hands over", () => {
  it("lets the site's users go, who are nothing there any more", async () => {
    const site = await TestSite.register();
    const room = await site.room({ access: "members" });
    const next = await Visitor.withKey();
    await admit(site.owner, room, next);
    const line = await site.enter(room, "anna", { role: "moderator" });
    await expectStatus(await site.owner.send("POST", `/api/rooms/${room}/owner`, { handle: next.handle }), 200);
    expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
    expect(await (await site.hello(room, "anna")).next("error")).toMatchObject({ code: "forbidden" });
  });
});

describe("a key that a site takes away", () => {
  const next = (site: TestSite) => SiteSigner.of(site.name, "EdDSA");

  it("closes at once what was opened by it, with 4408, and nothing else", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    const old = await site.enter(room, "anna");
    const signer = await next(site);
    await expectStatus(await site.put({ keys: [site.signer.jwk, signer.jwk], origins: [] }), 200);
    const token = await signer.token("anna");
    const renewed = await new Visitor().connect(room);
    renewed.send({ type: "hello", token });
    await renewed.next("you");
    await expectStatus(await site.put({ keys: [signer.jwk], origins: [] }), 200);
    expect(await old.closeCode()).toBe(CLOSE.identifyAgain);
    renewed.say("m1");
    await renewed.messages(1);
    expect(await (await site.hello(room, "anna")).next("error")).toMatchObject({ code: "unauthorized" });
  });

  it("lets nobody in whose hello was under way, by an answer of before", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    const signer = await next(site);
    let isVouchedFor = false;
    let isChanged = false;
    const { vouch } = Quota.prototype;
    vi.spyOn(Quota.prototype, "vouch").mockImplementation(async function (this: Quota, ...asked) {
      const answer = await vouch.apply(this, asked);
      isVouchedFor = true;
      // An object can't be woken by a promise that another context resolves.
      while (!isChanged) await new Promise((resolve) => setTimeout(resolve, 1));
      return answer;
    });
    const line = await site.hello(room, "anna");
    await expect.poll(() => isVouchedFor).toBe(true);
    await expectStatus(await site.put({ keys: [signer.jwk], origins: [] }), 200);
    isChanged = true;
    expect(await line.next("error")).toMatchObject({ code: "unavailable", retryAfter: 1 });
    expect(await line.closeCode()).toBe(CLOSE.tryLater);
    // The next time the room knows the site as it is now.
    expect(await (await site.hello(room, "anna")).next("error")).toMatchObject({ code: "unauthorized" });
  });

  it("reaches a room that has slept, and one where only a stream was opened", async () => {
    const site = await TestSite.register();
    const room = await site.room({ access: "members" });
    const line = await site.enter(room, "anna");
    const headers = await site.authorization("bob");
    const stream = await new Visitor().fetch(`/api/rooms/${room}/events`, { headers });
    await evict(stubOf(room));
    await expectStatus(await site.owner.fetch(site.path, { method: "DELETE" }), 204);
    expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
    expect(await stream.text()).toContain("event: close");
  });

  it("writes nothing more within a minute, also where the room was not told", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    const line = await site.enter(room, "anna");
    line.say("m1");
    await line.messages(1);
    // As if the call to the room had been lost.
    await env.DB.prepare("UPDATE sites SET keys = '[]' WHERE name = ?").bind(site.name).run();
    siteDirectory.forget(site.name);
    line.say("m2");
    expect(await line.closeCode()).toBe(CLOSE.identifyAgain);
    expect((await site.owner.json<{ lastSeq: number }>(`/api/rooms/${room}`)).lastSeq).toBe(1);
  });

  it("of an owner whose own key is revoked vouches for nobody any more", async () => {
    const site = await TestSite.register();
    const room = await site.room();
    await site.enter(room, "anna");
    await expectStatus(await site.owner.fetch("/api/keys/me", { method: "DELETE" }), 204);
    siteDirectory.forget(site.name);
    expect(await (await site.hello(room, "anna")).next("error")).toMatchObject({ code: "unauthorized" });
  });
});

describe("tokens and other names", () => {
  it("let a moderator act against a user, and members stay what they are", async () => {
    const { owner, room } = await ownerWithRoom({ access: "members" });
    const site = await TestSite.register(owner);
    const member = await Visitor.withKey();
    await admit(owner, room, member);
    const line = await member.enter(room);
    const anna = await site.enter(room, "anna");
    anna.say("m1");
    expect(await line.messages(1)).toMatchObject([{ sender: `anna@${site.name}` }]);
  });

  it("say nothing in rooms of nobody, nor in those of others", async () => {
    const site = await TestSite.register();
    const theirs = await makeRoom(await Visitor.withKey());
    for (const room of ["lobby", theirs]) {
      expect(await (await site.hello(room, "anna")).next("error")).toMatchObject({ code: "forbidden" });
    }
  });
});
