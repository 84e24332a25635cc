/** `openapi.json` against the server: each path and method that there is, each status, and the shape of each answer. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { type Schema, Validator } from "@cfworker/json-schema";
import { beforeAll, describe, expect, it, vi } from "vitest";
import app from "../../api/index.ts";
import openapi from "../../openapi.json";
import { newKey, sha256Hex } from "../../party/identity/sender.ts";
import { unlogged } from "../logged.ts";
import { TestSite } from "./site.ts";
import { archive, expectStatus, makeRoom, ownerWithRoom, stopTime, stubOf, Visitor, without } from "./visitor.ts";

interface Described {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
  readonly headers?: Readonly<Record<string, unknown>>;
}

type Operation = { readonly responses: Readonly<Record<string, Described>> };

/** `post /api/keys` and so on, each with what it says of itself. */
const operations = new Map<string, Operation>(
  Object.entries(openapi.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== "parameters")
      .map(([method, operation]) => [`${method} ${path}`, operation as unknown as Operation] as const),
  ),
);

/** Pages for people. */
const PAGES = ["get /", "get /key", "get /rooms", "get /admin", "get /*"];

let owner: Visitor;
let room: string;
let stranger: Visitor;
let nobody: Visitor;

beforeAll(async () => {
  ({ owner, room } = await ownerWithRoom());
  stranger = await Visitor.withKey();
  nobody = new Visitor();
  await owner.send("POST", `/api/rooms/${room}/messages`, { id: "first", content: "Hello" });
  await owner.send("POST", `/api/rooms/${room}/messages`, { content: "Hello again", replyTo: 1, as: "claude" });
  await archive(room);
});

/** What is wrong with `value`, with where; nothing when it is as `schema` says. */
function violations(value: unknown, schema: Schema): string[] {
  // References lead into the document's components, which go along.
  const validator = new Validator({ ...schema, components: openapi.components } as Schema, "2020-12", false);
  const { errors } = validator.validate(value);
  return errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
}

/** What stands at a `#/…` pointer. */
function resolve(pointer: string): unknown {
  const names = pointer.split("/").slice(1);
  const found = names.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], openapi);
  if (found === undefined) throw new Error(`${pointer} leads nowhere`);
  return found;
}

/** A message of a stranger that waits in a room of `host`'s. */
async function heldMessage(): Promise<{ response: Response; host: Visitor; path: string }> {
  const { owner: host, room } = await ownerWithRoom({ hold: "newcomers" });
  const response = await stranger.send("POST", `/api/rooms/${room}/messages`, { content: "Hello" });
  const { held } = await response.clone().json<{ held: string }>();
  return { response, host, path: `/api/rooms/${room}/held/${held}` };
}

const ANSWER = "get /api/rooms/{id}/messages/{seq}/answer";

/** Answers the ask at `path`. */
function answerTo(path: string): Promise<Response> {
  const [, room = "", target] = /^\/api\/rooms\/([^/]+)\/messages\/(\d+)$/.exec(path) ?? [];
  return stranger.send("POST", `/api/rooms/${room}/messages`, { answer: { target: Number(target), option: "yes" } });
}

/** The path of an ask that is as it is wanted. */
async function askIn(room: string, state: "open" | "answered" | "deleted"): Promise<string> {
  const body = { content: "Deploy?", ask: { options: [{ id: "yes", label: "Yes!" }, "no"], guests: true } };
  const { seq } = await (await owner.send("POST", `/api/rooms/${room}/messages`, body)).json<{ seq: number }>();
  const path = `/api/rooms/${room}/messages/${seq}`;
  if (state === "answered") await answerTo(path);
  if (state === "deleted") await owner.fetch(path, { method: "DELETE" });
  return path;
}

/** `call` by somebody whose address has no look-ups left. */
async function withoutLookups(call: (visitor: Visitor) => Promise<Response>): Promise<Response> {
  const visitor = new Visitor();
  await usedUp(Number(env.LOOKUPS_PER_MINUTE) * 2, () => visitor.fetch("/api/keys/me"));
  return call(visitor);
}

/** Somebody whose key nothing has asked about yet, while it can't be asked about. */
async function unknowable(call: (visitor: Visitor) => Promise<Response>): Promise<Response> {
  const visitor = await Visitor.withKey();
  return without("api_keys", () => call(visitor));
}

/** While a backup is restored into D1. */
async function restoring(call: () => Promise<Response>): Promise<Response> {
  const rename = (from: string, to: string) => env.DB.exec(`UPDATE secrets SET name = '${to}' WHERE name = '${from}'`);
  await rename("guest_pepper", "aside");
  try {
    return await unlogged(call);
  } finally {
    await rename("aside", "guest_pepper");
  }
}

/** While D1 has no room for another key. */
async function full(call: () => Promise<Response>): Promise<Response> {
  await env.DB.exec(
    `CREATE TRIGGER full BEFORE INSERT ON api_keys BEGIN SELECT RAISE(ABORT, 'Exceeded maximum DB size.'); END`,
  );
  try {
    return await unlogged(call);
  } finally {
    await env.DB.exec("DROP TRIGGER full");
  }
}

/** While D1 answers no query. */
async function away(call: () => Promise<Response>): Promise<Response> {
  const lost = new Error("D1_ERROR: Network connection lost.");
  const all = vi.spyOn(Object.getPrototypeOf(env.DB.prepare("SELECT 1")), "all").mockRejectedValue(lost);
  try {
    return await unlogged(call);
  } finally {
    all.mockRestore();
  }
}

/** A room that nobody has been in, while D1 is away. */
async function unreachable(call: (room: string) => Promise<Response>): Promise<Response> {
  const { room: fresh } = await ownerWithRoom();
  return without("rooms", () => without("packs", () => call(fresh)));
}

/** Somebody with as many connections to `room` as an address may have. */
async function crowd(): Promise<Visitor> {
  const visitor = new Visitor();
  await Promise.all(Array.from({ length: Number(env.SOCKETS_PER_ADDRESS) }, () => visitor.connect(room)));
  return visitor;
}

/** An invite into `room`. */
const newInvite = async () => (await owner.send("POST", at("/invites"), {})).json<{ id: string; secret: string }>();
const joining = (who: Visitor, invite: string) => who.send("POST", at("/join"), { invite });

/** A room of members, of somebody's. */
const closedRoom = async () => (await ownerWithRoom({ access: "members" })).room;

/** The runtime warns of `text()` where the type is not text. */
const decoded = (bytes: ArrayBuffer) => new TextDecoder().decode(bytes);

async function usedUp(count: number, call: () => Promise<Response>): Promise<Response> {
  for (let made = 0; made < count; made++) await call();
  return call();
}

const fetching =
  (path: string, method = "GET") =>
  (visitor: Visitor) =>
    visitor.fetch(path, { method });
const at = (path: string) => `/api/rooms/${room}${path}`;
const { OPERATOR_SECRET } = env as unknown as { OPERATOR_SECRET: string };
const asOperator = (secret: string, query = "", visitor = new Visitor(), path = "directory") =>
  visitor.fetch(`/api/operator/${path}${query}`, { headers: { authorization: `Operator ${secret}` } });
const eraseEverywhere = (query: string, secret = OPERATOR_SECRET, visitor = new Visitor()) =>
  visitor.fetch(`/api/messages${query}`, { method: "DELETE", headers: { authorization: `Operator ${secret}` } });
const asAdmin = (path: string, secret = OPERATOR_SECRET, init: RequestInit = {}, visitor = new Visitor()) =>
  visitor.fetch(`/api/admin/${path}`, { ...init, headers: { ...init.headers, authorization: `Operator ${secret}` } });
const asJson = (method: string) => (body: object) => ({
  ...{ method, body: JSON.stringify(body) },
  headers: { "content-type": "application/json" },
});
const held = asJson("PATCH");
const said = asJson("PUT");
/** The call of somebody who has guessed too often. */
const guessed = (path: string, init: RequestInit = {}) => {
  const guesser = new Visitor();
  return usedUp(110, () => asAdmin(path, "not-the-operators-secret", init, guesser));
};
const upgraded = { headers: { upgrade: "websocket" } };

/** Somebody's site that is not registered yet. */
const unregistered = async () => TestSite.unregistered(await Visitor.withKey());

const LIST_TOOLS = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const MODERN = { "mcp-protocol-version": "2026-07-28" };
const DISCOVER = {
  jsonrpc: "2.0",
  id: 1,
  method: "server/discover",
  params: {
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
};

/** A call for each status of each operation. */
const calls: readonly (readonly [operation: string, status: number, call: () => Promise<Response>])[] = [
  [
    "post /api/keys",
    200,
    async () => {
      const wish = { keyHash: await sha256Hex(newKey()) };
      await expectStatus(await new Visitor().send("POST", "/api/keys", wish), 201);
      return new Visitor().send("POST", "/api/keys", wish);
    },
  ],
  ["post /api/keys", 503, () => full(() => new Visitor().fetch("/api/keys", { method: "POST" }))],
  ["post /api/keys", 201, () => nobody.fetch("/api/keys", { method: "POST" })],
  ["post /api/keys", 400, () => nobody.send("POST", "/api/keys", { handle: "Operator" })],
  ["post /api/keys", 409, () => nobody.send("POST", "/api/keys", { handle: owner.handle })],
  ["post /api/keys", 413, () => nobody.send("POST", "/api/keys", { handle: "x".repeat(70_000) })],
  [
    "post /api/keys",
    429,
    () =>
      usedUp(
        10,
        (
          (visitor) => () =>
            visitor.fetch("/api/keys", { method: "POST" })
        )(new Visitor()),
      ),
  ],
  [
    "post /api/keys",
    403,
    () => nobody.fetch("/api/keys", { method: "POST", headers: { origin: "https://a.example" } }),
  ],
  ["get /api/keys/me", 429, () => withoutLookups(fetching("/api/keys/me"))],
  ["delete /api/keys/me", 429, () => withoutLookups(fetching("/api/keys/me", "DELETE"))],
  ["post /api/keys/me/rotate", 400, () => owner.send("POST", "/api/keys/me/rotate", { keyHash: "short" })],
  [
    "post /api/keys/me/rotate",
    200,
    async () => (await Visitor.withKey()).send("POST", "/api/keys/me/rotate", { keyHash: "0a".repeat(32) }),
  ],
  [
    "post /api/keys/me/rotate",
    409,
    async () => {
      const keyHash = await sha256Hex(owner.key as string);
      return (await Visitor.withKey()).send("POST", "/api/keys/me/rotate", { keyHash });
    },
  ],
  ["post /api/keys/me/rotate", 413, () => owner.send("POST", "/api/keys/me/rotate", { keyHash: "x".repeat(70_000) })],
  ["post /api/keys/me/rotate", 429, () => withoutLookups(fetching("/api/keys/me/rotate", "POST"))],
  ["get /api/keys/me", 200, () => owner.fetch("/api/keys/me")],
  ["get /api/keys/me", 401, () => nobody.fetch("/api/keys/me")],
  ["get /api/keys/me", 503, () => unknowable(fetching("/api/keys/me"))],
  ["delete /api/keys/me", 204, async () => fetching("/api/keys/me", "DELETE")(await Visitor.withKey())],
  ["delete /api/keys/me", 401, () => nobody.fetch("/api/keys/me", { method: "DELETE" })],
  ["delete /api/keys/me", 503, () => unknowable(fetching("/api/keys/me", "DELETE"))],
  ["post /api/keys/me/rotate", 200, async () => fetching("/api/keys/me/rotate", "POST")(await Visitor.withKey())],
  ["post /api/keys/me/rotate", 401, () => nobody.fetch("/api/keys/me/rotate", { method: "POST" })],
  ["post /api/keys/me/rotate", 503, () => unknowable(fetching("/api/keys/me/rotate", "POST"))],
  ["get /api/rooms", 503, () => restoring(() => new Visitor().fetch("/api/rooms"))],
  ["get /api/rooms", 503, () => away(() => new Visitor().fetch("/api/rooms"))],
  ["get /api/rooms", 200, () => nobody.fetch("/api/rooms?limit=2")],
  ["get /api/rooms", 400, () => nobody.fetch("/api/rooms?limit=x")],
  [
    "get /api/rooms",
    429,
    async () => {
      const visitor = new Visitor();
      return usedUp(Number(env.SCANS_PER_MINUTE) * 2, () => visitor.fetch("/api/rooms?q=den"));
    },
  ],
  ["post /api/rooms", 201, () => stranger.send("POST", "/api/rooms", { name: "Den", topic: "Bears", listed: false })],
  ["post /api/rooms", 400, () => stranger.send("POST", "/api/rooms", {})],
  ["post /api/rooms", 401, () => nobody.send("POST", "/api/rooms", { name: "Den" })],
  ["post /api/rooms", 409, () => stranger.send("POST", "/api/rooms", { name: "Den", id: "lobby" })],
  ["post /api/rooms", 413, () => stranger.send("POST", "/api/rooms", { name: "x".repeat(81) })],
  [
    "post /api/rooms",
    429,
    async () => {
      const visitor = await Visitor.withKey();
      return usedUp(5, () => visitor.send("POST", "/api/rooms", { name: "Den" }));
    },
  ],
  ["post /api/rooms", 503, () => unknowable((visitor) => visitor.send("POST", "/api/rooms", { name: "Den" }))],
  ["get /api/rooms/{id}", 200, () => nobody.fetch(at(""))],
  ["get /api/rooms/{id}", 200, () => owner.fetch(at(""))],
  ["get /api/rooms/{id}", 401, () => nobody.fetch(at(""), { headers: { authorization: "Bearer x" } })],
  ["get /api/rooms/{id}", 404, () => nobody.fetch("/api/rooms/no-such")],
  ["get /api/rooms/{id}", 503, () => unreachable((fresh) => nobody.fetch(`/api/rooms/${fresh}`))],
  ["get /api/rooms/{id}", 429, () => withoutLookups(fetching(at("")))],
  ["patch /api/rooms/{id}", 200, () => owner.send("PATCH", at(""), { topic: "Bears", origins: ["https://a.example"] })],
  ["patch /api/rooms/{id}", 400, () => owner.send("PATCH", at(""), { name: "" })],
  ["patch /api/rooms/{id}", 401, () => nobody.send("PATCH", at(""), { name: "Cave" })],
  ["patch /api/rooms/{id}", 403, () => stranger.send("PATCH", at(""), { name: "Cave" })],
  ["patch /api/rooms/{id}", 404, () => owner.send("PATCH", "/api/rooms/no-such", { name: "Cave" })],
  ["patch /api/rooms/{id}", 413, () => owner.send("PATCH", at(""), { name: "x".repeat(81) })],
  ["patch /api/rooms/{id}", 503, () => unknowable((visitor) => visitor.send("PATCH", at(""), { name: "Cave" }))],
  ["delete /api/rooms/{id}", 204, async () => owner.fetch(`/api/rooms/${await makeRoom(owner)}`, { method: "DELETE" })],
  ["delete /api/rooms/{id}", 401, () => nobody.fetch(at(""), { method: "DELETE" })],
  ["delete /api/rooms/{id}", 403, () => stranger.fetch(at(""), { method: "DELETE" })],
  ["delete /api/rooms/{id}", 404, () => owner.fetch("/api/rooms/no-such", { method: "DELETE" })],
  ["delete /api/rooms/{id}", 503, () => unknowable(fetching(at(""), "DELETE"))],
  [
    "get /api/rooms/{id}/mutes",
    200,
    async () => {
      await owner.fetch(at("/mutes/calm-heron"), { method: "PUT" });
      return owner.fetch(at("/mutes"));
    },
  ],
  ["get /api/rooms/{id}/mutes", 401, () => nobody.fetch(at("/mutes"))],
  ["get /api/rooms/{id}/mutes", 403, () => stranger.fetch(at("/mutes"))],
  ["get /api/rooms/{id}/mutes", 404, () => owner.fetch("/api/rooms/no-such/mutes")],
  ["get /api/rooms/{id}/mutes", 503, () => unknowable(fetching(at("/mutes")))],
  [
    "put /api/rooms/{id}/mutes/{sender}",
    200,
    () => owner.send("PUT", at("/mutes/a-b"), { until: "2030-01-01T00:00:00.000Z" }),
  ],
  ["put /api/rooms/{id}/mutes/{sender}", 400, () => owner.send("PUT", at("/mutes/a-b"), { until: "soon" })],
  ["put /api/rooms/{id}/mutes/{sender}", 401, () => nobody.fetch(at("/mutes/a-b"), { method: "PUT" })],
  ["put /api/rooms/{id}/mutes/{sender}", 403, () => stranger.fetch(at("/mutes/a-b"), { method: "PUT" })],
  ["put /api/rooms/{id}/mutes/{sender}", 404, () => owner.fetch("/api/rooms/no-such/mutes/a-b", { method: "PUT" })],
  [
    "put /api/rooms/{id}/mutes/{sender}",
    409,
    async () => {
      const full = await makeRoom(owner);
      const mutes = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`a-${index}`, null]));
      const update = env.DB.prepare("UPDATE rooms SET settings = ? WHERE id = ?");
      await update.bind(JSON.stringify({ mutes }), full).run();
      return owner.fetch(`/api/rooms/${full}/mutes/one-more`, { method: "PUT" });
    },
  ],
  ["put /api/rooms/{id}/mutes/{sender}", 503, () => unknowable(fetching(at("/mutes/a-b"), "PUT"))],
  ["post /api/rooms/{id}/messages", 202, async () => (await heldMessage()).response],
  [
    "get /api/rooms/{id}/held",
    200,
    async () => {
      const { host, path } = await heldMessage();
      return host.fetch(path.slice(0, path.lastIndexOf("/")));
    },
  ],
  ["get /api/rooms/{id}/held", 401, () => nobody.fetch(at("/held"))],
  [
    "get /api/rooms/{id}/held",
    403,
    async () => stranger.fetch(`/api/rooms/${(await ownerWithRoom({ access: "members" })).room}/held`),
  ],
  ["get /api/rooms/{id}/held", 404, () => owner.fetch("/api/rooms/no-such/held")],
  ["get /api/rooms/{id}/held", 503, () => unknowable(fetching(at("/held")))],
  ...(["approve", "refuse"] as const).flatMap((deed): (typeof calls)[number][] => {
    const operation = `post /api/rooms/{id}/held/{held}/${deed}`;
    const other = deed === "approve" ? "refuse" : "approve";
    const post = (path: string, who: Visitor) => who.fetch(path, { method: "POST" });
    return [
      [
        operation,
        deed === "approve" ? 200 : 204,
        async () => {
          const { host, path } = await heldMessage();
          return post(`${path}/${deed}`, host);
        },
      ],
      [operation, 401, () => post(at(`/held/x/${deed}`), nobody)],
      [operation, 403, () => post(at(`/held/x/${deed}`), stranger)],
      [operation, 404, () => post(at(`/held/x/${deed}`), owner)],
      [
        operation,
        409,
        async () => {
          const { host, path } = await heldMessage();
          await post(`${path}/${other}`, host);
          return post(`${path}/${deed}`, host);
        },
      ],
      [operation, 503, () => unknowable(fetching(at(`/held/x/${deed}`), "POST"))],
    ];
  }),
  ["get /api/rooms/{id}/moderation", 200, () => owner.fetch(at("/moderation?limit=2"))],
  ["get /api/rooms/{id}/moderation", 400, () => owner.fetch(at("/moderation?limit=x"))],
  ["get /api/rooms/{id}/moderation", 401, () => nobody.fetch(at("/moderation"))],
  ["get /api/rooms/{id}/moderation", 403, () => stranger.fetch(at("/moderation"))],
  ["get /api/rooms/{id}/moderation", 404, () => owner.fetch("/api/rooms/no-such/moderation")],
  ["get /api/rooms/{id}/moderation", 503, () => unknowable(fetching(at("/moderation")))],
  ["delete /api/rooms/{id}/mutes/{sender}", 204, () => owner.fetch(at("/mutes/a-b"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/mutes/{sender}", 400, () => owner.fetch(at("/mutes/A"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/mutes/{sender}", 401, () => nobody.fetch(at("/mutes/a-b"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/mutes/{sender}", 403, () => stranger.fetch(at("/mutes/a-b"), { method: "DELETE" })],
  [
    "delete /api/rooms/{id}/mutes/{sender}",
    404,
    () => owner.fetch("/api/rooms/no-such/mutes/a-b", { method: "DELETE" }),
  ],
  ["delete /api/rooms/{id}/mutes/{sender}", 503, () => unknowable(fetching(at("/mutes/a-b"), "DELETE"))],
  ["get /api/rooms/{id}", 403, async () => stranger.fetch(`/api/rooms/${await closedRoom()}`)],
  ["get /api/rooms/{id}/messages", 401, async () => nobody.fetch(`/api/rooms/${await closedRoom()}/messages`)],
  ["get /api/rooms/{id}/messages", 403, async () => stranger.fetch(`/api/rooms/${await closedRoom()}/messages`)],
  ["get /api/rooms/{id}/events", 401, async () => nobody.fetch(`/api/rooms/${await closedRoom()}/events`)],
  ["get /api/rooms/{id}/events", 403, async () => stranger.fetch(`/api/rooms/${await closedRoom()}/events`)],
  ["get /r/{id}", 401, async () => nobody.fetch(`/r/${await closedRoom()}?format=md`)],
  ["get /r/{id}", 403, async () => stranger.fetch(`/r/${await closedRoom()}?format=md`)],
  [
    "get /api/rooms/{id}/members",
    200,
    async () => {
      await owner.send("PUT", at(`/members/${stranger.handle}`), { role: "reader" });
      return owner.fetch(at("/members?limit=1"));
    },
  ],
  ["get /api/rooms/{id}/members", 400, () => owner.fetch(at("/members?limit=0"))],
  ["get /api/rooms/{id}/members", 401, () => nobody.fetch(at("/members"))],
  ["get /api/rooms/{id}/members", 403, () => stranger.fetch(at("/members"))],
  ["get /api/rooms/{id}/members", 404, () => owner.fetch("/api/rooms/no-such/members")],
  ["get /api/rooms/{id}/members", 503, () => unknowable(fetching(at("/members")))],
  ["get /api/rooms/{id}/members/{sender}", 200, () => owner.fetch(at(`/members/${owner.handle}`))],
  ["get /api/rooms/{id}/members/{sender}", 400, () => owner.fetch(at("/members/A"))],
  ["get /api/rooms/{id}/members/{sender}", 401, () => nobody.fetch(at("/members/a-b"))],
  ["get /api/rooms/{id}/members/{sender}", 403, () => stranger.fetch(at("/members/a-b"))],
  ["get /api/rooms/{id}/members/{sender}", 404, () => owner.fetch(at("/members/a-b"))],
  ["get /api/rooms/{id}/members/{sender}", 503, () => unknowable(fetching(at("/members/a-b")))],
  [
    "put /api/rooms/{id}/members/{sender}",
    200,
    () => owner.send("PUT", at(`/members/${stranger.handle}`), { role: "reader" }),
  ],
  ["put /api/rooms/{id}/members/{sender}", 400, () => owner.send("PUT", at("/members/a-b"), { role: "king" })],
  ["put /api/rooms/{id}/members/{sender}", 401, () => nobody.send("PUT", at("/members/a-b"), { role: "reader" })],
  ["put /api/rooms/{id}/members/{sender}", 403, () => stranger.send("PUT", at("/members/a-b"), { role: "reader" })],
  ["put /api/rooms/{id}/members/{sender}", 404, () => owner.send("PUT", at("/members/a-b"), { role: "reader" })],
  [
    "put /api/rooms/{id}/members/{sender}",
    409,
    () => owner.send("PUT", at("/members/~brisk-lynx-4f2a9c"), { role: "reader" }),
  ],
  [
    "put /api/rooms/{id}/members/{sender}",
    413,
    () => owner.send("PUT", at("/members/a-b"), { role: "x".repeat(70_000) }),
  ],
  [
    "put /api/rooms/{id}/members/{sender}",
    429,
    async () => {
      const own = await ownerWithRoom();
      const call = () => own.owner.send("PUT", `/api/rooms/${own.room}/members/a-b`, { role: "reader" });
      return usedUp(Number(env.LOOKUPS_PER_MINUTE) * 2, call);
    },
  ],
  [
    "put /api/rooms/{id}/members/{sender}",
    503,
    () => unknowable((visitor) => visitor.send("PUT", at("/members/a-b"), { role: "reader" })),
  ],
  [
    "delete /api/rooms/{id}/members/{sender}",
    204,
    () => owner.fetch(at(`/members/${stranger.handle}`), { method: "DELETE" }),
  ],
  ["delete /api/rooms/{id}/members/{sender}", 400, () => owner.fetch(at("/members/A"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/members/{sender}", 401, () => nobody.fetch(at("/members/a-b"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/members/{sender}", 403, () => stranger.fetch(at("/members/a-b"), { method: "DELETE" })],
  [
    "delete /api/rooms/{id}/members/{sender}",
    404,
    () => owner.fetch("/api/rooms/no-such/members/a-b", { method: "DELETE" }),
  ],
  [
    "delete /api/rooms/{id}/members/{sender}",
    409,
    () => owner.fetch(at(`/members/${owner.handle}`), { method: "DELETE" }),
  ],
  ["delete /api/rooms/{id}/members/{sender}", 503, () => unknowable(fetching(at("/members/a-b"), "DELETE"))],
  ["get /api/rooms/{id}/invites", 200, async () => (await newInvite()) && owner.fetch(at("/invites"))],
  ["get /api/rooms/{id}/invites", 401, () => nobody.fetch(at("/invites"))],
  ["get /api/rooms/{id}/invites", 403, () => stranger.fetch(at("/invites"))],
  ["get /api/rooms/{id}/invites", 404, () => owner.fetch("/api/rooms/no-such/invites")],
  ["get /api/rooms/{id}/invites", 503, () => unknowable(fetching(at("/invites")))],
  ["post /api/rooms/{id}/invites", 201, () => owner.fetch(at("/invites"), { method: "POST" })],
  ["post /api/rooms/{id}/invites", 400, () => owner.send("POST", at("/invites"), { uses: 0 })],
  ["post /api/rooms/{id}/invites", 401, () => nobody.send("POST", at("/invites"), {})],
  ["post /api/rooms/{id}/invites", 403, () => stranger.send("POST", at("/invites"), {})],
  ["post /api/rooms/{id}/invites", 404, () => owner.send("POST", "/api/rooms/no-such/invites", {})],
  [
    "post /api/rooms/{id}/invites",
    409,
    async () => {
      const own = await ownerWithRoom();
      const path = `/api/rooms/${own.room}/invites`;
      await own.owner.send("POST", path, {});
      // As if all places but one were taken before.
      await runInDurableObject(stubOf(own.room), (_, { storage }) => {
        storage.sql.exec("UPDATE roster SET invites = 1000");
      });
      return own.owner.send("POST", path, {});
    },
  ],
  ["post /api/rooms/{id}/invites", 413, () => owner.send("POST", at("/invites"), { role: "x".repeat(70_000) })],
  [
    "post /api/rooms/{id}/invites",
    429,
    async () => {
      const own = await ownerWithRoom();
      const call = () => own.owner.send("POST", `/api/rooms/${own.room}/invites`, {});
      return usedUp(Number(env.LOOKUPS_PER_MINUTE) * 2, call);
    },
  ],
  ["post /api/rooms/{id}/invites", 503, () => unknowable((visitor) => visitor.send("POST", at("/invites"), {}))],
  [
    "delete /api/rooms/{id}/invites/{invite}",
    204,
    async () => owner.fetch(at(`/invites/${(await newInvite()).id}`), { method: "DELETE" }),
  ],
  ["delete /api/rooms/{id}/invites/{invite}", 401, () => nobody.fetch(at("/invites/x"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/invites/{invite}", 403, () => stranger.fetch(at("/invites/x"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/invites/{invite}", 404, () => owner.fetch(at("/invites/x"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/invites/{invite}", 503, () => unknowable(fetching(at("/invites/x"), "DELETE"))],
  ["post /api/rooms/{id}/join", 200, async () => joining(await Visitor.withKey(), (await newInvite()).secret)],
  ["post /api/rooms/{id}/join", 400, () => joining(stranger, "")],
  ["post /api/rooms/{id}/join", 401, () => joining(nobody, "x")],
  ["post /api/rooms/{id}/join", 403, () => joining(stranger, "x")],
  ["post /api/rooms/{id}/join", 404, () => stranger.send("POST", "/api/rooms/no-such/join", { invite: "x" })],
  [
    "post /api/rooms/{id}/join",
    409,
    async () => {
      const { secret } = await newInvite();
      await joining(await Visitor.withKey(), secret);
      return joining(await Visitor.withKey(), secret);
    },
  ],
  ["post /api/rooms/{id}/join", 413, () => joining(stranger, "x".repeat(70_000))],
  [
    "post /api/rooms/{id}/join",
    429,
    async () => {
      const guesser = await Visitor.withKey();
      return usedUp(Number(env.LOOKUPS_PER_MINUTE) * 2, () => joining(guesser, "x"));
    },
  ],
  ["post /api/rooms/{id}/join", 503, () => unknowable((visitor) => joining(visitor, "x"))],
  [
    "post /api/rooms/{id}/owner",
    200,
    async () => {
      const own = await ownerWithRoom();
      await own.owner.send("PUT", `/api/rooms/${own.room}/members/${stranger.handle}`, { role: "member" });
      return own.owner.send("POST", `/api/rooms/${own.room}/owner`, { handle: stranger.handle });
    },
  ],
  ["post /api/rooms/{id}/owner", 400, () => owner.send("POST", at("/owner"), { handle: "A" })],
  ["post /api/rooms/{id}/owner", 401, () => nobody.send("POST", at("/owner"), { handle: "a-b" })],
  ["post /api/rooms/{id}/owner", 403, () => stranger.send("POST", at("/owner"), { handle: "a-b" })],
  ["post /api/rooms/{id}/owner", 404, () => owner.send("POST", "/api/rooms/no-such/owner", { handle: "a-b" })],
  ["post /api/rooms/{id}/owner", 409, () => owner.send("POST", at("/owner"), { handle: "a-b" })],
  ["post /api/rooms/{id}/owner", 413, () => owner.send("POST", at("/owner"), { handle: "x".repeat(70_000) })],
  ["post /api/rooms/{id}/owner", 503, () => unknowable((visitor) => visitor.send("POST", at("/owner"), {}))],
  ["post /mcp", 200, () => nobody.send("POST", "/mcp", LIST_TOOLS, { accept: "application/json" })],
  ["post /mcp", 200, () => nobody.send("POST", "/mcp", DISCOVER, { "mcp-method": "server/discover", ...MODERN })],
  ["post /mcp", 202, () => nobody.send("POST", "/mcp", { jsonrpc: "2.0", method: "notifications/initialized" })],
  ["post /mcp", 400, () => nobody.send("POST", "/mcp", [LIST_TOOLS])],
  ["post /mcp", 400, () => nobody.send("POST", "/mcp", DISCOVER, { "mcp-method": "tools/list", ...MODERN })],
  ["post /mcp", 403, () => nobody.send("POST", "/mcp", LIST_TOOLS, { origin: "https://a.example" })],
  ["post /mcp", 413, () => nobody.send("POST", "/mcp", { ...LIST_TOOLS, params: { x: "x".repeat(70_000) } })],
  ["post /mcp", 415, () => nobody.fetch("/mcp", { method: "POST", body: "{}" })],
  [
    "post /mcp",
    429,
    async () => {
      const visitor = new Visitor();
      return usedUp(Number(env.LOOKUPS_PER_MINUTE) * 8, () => visitor.send("POST", "/mcp", []));
    },
  ],
  ["get /api/rooms/{id}/messages", 200, () => nobody.fetch(at("/messages?format=brief"))],
  ["get /api/rooms/{id}/messages", 200, () => nobody.fetch(at("/messages?limit=1"))],
  ["get /api/rooms/{id}/messages", 200, () => nobody.fetch(at("/messages?before=3"))],
  ["get /api/rooms/{id}/messages", 200, () => nobody.fetch(at("/messages?after=1&epoch=another"))],
  ["get /api/rooms/{id}/messages", 400, () => nobody.fetch(at("/messages?wait=5"))],
  ["get /api/rooms/{id}/messages", 404, () => nobody.fetch("/api/rooms/no-such/messages")],
  [
    "get /api/rooms/{id}/messages",
    429,
    async () => {
      const { head } = await nobody.json<{ head: number }>(at("/messages"));
      return (await crowd()).fetch(at(`/messages?after=${head}&wait=1`));
    },
  ],
  ["get /api/rooms/{id}/messages", 503, () => unreachable((fresh) => nobody.fetch(`/api/rooms/${fresh}/messages`))],
  ["post /api/rooms/{id}/messages", 200, () => owner.send("POST", at("/messages"), { id: "first", content: "Hello" })],
  ["post /api/rooms/{id}/messages", 201, () => owner.send("POST", at("/messages"), { content: "c", replyTo: 1 })],
  ["post /api/rooms/{id}/messages", 400, () => owner.send("POST", at("/messages"), { content: "" })],
  ["post /api/rooms/{id}/messages", 401, () => nobody.send("POST", at("/messages"), { content: "a" })],
  [
    "post /api/rooms/{id}/messages",
    403,
    () => owner.send("POST", at("/messages"), { content: "a" }, { origin: "https://elsewhere.example" }),
  ],
  ["post /api/rooms/{id}/messages", 404, () => owner.send("POST", "/api/rooms/no-such/messages", { content: "a" })],
  ["post /api/rooms/{id}/messages", 409, () => owner.send("POST", at("/messages"), { id: "first", content: "Other" })],
  ["post /api/rooms/{id}/messages", 413, () => owner.send("POST", at("/messages"), { content: "x".repeat(16_385) })],
  [
    "post /api/rooms/{id}/messages",
    429,
    async () => {
      const visitor = await Visitor.withKey();
      return usedUp(60, () => visitor.send("POST", at("/messages"), { content: "a" }));
    },
  ],
  [
    "post /api/rooms/{id}/messages",
    503,
    () => unknowable((visitor) => visitor.send("POST", at("/messages"), { content: "a" })),
  ],
  [ANSWER, 200, async () => nobody.fetch(`${await askIn(room, "answered")}/answer`)],
  [ANSWER, 200, async () => nobody.fetch(`${await askIn(room, "deleted")}/answer`)],
  [ANSWER, 204, async () => nobody.fetch(`${await askIn(room, "open")}/answer`)],
  [ANSWER, 400, () => nobody.fetch(at("/messages/1/answer?wait=x"))],
  [ANSWER, 401, async () => nobody.fetch(`/api/rooms/${await closedRoom()}/messages/1/answer`)],
  [ANSWER, 403, async () => stranger.fetch(`/api/rooms/${await closedRoom()}/messages/1/answer`)],
  [ANSWER, 404, () => nobody.fetch(at("/messages/1000/answer"))],
  [ANSWER, 429, () => withoutLookups((visitor) => visitor.fetch(at("/messages/1/answer")))],
  [ANSWER, 503, () => unreachable((fresh) => nobody.fetch(`/api/rooms/${fresh}/messages/1/answer`))],
  [
    "get /api/rooms/{id}/messages",
    200,
    async () => {
      await askIn(room, "answered");
      return nobody.fetch(at("/messages"));
    },
  ],
  [
    "get /api/rooms/{id}/held",
    200,
    async () => {
      const { owner: host, room: fresh } = await ownerWithRoom({ hold: "newcomers" });
      const ask = { options: ["yes", "no"] };
      await stranger.send("POST", `/api/rooms/${fresh}/messages`, { content: "May I?", ask });
      return host.fetch(`/api/rooms/${fresh}/held`);
    },
  ],
  ["post /api/rooms/{id}/messages", 409, async () => answerTo(await askIn(room, "answered"))],
  ["delete /api/rooms/{id}/messages/{seq}", 204, () => owner.fetch(at("/messages/2"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/messages/{seq}", 400, () => owner.fetch(at("/messages/x"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/messages/{seq}", 401, () => nobody.fetch(at("/messages/1"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/messages/{seq}", 403, () => stranger.fetch(at("/messages/1"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/messages/{seq}", 404, () => owner.fetch(at("/messages/1000"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/messages", 200, () => owner.fetch(at("/messages?sender=a-b"), { method: "DELETE" })],
  [
    "delete /api/rooms/{id}/messages",
    202,
    async () => {
      const fresh = await makeRoom(owner);
      await owner.send("POST", `/api/rooms/${fresh}/messages`, { content: "Hello" });
      return without("packs", () =>
        owner.fetch(`/api/rooms/${fresh}/messages?sender=${owner.handle}`, { method: "DELETE" }),
      );
    },
  ],
  ["delete /api/rooms/{id}/messages", 400, () => owner.fetch(at("/messages"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/messages", 401, () => nobody.fetch(at("/messages?sender=a-b"), { method: "DELETE" })],
  ["delete /api/rooms/{id}/messages", 403, () => stranger.fetch(at("/messages?sender=a-b"), { method: "DELETE" })],
  [
    "delete /api/rooms/{id}/messages",
    404,
    () => owner.fetch("/api/rooms/no-such/messages?sender=a-b", { method: "DELETE" }),
  ],
  [
    "delete /api/rooms/{id}/messages",
    429,
    () =>
      withoutLookups((visitor) => {
        visitor.key = owner.key;
        return visitor.fetch("/api/rooms/never-seen/messages?sender=a-b", { method: "DELETE" });
      }),
  ],
  ["delete /api/rooms/{id}/messages", 503, () => unknowable(fetching(at("/messages?sender=a-b"), "DELETE"))],
  ["delete /api/messages", 200, () => eraseEverywhere("?sender=a-b")],
  [
    "delete /api/messages",
    202,
    async () => {
      const fresh = await makeRoom(owner);
      await stranger.send("POST", `/api/rooms/${fresh}/messages`, { content: "Hello" });
      await archive(fresh);
      return without("packs", () => eraseEverywhere(`?sender=${stranger.handle}`));
    },
  ],
  ["delete /api/messages", 400, () => eraseEverywhere("?sender=")],
  ["delete /api/messages", 401, () => owner.fetch("/api/messages?sender=a-b", { method: "DELETE" })],
  [
    "delete /api/messages",
    429,
    async () => {
      const guesser = new Visitor();
      return usedUp(110, () => eraseEverywhere("?sender=a-b", "not-the-operators-secret", guesser));
    },
  ],
  ["delete /api/messages", 503, () => without("rooms", () => eraseEverywhere("?sender=a-b"))],
  ["delete /api/rooms/{id}/messages/{seq}", 503, () => unknowable(fetching(at("/messages/1"), "DELETE"))],
  ["get /api/rooms/{id}/events", 200, () => nobody.fetch(at("/events"))],
  ["get /api/rooms/{id}/events", 400, () => nobody.fetch(at("/events?after=x"))],
  ["get /api/rooms/{id}/events", 404, () => nobody.fetch("/api/rooms/no-such/events")],
  ["get /api/rooms/{id}/events", 429, async () => (await crowd()).fetch(at("/events"))],
  ["get /api/rooms/{id}/events", 503, () => unreachable((fresh) => nobody.fetch(`/api/rooms/${fresh}/events`))],
  ["get /api/rooms/{id}/ws", 101, () => nobody.fetch(at("/ws"), upgraded)],
  ["get /api/rooms/{id}/ws", 400, () => nobody.fetch(at("/ws"))],
  ["get /parties/chat-room/{id}", 101, () => nobody.fetch(`/parties/chat-room/${room}`, upgraded)],
  ["get /parties/chat-room/{id}", 400, () => nobody.fetch(`/parties/chat-room/${room}`)],
  ["get /r/{id}", 200, () => nobody.fetch(`/r/${room}?format=md`)],
  ["get /r/{id}", 404, () => nobody.fetch("/r/no-such", { headers: { accept: "text/markdown" } })],
  ["get /r/{id}", 429, () => withoutLookups(fetching(`/r/${room}?format=md`))],
  ["get /r/{id}", 503, () => unreachable((fresh) => nobody.fetch(`/r/${fresh}?format=md`))],
  ["get /api/rooms/{id}/export", 200, () => owner.fetch(at("/export"))],
  ["get /api/rooms/{id}/export", 200, () => owner.fetch(at("/export?format=md"))],
  ["get /api/rooms/{id}/export", 400, () => owner.fetch(at("/export?format=pdf"))],
  ["get /api/rooms/{id}/export", 401, () => nobody.fetch(at("/export"))],
  ["get /api/rooms/{id}/export", 403, () => stranger.fetch(at("/export"))],
  ["get /api/rooms/{id}/export", 404, () => owner.fetch("/api/rooms/no-such/export")],
  ["get /api/rooms/{id}/export", 409, () => owner.fetch(at("/export?after=1000"))],
  [
    "get /api/rooms/{id}/export",
    429,
    async () => {
      const own = await ownerWithRoom();
      const path = `/api/rooms/${own.room}/export`;
      return usedUp(Number(env.SCANS_PER_MINUTE) * 2, () => own.owner.fetch(path));
    },
  ],
  ["get /api/rooms/{id}/export", 503, () => unknowable(fetching(at("/export")))],
  ["get /api/operator/directory", 200, () => asOperator(OPERATOR_SECRET)],
  ["get /api/operator/directory", 200, () => asOperator(OPERATOR_SECRET, "?cursor=key:")],
  [
    "get /api/operator/directory",
    200,
    async () => {
      await TestSite.register(owner);
      return asOperator(OPERATOR_SECRET, "?cursor=site:");
    },
  ],
  ["get /api/operator/directory", 200, () => asOperator(OPERATOR_SECRET, "?cursor=room:")],
  [
    "get /api/operator/directory",
    200,
    async () => {
      await env.DB.prepare("INSERT OR IGNORE INTO room_state VALUES (?, 'later', '[]', 1)").bind(room).run();
      return asOperator(OPERATOR_SECRET, "?cursor=state:");
    },
  ],
  [
    "get /api/operator/directory",
    200,
    async () => {
      await env.DB.prepare("INSERT OR IGNORE INTO erasure_orders VALUES ('0a', ?, NULL)")
        .bind(new Date().toISOString())
        .run();
      return asOperator(OPERATOR_SECRET, "?cursor=erasure:");
    },
  ],
  ["get /api/operator/directory", 503, () => restoring(() => asOperator(OPERATOR_SECRET))],
  ["get /api/operator/directory", 400, () => asOperator(OPERATOR_SECRET, "?cursor=x")],
  ["get /api/operator/directory", 401, () => asOperator("not-the-operators-secret")],
  [
    "get /api/operator/directory",
    429,
    () => {
      const guesser = new Visitor();
      return usedUp(110, () => asOperator("not-the-operators-secret", "", guesser));
    },
  ],
  ["get /api/operator/usage", 200, () => asOperator(OPERATOR_SECRET, "", new Visitor(), "usage")],
  ["get /api/operator/usage", 401, () => asOperator("not-the-operators-secret", "", new Visitor(), "usage")],
  [
    "get /api/operator/usage",
    429,
    () => {
      const guesser = new Visitor();
      return usedUp(110, () => asOperator("not-the-operators-secret", "", guesser, "usage"));
    },
  ],
  ["get /api/operator/usage", 503, () => away(() => asOperator(OPERATOR_SECRET, "", new Visitor(), "usage"))],
  ["get /api/admin/overview", 200, () => asAdmin("overview")],
  ["get /api/admin/overview", 401, () => asAdmin("overview", "not-the-operators-secret")],
  ["get /api/admin/overview", 429, () => guessed("overview")],
  ["get /api/admin/overview", 503, () => away(() => asAdmin("overview"))],
  ["get /api/admin/metrics", 200, () => asAdmin("metrics")],
  ["get /api/admin/metrics", 401, () => asAdmin("metrics", "not-the-operators-secret")],
  ["get /api/admin/metrics", 429, () => guessed("metrics")],
  ["get /api/admin/audit", 200, () => asAdmin("audit")],
  ["get /api/admin/audit", 400, () => asAdmin("audit?limit=x")],
  ["get /api/admin/audit", 401, () => asAdmin("audit", "not-the-operators-secret")],
  ["get /api/admin/audit", 429, () => guessed("audit")],
  ["get /api/admin/audit", 503, () => away(() => asAdmin("audit"))],
  [
    "patch /api/admin/rooms/{id}",
    200,
    async () => asAdmin(`rooms/${(await ownerWithRoom()).room}`, undefined, held({ closed: true })),
  ],
  ["patch /api/admin/rooms/{id}", 400, () => asAdmin(`rooms/${room}`, undefined, held({ closed: "yes" }))],
  ["patch /api/admin/rooms/{id}", 401, () => asAdmin(`rooms/${room}`, "not-the-operators-secret", held({}))],
  ["patch /api/admin/rooms/{id}", 404, () => asAdmin("rooms/no-such", undefined, held({}))],
  ["patch /api/admin/rooms/{id}", 413, () => asAdmin(`rooms/${room}`, undefined, held({ closed: "x".repeat(70_000) }))],
  ["patch /api/admin/rooms/{id}", 429, () => guessed(`rooms/${room}`, held({}))],
  ["patch /api/admin/rooms/{id}", 503, () => away(() => asAdmin(`rooms/${room}`, undefined, held({})))],
  [
    "delete /api/admin/keys/{handle}",
    204,
    async () => asAdmin(`keys/${(await Visitor.withKey()).handle}`, undefined, { method: "DELETE" }),
  ],
  ["delete /api/admin/keys/{handle}", 401, () => asAdmin("keys/x", "not-the-operators-secret", { method: "DELETE" })],
  ["delete /api/admin/keys/{handle}", 404, () => asAdmin("keys/no-such", undefined, { method: "DELETE" })],
  ["delete /api/admin/keys/{handle}", 429, () => guessed("keys/x", { method: "DELETE" })],
  ["delete /api/admin/keys/{handle}", 503, () => away(() => asAdmin("keys/x", undefined, { method: "DELETE" }))],
  ["put /api/admin/notice", 200, () => asAdmin("notice", undefined, said({ text: "Down on Sunday" }))],
  ["put /api/admin/notice", 400, () => asAdmin("notice", undefined, said({ text: " " }))],
  ["put /api/admin/notice", 401, () => asAdmin("notice", "not-the-operators-secret", said({}))],
  ["put /api/admin/notice", 413, () => asAdmin("notice", undefined, said({ text: "x".repeat(300) }))],
  ["put /api/admin/notice", 429, () => guessed("notice", said({}))],
  ["put /api/admin/notice", 503, () => away(() => asAdmin("notice", undefined, said({ text: "x" })))],
  ["delete /api/admin/notice", 204, () => asAdmin("notice", undefined, { method: "DELETE" })],
  ["delete /api/admin/notice", 401, () => asAdmin("notice", "not-the-operators-secret", { method: "DELETE" })],
  ["delete /api/admin/notice", 429, () => guessed("notice", { method: "DELETE" })],
  ["delete /api/admin/notice", 503, () => away(() => asAdmin("notice", undefined, { method: "DELETE" }))],
  ["put /api/sites/{name}", 201, async () => (await unregistered()).put()],
  ["put /api/sites/{name}", 200, async () => (await TestSite.register()).put()],
  ["put /api/sites/{name}", 400, async () => (await unregistered()).put({ keys: [], origins: [] })],
  ["put /api/sites/{name}", 401, async () => (await unregistered()).put(undefined, nobody)],
  ["put /api/sites/{name}", 409, async () => (await TestSite.register()).put(undefined, stranger)],
  ["put /api/sites/{name}", 413, async () => (await unregistered()).put({ keys: ["x".repeat(70_000)], origins: [] })],
  ["put /api/sites/{name}", 429, () => withoutLookups(fetching("/api/sites/acme-corp", "PUT"))],
  ["put /api/sites/{name}", 503, () => unknowable(fetching("/api/sites/acme-corp", "PUT"))],
  ["get /api/sites/{name}", 200, async () => fetching((await TestSite.register(owner)).path)(owner)],
  ["get /api/sites/{name}", 400, () => owner.fetch("/api/sites/Acme")],
  ["get /api/sites/{name}", 401, () => nobody.fetch("/api/sites/acme-corp")],
  ["get /api/sites/{name}", 403, async () => fetching((await TestSite.register()).path)(stranger)],
  ["get /api/sites/{name}", 404, () => owner.fetch("/api/sites/acme-corp")],
  ["get /api/sites/{name}", 429, () => withoutLookups(fetching("/api/sites/acme-corp"))],
  ["get /api/sites/{name}", 503, () => unknowable(fetching("/api/sites/acme-corp"))],
  ["delete /api/sites/{name}", 204, async () => fetching((await TestSite.register(owner)).path, "DELETE")(owner)],
  ["delete /api/sites/{name}", 400, () => owner.fetch("/api/sites/Acme", { method: "DELETE" })],
  ["delete /api/sites/{name}", 401, () => nobody.fetch("/api/sites/acme-corp", { method: "DELETE" })],
  ["delete /api/sites/{name}", 403, async () => fetching((await TestSite.register()).path, "DELETE")(stranger)],
  ["delete /api/sites/{name}", 404, () => owner.fetch("/api/sites/acme-corp", { method: "DELETE" })],
  ["delete /api/sites/{name}", 429, () => withoutLookups(fetching("/api/sites/acme-corp", "DELETE"))],
  ["delete /api/sites/{name}", 503, () => unknowable(fetching("/api/sites/acme-corp", "DELETE"))],
  ["get /healthz", 200, () => nobody.fetch("/healthz")],
  ["get /readyz", 200, () => nobody.fetch("/readyz")],
  ["get /readyz", 429, () => withoutLookups(fetching("/readyz"))],
  ["get /readyz", 503, () => without("rooms", () => nobody.fetch("/readyz"))],
  ["get /openapi.json", 200, () => nobody.fetch("/openapi.json")],
  ["get /llms.txt", 200, () => nobody.fetch("/llms.txt")],
];

it("describes every route that there is, and none that there is not", () => {
  const routes = app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`)
    .filter((route) => !PAGES.includes(route));
  expect([...operations.keys()].sort()).toEqual([...new Set(routes)].sort());
});

it("is held to every status that it describes", () => {
  const described = [...operations].flatMap(([operation, { responses }]) => {
    return Object.keys(responses).map((status) => `${operation} ${status}`);
  });
  const called = new Set(calls.map(([operation, status]) => `${operation} ${status}`));
  expect([...called].sort()).toEqual(described.sort());
});

it("gives each operation a name of its own, and every reference leads somewhere", () => {
  const text = JSON.stringify(openapi);
  const names = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, name]) => name);
  expect(new Set(names).size).toBe(operations.size);
  for (const [, pointer = ""] of text.matchAll(/"\$ref":"([^"]+)"/g)) resolve(pointer);
});

describe("an answer is as described", () => {
  it.each(calls)("%s: %d", async (operation, status, call) => {
    stopTime();
    const response = await call();
    expect(response.status).toBe(status);
    const said = operations.get(operation)?.responses[status] as Described;
    const described = said.$ref ? (resolve(said.$ref) as Described) : said;
    for (const name of Object.keys(described.headers ?? {})) {
      if (name !== "retry-after" || status === 429) expect(response.headers.has(name), name).toBe(true);
    }
    const type = response.headers.get("content-type")?.split(";")[0] ?? "none";
    expect(Object.keys(described.content ?? { none: {} })).toContain(type);
    response.webSocket?.accept();
    response.webSocket?.close();
    if (type === "text/event-stream") return response.body?.cancel();
    const body = type === "application/json" ? await response.json() : decoded(await response.arrayBuffer());
    const schema = described.content?.[type]?.schema;
    expect(schema ? violations(body, schema) : body).toEqual(schema ? [] : "");
  });
});
