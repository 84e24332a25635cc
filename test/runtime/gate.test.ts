/**
 * What is closed stays closed (promise 11): a walk over every route of `openapi.json` and every frame of the protocol,
 * against a room of members, as all kinds of people who may not read it. A route or a frame that comes later is in it.
 */

import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import openapi from "../../openapi.json";
import { CLOSE, type ClientFrame, type ServerFrame } from "../../party/protocol.ts";
import { TestSite } from "./site.ts";
import { admit, archive, expectStatus, type Line, makeRoom, refusalOf, Visitor } from "./visitor.ts";

/** What must not be seen: each stands in no other place. */
const SECRETS = {
  name: "Canary-name-4711",
  topic: "Canary-topic-4712",
  said: "Canary-words-4713",
  draft: "Canary-draft-4714",
  instructions: "Canary-instructions-4715",
  option: "canary-option-4716",
};

let owner: Visitor;
let member: Visitor;
let site: TestSite;
let room: string;
let memberLine: Line;

/** The same person at an address that has looked nothing up yet: the walk is long, and grows with the API. */
function elsewhere({ key, handle }: Visitor): Visitor {
  return Object.assign(new Visitor(), { key, handle });
}

/** Each kind of person who may not read, with the status that they are answered with. */
const outsiders: { kind: string; status: number; come: () => Promise<{ visitor: Visitor; headers?: HeadersInit }> }[] =
  [
    { kind: "nobody", status: 401, come: async () => ({ visitor: new Visitor() }) },
    { kind: "a stranger with a key", status: 403, come: async () => ({ visitor: await Visitor.withKey() }) },
    {
      kind: "a guest who was not invited",
      status: 403,
      come: async () => {
        const visitor = new Visitor();
        return { visitor, headers: { authorization: `Guest ${visitor.guest}` } };
      },
    },
    {
      kind: "somebody whose key was revoked",
      status: 401,
      come: async () => {
        const visitor = await Visitor.withKey();
        await admit(elsewhere(owner), room, visitor);
        await expectStatus(await visitor.fetch("/api/keys/me", { method: "DELETE" }), 204);
        return { visitor };
      },
    },
    {
      kind: "a member who was removed",
      status: 403,
      come: async () => {
        const visitor = await Visitor.withKey();
        await admit(elsewhere(owner), room, visitor, "moderator");
        await expectStatus(await visitor.fetch(`/api/rooms/${room}/messages`), 200);
        await remove(visitor);
        return { visitor };
      },
    },
    {
      kind: "a site's user whose token has ended",
      status: 401,
      come: () => withToken(site, { exp: -120 }),
    },
    {
      kind: "a site's user whose token is for other rooms",
      status: 403,
      come: () => withToken(site, { rooms: ["elsewhere-*"] }),
    },
    { kind: "a user of somebody else's site", status: 403, come: async () => withToken(await TestSite.register()) },
  ];

async function withToken(of: TestSite, claims: Readonly<Record<string, unknown>> = {}) {
  const visitor = new Visitor();
  visitor.key = await of.signer.token("anna", claims);
  return { visitor };
}

const remove = async (visitor: Visitor) =>
  expectStatus(await elsewhere(owner).fetch(`/api/rooms/${room}/members/${visitor.handle}`, { method: "DELETE" }), 204);

beforeAll(async () => {
  owner = await Visitor.withKey();
  member = await Visitor.withKey();
  site = await TestSite.register(owner);
  const { name, topic, instructions } = SECRETS;
  room = await makeRoom(owner, { name, topic, instructions, access: "members" });
  await admit(owner, room, member);
  memberLine = await member.enter(room);
  memberLine.say("m1", SECRETS.said);
  await memberLine.messages(1);
  memberLine.send({ type: "send", id: "m2", content: "Go?", ask: { options: [SECRETS.option, "no"] } });
  await memberLine.messages(1);
  await archive(room);
  // Somebody is there, and is writing.
  memberLine.send({ type: "draft", id: "d1", append: SECRETS.draft });
});

/** What of the room stands in `text`. */
function seenIn(text: string): string[] {
  const people = { owner: owner.handle, member: member.handle };
  return Object.entries({ ...SECRETS, ...people })
    .filter(([, secret]) => text.toLowerCase().includes(secret.toLowerCase()))
    .map(([what]) => what);
}

/** Bodies that the routes take, so that a call comes as far as the gate. */
const BODIES: Readonly<Record<string, unknown>> = {
  "post /api/rooms/{id}/messages": { content: "Hello" },
  "patch /api/rooms/{id}": { topic: "Mine" },
  "put /api/rooms/{id}/members/{sender}": { role: "member" },
  "post /api/rooms/{id}/join": { invite: `inv_${"2".repeat(12)}${"x".repeat(24)}` },
  "post /api/rooms/{id}/owner": { handle: "some-body" },
};

/** Queries that routes can't do without. */
const QUERIES: Readonly<Record<string, string>> = { "delete /api/rooms/{id}/messages": "?sender={sender}" };

const operations = Object.entries(openapi.paths).flatMap(([path, item]) =>
  Object.keys(item).map((method) => ({ operation: `${method} ${path}`, method: method.toUpperCase(), path })),
);
const tool = (name: string, args: object) => ({
  method: "tools/call",
  params: { name, arguments: { room: "{id}", ...args } },
});
/** Each tool that is about a room, and its transcript. A test sees to it that none is missing. */
const MCP_CALLS = [
  tool("read_room", {}),
  tool("read_room", { after: 0 }),
  tool("read_room", { before: 2 }),
  tool("read_room", { around: 1 }),
  tool("wait_for_messages", { after: 0, wait: 1 }),
  tool("who_is_here", {}),
  tool("send_message", { content: "Hello" }),
  tool("delete_message", { seq: 1 }),
  tool("ask_people", { question: "Go?", options: ["yes", "no"], wait: 1 }),
  tool("ask_people", { seq: 2, wait: 1 }),
  tool("join_room", { invite: `inv_${"2".repeat(12)}${"x".repeat(24)}` }),
  { method: "resources/read", params: { uri: "meet-ai://rooms/{id}" } },
];

/** What not every reader may read. */
const FOR_FEW = ["/export", "/mutes", "/moderation"];
const isSocket = (path: string) => path.endsWith("/ws") || path.startsWith("/parties/");

describe("the tools of MCP", () => {
  it("walks over all that are about a room", async () => {
    const headers = { accept: "application/json, text/event-stream" };
    const response = await new Visitor().send("POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "tools/list" }, headers);
    const { result } = JSON.parse(/^data: (.*)$/m.exec(await response.text())?.[1] ?? "");
    const ofRoom = (result.tools as { name: string; inputSchema: { properties: object } }[])
      .filter(({ inputSchema }) => Object.hasOwn(inputSchema.properties, "room"))
      .map(({ name }) => name);
    const called = MCP_CALLS.map(({ params }) => ("name" in params ? params.name : ""));
    expect(ofRoom.filter((name) => !called.includes(name))).toEqual([]);
  });
});

describe("who may not read", () => {
  describe.each(outsiders)("$kind", ({ status, come }) => {
    const ofRoom = operations.filter(({ path }) => path.includes("{id}") && !isSocket(path));

    it.each(ofRoom)("learns nothing by $operation", async ({ operation, method, path }) => {
      const { visitor, headers } = await come();
      const address = `${path}${QUERIES[operation] ?? ""}`
        .replace("{id}", room)
        .replace("{sender}", member.handle)
        .replace("{seq}", "1")
        .replace("{invite}", "0123456789")
        .replace("{held}", "0123456789ab");
      const body = BODIES[operation];
      const response = await visitor.fetch(address, {
        method,
        headers: {
          accept: "text/markdown",
          ...headers,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = JSON.stringify([...response.headers]) + (await response.text());
      expect(seenIn(text)).toEqual([]);
      // Who only may not do this thing is told so in the same words as who may not read; a guest has no key to write with.
      const isForFew = method !== "GET" || FOR_FEW.some((end) => path.endsWith(end));
      const expected = isForFew ? [401, 403] : [status];
      expect(expected).toContain(response.status);
    });

    it.each([
      "",
      "?after=0&wait=5",
      "?before=2",
      "?limit=1",
      "?after=0&epoch=x",
      "?format=brief",
      "?format=brief&after=0&wait=5&you=anna",
    ])("learns nothing by a page of the log with %j", async (query) => {
      const { visitor, headers } = await come();
      const response = await visitor.fetch(`/api/rooms/${room}/messages${query}`, headers && { headers });
      expect((await refusalOf(response))[0]).toBe(status);
    });

    it("learns nothing of what is asked, and can't answer it", async () => {
      const { visitor, headers } = await come();
      for (const seq of [1, 2, 99]) {
        const path = `/api/rooms/${room}/messages/${seq}/answer?wait=5`;
        expect((await refusalOf(await visitor.fetch(path, headers && { headers })))[0]).toBe(status);
      }
      const answer = { answer: { target: 2, option: SECRETS.option } };
      const asked = { content: "Go?", ask: { options: ["yes", "no"], from: [member.handle] } };
      for (const body of [answer, asked, { answer: { target: 99, option: "no" } }]) {
        const given = await visitor.send(
          "POST",
          `/api/rooms/${room}/messages`,
          body,
          headers as Record<string, string>,
        );
        // A guest has no key to write with.
        expect([401, 403]).toContain((await refusalOf(given))[0]);
      }
    });

    it.each(MCP_CALLS)("learns nothing over MCP by $method $params", async ({ method, params }) => {
      const { visitor, headers } = await come();
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }).replaceAll("{id}", room);
      const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };
      const response = await visitor.fetch("/mcp", {
        method: "POST",
        headers: { ...headers, ...json },
        body: body ?? "",
      });
      const text = JSON.stringify([...response.headers]) + (await response.text());
      expect([response.status, seenIn(text)]).toEqual([200, []]);
      expect(text).toMatch(/unauthorized|forbidden|Unauthorized/);
    });

    it("finds no room of members among those that MCP lists", async () => {
      const { visitor, headers } = await come();
      const calls = [
        { method: "tools/call", params: { name: "list_rooms", arguments: { q: SECRETS.name } } },
        { method: "resources/list" },
      ];
      for (const call of calls) {
        const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, ...call });
        const response = await visitor.fetch("/mcp", { method: "POST", headers: { ...headers, ...json }, body });
        const text = await response.text();
        expect(seenIn(text)).toEqual([]);
        expect(text).not.toContain(room);
      }
    });

    it("is shown the page of a room that says nothing of it", async () => {
      const { visitor, headers } = await come();
      const html = { headers: { accept: "text/html", ...headers } };
      const response = await visitor.fetch(`/r/${room}`, html);
      expect(seenIn(JSON.stringify([...response.headers]) + (await response.text()))).toEqual([]);
    });

    it("learns nothing by what is of no room", async () => {
      const { visitor, headers } = await come();
      const others = operations.filter(({ path, method }) => !path.includes("{id}") && method === "GET");
      const addresses = [...others.map(({ path }) => path), `/api/rooms?q=${SECRETS.name}`, `/api/rooms?q=${room}`];
      for (const address of addresses) {
        const response = await visitor.fetch(address, headers && { headers });
        const text = await response.text();
        expect(seenIn(text).filter((what) => what !== "name" || !address.includes("q="))).toEqual([]);
        expect(text).not.toContain(room);
      }
    });
  });
});

/** Which frames a room may send to a socket that it does not know. */
const BEFORE_HELLO: Readonly<Record<ServerFrame["type"], boolean>> = {
  identify: true,
  error: true,
  check: true,
  welcome: false,
  update: false,
  you: false,
  ack: false,
  held: false,
  unheard: false,
};

/** A frame of each type, but for the one that says who it is. */
const FRAMES: Readonly<Record<Exclude<ClientFrame["type"], "hello">, ClientFrame>> = {
  send: { type: "send", id: "m1", content: "Hello", replyTo: 1 },
  draft: { type: "draft", id: "d1", append: "Hel" },
  delete: { type: "delete", seq: 1 },
  read: { type: "read", n: 1 },
};

describe("a socket that has not said who it is", () => {
  it.each(operations.filter(({ path }) => isSocket(path)))("is told nothing over $path", async ({ path }) => {
    for (const query of ["", "?after=0", "?after=0&epoch=x"]) {
      const line = await new Visitor().connect(room, { path: path.replace("{id}", room), query });
      expect(await line.first()).toEqual({ type: "identify" });
      for (const frame of Object.values(FRAMES)) line.send(frame);
      line.send({ type: "send", id: "m3", answer: { target: 2, option: SECRETS.option } });
      line.send("ping");
      await line.nextText();
      // Whatever happens meanwhile.
      memberLine.say(`while-${path.length}${query}`.replaceAll(/[^a-z0-9]/g, "-"), SECRETS.said);
      await memberLine.messages(1);
      for (const frame of [...line.passed, ...line.unread]) {
        expect(BEFORE_HELLO[frame.type], frame.type).toBe(true);
        expect(seenIn(JSON.stringify(frame))).toEqual([]);
      }
      line.close();
    }
  });

  it("is not counted as a spectator", async () => {
    await new Visitor().connect(room);
    const { presence } = await member.json<{ presence: { spectators: number } }>(`/api/rooms/${room}`);
    expect(presence.spectators).toBe(0);
  });
});

describe("a hello", () => {
  it.each(outsiders.filter(({ kind }) => kind !== "nobody"))("of $kind lets nobody in", async ({ status, come }) => {
    const { visitor } = await come();
    const line = await visitor.connect(room);
    await line.first();
    if (visitor.key?.includes(".")) line.send({ type: "hello", token: visitor.key });
    else if (visitor.key === undefined) line.send({ type: "hello", guest: visitor.guest });
    else line.send({ type: "hello", key: visitor.key });
    const { code, about } = await line.next("error");
    expect([code, about]).toEqual([status === 401 ? "unauthorized" : "forbidden", "hello"]);
    expect(await line.closeCode()).toBe(status === 401 ? CLOSE.unauthorized : CLOSE.forbidden);
    expect(line.passed.map(({ type }) => type)).not.toContain("welcome");
  });

  it("of a member is answered with the room, and then with who they are", async () => {
    const line = await member.connect(room, { query: "?after=0" });
    expect(await line.first()).toEqual({ type: "identify" });
    line.send({ type: "hello", key: member.key as string, as: "claude" });
    const welcome = await line.first();
    expect(welcome).toMatchObject({ type: "welcome", room: { name: SECRETS.name, access: "members" } });
    expect(welcome.type === "welcome" && welcome.messages[0]).toMatchObject({ seq: 1, content: SECRETS.said });
    expect(await line.first()).toMatchObject({ type: "you", sender: `${member.handle}/claude`, role: "member" });
  });

  it("by the upgrade's own key does as well", async () => {
    const line = await member.connect(room, { headers: { authorization: `Bearer ${member.key}` } });
    await line.welcome();
    expect(await line.next("you")).toMatchObject({ sender: member.handle, owner: false, role: "member" });
  });
});

it("is open to those who may read, by every way", async () => {
  for (const visitor of [elsewhere(owner), elsewhere(member)]) {
    await expectStatus(await visitor.fetch(`/api/rooms/${room}`), 200);
    await expectStatus(await visitor.fetch(`/api/rooms/${room}/messages?before=2`), 200);
    const text = await (await visitor.fetch(`/r/${room}?format=md`)).text();
    expect(seenIn(text)).toEqual(expect.arrayContaining(["name", "topic", "instructions"]));
  }
  const secret = (env as unknown as { OPERATOR_SECRET: string }).OPERATOR_SECRET;
  const asOperator = { headers: { authorization: `Operator ${secret}` } };
  await expectStatus(await new Visitor().fetch(`/api/rooms/${room}`, asOperator), 200);
  await expectStatus(await new Visitor().fetch(`/api/rooms/${room}/messages`, asOperator), 200);
});
