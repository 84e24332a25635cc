/** A room's row is asked of D1 once for all requests that want it at the same time. */

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import app from "../../api/index.ts";
import { ORIGIN, ownerWithRoom, Visitor } from "./visitor.ts";

/** Bindings whose D1 counts the queries for a room's row, and answers them when `release` is called. */
function countingD1() {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const queries: string[] = [];
  const prepare = (query: string) => ({
    bind: (...values: unknown[]) => ({
      first: async () => {
        queries.push(String(values[0]));
        await released;
        return env.DB.prepare(query)
          .bind(...values)
          .first();
      },
    }),
  });
  const bindings = { ...env, DB: { prepare } } as unknown as Env;
  return { bindings, queries, release };
}

describe("requests for a room that this isolate does not know", () => {
  it("share one query", async () => {
    const { room } = await ownerWithRoom();
    const { bindings, queries, release } = countingD1();
    const answers = Array.from({ length: 20 }, () =>
      app.fetch(new Request(`${ORIGIN}/api/rooms/${room}/messages`), bindings),
    );
    await expect.poll(() => queries.length).toBeGreaterThan(0);
    release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(queries).toEqual([room]);
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
