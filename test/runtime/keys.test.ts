/** `/api/keys`: making, asking, rotating, revoking. */

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "../../party/identity/sender.ts";
import { isKey } from "../../party/protocol.ts";
import { makeRoom, refusalOf, Visitor, without } from "./visitor.ts";

const make = (visitor: Visitor) => visitor.fetch("/api/keys", { method: "POST" });

describe("POST /api/keys", () => {
  it("gives a key without sign-up, body or anything else, and keeps only its hash", async () => {
    const response = await make(new Visitor());
    expect(response.status).toBe(201);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const made = await response.json<{ key: string; id: string; handle: string; createdAt: string }>();
    expect(made).toEqual({
      key: expect.any(String),
      id: expect.any(String),
      handle: expect.stringMatching(/^[a-z]+-[a-z]+(-\d+)?$/),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(isKey(made.key)).toBe(true);
    const row = await env.DB.prepare("SELECT * FROM api_keys WHERE id = ?").bind(made.id).first();
    expect(row).toMatchObject({ key_hash: await sha256Hex(made.key), handle: made.handle, revoked_at: null });
    expect(JSON.stringify(row)).not.toContain(made.key.slice(4));
  });

  it("gives ten a day to an address, and tells the eleventh when to come again", async () => {
    const visitor = new Visitor();
    for (let made = 0; made < 10; made++) expect((await make(visitor)).status).toBe(201);
    const refused = await make(visitor);
    expect(Number(refused.headers.get("retry-after"))).toSatisfy((seconds: number) => seconds > 86_000);
    expect(await refusalOf(refused)).toEqual([429, "rate_limited"]);
    expect((await make(new Visitor())).status).toBe(201);
  });

  it("counts nothing that D1 did not keep", async () => {
    const visitor = new Visitor();
    await without("api_keys", async () => {
      for (let made = 0; made < 11; made++) expect((await make(visitor)).status).toBe(500);
    });
    expect((await make(visitor)).status).toBe(201);
  });
});

describe("GET /api/keys/me", () => {
  it("says whose the key is, and never the key", async () => {
    const visitor = await Visitor.withKey();
    const response = await visitor.fetch("/api/keys/me");
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({
      id: expect.any(String),
      handle: visitor.handle,
      createdAt: expect.any(String),
      lastUsed: null,
    });
    expect(text).not.toContain(visitor.key);
  });

  it("says when it was last used, to within an hour", async () => {
    const visitor = await Visitor.withKey();
    await visitor.fetch("/api/keys/me");
    const { lastUsed } = await visitor.json<{ lastUsed: string }>("/api/keys/me");
    expect(Date.now() - Date.parse(lastUsed)).toBeLessThan(3_600_000);
  });

  it.each([
    ["none", undefined],
    ["one that never was", `Bearer mai_${"x".repeat(24)}`],
    ["one that is none", "Bearer mai_short"],
    ["another scheme", "Basic bWFpOng="],
    ["an empty one", "Bearer "],
  ])("refuses %s with 401, all alike", async (_, authorization) => {
    const response = await new Visitor().fetch("/api/keys/me", authorization ? { headers: { authorization } } : {});
    expect(response.headers.get("www-authenticate")).toBe('Bearer realm="meet-ai"');
    expect(await refusalOf(response)).toEqual([401, "unauthorized"]);
  });
});

describe("POST /api/keys/me/rotate", () => {
  it("gives another key to the same person, and the old one is over at once", async () => {
    const visitor = await Visitor.withKey();
    const room = await makeRoom(visitor);
    const old = visitor.key as string;
    const line = await visitor.enter(room);
    const response = await visitor.fetch("/api/keys/me/rotate", { method: "POST" });
    expect(response.status).toBe(200);
    const rotated = await response.json<{ key: string; handle: string }>();
    expect(rotated.handle).toBe(visitor.handle);
    expect(rotated.key).not.toBe(old);
    expect(await refusalOf(await visitor.fetch("/api/keys/me"))).toEqual([401, "unauthorized"]);
    expect(await line.closeCode()).toBe(4401);
    visitor.key = rotated.key;
    expect(await visitor.json("/api/keys/me")).toMatchObject({ handle: visitor.handle });
    expect((await visitor.send("PATCH", `/api/rooms/${room}`, { name: "Still mine" })).status).toBe(200);
  });

  it("does not give a new quota", async () => {
    const visitor = await Visitor.withKey();
    const room = await makeRoom(visitor);
    await visitor.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    const { key } = await visitor.json<{ key: string }>("/api/keys/me/rotate", { method: "POST" });
    visitor.key = key;
    const response = await visitor.send("POST", `/api/rooms/${room}/messages`, { content: "b" });
    expect(response.headers.get("ratelimit")).toBe('"messages";r=58;t=60');
  });

  it("without a key is refused", async () => {
    const response = await new Visitor().fetch("/api/keys/me/rotate", { method: "POST" });
    expect(await refusalOf(response)).toEqual([401, "unauthorized"]);
  });
});

describe("DELETE /api/keys/me", () => {
  it("revokes from the very next write, over HTTP and the socket", async () => {
    const visitor = await Visitor.withKey();
    const room = await makeRoom(visitor);
    const response = await visitor.fetch("/api/keys/me", { method: "DELETE" });
    expect([response.status, await response.text()]).toEqual([204, ""]);
    const write = await visitor.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    expect(await refusalOf(write)).toEqual([401, "unauthorized"]);
    expect(await refusalOf(await visitor.fetch("/api/keys/me", { method: "DELETE" }))).toEqual([401, "unauthorized"]);
    const line = await visitor.connect(room);
    line.send({ type: "hello", key: visitor.key as string });
    expect(await line.closeCode()).toBe(4401);
  });

  it("changes nothing when D1 does not take it", async () => {
    const visitor = await Visitor.withKey();
    await visitor.fetch("/api/keys/me");
    const response = await without("api_keys", () => visitor.fetch("/api/keys/me", { method: "DELETE" }));
    expect(await refusalOf(response)).toEqual([503, "unavailable"]);
    expect((await visitor.fetch("/api/keys/me")).status).toBe(200);
  });
});
