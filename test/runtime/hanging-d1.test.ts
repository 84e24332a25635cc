/** A D1 that answers nothing and refuses nothing: what has its time in a room is done in time all the same. */

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, onTestFinished, vi } from "vitest";
import { QUERY_WITHIN } from "../../party/archive/bounded-database.ts";
import { Copier } from "../../party/archive/copier.ts";
import { WAITED_FOR } from "../../party/follower.ts";
import { CLOSE, IDENTIFY_WITHIN, SILENCE } from "../../party/protocol.ts";
import { TestSite } from "./site.ts";
import { expectStatus, ownerWithRoom, stopTime, stubOf, Visitor } from "./visitor.ts";

/** From now on D1 does not answer, and each room has something to copy. How often D1 was asked since. */
function hang(): () => number {
  const statement = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
  const asked = [
    vi.spyOn(Object.getPrototypeOf(env.DB), "batch"),
    ...(["first", "all", "run", "raw"] as const).map((method) => vi.spyOn(statement, method)),
  ].map((spy) => spy.mockImplementation(() => new Promise(() => undefined)));
  vi.spyOn(Copier.prototype, "due", "get").mockReturnValue(0);
  vi.spyOn(console, "warn").mockReturnValue();
  onTestFinished(() => void vi.restoreAllMocks());
  return () => asked.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

/** A room with something that has its time: after how many ms, and what is seen once it was done. */
type Scenario = () => Promise<{ owner: Visitor; room: string; after: number; isDone: () => Promise<unknown> }>;

const scenarios: [what: string, Scenario][] = [
  [
    "a silent peer is not listed any more",
    async () => {
      const { owner, room } = await ownerWithRoom();
      const watcher = await new Visitor().connect(room);
      await owner.enter(room);
      await watcher.next("update", ({ presence }) => presence?.joined?.includes(owner.handle) === true);
      const isDone = () => watcher.next("update", ({ presence }) => presence?.left?.includes(owner.handle) === true);
      return { owner, room, after: SILENCE.unlistAfter + 1_000, isDone };
    },
  ],
  [
    "a client that does not say hello is closed",
    async () => {
      const { owner, room } = await ownerWithRoom({ access: "members" });
      const line = await new Visitor().connect(room);
      await line.first();
      const isDone = async () => expect(await line.closeCode()).toBe(CLOSE.unauthorized);
      return { owner, room, after: IDENTIFY_WITHIN, isDone };
    },
  ],
  [
    "the socket of a token that has ended is closed with 4408",
    async () => {
      const site = await TestSite.register();
      const { owner } = site;
      const room = await site.room();
      const line = await site.enter(room, "anna", { exp: 300 });
      const isDone = async () => expect(await line.closeCode()).toBe(4408);
      return { owner, room, after: 361_000, isDone };
    },
  ],
  [
    "an ask ends",
    async () => {
      const { owner, room } = await ownerWithRoom();
      const until = new Date(Date.now() + 86_400_000).toISOString();
      const asked = { content: "Deploy?", as: "bot", ask: { options: ["yes", "no"], until } };
      await expectStatus(await owner.send("POST", `/api/rooms/${room}/messages`, asked), 201);
      const watcher = await new Visitor().connect(room);
      const isDone = () =>
        watcher.next("update", ({ messages }) => messages?.some(({ kind }) => kind === "expiry") === true);
      return { owner, room, after: 86_400_000, isDone };
    },
  ],
];

/** Rings the room's alarm. It ends long before D1 is given up. */
async function ring(room: string): Promise<void> {
  const begun = performance.now();
  await runDurableObjectAlarm(stubOf(room));
  expect(performance.now() - begun).toBeLessThan(QUERY_WITHIN / 2);
}

it("no alarm waits for longer than 2 s, for what follows the room and for its end together", () => {
  expect(2 * WAITED_FOR).toBeLessThanOrEqual(2_000);
});

it.each(scenarios)("%s", async (_, arrange) => {
  stopTime();
  const { owner, room, after, isDone } = await arrange();
  await expectStatus(await owner.send("POST", `/api/rooms/${room}/messages`, { content: "to be copied" }), 201);
  const asked = hang();
  await ring(room);
  expect(asked()).toBeGreaterThan(0);
  vi.setSystemTime(Date.now() + after);
  await ring(room);
  await isDone();
});
