/** A D1 that answers nothing and refuses nothing: what has its time in a room is done in time (within 2 s) all the same. */

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, onTestFinished, vi } from "vitest";
import { Copier } from "../../party/archive/copier.ts";
import { CLOSE, IDENTIFY_WITHIN, SILENCE } from "../../party/protocol.ts";
import { TestSite } from "./site.ts";
import { expectStatus, ownerWithRoom, stopTime, stubOf, Visitor } from "./visitor.ts";

/** So late a deadline may be, ms. */
const LATE = 2_000;

/** From now on D1 does not answer, and each room has something to copy. How often it was asked since. */
function hang(): () => number {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const statement = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
  const asked = [
    vi.spyOn(Object.getPrototypeOf(env.DB), "batch"),
    ...(["first", "all", "run", "raw"] as const).map((method) => vi.spyOn(statement, method)),
  ].map((spy) => spy.mockImplementation(() => promise as never));
  vi.spyOn(Copier.prototype, "due", "get").mockReturnValue(0);
  vi.spyOn(console, "warn").mockReturnValue();
  onTestFinished(() => {
    reject(new Error("Network connection lost."));
    vi.restoreAllMocks();
  });
  return () => asked.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

/** A room with something that has its time: after how many ms, and what is seen once it was done. */
type Scenario = () => Promise<{ room: string; after: number; isDone: () => Promise<unknown> }>;

const scenarios: [what: string, Scenario][] = [
  [
    "a silent peer is not listed any more",
    async () => {
      const { owner, room } = await ownerWithRoom();
      const watcher = await new Visitor().connect(room);
      await owner.enter(room);
      await watcher.next("update", ({ presence }) => presence?.joined?.includes(owner.handle) === true);
      const isDone = () => watcher.next("update", ({ presence }) => presence?.left?.includes(owner.handle) === true);
      return { room, after: SILENCE.unlistAfter + 1_000, isDone };
    },
  ],
  [
    "a client that does not say hello is closed",
    async () => {
      const { room } = await ownerWithRoom({ access: "members" });
      const line = await new Visitor().connect(room);
      await line.first();
      const isDone = async () => expect(await line.closeCode()).toBe(CLOSE.unauthorized);
      return { room, after: IDENTIFY_WITHIN, isDone };
    },
  ],
  [
    "the socket of a token that has ended is closed with 4408",
    async () => {
      const site = await TestSite.register();
      const room = await site.room();
      const line = await site.enter(room, "anna", { exp: 300 });
      const isDone = async () => expect(await line.closeCode()).toBe(4408);
      return { room, after: 361_000, isDone };
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
      return { room, after: 86_400_000, isDone };
    },
  ],
];

it.each(scenarios)("%s", async (_, arrange) => {
  stopTime();
  const { room, after, isDone } = await arrange();
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
  const asked = hang();
  let isOver = false;
  const rung = runDurableObjectAlarm(stubOf(room)).finally(() => {
    isOver = true;
  });
  // The alarm waits for what follows the room when the time comes.
  await expect.poll(asked).toBeGreaterThan(0);
  expect(isOver).toBe(false);
  vi.setSystemTime(Date.now() + after);
  await vi.advanceTimersByTimeAsync(LATE);
  await rung;
  await runDurableObjectAlarm(stubOf(room));
  await isDone();
});
