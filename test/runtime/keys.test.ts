/** `/api/keys`: making, asking, rotating, revoking. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import app from "../../api/index.ts";
import { newKey, sha256Hex } from "../../party/identity/sender.ts";
import { Person } from "../../party/limits/person.ts";
import { isKey } from "../../party/protocol.ts";
import { expectStatus, makeRoom, refusalOf, Visitor, without } from "./visitor.ts";

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

  it("has the handle that was asked for, and costs no place of the day when that is taken", async () => {
    const visitor = new Visitor();
    const choose = (handle: string) =>
      visitor.fetch("/api/keys", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ handle }),
      });
    expect(await (await choose("grace-hopper")).json()).toMatchObject({ handle: "grace-hopper" });
    for (let tried = 0; tried < 12; tried++)
      expect(await refusalOf(await choose("grace-hopper"))).toEqual([409, "conflict"]);
    for (let made = 1; made < 10; made++) expect((await make(visitor)).status).toBe(201);
    expect(await refusalOf(await choose("grace-hopper-2"))).toEqual([429, "rate_limited"]);
  });

  it("is made once with a key of the client's, whose answer was lost: the handle is theirs, at no further place", async () => {
    const visitor = new Visitor();
    const key = newKey();
    const keyHash = await sha256Hex(key);
    const wish = { handle: "ada-lovelace", keyHash };
    const first = await Promise.all([1, 2, 3].map(() => visitor.send("POST", "/api/keys", wish)));
    expect(first.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    const answers = await Promise.all(first.map((response) => response.json<Record<string, string>>()));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toEqual({ id: expect.any(String), handle: "ada-lovelace", createdAt: expect.any(String) });
    visitor.key = key;
    expect(await visitor.json("/api/keys/me")).toMatchObject({ handle: "ada-lovelace" });
    // Also without a handle, which is then another one each time that it is tried.
    for (let tried = 0; tried < 12; tried++)
      await expectStatus(await visitor.send("POST", "/api/keys", { keyHash }), 200);
    for (let made = 1; made < 10; made++) expect((await make(visitor)).status).toBe(201);
    expect(await refusalOf(await make(visitor))).toEqual([429, "rate_limited"]);
  });

  it("takes no hash of a key that has another handle, is only offered, or has ended", async () => {
    const visitor = await Visitor.withKey();
    const keyHash = await sha256Hex(visitor.key as string);
    const wish = (more: object) => new Visitor().send("POST", "/api/keys", more);
    expect(await refusalOf(await wish({ keyHash, handle: "not-my-handle" }))).toEqual([409, "conflict"]);
    const { key: offered } = await visitor.json<{ key: string }>("/api/keys/me/rotate", { method: "POST" });
    expect(await refusalOf(await wish({ keyHash: await sha256Hex(offered) }))).toEqual([409, "conflict"]);
    await expectStatus(await visitor.fetch("/api/keys/me", { method: "DELETE" }), 204);
    expect(await refusalOf(await wish({ keyHash }))).toEqual([409, "conflict"]);
    expect(await refusalOf(await wish({ keyHash: "no hash" }))).toEqual([400, "invalid"]);
  });

  it("refuses a handle that the deployment keeps for itself", async () => {
    const bindings = { ...env, RESERVED_HANDLES: "acme" } as unknown as Env;
    const request = new Request("http://localhost/api/keys", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ handle: "acme-support-team" }),
    });
    expect(await refusalOf(await app.fetch(request, bindings))).toEqual([400, "invalid"]);
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
  it("gives another key to the same person, and the old one is over once the new one is used", async () => {
    const visitor = await Visitor.withKey();
    const room = await makeRoom(visitor);
    const old = visitor.key as string;
    const line = await visitor.enter(room);
    const response = await visitor.fetch("/api/keys/me/rotate", { method: "POST" });
    expect(response.status).toBe(200);
    const rotated = await response.json<{ key: string; handle: string }>();
    expect(rotated.handle).toBe(visitor.handle);
    expect(rotated.key).not.toBe(old);
    // The answer may have been lost: until the new key shows that it has come, the old one goes on.
    expect(await visitor.json("/api/keys/me")).toMatchObject({ handle: visitor.handle });
    line.say("still-here");
    expect(await line.messages(1)).toMatchObject([{ id: "still-here" }]);
    visitor.key = rotated.key;
    const newLine = await visitor.enter(room);
    expect(await line.closeCode()).toBe(4401);
    visitor.key = old;
    expect(await refusalOf(await visitor.fetch("/api/keys/me"))).toEqual([401, "unauthorized"]);
    visitor.key = rotated.key;
    newLine.say("with-the-new-one");
    expect(await newLine.messages(1)).toMatchObject([{ id: "with-the-new-one", sender: visitor.handle }]);
    expect((await visitor.send("PATCH", `/api/rooms/${room}`, { name: "Still mine" })).status).toBe(200);
  });

  it("to a key of the client's is a swap: the old one is over at once, and a repetition has happened once", async () => {
    const visitor = await Visitor.withKey();
    const room = await makeRoom(visitor);
    const old = visitor.key as string;
    const line = await visitor.enter(room);
    const key = newKey();
    const swap = async (presented: string, hash?: string) => {
      visitor.key = presented;
      return visitor.send("POST", "/api/keys/me/rotate", { keyHash: hash ?? (await sha256Hex(key)) });
    };
    const response = await swap(old);
    expect(response.status).toBe(200);
    const answer = await response.json<{ id: string }>();
    expect(answer).toEqual({ id: expect.any(String), handle: visitor.handle, createdAt: expect.any(String) });
    expect(await line.closeCode()).toBe(4401);
    for (const presented of [old, key]) {
      const again = await swap(presented);
      expect([again.status, await again.json()]).toEqual([200, answer]);
    }
    expect(await refusalOf(await swap(old, await sha256Hex(newKey())))).toEqual([401, "unauthorized"]);
    visitor.key = old;
    expect(await refusalOf(await visitor.fetch("/api/keys/me"))).toEqual([401, "unauthorized"]);
    visitor.key = key;
    expect(await visitor.json("/api/keys/me")).toMatchObject({ handle: visitor.handle });
  });

  it("to a hash that is none, or that another key has, is refused, and the old key goes on", async () => {
    const [visitor, other] = [await Visitor.withKey(), await Visitor.withKey()];
    const rotate = (keyHash: unknown) => visitor.send("POST", "/api/keys/me/rotate", { keyHash });
    for (const keyHash of ["", "x".repeat(64), "A".repeat(64), 7, null, newKey()]) {
      expect(await refusalOf(await rotate(keyHash))).toEqual([400, "invalid"]);
    }
    const misspelt = await visitor.send("POST", "/api/keys/me/rotate", { keyhash: await sha256Hex(newKey()) });
    expect(await refusalOf(misspelt)).toEqual([400, "invalid"]);
    expect(await refusalOf(await rotate(await sha256Hex(other.key as string)))).toEqual([409, "conflict"]);
    expect((await visitor.fetch("/api/keys/me")).status).toBe(200);
  });

  it("is done ten times a day, and refused after that, with either kind", async () => {
    const visitor = await Visitor.withKey();
    for (let count = 0; count < 10; count++) {
      const key = newKey();
      const rotated = await visitor.send("POST", "/api/keys/me/rotate", { keyHash: await sha256Hex(key) });
      expect([count, rotated.status]).toEqual([count, 200]);
      visitor.key = key;
    }
    const keyHash = await sha256Hex(newKey());
    for (const body of [{ keyHash }, {}]) {
      const refused = await visitor.send("POST", "/api/keys/me/rotate", body);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(86_000);
      expect(await refusalOf(refused)).toEqual([429, "rate_limited"]);
    }
    expect((await visitor.fetch("/api/keys/me")).status).toBe(200);
  });

  it("while D1 can't record the first use of the new key refuses that one, and the old one goes on", async () => {
    const visitor = await Visitor.withKey();
    const old = visitor.key as string;
    const { key } = await visitor.json<{ key: string }>("/api/keys/me/rotate", { method: "POST" });
    const room = await makeRoom(visitor);
    await visitor.enter(room);
    // D1 answers who it is, and takes no write.
    await env.DB.exec(
      "CREATE TRIGGER full BEFORE UPDATE OF key_hash ON api_keys BEGIN SELECT RAISE(ABORT, 'full'); END",
    );
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    visitor.key = key;
    const say = () => visitor.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    expect(await refusalOf(await say())).toEqual([503, "unavailable"]);
    visitor.key = old;
    expect((await say()).status).toBe(201);
    await env.DB.exec("DROP TRIGGER full");
    log.mockRestore();
    visitor.key = key;
    expect((await say()).status).toBe(201);
    visitor.key = old;
    expect(await refusalOf(await say())).toEqual([401, "unauthorized"]);
  });

  it("does not give a new quota", async () => {
    const visitor = await Visitor.withKey();
    const room = await makeRoom(visitor);
    await visitor.send("POST", `/api/rooms/${room}/messages`, { content: "a" });
    const { key } = await visitor.json<{ key: string }>("/api/keys/me/rotate", { method: "POST" });
    visitor.key = key;
    const response = await visitor.send("POST", `/api/rooms/${room}/messages`, { content: "b" });
    expect(response.headers.get("ratelimit")).toBe('"messages";r=58;t=60');
    visitor.key = key;
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

  it("reaches a hello whose answer is under way, in whatever order the two come to the room", async () => {
    const visitor = await Visitor.withKey();
    const room = await makeRoom(visitor);
    const line = await visitor.connect(room);
    await line.welcome();
    // The Limiter has let the key in, and its answer is on its way to the room when the key is revoked.
    let isLetIn = false;
    let isRevoked = false;
    const enter = Person.prototype.enter;
    vi.spyOn(Person.prototype, "enter").mockImplementation(async function (this: Person, ...asked) {
      const answer = await enter.apply(this, asked);
      isLetIn = true;
      // An object can't be woken by a promise that another context resolves.
      while (!isRevoked) await new Promise((resolve) => setTimeout(resolve, 1));
      return answer;
    });
    line.send({ type: "hello", key: visitor.key as string });
    await expect.poll(() => isLetIn).toBe(true);
    expect((await visitor.fetch("/api/keys/me", { method: "DELETE" })).status).toBe(204);
    isRevoked = true;
    expect(await line.next("error")).toMatchObject({ code: "unauthorized" });
    expect(await line.closeCode()).toBe(4401);
    vi.restoreAllMocks();
  });

  it("reaches a room whose hello came while D1 was slow to say whose the key is", async () => {
    const visitor = await Visitor.withKey();
    const room = await makeRoom(visitor);
    const { id } = await visitor.json<{ id: string }>("/api/keys/me");
    const limiter = env.PERSON.getByName(`person:${id}`);
    const line = await visitor.enter(room);
    // The room is known before the key is accepted, so no end of it can pass by the room.
    const rooms = await runInDurableObject(limiter, (_, { storage }) => storage.kv.get("rooms"));
    expect(rooms).toEqual([[room, expect.any(Number)]]);
    expect((await visitor.fetch("/api/keys/me", { method: "DELETE" })).status).toBe(204);
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
