/** What `/mcp` makes of requests that no sound client sends, and of how many. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Visitor } from "../security/visitor.ts";
import { Server } from "../server.ts";

let server: Server;

beforeAll(async () => {
  server = await Server.start({ vars: { LOOKUPS_PER_MINUTE: "20" } });
});

afterAll(async () => {
  await server.remove();
});

let visitors = 0;
/** Somebody from an address that has asked nothing yet. */
const visitor = () => new Visitor(server, `198.51.100.${++visitors}`);

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const MODERN = { "mcp-protocol-version": "2026-07-28" };
const modern = (method: string, params: object = {}) => ({
  jsonrpc: "2.0",
  id: 1,
  method,
  params: { ...params, _meta: META },
});
const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };

const post = (body: unknown, headers: Record<string, string> = {}, who = visitor()) =>
  who.call("POST", "/mcp", { body, headers });
/** The message of an answer, which may come as the one event of a stream. */
const said = (text: string) => JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);

describe("a request", () => {
  it("is answered whatever it accepts", async () => {
    for (const accept of ["*/*", "application/json", "text/event-stream", "text/html"]) {
      const { status, text } = await post(LIST, { accept });
      expect([accept, status]).toEqual([accept, 200]);
      expect(said(text).result.tools).toHaveLength(9);
    }
  });

  it("of the modern era is answered at once, without a session", async () => {
    const headers = { ...MODERN, "mcp-method": "tools/list" };
    const { status, body, headers: answered } = await post(modern("tools/list"), headers);
    expect([status, body.result.tools.length, body.result.ttlMs]).toEqual([200, 9, 3_600_000]);
    expect(answered.get("mcp-session-id")).toBeNull();
    expect(answered.get("cache-control")).toBe("no-store");
    expect(answered.get("x-content-type-options")).toBe("nosniff");
    expect(answered.get("access-control-allow-origin")).toBeNull();
    const discovered = await post(modern("server/discover"), { ...MODERN, "mcp-method": "server/discover" });
    expect(discovered.body.result.supportedVersions).toEqual(["2026-07-28"]);
    expect(JSON.stringify(discovered.body)).not.toMatch(/oauth|authorization_server/i);
  });

  it.each([
    ["no JSON", { text: "{", headers: { "content-type": "application/json" } }, 400, -32_700],
    ["a batch", { body: [LIST, LIST] }, 400, -32_600],
    ["an empty batch", { body: [] }, 400, -32_600],
    ["a number", { body: 7 }, 400, -32_600],
    ["null", { body: null }, 400, -32_600],
    ["no JSON by its type", { text: "{}", headers: { "content-type": "text/plain" } }, 415, -32_000],
    ["nothing", { headers: { "content-type": "application/json" } }, 400, -32_700],
    ["no message", { body: { hello: 1 } }, 400, undefined],
    ["a body that is too long", { body: { ...LIST, params: { x: "x".repeat(70_000) } } }, 413, -32_000],
    ["a version that there is not", { body: LIST, headers: { "mcp-protocol-version": "1999-01-01" } }, 400, undefined],
    [
      "a version that there is not, in its body",
      {
        body: modern("tools/list", {
          _meta: { ...META, "io.modelcontextprotocol/protocolVersion": "2099-01-01" },
        }),
        headers: MODERN,
      },
      400,
      undefined,
    ],
    [
      "a header that contradicts its method",
      { body: modern("tools/list"), headers: { ...MODERN, "mcp-method": "tools/call" } },
      400,
      -32_020,
    ],
    [
      "a header that contradicts its tool",
      {
        body: modern("tools/call", { name: "create_room", arguments: {} }),
        headers: { ...MODERN, "mcp-method": "tools/call", "mcp-name": "list_rooms" },
      },
      400,
      -32_020,
    ],
  ])("that is %s is refused as JSON-RPC", async (_, options, status, code) => {
    const answer = await visitor().call("POST", "/mcp", options);
    expect([answer.status, said(answer.text).error.message]).toEqual([status, expect.stringMatching(/.{8}/)]);
    if (code !== undefined) expect(said(answer.text).error.code).toBe(code);
    expect(answer.text).not.toMatch(/\bat \S+:\d+/);
  });

  it.each([
    ["https://evil.example", 403],
    ["http://localhost:1", 403],
    ["null", 403],
    ["vscode-file://vscode-app", 200],
  ])("from the page %s is answered with %i", async (origin, status) => {
    const answer = await post(LIST, { origin });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    if (status === 403) expect(answer.body.error.message).toMatch(/own pages/);
  });

  it("from the server's own page is answered", async () => {
    expect((await post(LIST, { origin: server.url })).status).toBe(200);
  });

  it.each(["GET", "DELETE", "PUT", "OPTIONS"])("by %s is told to post", async (method) => {
    const { status, headers, body } = await visitor().call(method, "/mcp");
    expect([status, headers.get("allow"), body.error.code]).toEqual([405, "POST", -32_000]);
  });

  it("to listen for changes is refused, because there are none", async () => {
    const params = { notifications: { toolsListChanged: true } };
    const headers = { ...MODERN, "mcp-method": "subscriptions/listen", accept: "text/event-stream" };
    const { text } = await post(modern("subscriptions/listen", params), headers);
    expect(said(text).error.message).toMatch(/limit|not/i);
  });

  it("with prototype keys for arguments reaches nothing", async () => {
    const text = JSON.stringify({
      ...LIST,
      method: "tools/call",
      params: { name: "list_rooms", arguments: {} },
    }).replace('"arguments":{}', '"arguments":{"__proto__":{"q":"x"},"constructor":1}');
    const answer = await visitor().call("POST", "/mcp", { text, headers: { "content-type": "application/json" } });
    expect(said(answer.text).result).toMatchObject({ isError: true });
  });
});

describe("a key that is wrong or missing", () => {
  it.each(["Bearer mai_wrong-wrong-wrong", "Basic eDp5", "Bearer a.b.c", "Operator wrong", "Guest x", ""])(
    "never leads to 401, nor to a sign-in: %j",
    async (authorization) => {
      const call = { ...LIST, method: "tools/call" };
      for (const [name, args] of [
        ["read_room", { room: "lobby" }],
        ["send_message", { room: "lobby", content: "Hello" }],
        ["wait_for_messages", { room: "lobby", after: 0, wait: 0 }],
      ] as const) {
        const { status, headers } = await post({ ...call, params: { name, arguments: args } }, { authorization });
        expect([name, status, headers.get("www-authenticate")]).toEqual([name, 200, null]);
      }
    },
  );

  it.each([
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/register",
  ])("finds no sign-in at %s", async (path) => {
    const { status } = await visitor().call("GET", path);
    expect(status).toBe(404);
  });
});

describe("a flood", () => {
  it("from one address is refused with when to come again, and others are answered", async () => {
    const flooding = visitor();
    // Eighty at once, and as many again in a minute.
    const answers = await Promise.all(Array.from({ length: 240 }, () => post(LIST, {}, flooding)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(said((refused[0] as { text: string }).text).error.message).toMatch(/^rate_limited: /);
    expect((await post(LIST)).status).toBe(200);
  });

  it("of look-ups is a tool's error", async () => {
    const flooding = visitor();
    const reading = (room: string) =>
      post({ ...LIST, method: "tools/call", params: { name: "read_room", arguments: { room } } }, {}, flooding);
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => reading(`no-such-${index}`)));
    const texts = answers.map(({ text }) => said(text).result.content[0].text as string);
    expect(texts.filter((text) => /^rate_limited: .*Try again in \d+ s\.$/.test(text)).length).toBeGreaterThan(0);
  });
});
