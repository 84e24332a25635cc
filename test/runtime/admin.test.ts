/** What the operator sees, and that nobody else does. */

import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import app from "../../api/index.ts";
import openapi from "../../openapi.json";
import type { Message } from "../../party/protocol.ts";
import { linesOf } from "../logged.ts";
import { archive, expectStatus, ORIGIN, ownerWithRoom, refusalOf, Visitor, without } from "./visitor.ts";

const { OPERATOR_SECRET } = env as unknown as { OPERATOR_SECRET: string };

const asOperator = (path: string, init: RequestInit = {}) =>
  new Visitor().fetch(path, { ...init, headers: { ...init.headers, authorization: `Operator ${OPERATOR_SECRET}` } });

interface ShownRoom {
  id: string;
  messages: number;
  listed: boolean;
  now: { head: number; bytes: number; connections: object; archive: { lag: number } } | null;
}

interface Overview {
  storage: { database: { bytes: number; limit: number } };
  estimatedByDay: { day: string }[];
  rooms: { count: number; messages: number; isWhole: boolean; largest: ShownRoom[]; busiest: ShownRoom[] };
  errors: { counts: { code: string; count: number }[]; incidents: { id: string; place: string; what: string }[] };
}

let overviews = 0;

/** The overview, each time at a later time, so that its figures are new. */
async function overview(): Promise<Overview> {
  overviews++;
  const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + overviews * 60_000);
  try {
    const response = await asOperator("/api/admin/overview");
    await expectStatus(response, 200);
    return await response.json();
  } finally {
    clock.mockRestore();
  }
}

/** Fails a request of the operator's inside the Worker, and gives the incident of which its client is told. */
async function failOnce(path: string, method: string): Promise<string> {
  const log = vi.spyOn(console, "error").mockReturnValue();
  const broken = vi.spyOn(Object.getPrototypeOf(env.DB.prepare("SELECT 1")), "all");
  broken.mockRejectedValueOnce(new TypeError("a bug"));
  const response = await asOperator(path, { method });
  broken.mockRestore();
  log.mockRestore();
  expect(response.status).toBe(500);
  const { error } = await response.json<{ error: { message: string } }>();
  const incident = /[0-9a-f-]{36}/.exec(error.message)?.[0] ?? "";
  expect(response.headers.get("x-request-id")).toBe(incident);
  return incident;
}

describe("what is the operator's", () => {
  const routes = Object.entries(openapi.paths).flatMap(([path, item]) =>
    path.startsWith("/api/admin/") ? Object.keys(item).map((method) => [method.toUpperCase(), path] as const) : [],
  );

  it("is described", () => expect(routes.length).toBeGreaterThanOrEqual(7));

  it.each(routes)("is refused to everybody else: %s %s", async (method, path) => {
    const { owner, room } = await ownerWithRoom();
    const address = path.replace("{id}", room).replaceAll(/\{\w+\}/g, owner.handle);
    const body = method === "GET" || method === "DELETE" ? {} : { body: "{}" };
    const asking = (visitor: Visitor, authorization?: string) =>
      visitor.fetch(address, {
        method,
        ...body,
        headers: { "content-type": "application/json", ...(authorization !== undefined && { authorization }) },
      });
    const others = [
      asking(new Visitor()),
      asking(owner),
      asking(new Visitor(), `Guest ${new Visitor().guest}`),
      asking(new Visitor(), `Bearer ${OPERATOR_SECRET}`),
      asking(new Visitor(), `Operator ${OPERATOR_SECRET}x`),
      asking(new Visitor(), `Operator ${OPERATOR_SECRET.slice(1)}`),
    ];
    for (const answer of others) expect(await refusalOf(await answer)).toEqual([401, "unauthorized"]);
    const inAddress = await new Visitor().fetch(`${address}?operator=${OPERATOR_SECRET}`, { method });
    expect(await refusalOf(inAddress)).toEqual([401, "unauthorized"]);
  });
});

describe("the overview", () => {
  it("has the rooms by their size and by when they were active, listed or not, and the busy ones' own word", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("PATCH", `/api/rooms/${room}`, { listed: false });
    const line = await owner.enter(room);
    for (let said = 0; said < 3; said++) line.say(`m${said}`);
    await line.messages(3);
    await archive(room);
    line.say("m4");
    await line.messages(1);
    await new Visitor().connect(room);
    const { rooms } = await overview();
    expect(rooms).toMatchObject({ isWhole: true });
    expect(rooms.largest.find(({ id }) => id === room)).toMatchObject({ messages: 3, listed: false });
    expect(rooms.busiest[0]).toMatchObject({
      id: room,
      messages: 3,
      now: { head: 4, connections: { people: 1, agents: 0, spectators: 1 }, archive: { lag: 1, failures: 0 } },
    });
    expect(rooms.busiest[0]?.now?.bytes).toBeGreaterThan(0);
  });

  it("has no word of another room that has the id of one by now", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "Hello" });
    await archive(room);
    const asBusy = async () => (await overview()).rooms.busiest.find(({ id }) => id === room)?.now;
    expect(await asBusy()).toMatchObject({ head: 1 });
    await env.DB.prepare("UPDATE rooms SET created_at = '2026-01-01T00:00:00.000Z' WHERE id = ?").bind(room).run();
    expect(await asBusy()).toBeNull();
  });

  it("asks no room in which nothing was said lately, though it would answer", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "Hello" });
    await archive(room);
    await env.DB.prepare("UPDATE rooms SET last_message_at = ? WHERE id = ?")
      .bind(new Date(Date.now() - 2 * 24 * 60 * 60_000).toISOString(), room)
      .run();
    const { rooms } = await overview();
    expect(rooms.busiest.find(({ id }) => id === room)).toMatchObject({ now: null });
    await owner.fetch(`/api/rooms/${room}`, { method: "DELETE" });
  });

  it("has errors by their code, of requests and of frames", async () => {
    const before = await overview();
    const countOf = ({ errors }: Overview, wanted: string) =>
      errors.counts.find(({ code }) => code === wanted)?.count ?? 0;
    const { room } = await ownerWithRoom();
    await new Visitor().fetch("/api/rooms/no-such");
    await new Visitor().send("POST", "/mcp", { padding: "x".repeat(70_000) });
    const line = await new Visitor().connect(room);
    line.send({ type: "send", id: "a", content: "Hello" });
    await line.next("error");
    const after = await overview();
    expect(countOf(after, "not_found") - countOf(before, "not_found")).toBe(1);
    expect(countOf(after, "unauthorized") - countOf(before, "unauthorized")).toBe(1);
    expect(countOf(after, "too_large") - countOf(before, "too_large")).toBe(1);
  });

  it("has an incident under the id that the client was told, and where it was, without whom it names", async () => {
    const { room } = await ownerWithRoom();
    const incident = await failOnce(`/api/rooms/${room}/mutes/calm-newt`, "DELETE");
    expect((await overview()).errors.incidents[0]).toMatchObject({
      id: incident,
      what: "A request failed",
      place: `DELETE /api/rooms/${room}/mutes/:sender`,
    });
  });

  it("is not told of a database that is away, whose answers name their log line all the same", async () => {
    const lost = new Error("D1_ERROR: Network connection lost.");
    const all = vi.spyOn(Object.getPrototypeOf(env.DB.prepare("SELECT 1")), "all").mockRejectedValue(lost);
    const log = vi.spyOn(console, "error").mockReturnValue();
    const response = await new Visitor().fetch("/api/rooms");
    const logged = linesOf(log).find(({ event }) => event === "request.unavailable");
    all.mockRestore();
    log.mockRestore();
    expect(response.status).toBe(503);
    expect(logged).toMatchObject({ method: "GET", route: "/api/rooms", status: 503, error: { message: lost.message } });
    const incident = logged?.request as string;
    expect(response.headers.get("x-request-id")).toBe(incident);
    expect(JSON.stringify((await overview()).errors.incidents)).not.toContain(incident);
  });

  it("reads so many rows of ten thousand rooms, and once for those who reload", async () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `many-${String(index).padStart(5, "0")}`);
    await env.DB.prepare(
      "INSERT INTO rooms (id, name, created_at) SELECT value, value, '2020-01-01T00:00:00.000Z' FROM json_each(?)",
    )
      .bind(JSON.stringify(ids))
      .run();
    const read = vi.spyOn(Object.getPrototypeOf(env.DB), "batch");
    const { rooms } = await overview();
    expect(rooms).toMatchObject({ count: 10_000, isWhole: false });
    const results = await Promise.all(read.mock.results.map(({ value }) => value as Promise<D1Result[]>));
    const rows = results.flat().reduce((sum, { meta }) => sum + meta.rows_read, 0);
    expect(rows).toBeGreaterThan(10_000);
    expect(rows).toBeLessThan(55_000);
    const asked = read.mock.calls.length;
    await asOperator("/api/admin/overview");
    await asOperator("/api/admin/overview");
    expect(read.mock.calls.length - asked).toBeLessThanOrEqual(1);
    read.mockRestore();
    await env.DB.exec("DELETE FROM rooms WHERE id LIKE 'many-%'");
  });
});

describe("the metrics", () => {
  const metrics = async () => {
    const response = await asOperator("/api/admin/metrics");
    await expectStatus(response, 200);
    expect(response.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    // The runtime warns of `text()` where the type is not text.
    return new TextDecoder().decode(await response.arrayBuffer());
  };

  it("are OpenMetrics, with an end", async () => {
    const text = await metrics();
    expect(text.endsWith("\n# EOF\n")).toBe(true);
    expect(text).toMatch(/^meet_ai_database_up 1$/m);
    expect(text).toMatch(/^meet_ai_database_bytes \d+$/m);
    expect(text).toMatch(/^meet_ai_database_limit_bytes 2000000$/m);
    expect(text).toMatch(/^meet_ai_day_used\{measure="sockets_opened"\} \d+$/m);
    expect(text).toMatch(/^meet_ai_day_limit\{measure="worker_requests"\} 100000$/m);
    expect(text).toMatch(/^meet_ai_day_errors\{code="rate_limited"\} \d+$/m);
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(/^(# (TYPE|UNIT|HELP) \w+ .+|# EOF|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[\d.e+]+)$/);
    }
  });

  it("say so while D1 does not answer, rather than nothing", async () => {
    const lost = new Error("D1_ERROR: Network connection lost.");
    const all = vi.spyOn(Object.getPrototypeOf(env.DB.prepare("SELECT 1")), "all").mockRejectedValue(lost);
    const text = await metrics();
    all.mockRestore();
    expect(text).toMatch(/^meet_ai_database_up 0$/m);
    expect(text.endsWith("\n# EOF\n")).toBe(true);
  });

  it("ask rooms once in minutes, however often they are read", async () => {
    const { owner, room } = await ownerWithRoom();
    await owner.send("POST", `/api/rooms/${room}/messages`, { content: "Hello" });
    await archive(room);
    // Later than what earlier tests have had asked counts, and the room is busy still.
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 30 * 60_000);
    const asked = vi.spyOn(Object.getPrototypeOf(env.CHAT_ROOM), "getByName");
    expect(await metrics()).toContain(`meet_ai_archive_lag_messages{room="${room}"} 0`);
    expect(asked).toHaveBeenCalled();
    asked.mockClear();
    for (let read = 0; read < 10; read++) await metrics();
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
    clock.mockRestore();
  });
});

const send = (method: string, path: string, body: unknown) =>
  asOperator(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

interface Audit {
  entries: { id: string; method: string; path: string; target: string | null; detail: string | null; status: number }[];
  next: string | null;
}

const audit = async (query = ""): Promise<Audit> => (await asOperator(`/api/admin/audit${query}`)).json();

describe("a room that the operator has closed", () => {
  it("is read, and nobody writes, whoever owns it and by whichever way, until it is opened again", async () => {
    const { owner, room } = await ownerWithRoom();
    const path = `/api/rooms/${room}`;
    await owner.send("POST", `${path}/messages`, { content: "Hello" });
    const line = await owner.enter(room);
    const closed = await send("PATCH", `/api/admin/rooms/${room}`, { closed: true });
    expect(await closed.json()).toEqual({ id: room, listed: true, closed: true, hidden: false });
    const said = await owner.send("POST", `${path}/messages`, { content: "Hello?" });
    expect(await refusalOf(said)).toEqual([403, "read_only"]);
    line.send({ type: "send", id: "a", content: "Hello?" });
    expect(await line.next("error")).toMatchObject({ code: "read_only", about: "send", id: "a" });
    line.send({ type: "draft", id: "b", append: "Hel" });
    expect(await line.next("error")).toMatchObject({ code: "read_only", about: "draft" });
    expect(await new Visitor().json(path)).toMatchObject({ closed: true, lastSeq: 1 });
    await owner.send("PATCH", path, { name: "Mine" });
    expect(await refusalOf(await owner.send("POST", `${path}/messages`, { content: "x" }))).toEqual([403, "read_only"]);
    await expectStatus(await send("PATCH", `/api/admin/rooms/${room}`, { closed: false }), 200);
    await expectStatus(await owner.send("POST", `${path}/messages`, { content: "Hello!" }), 201);
    expect(await new Visitor().json(path)).not.toHaveProperty("closed");
  });
});

describe("a room that the operator has hidden", () => {
  it("stands in no list, and its owner can't list it, until the operator shows it again", async () => {
    const { owner, room } = await ownerWithRoom();
    const isListed = async () => {
      const { rooms } = await new Visitor().json<{ rooms: { id: string }[] }>("/api/rooms?limit=100");
      return rooms.some(({ id }) => id === room);
    };
    expect(await isListed()).toBe(true);
    await expectStatus(await send("PATCH", `/api/admin/rooms/${room}`, { hidden: true }), 200);
    expect(await isListed()).toBe(false);
    const refused = await owner.send("PATCH", `/api/rooms/${room}`, { listed: true });
    expect(await refusalOf(refused)).toEqual([403, "forbidden"]);
    expect((await overview()).rooms.busiest.find(({ id }) => id === room)).toMatchObject({ hidden: true });
    await expectStatus(await send("PATCH", `/api/admin/rooms/${room}`, { hidden: false }), 200);
    expect(await isListed()).toBe(false);
    await expectStatus(await owner.send("PATCH", `/api/rooms/${room}`, { listed: true }), 200);
    expect(await isListed()).toBe(true);
  });
});

describe("a key that the operator revokes", () => {
  it("ends at once, with its sockets, and a second time there is none", async () => {
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    const path = `/api/admin/keys/${owner.handle}`;
    await expectStatus(await asOperator(path, { method: "DELETE" }), 204);
    expect(await line.closeCode()).toBe(4401);
    const said = await owner.send("POST", `/api/rooms/${room}/messages`, { content: "Hello?" });
    expect(await refusalOf(said)).toEqual([401, "unauthorized"]);
    expect(await refusalOf(await asOperator(path, { method: "DELETE" }))).toEqual([404, "not_found"]);
  });
});

describe("the audit log", () => {
  it("has everything that the operator has done, by whichever path, newest first", async () => {
    const { owner, room } = await ownerWithRoom();
    await send("PATCH", `/api/admin/rooms/${room}`, { closed: true, hidden: true });
    await send("PUT", `/api/rooms/lobby/members/${owner.handle}`, { role: "moderator" });
    await asOperator(`/api/rooms/${room}`);
    await send("PATCH", `/api/admin/rooms/${room}`, { closed: "maybe" });
    await asOperator(`/api/rooms/${room}`, { method: "DELETE" });
    const { seq } = await (await owner.send("POST", "/api/rooms/lobby/messages", { content: "Hello" })).json<Message>();
    const deleted = await send("POST", "/mcp", {
      ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
      params: { name: "delete_message", arguments: { room: "lobby", seq } },
    });
    // The answer comes as a stream, which ends when the tool is done.
    expect(await deleted.text()).toContain(`deleted ${seq}`);
    const { entries } = await audit("?limit=4");
    const shown = entries.map(({ id: _, at: __, ...entry }: Record<string, unknown>) => entry);
    expect(shown).toEqual([
      { method: "DELETE", path: `/api/rooms/lobby/messages/${seq}`, target: null, detail: null, status: 204 },
      { method: "DELETE", path: `/api/rooms/${room}`, target: null, detail: null, status: 204 },
      { method: "PUT", path: "/api/rooms/lobby/members", target: owner.handle, detail: null, status: 200 },
      {
        method: "PATCH",
        path: `/api/admin/rooms/${room}`,
        target: null,
        detail: "closed: true, hidden: true",
        status: 200,
      },
    ]);
  });

  it("is read page by page", async () => {
    for (const text of ["one", "two", "three"]) await send("PUT", "/api/admin/notice", { text });
    const first = await audit("?limit=2");
    const second = await audit(`?limit=2&cursor=${first.next}`);
    const ids = [...first.entries, ...second.entries].map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
    expect(ids).toHaveLength(4);
    await asOperator("/api/admin/notice", { method: "DELETE" });
  });

  it("has a thousand entries at most", async () => {
    const now = Date.now();
    const many = Array.from({ length: 1_200 }, (_, index) => `${String(now - index).padStart(15, "0")}-x`);
    await env.DB.prepare(
      `INSERT INTO operator_deeds (id, at, method, path, status)
        SELECT value, '2026-01-01T00:00:00.000Z', 'PUT', '/api/admin/notice', 200 FROM json_each(?)`,
    )
      .bind(JSON.stringify(many))
      .run();
    await send("PUT", "/api/admin/notice", { text: "once more" });
    const count = await env.DB.prepare("SELECT COUNT(*) AS count FROM operator_deeds").first<number>("count");
    expect(count).toBeLessThanOrEqual(1_000);
    expect((await audit("?limit=1")).entries[0]).toMatchObject({ method: "PUT", path: "/api/admin/notice" });
    await asOperator("/api/admin/notice", { method: "DELETE" });
  });

  it("has the entries of a year, and the rest is gone with the next", async () => {
    await env.DB.exec("DELETE FROM operator_deeds");
    const [old, young] = [400, 300].map((days) => String(Date.now() - days * 86_400_000).padStart(15, "0"));
    await env.DB.prepare(
      `INSERT INTO operator_deeds (id, at, method, path, status)
        SELECT value, '2026-01-01T00:00:00.000Z', 'PUT', '/api/admin/notice', 200 FROM json_each(?)`,
    )
      .bind(JSON.stringify([`${old}-x`, `${young}-x`]))
      .run();
    await asOperator("/api/admin/notice", { method: "DELETE" });
    const ids = (await audit(`?limit=200&cursor=${young}-y`)).entries.map(({ id }) => id);
    expect(ids).toEqual([`${young}-x`]);
  });

  it("forgets whom something was done to when they are erased everywhere", async () => {
    const { owner, room } = await ownerWithRoom();
    await send("PUT", `/api/rooms/${room}/mutes/${owner.handle}`, {});
    expect((await audit("?limit=1")).entries[0]).toMatchObject({ target: owner.handle });
    await send("PUT", `/api/rooms/${room}/mutes/${encodeURIComponent(`${owner.handle}/claude`)}`, {});
    expect((await audit("?limit=1")).entries[0]).toMatchObject({ target: `${owner.handle}/claude` });
    await asOperator(`/api/messages?sender=${owner.handle}`, { method: "DELETE" });
    const { entries } = await audit("?limit=200");
    expect(JSON.stringify(entries)).not.toContain(owner.handle);
    for (const entry of entries.slice(1, 3)) {
      expect(entry).toMatchObject({ path: `/api/rooms/${room}/mutes`, target: null });
    }
  });
});

describe("the notice", () => {
  it("stands on every page as text, and in a room as text, until it is taken back", async () => {
    const text = "Down on Sunday <script>alert(1)</script> & back";
    expect(await (await send("PUT", "/api/admin/notice", { text })).json()).toMatchObject({ text });
    expect((await overview()) as unknown).toMatchObject({ notice: { text } });
    const asText = await (await new Visitor().fetch("/r/lobby?format=md")).text();
    expect(asText).toContain(`The operator of this server says: ${text}`);
    const { records } = await (await asOperator("/api/operator/directory?cursor=operator:999")).json<{
      records: object[];
    }>();
    expect(records.at(-1)).toEqual({ type: "notice", text, since: expect.any(String) });
    await expectStatus(await asOperator("/api/admin/notice", { method: "DELETE" }), 204);
    expect(await (await new Visitor().fetch("/r/lobby?format=md")).text()).not.toContain("The operator of this server");
  });

  it("is text in the HTML of a page, too", async () => {
    await send("PUT", "/api/admin/notice", { text: "Down <script>alert(1)</script> & <b>back</b>" });
    const html = '<header class="site-header"></header><main></main>';
    const ASSETS = { fetch: async () => new Response(html, { headers: { "content-type": "text/html" } }) };
    const page = new Request(`${ORIGIN}/rooms`, { headers: { accept: "text/html" } });
    const shown = await (await app.fetch(page, { ...env, ASSETS } as unknown as Env)).text();
    expect(shown).toBe(
      '<header class="site-header"></header><aside class="site-notice" aria-label="From the operator of this server">' +
        "Down &lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;back&lt;/b&gt;</aside><main></main>",
    );
    await asOperator("/api/admin/notice", { method: "DELETE" });
  });

  it("is read again when the clock was set back, by which it would stand there for hours", async () => {
    await send("PUT", "/api/admin/notice", { text: "Down on Sunday" });
    const asText = async () => (await new Visitor().fetch("/r/lobby?format=md")).text();
    expect(await asText()).toContain("Down on Sunday");
    // By another isolate.
    await env.DB.exec("UPDATE notice SET text = 'Down on Monday'");
    const earlier = vi.spyOn(Date, "now").mockReturnValue(Date.now() - 5 * 3_600_000);
    expect(await asText()).toContain("Down on Monday");
    earlier.mockRestore();
    await asOperator("/api/admin/notice", { method: "DELETE" });
  });

  it("stands on pages also while D1 does not answer, as it was read last", async () => {
    await send("PUT", "/api/admin/notice", { text: "Down on Sunday" });
    const asText = async () => (await new Visitor().fetch("/r/lobby?format=md")).text();
    expect(await asText()).toContain("Down on Sunday");
    const later = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
    expect(await without("notice", asText)).toContain("Down on Sunday");
    later.mockRestore();
    await asOperator("/api/admin/notice", { method: "DELETE" });
  });
});
