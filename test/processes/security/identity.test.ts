/** Who somebody is: nobody writes under a name that is not theirs, on any path (promise 10). */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RESERVED_NAMES } from "../../../party/identity/agent-name.ts";
import { CLOSE } from "../../../party/protocol.ts";
import { Server } from "../server.ts";
import { type Key, newGuestSecret, Visitor } from "./visitor.ts";

let server: Server;
let visitor: Visitor;
let alice: Key;
let bob: Key;
let room: string;

beforeAll(async () => {
  server = await Server.start();
  visitor = new Visitor(server);
  [alice, bob] = await Promise.all([visitor.makeKey(), visitor.makeKey()]);
  room = await visitor.makeRoom(alice.key);
});

afterAll(() => server.remove());

/** All that a message may try to say about itself. */
const claims = () => ({
  sender: alice.handle,
  seq: 999_999,
  createdAt: "1999-01-01T00:00:00.000Z",
  kind: "deletion",
  target: 1,
  deleted: true,
  handle: alice.handle,
  keyId: alice.id,
  participant: { sender: alice.handle, keyId: alice.id },
  owner: true,
});

describe("a message", () => {
  it("says over a socket what the server says of it, whatever its frame claims", async () => {
    const line = await visitor.enterAs(room, { key: bob.key });
    const before = Date.now();
    const message = await line.outcome(line.say("mine", { ...claims(), as: "claude" }));
    expect(message).toMatchObject({ sender: bob.handle, kind: "text" });
    expect(message).not.toHaveProperty("target");
    expect(message).not.toHaveProperty("deleted");
    expect("seq" in message && message.seq < 1_000).toBe(true);
    expect("createdAt" in message && Date.parse(message.createdAt) >= before - 1_000).toBe(true);
    line.close();
  });

  it("says over HTTP what the server says of it, whatever its body claims", async () => {
    const refused = await visitor.say(room, bob.key, "mine", claims());
    expect([refused.status, refused.body]).toEqual([
      400,
      { error: { code: "invalid", message: 'There is no field "sender" here.' } },
    ]);
    const { status, body } = await visitor.say(room, bob.key, "mine");
    expect(status).toBe(201);
    expect(Object.keys(body).sort()).toEqual(["content", "createdAt", "id", "kind", "sender", "seq"]);
    expect(body).toMatchObject({ sender: bob.handle, kind: "text" });
    expect(body.seq).toBeLessThan(1_000);
  });

  it("has an id of its sender's own: another's with the same id is another message", async () => {
    const first = await visitor.say(room, alice.key, "from Alice", { id: "shared" });
    const second = await visitor.say(room, bob.key, "from Bob", { id: "shared" });
    const agents = await visitor.say(room, alice.key, "from Alice's agent", { id: "shared", as: "claude" });
    expect([first.status, second.status, agents.status]).toEqual([201, 201, 201]);
    expect(new Set([first.body.seq, second.body.seq, agents.body.seq]).size).toBe(3);
    const again = await visitor.say(room, bob.key, "from Bob", { id: "shared" });
    expect(again.body).toEqual(second.body);
  });

  it("is deleted by its author, their person, or the room's owner, and by nobody else", async () => {
    const own = await visitor.makeRoom((await visitor.makeKey()).key);
    const person = await visitor.say(own, alice.key, "a person's");
    const agent = await visitor.say(own, alice.key, "an agent's", { as: "claude" });
    const guest = await visitor.enterAs(own, { guest: newGuestSecret() });
    const other = await visitor.enterAs(own, { key: bob.key });
    const sibling = await visitor.enterAs(own, { key: alice.key, as: "another" });
    for (const line of [guest, other, sibling]) {
      line.send({ type: "delete", seq: person.body.seq });
      line.send({ type: "delete", seq: agent.body.seq });
      await line.settled();
      expect(line.errors.slice(0, 2)).toMatchObject([{ code: "forbidden" }, { code: "forbidden" }]);
      line.close();
    }
    const path = `/api/rooms/${own}/messages`;
    expect((await visitor.call("DELETE", `${path}/${person.body.seq}`, { key: bob.key })).status).toBe(403);
    expect((await visitor.call("DELETE", `${path}/${person.body.seq}?as=claude`, { key: alice.key })).status).toBe(403);
    expect((await visitor.call("DELETE", `${path}/${person.body.seq}`)).status).toBe(401);
    expect((await visitor.messages(own)).map(({ content }) => content)).toEqual(["a person's", "an agent's"]);
    expect((await visitor.call("DELETE", `${path}/${agent.body.seq}`, { key: alice.key })).status).toBe(204);
  });

  it("keeps its sender when the same connection takes another name", async () => {
    const line = await visitor.enterAs(room, { guest: newGuestSecret() });
    const first = await line.outcome(line.say("as a guest"));
    line.send({ type: "hello", key: bob.key, as: "claude" });
    await line.heard("you", ({ sender }) => sender === `${bob.handle}/claude`);
    const second = await line.outcome(line.say("as an agent"));
    expect(first).toMatchObject({ sender: expect.stringMatching(/^~/) });
    expect(second).toMatchObject({ sender: `${bob.handle}/claude` });
    line.close();
  });

  it("of nobody is not taken", async () => {
    const line = await visitor.enter(room);
    expect(await line.outcome(line.say("who am I?", claims()))).toMatchObject({ code: "unauthorized" });
    line.send({ type: "draft", id: "nobody", append: "hello" });
    line.send({ type: "delete", seq: 1 });
    await line.settled();
    expect(line.errors.map(({ code }) => code)).toEqual(Array(4).fill("unauthorized"));
    expect((await visitor.call("POST", `/api/rooms/${room}/messages`, { body: { content: "x" } })).status).toBe(401);
    line.close();
  });
});

describe("an agent's name", () => {
  it.each([
    ...RESERVED_NAMES,
    "system-notice",
    "acme-support",
    "cl\u0430ude",
    "\uff43laude",
    "claude\u200b",
    "claude\u0000",
    "claude\n",
    "Claude",
    " claude",
    "claude/two",
    "../claude",
    "~claude",
    "-claude",
    "",
    "c".repeat(33),
    "cla\u0301ude",
    "\u202eedualc",
    "@claude",
    "__proto__",
  ])("is not %j, on any path", async (as) => {
    const line = await visitor.enter(room);
    line.send({ type: "hello", key: alice.key, as });
    expect(await line.refused()).toMatchObject({ code: "invalid" });
    line.close();
    expect((await visitor.say(room, alice.key, "hello", { as })).status).toBe(400);
    const upgraded = await visitor.enter(room, `?as=${encodeURIComponent(as)}`, {
      authorization: `Bearer ${alice.key}`,
    });
    expect(await upgraded.hasClosed()).toMatchObject({ code: CLOSE.badFrames });
    const path = `/api/rooms/${room}/messages/1?as=${encodeURIComponent(as)}`;
    expect((await visitor.call("DELETE", path, { key: alice.key })).status).toBe(400);
  });

  it.each([[["claude"]], [{ toString: "claude" }], [7], [true]])("is not %j, which is no string", async (as) => {
    const line = await visitor.enter(room);
    line.send({ type: "hello", key: alice.key, as });
    expect(await line.refused()).toMatchObject({ code: "invalid" });
    line.close();
    expect((await visitor.say(room, alice.key, "hello", { as })).status).toBe(400);
  });

  it("stands under its person's handle", async () => {
    const { body } = await visitor.say(room, alice.key, "hello", { as: "claude" });
    expect(body.sender).toBe(`${alice.handle}/claude`);
    const line = await visitor.enter(room, "?as=claude", { authorization: `Bearer ${alice.key}` });
    expect(await line.named()).toMatchObject({ sender: `${alice.handle}/claude` });
    line.close();
  });
});

describe("a guest", () => {
  it("has one name for one secret, in every room and after a crash, and another for another", async () => {
    const secret = newGuestSecret();
    const other = await visitor.makeRoom(alice.key);
    const name = async (id: string, guest: string) => {
      const line = await visitor.enterAs(id, { guest });
      const { sender } = await line.named();
      line.close();
      return sender;
    };
    const sender = await name(room, secret);
    expect(sender).toMatch(/^~[a-z]+-[a-z]+-[0-9a-f]{6}$/);
    expect(await name(other, secret)).toBe(sender);
    expect(await name(room, newGuestSecret())).not.toBe(sender);
    await server.kill();
    await server.start();
    expect(await name(room, secret)).toBe(sender);
  });

  it("has another name in another deployment, so that nobody can search for it at home", async () => {
    await using elsewhere = await Server.start();
    const secret = newGuestSecret();
    const here = await (await visitor.enterAs("lobby", { guest: secret })).named();
    const there = await (await new Visitor(elsewhere).enterAs("lobby", { guest: secret })).named();
    expect(there.sender).not.toBe(here.sender);
  });

  it("is named after a secret, never by a wish", async () => {
    for (const hello of [
      { guest: "short" },
      { guest: "x".repeat(129) },
      { guest: `${"x".repeat(22)}\n` },
      { guest: "\u0430".repeat(22) },
      { guest: newGuestSecret(), as: "claude" },
      { guest: newGuestSecret(), key: alice.key },
      { guest: ["x".repeat(22)] },
      { sender: alice.handle },
      { guest: null },
      {},
    ]) {
      const line = await visitor.enter(room);
      line.send({ type: "hello", ...hello });
      expect(await line.refused()).toMatchObject({ code: "invalid" });
      expect(line.frames.some(({ type }) => type === "you")).toBe(false);
      line.close();
    }
  });

  it("is a guest even when the secret is a key", async () => {
    const line = await visitor.enterAs(room, { guest: alice.key });
    const { sender, owner } = await line.named();
    expect(sender).toMatch(/^~/);
    expect(owner).toBe(false);
    line.close();
  });
});

describe("a handle", () => {
  it("is generated: two words in lowercase, once, and never a reserved one", async () => {
    const keys = await Promise.all(Array.from({ length: 30 }, () => visitor.makeKey()));
    expect(new Set(keys.map(({ handle }) => handle)).size).toBe(keys.length);
    for (const { handle } of keys) {
      expect(handle).toMatch(/^[a-z]+-[a-z]+(-\d+)?$/);
      expect(RESERVED_NAMES).not.toContain(handle);
    }
  });

  it("that was chosen is one person's for ever, also after they have gone", async () => {
    const choose = (handle: string) => visitor.call("POST", "/api/keys", { body: { handle } });
    const first = await choose("ada-of-london");
    expect(first.body).toMatchObject({ handle: "ada-of-london", key: expect.stringMatching(/^mai_/) });
    expect(await choose("ada-of-london")).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
    await visitor.call("DELETE", "/api/keys/me", { key: (first.body as Key).key });
    expect(await choose("ada-of-london")).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
  });

  it("that was chosen is at once one person's: of twenty who ask together one gets it", async () => {
    const asked = Array.from({ length: 20 }, () => visitor.call("POST", "/api/keys", { body: { handle: "only-one" } }));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, ...Array(19).fill(409)]);
  });

  it.each([
    "operator",
    "admin",
    "meet-ai",
    "system-notice",
    "Ada",
    "~brisk-lynx-4f2a9c",
    "ada/claude",
    "ada@acme",
    "a--b",
    7,
  ])("is not to be had as %j", async (handle) => {
    const refused = await visitor.call("POST", "/api/keys", { body: { handle } });
    expect([refused.status, refused.body.error]).toEqual([400, { code: "invalid", message: expect.any(String) }]);
  });

  it("is all that may be chosen of a key", async () => {
    for (const body of [{ id: alice.id }, { key: alice.key }, { handle: "ada-again", createdAt: "2020" }]) {
      expect(await visitor.call("POST", "/api/keys", { body })).toMatchObject({ status: 400 });
    }
  });
});

describe("drafts", () => {
  it("are their author's: the same id by another is another draft, and no message ends it", async () => {
    const own = await visitor.makeRoom(alice.key);
    const first = await visitor.enterAs(own, { key: alice.key });
    const second = await visitor.enterAs(own, { key: bob.key });
    first.send({ type: "draft", id: "same", append: "Alice writes", sender: bob.handle });
    await second.heard("update", ({ drafts }) => drafts?.some(({ sender }) => sender === alice.handle) === true);
    second.send({ type: "draft", id: "same", append: "Bob writes", sender: alice.handle });
    await first.heard("update", ({ drafts }) => drafts?.some(({ sender }) => sender === bob.handle) === true);
    await second.outcome(second.say("Bob has written", { id: "same" }));
    const { drafts } = await (await visitor.enter(own)).welcomed();
    expect(drafts).toEqual([{ id: "same", sender: alice.handle, append: "Alice writes" }]);
    first.close();
    second.close();
  });
});
