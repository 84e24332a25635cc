/** A room's row is asked of D1 once for all requests that want it at the same time. */

import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import app from "../../api/index.ts";
import { ORIGIN, ownerWithRoom, Visitor } from "./visitor.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Bindings whose D1 counts the queries for a room's row, looks at once, and answers when `release` is called. */
function countingD1() {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const queries: string[] = [];
  const prepare = (query: string) => ({
    bind: (...values: unknown[]) => ({
      all: async () => {
        const answer = await env.DB.prepare(query)
          .bind(...values)
          .all();
        // Not what is written down now and then of the day's usage.
        if (query.includes("FROM rooms")) {
          queries.push(String(values[0]));
          await released;
        }
        return answer;
      },
    }),
  });
  const bindings = { ...env, DB: { prepare } } as unknown as Env;
  return { bindings, queries, release };
}

describe("requests for a room that this isolate does not know", () => {
  it("share one query", async () => {
    const { room } = await ownerWithRoom();
    // None stops waiting for another's query, as it does after a second.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { bindings, queries, release } = countingD1();
    const answers = Array.from({ length: 20 }, () =>
      app.fetch(new Request(`${ORIGIN}/api/rooms/${room}/messages`), bindings),
    );
    await expect.poll(() => queries.length).toBeGreaterThan(0);
    release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(queries).toEqual([room]);
  });

  it("ask no more for a minute, and then again: the room may have gone meanwhile", async () => {
    const { room } = await ownerWithRoom();
    const { bindings, queries, release } = countingD1();
    release();
    const now = Date.now();
    const asked: number[] = [];
    for (const passed of [0, 59_000, 61_000]) {
      vi.useFakeTimers({ toFake: ["Date"], now: now + passed });
      await app.fetch(new Request(`${ORIGIN}/api/rooms/${room}/messages`), bindings);
      asked.push(queries.length);
    }
    expect(asked).toEqual([1, 1, 2]);
  });

  it("share none that was begun before the room was changed, which would say how it was (promise 5)", async () => {
    const { owner, room } = await ownerWithRoom();
    const asked = countingD1();
    const path = `${ORIGIN}/api/rooms/${room}`;
    const early = app.fetch(new Request(path), asked.bindings);
    await expect.poll(() => asked.queries).toEqual([room]);
    const headers = { authorization: `Bearer ${owner.key}`, "content-type": "application/json" };
    const body = JSON.stringify({ name: "Cave" });
    const changed = await app.fetch(new Request(path, { method: "PATCH", headers, body }), env);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const own = countingD1();
    const late = app.fetch(new Request(path), own.bindings);
    await expect.poll(() => own.queries).toEqual([room]);
    for (const { release } of [asked, own]) release();
    expect([changed.status, (await early).status]).toEqual([200, 200]);
    expect(await (await late).json()).toMatchObject({ name: "Cave" });
  });

  it("share what it says of a room that there is not, and ask again afterwards", async () => {
    const { bindings, queries, release } = countingD1();
    release();
    const ask = () => app.fetch(new Request(`${ORIGIN}/api/rooms/not-made/messages`), bindings);
    const statuses = (await Promise.all([ask(), ask(), ask()])).map(({ status }) => status);
    expect(statuses).toEqual([404, 404, 404]);
    const owner = await Visitor.withKey();
    await owner.send("POST", "/api/rooms", { name: "Made", id: "not-made" });
    expect((await ask()).status).toBe(200);
    expect(queries).toEqual(["not-made", "not-made"]);
  });
});
