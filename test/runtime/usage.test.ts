/** How full the database is, and what was used, as the operator and owners are told. */

import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { linesOf } from "../logged.ts";
import { archive, expectStatus, ownerWithRoom, refusalOf, Visitor } from "./visitor.ts";

const { OPERATOR_SECRET } = env as unknown as { OPERATOR_SECRET: string };

interface Usage {
  database: { bytes: number; limit: number; share: number };
  estimatedByDay: Record<string, number | string>[];
}

async function usage(): Promise<Usage> {
  const headers = { authorization: `Operator ${OPERATOR_SECRET}` };
  const response = await new Visitor().fetch("/api/operator/usage", { headers });
  await expectStatus(response, 200);
  return response.json();
}

describe("the usage", () => {
  it("is the operator's alone", async () => {
    expect(await refusalOf(await new Visitor().fetch("/api/operator/usage"))).toEqual([401, "unauthorized"]);
    expect(await refusalOf(await (await Visitor.withKey()).fetch("/api/operator/usage"))).toEqual([
      401,
      "unauthorized",
    ]);
  });

  it("has D1's size by its own word", async () => {
    const { meta } = await env.DB.prepare("SELECT 1").run();
    expect((await usage()).database).toEqual({
      bytes: meta.size_after,
      limit: 2_000_000,
      share: meta.size_after / 2_000_000,
    });
  });

  it("counts what requests, calls, alarms, frames and rows there are, by drawing some of them", async () => {
    // Everything that may be drawn is.
    const chance = vi.spyOn(Math, "random").mockReturnValue(0.999_999);
    const { owner, room } = await ownerWithRoom();
    const line = await owner.enter(room);
    for (let said = 0; said < 3; said++) line.say(`m${said}`);
    await line.messages(3);
    await archive(room);
    const some = expect.toSatisfy((count) => count > 0);
    const today = async () => (await usage()).estimatedByDay[0];
    await expect.poll(today).toMatchObject({
      ...{ day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), workerRequests: some },
      ...{ objectRequests: some, objectMs: some, objectRowsWritten: some },
      ...{ databaseRowsRead: some, databaseRowsWritten: some },
    });
    chance.mockRestore();
  });

  it("costs next to nothing: a row for hundreds of requests", async () => {
    const chance = vi.spyOn(Math, "random").mockReturnValue(0);
    const rows = async () => JSON.stringify((await env.DB.prepare("SELECT * FROM usage").all()).results);
    const isCostly = async () => {
      const before = await rows();
      for (let asked = 0; asked < 20; asked++) await new Visitor().fetch("/api/rooms/lobby");
      return (await rows()) !== before;
    };
    // What was drawn before may still be on its way.
    await expect.poll(isCostly).toBe(false);
    chance.mockRestore();
  });
});

describe("from 80 % on", () => {
  it("the log is told once, and each owner is with their room", async () => {
    const { owner, room } = await ownerWithRoom();
    const share = async () =>
      (await owner.json<{ archive: { databaseShare: number | null } }>(`/api/rooms/${room}`)).archive.databaseShare;
    expect(await share()).toBe(null);
    const warned = vi.spyOn(console, "warn").mockReturnValue();
    const insert =
      "INSERT INTO packs (room_id, first, revision, form, body) VALUES ('lobby', 90001, 0, 1, zeroblob(1700000))";
    await env.DB.prepare(insert).run();
    for (let asked = 0; asked < 5; asked++) expect(await share()).toBeGreaterThanOrEqual(0.8);
    expect((await usage()).database.share).toBe(await share());
    const told = () => linesOf(warned).filter(({ event }) => event === "database.nearly_full");
    await expect.poll(told).toHaveLength(1);
    expect(told()[0]).toMatchObject({
      ...{ percent: expect.toSatisfy((percent) => percent >= 80 && percent < 100), bytes: expect.any(Number) },
      ...{ limit: 2_000_000, see: '"When the database is full" in docs/self-hosting.md' },
    });
    await env.DB.prepare("UPDATE usage SET worker_requests = 85000").run();
    const { archive } = await owner.json<{ archive: { dayShare: number } }>(`/api/rooms/${room}`);
    expect(archive.dayShare).toBeGreaterThanOrEqual(0.85);
    // What is added next is seen to be near the day's limit.
    const chance = vi.spyOn(Math, "random").mockReturnValue(0.999_999);
    const near = () => linesOf(warned).filter(({ event }) => event === "database.day_nearly_used");
    for (let asked = 0; asked < 3; asked++) await share();
    await expect.poll(near).toMatchObject([{ of: "requests to the Worker" }]);
    chance.mockRestore();
    const spectator = await new Visitor().json<object>(`/api/rooms/${room}`);
    expect(spectator).not.toHaveProperty("archive");
    warned.mockRestore();
  });
});
