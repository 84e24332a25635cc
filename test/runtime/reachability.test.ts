/** How agents hear, as presence says it; and what is said to those who mention one that does not. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Hearing, Message, Presence, Unheard } from "../../party/protocol.ts";
import {
  admit,
  evict,
  expectStatus,
  type Line,
  makeRoom,
  ownerWithRoom,
  refusalOf,
  stubOf,
  Visitor,
} from "./visitor.ts";

/** Somebody who watches, and an agent's person, in a room. */
async function setUp() {
  const { owner, room } = await ownerWithRoom();
  const line = await owner.enter(room);
  const person = await Visitor.withKey();
  return { owner, room, line, person, agent: `${person.handle}/claude` };
}

/** The next thing that is said of `agent`. */
async function toldOf(line: Line, agent: string): Promise<Hearing | null | undefined> {
  const { presence } = await line.next("update", ({ presence }) => presence?.agents?.[agent] !== undefined);
  return presence?.agents?.[agent];
}

/** How the agents of a room hear, for those who ask now. */
const agentsOf = async (room: string) =>
  (await new Visitor().json<{ presence: Presence }>(`/api/rooms/${room}`)).presence.agents;

/** A bridge for the agent `claude` of `person`. */
async function bridge(person: Visitor, room: string, wakes = 600): Promise<Line> {
  const line = await person.connect(room);
  await line.welcome();
  line.send({ type: "hello", key: person.key as string, as: "claude", wakes });
  await line.next("you");
  return line;
}

/** Asks for messages as `claude`. */
const poll = (person: Visitor, room: string, query = "") =>
  person.fetch(`/api/rooms/${room}/messages?as=claude${query}`);

describe("an agent", () => {
  it("with a socket is listed, and nothing more is said of it", async () => {
    const { room, line, person, agent } = await setUp();
    await person.enter(room, "claude");
    const { presence } = await line.next("update", (update) => update.presence?.joined?.includes(agent) ?? false);
    expect(presence).not.toHaveProperty("agents");
    expect(await agentsOf(room)).toBeUndefined();
  });

  it("with a bridge is woken, goes on to be when the connection breaks and while the room sleeps", async () => {
    const { room, line, person, agent } = await setUp();
    const first = await bridge(person, room);
    expect(await toldOf(line, agent)).toBe("wakes");
    expect((await (await new Visitor().connect(room)).welcome()).presence.agents).toEqual({ [agent]: "wakes" });
    // Not its own word: as a cut connection is, or one that another deploy has ended.
    first.close(3_000);
    const { presence } = await line.next("update", (update) => update.presence?.left?.includes(agent) ?? false);
    expect(presence).not.toHaveProperty("agents");
    expect(await agentsOf(room)).toEqual({ [agent]: "wakes" });
    await evict(stubOf(room));
    expect(await agentsOf(room)).toEqual({ [agent]: "wakes" });
    const newcomer = await new Visitor().connect(room);
    expect((await newcomer.welcome()).presence).toMatchObject({ agents: { [agent]: "wakes" } });
  });

  it("whose bridge says goodbye, or says hello as something else, is woken no more", async () => {
    const { room, line, person, agent } = await setUp();
    const first = await bridge(person, room);
    expect(await toldOf(line, agent)).toBe("wakes");
    first.close();
    expect(await toldOf(line, agent)).toBeNull();
    const second = await bridge(person, room);
    expect(await toldOf(line, agent)).toBe("wakes");
    second.send({ type: "hello", key: person.key as string, as: "claude" });
    expect(await toldOf(line, agent)).toBeNull();
    expect(await agentsOf(room)).toBeUndefined();
  });

  it("whose bridge was lost, comes back and says goodbye is woken no more, also after a sleep", async () => {
    const { room, line, person, agent } = await setUp();
    const first = await bridge(person, room);
    expect(await toldOf(line, agent)).toBe("wakes");
    first.close(3_000);
    await line.next("update", (update) => update.presence?.left?.includes(agent) ?? false);
    const second = await bridge(person, room);
    second.close();
    expect(await toldOf(line, agent)).toBeNull();
    expect(await agentsOf(room)).toBeUndefined();
    line.say("a", `@${agent} are you there?`);
    expect(await line.next("unheard")).toMatchObject({ agents: [agent] });
    await evict(stubOf(room));
    expect(await agentsOf(room)).toBeUndefined();
  });

  it("whose bridge was lost, comes back and says hello as something else is woken no more", async () => {
    const { room, line, person, agent } = await setUp();
    const first = await bridge(person, room);
    expect(await toldOf(line, agent)).toBe("wakes");
    first.close(3_000);
    await line.next("update", (update) => update.presence?.left?.includes(agent) ?? false);
    const second = await bridge(person, room);
    second.send({ type: "hello", key: person.key as string });
    expect(await toldOf(line, agent)).toBeNull();
    expect(await agentsOf(room)).toBeUndefined();
  });

  it("with a bridge and a socket of its own is live", async () => {
    const { room, line, person, agent } = await setUp();
    await bridge(person, room);
    expect(await toldOf(line, agent)).toBe("wakes");
    const own = await person.enter(room, "claude");
    expect(await toldOf(line, agent)).toBeNull();
    own.close();
    expect(await toldOf(line, agent)).toBe("wakes");
  });

  it("that asks by HTTP polls, by its own name and no other", async () => {
    const { room, line, person, agent } = await setUp();
    await expectStatus(await poll(person, room), 200);
    expect(await toldOf(line, agent)).toBe("polls");
    // A reader of an open room is asked for nothing, and a person is no agent.
    await expectStatus(await person.fetch(`/api/rooms/${room}/messages`), 200);
    expect(await agentsOf(room)).toEqual({ [agent]: "polls" });
    await evict(stubOf(room));
    expect(await agentsOf(room)).toEqual({ [agent]: "polls" });
  });

  it("that waits by HTTP polls as long as it waits, also while the room sleeps", async () => {
    const { room, line, person, agent } = await setUp();
    line.say("a");
    await line.messages(1);
    const waiting = poll(person, room, "&after=1&wait=20");
    expect(await toldOf(line, agent)).toBe("polls");
    await expect.poll(async () => (await connected(room)).includes(agent)).toBe(true);
    await evict(stubOf(room));
    expect(await agentsOf(room)).toEqual({ [agent]: "polls" });
    line.say("b", `@${agent} here?`);
    expect((await (await waiting).json<{ messages: Message[] }>()).messages).toMatchObject([{ seq: 2 }]);
    await line.messages(1);
    expect(line.unread.filter(({ type }) => type === "unheard")).toEqual([]);
  });

  it("that reads an event stream is live, until the stream ends", async () => {
    const { room, line, person, agent } = await setUp();
    const leave = new AbortController();
    const stream = await person.fetch(`/api/rooms/${room}/events?as=claude`, { signal: leave.signal });
    expect(stream.status).toBe(200);
    expect(await toldOf(line, agent)).toBe("live");
    await stream.body?.cancel();
    expect(await toldOf(line, agent)).toBeNull();
  });

  it.each([
    ["nobody", new Visitor(), {}, 401, "unauthorized"],
    ["a guest", new Visitor(), { authorization: `Guest ${new Visitor().guest}` }, 400, "invalid"],
    ["a wrong key", new Visitor(), { authorization: `Bearer mai_${"x".repeat(24)}` }, 401, "unauthorized"],
  ] as const)("is not asked for by %s", async (_, visitor, headers, status, code) => {
    const { room } = await setUp();
    const response = await visitor.fetch(`/api/rooms/${room}/messages?as=claude`, { headers });
    expect(await refusalOf(response)).toEqual([status, code]);
    expect(await agentsOf(room)).toBeUndefined();
  });

  it("hears no more when its person's key has ended, or when its person is no member any more", async () => {
    const owner = await Visitor.withKey();
    const room = await makeRoom(owner, { access: "members" });
    const [person, member] = [await Visitor.withKey(), await Visitor.withKey()];
    for (const visitor of [person, member]) await admit(owner, room, visitor);
    const told = async () => (await owner.json<{ presence: Presence }>(`/api/rooms/${room}`)).presence.agents;
    await expectStatus(await poll(person, room), 200);
    const line = await member.connect(room);
    line.send({ type: "hello", key: member.key as string, as: "claude", wakes: 600 });
    await line.next("you");
    await expectStatus(await member.fetch(`/api/rooms/${room}/messages?as=codex`), 200);
    expect(await told()).toEqual({
      [`${person.handle}/claude`]: "polls",
      [`${member.handle}/claude`]: "wakes",
      [`${member.handle}/codex`]: "polls",
    });
    await expectStatus(await member.fetch("/api/keys/me", { method: "DELETE" }), 204);
    expect(await line.closeCode()).toBe(4401);
    expect(await told()).toEqual({ [`${person.handle}/claude`]: "polls" });
    const path = `/api/rooms/${room}/members/${person.handle}`;
    await expectStatus(await owner.fetch(path, { method: "DELETE" }), 204);
    expect(await told()).toBeUndefined();
    await expectStatus(await poll(person, room), 403);
    expect(await told()).toBeUndefined();
  });

  it("hears on when its person becomes a moderator, or is no member of an open room any more", async () => {
    const { owner, room, line, person, agent } = await setUp();
    const [bridged, path] = [await Visitor.withKey(), `/api/rooms/${room}/members/${person.handle}`];
    for (const visitor of [person, bridged]) await admit(owner, room, visitor);
    await expectStatus(await poll(person, room), 200);
    expect(await toldOf(line, agent)).toBe("polls");
    const socket = await bridge(bridged, room);
    for (const visitor of [person, bridged]) await admit(owner, room, visitor, "moderator");
    expect(await socket.closeCode()).toBe(4408);
    const all = { [agent]: "polls", [`${bridged.handle}/claude`]: "wakes" };
    expect(await agentsOf(room)).toEqual(all);
    await expectStatus(await owner.fetch(path, { method: "DELETE" }), 204);
    expect(await agentsOf(room)).toEqual(all);
  });

  it("of a stranger hears no more when the room becomes its members'", async () => {
    const { owner, room, line, person, agent } = await setUp();
    const member = await Visitor.withKey();
    await admit(owner, room, member);
    for (const visitor of [person, member]) await expectStatus(await poll(visitor, room), 200);
    expect(await toldOf(line, agent)).toBe("polls");
    await expectStatus(await owner.send("PATCH", `/api/rooms/${room}`, { access: "members" }), 200);
    const { agents } = (await owner.json<{ presence: Presence }>(`/api/rooms/${room}`)).presence;
    expect(agents).toEqual({ [`${member.handle}/claude`]: "polls" });
  });

  it("of an erased person is named nowhere", async () => {
    const { owner, room, line, person, agent } = await setUp();
    await expectStatus(await poll(person, room), 200);
    expect(await toldOf(line, agent)).toBe("polls");
    await owner.fetch(`/api/rooms/${room}/messages?sender=${person.handle}`, { method: "DELETE" });
    expect(await toldOf(line, agent)).toBeNull();
    await evict(stubOf(room));
    expect(await agentsOf(room)).toBeUndefined();
  });

  it("is told to hear no more when the alarm finds that its time is over", async () => {
    const { room, line, person, agent } = await setUp();
    await expectStatus(await poll(person, room), 200);
    expect(await toldOf(line, agent)).toBe("polls");
    // The alarm rings too early, and nothing has ended yet.
    await runDurableObjectAlarm(stubOf(room));
    expect(await agentsOf(room)).toEqual({ [agent]: "polls" });
  });
});

describe("a bridge's hello", () => {
  it.each([[0], [9], [3_601], [1.5], ["600"], [true]])("with wakes: %j is invalid", async (wakes) => {
    const { room, person } = await setUp();
    const line = await person.connect(room);
    line.send(JSON.stringify({ type: "hello", key: person.key, as: "claude", wakes }));
    expect(await line.next("error")).toMatchObject({ code: "invalid", about: "hello" });
  });

  it("is an agent's", async () => {
    const { room, person } = await setUp();
    const line = await person.connect(room);
    line.send({ type: "hello", key: person.key as string, wakes: 600 });
    expect(await line.next("error")).toMatchObject({ code: "invalid", about: "hello" });
    line.send({ type: "hello", guest: person.guest, wakes: 600 });
    expect(await line.next("error")).toMatchObject({ code: "invalid", about: "hello" });
  });
});

describe("who mentions an agent that does not hear", () => {
  /** A room that an agent has written in, which has gone since. */
  async function withAgentThatWrote() {
    const set = await setUp();
    const { room, person, line } = set;
    await expectStatus(await person.send("POST", `/api/rooms/${room}/messages`, { as: "claude", content: "Bye" }), 201);
    await line.messages(1);
    return set;
  }

  it("over a socket is told so once, also over the room's sleep, and again when it has been back", async () => {
    const { room, line, person, agent } = await withAgentThatWrote();
    line.say("a", `@${agent} are you there?`);
    expect(await line.next("unheard")).toEqual({
      type: "unheard",
      id: "a",
      seq: 2,
      agents: [agent],
      message: `@${agent} is not listening here. It may read this later, or never.`,
    });
    line.say("b", `@${agent} hello?`);
    expect(await line.messages(1)).toMatchObject([{ id: "b" }]);
    await evict(stubOf(room));
    line.say("c", `@${agent} hello??`);
    expect(await line.messages(1)).toMatchObject([{ id: "c" }]);
    expect([...line.passed, ...line.unread].filter(({ type }) => type === "unheard")).toHaveLength(1);
    const back = await person.enter(room, "claude");
    line.say("d", `@${agent} you are`);
    expect(await line.messages(1)).toMatchObject([{ id: "d" }]);
    back.close();
    await line.next("update", ({ presence }) => presence?.left?.includes(agent) ?? false);
    line.say("e", `@${agent} and gone`);
    expect(await line.next("unheard")).toMatchObject({ id: "e", agents: [agent] });
  });

  it("is told alone: others hear the message", async () => {
    const { room, line, agent } = await withAgentThatWrote();
    const other = await new Visitor().connect(room);
    await other.welcome();
    line.say("a", `@${agent}?`);
    await line.next("unheard");
    line.say("b");
    await other.messages(2);
    expect([...other.passed, ...other.unread].filter(({ type }) => type === "unheard")).toEqual([]);
  });

  it("over HTTP is told so with the answer, also with that to a retry", async () => {
    const { owner, room, person, agent } = await withAgentThatWrote();
    const say = async () => {
      const content = `@${agent} and @who-ever/else`;
      const response = await owner.send("POST", `/api/rooms/${room}/messages`, { id: "a", content });
      const { unheard } = await response.json<{ unheard?: Unheard }>();
      return [response.status, unheard];
    };
    const message = `@${agent} is not listening here. It may read this later, or never.`;
    expect(await say()).toEqual([201, { agents: [agent], message }]);
    expect(await say()).toEqual([200, { agents: [agent], message }]);
    await expectStatus(await poll(person, room), 200);
    expect(await say()).toEqual([200, undefined]);
  });

  it("is told nothing of what a moderator still has to see, and of nobody in a room that has never met one", async () => {
    const { owner, room, line } = await setUp();
    line.say("a", "@some-body/claude are you there?");
    expect(await line.messages(1)).toMatchObject([{ id: "a" }]);
    line.say("b");
    await line.messages(1);
    expect([...line.passed, ...line.unread].filter(({ type }) => type === "unheard")).toEqual([]);
    await expectStatus(await owner.send("PATCH", `/api/rooms/${room}`, { hold: "newcomers" }), 200);
    const stranger = await Visitor.withKey();
    const held = await stranger.send("POST", `/api/rooms/${room}/messages`, { content: "@some-body/claude" });
    expect([held.status, Object.keys(await held.json<object>()).sort()]).toEqual([202, ["error", "held"]]);
  });
});

/** Agents that have something open in a room. */
async function connected(room: string): Promise<string[]> {
  return runInDurableObject(stubOf(room), (instance) => [
    ...(instance as unknown as { audience: { agents: { all(): Iterable<string> } } }).audience.agents.all(),
  ]);
}
