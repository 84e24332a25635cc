/** The id of each request, and the line that the log has about one. */

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import app from "../../api/index.ts";
import { newKey } from "../../party/identity/sender.ts";
import { eventsOf, linesOf } from "../logged.ts";
import { expectStatus, ORIGIN, ownerWithRoom, Visitor } from "./visitor.ts";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const idOf = ({ headers }: Response): string => headers.get("x-request-id") ?? "";

const spies = () => (["info", "warn", "error"] as const).map((level) => vi.spyOn(console, level).mockReturnValue());
let log: ReturnType<typeof spies>;
beforeEach(() => {
  log = spies();
});
afterEach(() => void vi.restoreAllMocks());

/** Every statement about D1 fails with `error`. */
function breakDatabase(error: Error): void {
  vi.spyOn(Object.getPrototypeOf(env.DB.prepare("SELECT 1")), "all").mockRejectedValue(error);
}

describe("a request's id", () => {
  it("is on every answer, another each time, and never the client's own", async () => {
    const { owner, room } = await ownerWithRoom();
    const visitor = new Visitor();
    const headers = { "x-request-id": "mine" };
    const answers = [
      await visitor.fetch("/api/rooms", { headers }),
      await visitor.fetch("/api/rooms", { headers }),
      await visitor.fetch("/", { headers }),
      await visitor.fetch("/healthz", { headers }),
      await visitor.fetch("/api/rooms/no-such-room", { headers }),
      await visitor.fetch("/nothing/here", { headers }),
      await visitor.fetch("/api/rooms", { method: "OPTIONS", headers }),
      await visitor.fetch(`/api/rooms/${room}/events`, { headers }),
      await visitor.fetch(`/api/rooms/${room}/ws`, { headers: { ...headers, upgrade: "websocket" } }),
      await visitor.fetch("/api/rooms/no-such-room/ws", { headers: { ...headers, upgrade: "websocket" } }),
      await owner.fetch(`/api/rooms/${room}`, { method: "DELETE", headers }),
    ];
    for (const answer of answers) {
      expect(idOf(answer)).toMatch(UUID);
      answer.webSocket?.accept();
      answer.webSocket?.close();
      await answer.body?.cancel();
    }
    expect(new Set(answers.map(idOf)).size).toBe(answers.length);
    expect(eventsOf(...log)).toEqual([]);
  });

  it("is in each line about the request, in the words of a failure, and where a tool has failed", async () => {
    const { owner, room } = await ownerWithRoom();
    breakDatabase(new TypeError("a bug"));
    const failed = await owner.send("PATCH", `/api/rooms/${room}`, { name: "Another" });
    await expectStatus(failed.clone(), 500);
    const { error } = await failed.json<{ error: { message: string } }>();
    expect(error.message).toContain(idOf(failed));
    const params = { name: "list_rooms", arguments: {} };
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
    const tool = await new Visitor().send("POST", "/mcp", body);
    expect(await tool.text()).toContain(idOf(tool));
    const lines = linesOf(...log).filter(({ event }) => event === "request.failed");
    expect(lines).toMatchObject([
      {
        request: idOf(failed),
        room,
        method: "PATCH",
        route: "/api/rooms/:id",
        status: 500,
        error: { message: "a bug" },
      },
      { request: idOf(tool), method: "GET", route: "/api/rooms", status: 500 },
    ]);
    for (const { ms } of lines) expect(ms).toBeGreaterThanOrEqual(0);
  });

  it("is in the lines of what is asked for a request, too", async () => {
    const visitor = new Visitor();
    visitor.key = newKey();
    breakDatabase(new Error("D1_ERROR: Network connection lost."));
    const answer = await visitor.fetch("/api/keys/me");
    const lines = linesOf(...log);
    expect(lines.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["key.pointer_asked", "request.unavailable"]),
    );
    for (const { request } of lines) expect(request).toBe(idOf(answer));
  });
});

describe("with LOG_REQUESTS", () => {
  it("every request has a line, with its route and never its path", async () => {
    const { room } = await ownerWithRoom();
    const bindings = { ...env, LOG_REQUESTS: "true" } as unknown as Env;
    const context = {
      waitUntil: () => undefined,
      passThroughOnException: () => undefined,
    } as unknown as ExecutionContext;
    const ask = (path: string) => app.fetch(new Request(ORIGIN + path), bindings, context);
    const answers = [
      await ask(`/api/rooms/${room}/messages?limit=1`),
      await ask("/api/rooms/a-secret"),
      await ask("/a-secret"),
    ];
    expect(linesOf(...log)).toMatchObject([
      {
        event: "request.answered",
        request: idOf(answers[0] as Response),
        room,
        route: "/api/rooms/:id/messages",
        status: 200,
      },
      { event: "request.answered", request: idOf(answers[1] as Response), route: "/api/rooms/:id", status: 404 },
      { event: "request.answered", request: idOf(answers[2] as Response), route: "/*", status: 404 },
    ]);
    expect(JSON.stringify(linesOf(...log))).not.toContain("a-secret");
  });
});
