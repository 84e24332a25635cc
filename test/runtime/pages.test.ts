/** Pages and their headers, a room as text, what is there for machines, and what there is not. */

import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import app from "../../api/index.ts";
import { linesOf } from "../logged.ts";
import { expectStatus, ORIGIN, ownerWithRoom, refusalOf, Visitor } from "./visitor.ts";

const visitor = new Visitor();

describe("a page", () => {
  it.each(["/", "/key", "/rooms", "/admin", "/r/lobby", "/r/no-such-room", "/nothing-here"])(
    "%s runs nothing that is not ours, in no frame, and tells nobody where its reader comes from",
    async (path) => {
      const { headers } = await visitor.fetch(path, { headers: { accept: "text/html" } });
      const policy = new Map(
        (headers.get("content-security-policy") ?? "")
          .split("; ")
          .map((line) => line.split(/ (.*)/) as [string, string]),
      );
      expect(policy.get("default-src")).toBe("'none'");
      expect(policy.get("script-src")).toBe("'self'");
      expect(policy.get("frame-ancestors")).toBe("'none'");
      expect(policy.get("require-trusted-types-for")).toBe("'script'");
      expect([...policy.values()].join(" ")).not.toMatch(/unsafe|\*/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("strict-transport-security")).toBe("max-age=31536000");
      expect(headers.get("permissions-policy")).toContain("camera=()");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("set-cookie")).toBeNull();
    },
  );

  it("of a room is kept apart from its text by caches", async () => {
    for (const accept of ["text/html", "text/markdown"]) {
      const { headers } = await visitor.fetch("/r/lobby", { headers: { accept } });
      expect(headers.get("vary")?.toLowerCase()).toBe("accept");
    }
  });

  it.each([
    ["false", "max-age=31536000"],
    ["true", "max-age=31536000; includeSubDomains"],
  ])("tells browsers to come by HTTPS; with HSTS_INCLUDE_SUBDOMAINS=%s: %s", async (value, told) => {
    const bindings = { ...env, HSTS_INCLUDE_SUBDOMAINS: value } as unknown as Env;
    const { headers } = await app.fetch(new Request(`${ORIGIN}/r/lobby`), bindings);
    expect(headers.get("strict-transport-security")).toBe(told);
  });

  it.each(["/r/no-such-room", "/nothing-here"])("%s is not found", async (path) => {
    await expectStatus(await visitor.fetch(path, { headers: { accept: "text/html" } }), 404);
  });

  it("is found with a slash at the end of its address, which leads to no other host", async () => {
    const asked = async (path: string) => {
      const { status, headers } = await visitor.fetch(path, { redirect: "manual", headers: { accept: "text/html" } });
      return [status, headers.get("location")];
    };
    expect(await asked("/r/lobby/")).toEqual([301, "/r/lobby"]);
    expect(await asked("/rooms/")).toEqual([301, "/rooms"]);
    expect(await asked("/r/lobby/?format=md")).toEqual([301, "/r/lobby?format=md"]);
    expect((await asked("//elsewhere.example/"))[1]).toBeNull();
  });
});

describe("a room as text", () => {
  const text = (room: string, accept: string) => visitor.fetch(`/r/${room}`, { headers: { accept } });

  it.each(["text/markdown", "text/plain", "text/plain, text/markdown;q=0.9"])(
    "is there for who asks for %s",
    async (accept) => {
      const response = await text("lobby", accept);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/markdown; charset=utf-8"]);
      expect(await response.text()).toMatch(/^# .+\n\n> \*\*Lobby\*\*\n/);
    },
  );

  it.each(["text/html", "*/*", "text/html, text/plain"])("is not there for who asks for %s", async (accept) => {
    expect((await text("lobby", accept)).headers.get("content-type")).not.toBe("text/markdown; charset=utf-8");
  });

  it("shows the latest messages, quoted, and where to go on", async () => {
    const { owner, room } = await ownerWithRoom({ topic: "Bears" });
    for (const content of ["one", "two\n# not a heading\n> nor a quote", "secret"]) {
      await owner.send("POST", `/api/rooms/${room}/messages`, { content, as: "claude" });
    }
    await owner.fetch(`/api/rooms/${room}/messages/3`, { method: "DELETE" });
    const markdown = await (await visitor.fetch(`/r/${room}?format=md`)).text();
    expect(markdown).toContain(`1. **${owner.handle}/claude**`);
    expect(markdown).toContain("   > two\n   > # not a heading\n   > > nor a quote\n");
    expect(markdown).toContain("(deleted)");
    expect(markdown).toContain(`${owner.handle} deleted message 3`);
    expect(markdown).not.toContain("secret");
    const [, next = ""] = /"https:\/\/meet\.example(\/api\/rooms\/[^"]+)"/.exec(markdown) ?? [];
    expect(await visitor.json(next.replace("wait=25", "wait=0"))).toMatchObject({ messages: [], head: 4 });
  });

  it("gives commands that work as they stand", async () => {
    const { owner, room } = await ownerWithRoom();
    const markdown = await (await visitor.fetch(`/r/${room}?format=md`)).text();
    const [, body = ""] = /-d '([^']+)'/.exec(markdown) ?? [];
    const sent = await owner.send("POST", `/api/rooms/${room}/messages`, JSON.parse(body));
    expect([sent.status, await sent.json()]).toMatchObject([201, { sender: `${owner.handle}/your-agent-name` }]);
  });

  it("is not found where there is no room", async () => {
    for (const room of ["no-such-room", "A", "%00"]) await expectStatus(await text(room, "text/markdown"), 404);
  });
});

describe("for machines", () => {
  it("llms.txt says what an agent should know, with this server's own addresses", async () => {
    const response = await visitor.fetch("/llms.txt");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    const text = await response.text();
    expect(text).toMatch(/^# meet-ai\n\n> /);
    const addresses = [...text.matchAll(/\]\(https:\/\/meet\.example(\/[^)]*)\)/g)].map(([, path]) => path as string);
    expect(addresses.length).toBeGreaterThan(1);
    for (const path of addresses) await expectStatus(await visitor.fetch(path), 200);
  });

  it("openapi.json may be read by any page", async () => {
    const response = await visitor.fetch("/openapi.json");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(await response.json()).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
  });

  it("healthz answers", async () => {
    const response = await visitor.fetch("/healthz");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({ ok: true, protocol: 1 });
  });
});

describe("other pages' scripts", () => {
  it("may call the API, with a key and without any cookie", async () => {
    const preflight = await visitor.fetch("/api/rooms/lobby/messages", {
      method: "OPTIONS",
      headers: {
        origin: "https://a.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
    await expectStatus(preflight, 204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
    expect(preflight.headers.get("access-control-allow-headers")).toMatch(/authorization.*content-type/i);
    expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("may read answers and refusals, and when to come again", async () => {
    for (const path of ["/api/rooms/lobby/messages", "/api/rooms/no-such", "/api/keys/me"]) {
      const { headers } = await visitor.fetch(path, { headers: { origin: "https://a.example" } });
      expect(headers.get("access-control-allow-origin")).toBe("*");
      expect(headers.get("access-control-expose-headers")).toMatch(/retry-after/i);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
  });
});

describe("what is not there", () => {
  it.each([
    ["GET", "/api"],
    ["GET", "/api/nothing"],
    ["DELETE", "/api/rooms"],
    ["PUT", "/api/rooms/lobby"],
    ["POST", "/api/rooms/lobby"],
    ["GET", "/parties/limiter/abc"],
    ["GET", "/parties/chat-room"],
    ["GET", "/nothing.js"],
    ["POST", "/"],
  ])("%s %s is refused in the one form", async (method, path) => {
    expect(await refusalOf(await visitor.fetch(path, { method }))).toEqual([404, "not_found"]);
  });
});

it("says nothing but that the configuration is wrong while a variable is, and names it in the log", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const bindings = { ...env, KEYS_PER_DAY: "ten" } as unknown as Env;
  for (const path of ["/", "/healthz", "/api/rooms", "/r/lobby"]) {
    expect(await refusalOf(await app.fetch(new Request(ORIGIN + path), bindings))).toEqual([503, "unavailable"]);
  }
  const detail = 'KEYS_PER_DAY must be a whole number from 0 to 1000000000, not "ten".';
  expect(linesOf(log)[0]).toMatchObject({ event: "configuration.invalid", detail });
  log.mockRestore();
});
