import { beforeEach, expect, it, vi } from "vitest";
import { type Follower, Followers } from "./follower.ts";
import { Closed } from "./log/closed.ts";

let now: number;
let timers: { at: number; run: () => void }[];
let woken: number[];

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  [now, timers, woken] = [1_000, [], []];
});

const follow = (...followers: Follower[]) =>
  new Followers(followers, {
    room: "lobby",
    now: () => now,
    schedule: (delay, run) => {
      const timer = { at: now + delay, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    keepAlive: () => undefined,
    wakeIn: (delay) => void woken.push(now + delay),
  });

/** Lets `ms` pass. */
async function pass(ms: number): Promise<void> {
  now += ms;
  for (const timer of timers.filter(({ at }) => at <= now)) timer.run();
  await new Promise((resolve) => setImmediate(resolve));
}

const follower = (name: string, run: () => Promise<void>, due: () => number | undefined = () => 0): Follower => ({
  name,
  run,
  get due() {
    return due();
  },
});

it("runs those that are due, and asks to be woken for the next", async () => {
  let [ran, due] = [0, 500];
  const later = follower(
    "later",
    async () => void ran++,
    () => 9_000,
  );
  const soon = follower(
    "soon",
    async () => {
      due = 5_000;
      ran++;
    },
    () => due,
  );
  await follow(later, soon).run();
  expect(ran).toBe(1);
  expect(woken).toEqual([5_000]);
});

it("one that hangs delays no other, and no alarm by more than two seconds", async () => {
  let ran = 0;
  const hangs = follower("hangs", () => new Promise(() => undefined));
  const works = follower(
    "works",
    async () => void ran++,
    () => (ran === 0 ? 0 : undefined),
  );
  const done = vi.fn();
  void follow(hangs, works).run().then(done);
  await pass(0);
  expect(ran).toBe(1);
  await pass(2_000);
  expect(done).toHaveBeenCalled();
});

it("one that takes long is asked again when it is due after its end, and not when the next alarm happens to ring", async () => {
  const work = Promise.withResolvers<void>();
  let due = 0;
  const slow = follower(
    "slow",
    () => work.promise,
    () => due,
  );
  void follow(slow).run();
  await pass(2_000);
  due = 9_000;
  work.resolve();
  await pass(0);
  expect(woken).toContain(9_000);
});

it("one that hangs is not started a second time while it does, and again once it is given up", async () => {
  let started = 0;
  const followers = follow(
    follower("hangs", () => {
      started++;
      return new Promise(() => undefined);
    }),
  );
  void followers.run();
  await pass(2_000);
  void followers.run();
  await pass(2_000);
  expect(started).toBe(1);
  await pass(45_000);
  await pass(10_000);
  void followers.run();
  await pass(0);
  expect(started).toBe(2);
});

it("one that fails rests before it is asked again", async () => {
  let started = 0;
  const followers = follow(
    follower("fails", async () => {
      started++;
      throw new Error("no");
    }),
  );
  await followers.run();
  await followers.run();
  expect(started).toBe(1);
  expect(Math.min(...woken)).toBeGreaterThan(now);
  await pass(10_000);
  await followers.run();
  expect(started).toBe(2);
});

it("starts nothing once it is closed", async () => {
  let started = 0;
  const followers = follow(follower("works", async () => void started++));
  followers.close();
  await followers.run();
  expect([started, woken]).toEqual([0, []]);
});

it("none is asked anything in a room that is gone", async () => {
  const closed = follower(
    "closed",
    async () => undefined,
    () => {
      throw new Closed();
    },
  );
  const followers = follow(closed);
  followers.close();
  await followers.run();
  expect(woken).toEqual([]);
});
