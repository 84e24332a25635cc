/** What one address may ask for that costs much: bounded before it costs anything, and only for that address. */

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import app from "../../api/index.ts";
import { CLOSE } from "../../party/protocol.ts";
import { longRoom, ORIGIN, ownerWithRoom, stopTime, Visitor } from "./visitor.ts";

const { LOOKUPS_PER_MINUTE, SCANS_PER_MINUTE } = env;

/** How often each status comes when `ask` is asked `times` times, one after the other. */
async function statuses(times: number, ask: (index: number) => Promise<Response>): Promise<Record<number, number>> {
  const counted: Record<number, number> = {};
  for (let index = 0; index < times; index++) {
    const { status } = await ask(index);
    counted[status] = (counted[status] ?? 0) + 1;
  }
  return counted;
}

/** Fails unless of `times` requests as many as the budget are answered, and the others refused. */
function expectBounded(counted: Record<number, number>, answered: number, budget: number, times: number): void {
  expect(counted).toEqual({ [answered]: budget, 429: times - budget });
}

beforeEach(stopTime);

describe("of one address", () => {
  it("so many searches are answered a minute, and the list without one still is", async () => {
    const visitor = new Visitor();
    const budget = Number(SCANS_PER_MINUTE);
    const counted = await statuses(budget * 3, (index) => visitor.fetch(`/api/rooms?q=word-${index}`));
    expectBounded(counted, 200, budget, budget * 3);
    expect((await visitor.fetch("/api/rooms")).status).toBe(200);
    expect((await new Visitor().fetch("/api/rooms?q=word")).status).toBe(200);
  });

  it("so many looks at the list of rooms, and searches still find", async () => {
    const visitor = new Visitor();
    const budget = Number(LOOKUPS_PER_MINUTE);
    expectBounded(await statuses(budget * 2, () => visitor.fetch("/api/rooms")), 200, budget, budget * 2);
    expect((await visitor.fetch("/api/rooms?q=word")).status).toBe(200);
  });

  it("so many guesses at rooms, and a room that was found just now is found still", async () => {
    const visitor = new Visitor();
    const { room } = await ownerWithRoom();
    await visitor.json(`/api/rooms/${room}/messages`);
    const budget = Number(LOOKUPS_PER_MINUTE);
    const counted = await statuses(budget * 3, (index) => visitor.fetch(`/api/rooms/guess-${index}/messages`));
    // The first look-up was for the room that there is.
    expectBounded(counted, 404, budget - 1, budget * 3);
    expect((await visitor.fetch(`/api/rooms/${room}/messages`)).status).toBe(200);
  });

  it("so many guesses at keys, and the refusal says when to come again", async () => {
    const visitor = new Visitor();
    const budget = Number(LOOKUPS_PER_MINUTE);
    const guess = (index: number) => {
      const key = `mai_${String(index).padStart(24, "x")}`;
      return visitor.fetch("/api/keys/me", { headers: { authorization: `Bearer ${key}` } });
    };
    expectBounded(await statuses(budget * 3, guess), 401, budget, budget * 3);
    const refused = await guess(1_000);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await refused.json()).toEqual({
      error: { code: "rate_limited", message: "Too many look-ups from your address." },
    });
  });

  it("so many new connections, before a room, a Limiter or D1 is asked", async () => {
    const visitor = new Visitor();
    const { room } = await ownerWithRoom();
    const budget = Math.max(Number(LOOKUPS_PER_MINUTE), Number(env.SOCKETS_PER_ADDRESS) * 4);
    const guessed = async (from: Visitor, id: string) => {
      const line = await from.connect(id);
      const code = await line.closeCode();
      return code;
    };
    // One after the other, as a loop does that is closed each time.
    const codes = new Map<number, number>();
    for (let n = 0; n < budget * 1.5; n++) {
      const code = await guessed(visitor, "Not-a-room");
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect(codes.get(CLOSE.notFound)).toBeGreaterThanOrEqual(budget);
    expect(codes.get(CLOSE.tryLater)).toBeGreaterThan(0);
    expect(await guessed(visitor, room)).toBe(CLOSE.tryLater);
    // A stream of events and a wait are connections, too.
    for (const path of ["events", "messages?after=0&wait=1"]) {
      const refused = await visitor.fetch(`/api/rooms/${room}/${path}`);
      expect([path, refused.status, refused.headers.get("retry-after")]).toEqual([path, 429, "1"]);
    }
    // What is there already is read without one.
    expect((await visitor.fetch(`/api/rooms/${room}/messages?after=0`)).status).toBe(200);
    expect((await (await new Visitor().connect(room)).first()).type).toBe("welcome");
  });

  it("so many pages of history out of D1", async () => {
    const visitor = new Visitor();
    const { room } = await longRoom(40);
    const budget = Number(LOOKUPS_PER_MINUTE);
    const path = `/api/rooms/${room}/messages?before=20&limit=5`;
    expectBounded(await statuses(budget * 3, () => visitor.fetch(path)), 200, budget, budget * 3);
  });

  it("so many erasures in a room, of whoever may have written there", async () => {
    const { owner, room } = await ownerWithRoom();
    const budget = Number(SCANS_PER_MINUTE);
    const erase = (index: number) =>
      owner.fetch(`/api/rooms/${room}/messages?sender=nobody-${index}`, { method: "DELETE" });
    expectBounded(await statuses(budget * 3, erase), 200, budget, budget * 3);
  });

  it("so many sockets that are far behind, while those at the head and other addresses' open", async () => {
    const visitor = new Visitor();
    const { owner, room } = await longRoom(700);
    // The Worker has seen the room empty; now it learns how long it is.
    await owner.json(`/api/rooms/${room}`);
    const outcomes: string[] = [];
    const tries = Number(SCANS_PER_MINUTE) * 3;
    for (let count = 0; count < tries; count++) {
      const line = await visitor.connect(room, { query: "?after=100" });
      const first = await line.welcome().then(
        () => "welcome",
        async () => `closed with ${await line.closeCode()}`,
      );
      outcomes.push(first);
      line.close();
    }
    const welcomed = outcomes.filter((outcome) => outcome === "welcome").length;
    expect(welcomed).toBe(Number(SCANS_PER_MINUTE));
    expect(new Set(outcomes)).toEqual(new Set(["welcome", `closed with ${CLOSE.tryLater}`]));
    await (await visitor.connect(room, { query: "?after=690" })).welcome();
    await (await visitor.connect(room)).welcome();
    await (await new Visitor().connect(room, { query: "?after=100" })).welcome();
  });
});

it("asks the platform's rate limit too, where there is one, by the counted address", async () => {
  const asked: unknown[] = [];
  const limit = async (options: unknown) => {
    asked.push(options);
    return { success: false };
  };
  const bindings = { ...env, SCANS_BY_ADDRESS: { limit } } as unknown as Env;
  const request = new Request(`${ORIGIN}/api/rooms?q=word`, { headers: { "cf-connecting-ip": "2001:db8:1:2::7" } });
  expect((await app.fetch(request, bindings)).status).toBe(429);
  expect(asked).toEqual([{ key: "2001:db8:1:2::/64" }]);
});

it("does without the platform's rate limit while it fails", async () => {
  const limit = () => Promise.reject(new Error("away"));
  const bindings = { ...env, SCANS_BY_ADDRESS: { limit } } as unknown as Env;
  expect((await app.fetch(new Request(`${ORIGIN}/api/rooms?q=word`), bindings)).status).toBe(200);
});
