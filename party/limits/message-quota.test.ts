import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TestKeyValues } from "../../test/unit/key-values.ts";
import { Leases } from "./leases.ts";
import type { Admission, LeaseUses } from "./limiter.ts";
import { MessageQuota } from "./message-quota.ts";

const NOON = 1_800_000_000_000;
const AUTHOR = { principal: "person:p1", keyHash: "a" };

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A Limiter's quota with its storage, and rooms that ask it and hold its leases, on one clock. */
function setUp({ limit = 60, lends = true } = {}) {
  const clock = { now: NOON };
  const storage = new TestKeyValues();
  const rooms = new Map<string, Leases>();
  const counts = { questions: 0, recalls: 0, ids: 0 };
  let recall = async (room: string, lease: string): Promise<LeaseUses | undefined> =>
    rooms.get(room)?.recall(AUTHOR.principal, lease, clock.now);
  const open = () =>
    new MessageQuota({
      limit,
      lends,
      storage,
      now: () => clock.now,
      recall: (room, lease) => {
        counts.recalls++;
        return recall(room, lease);
      },
    });
  let quota = open();
  const roomOf = (name: string): Leases => {
    const room = rooms.get(name) ?? new Leases(name, () => `question-${++counts.ids}`);
    rooms.set(name, room);
    return room;
  };
  return {
    clock,
    storage,
    counts,
    roomOf,
    get quota() {
      return quota;
    },
    /** The Limiter sleeps, or crashes: for what is written down before it is told there is no difference. */
    restart: () => {
      quota = open();
    },
    /** The room forgets its leases. */
    forget: (name: string) => rooms.delete(name),
    recallBy: (other: typeof recall) => {
      recall = other;
    },
    /** Sends `count` messages in a room, as a room does. */
    say: async (room: string, count = 1): Promise<Admission> => {
      const leases = roomOf(room);
      const askedAt = clock.now;
      const leased = leases.take(AUTHOR, count, askedAt);
      if (leased) return leased;
      const question = leases.ask(AUTHOR, count, askedAt);
      counts.questions++;
      const admission = await quota.answer(question);
      leases.learn(AUTHOR, question, admission, askedAt);
      return admission;
    },
  };
}

describe("a question", () => {
  it("is answered and written down, and a crash forgets nothing of it", async () => {
    const { quota, roomOf, clock, restart, say } = setUp({ lends: false });
    expect(await quota.answer(roomOf("a").ask(AUTHOR, 50, clock.now))).toEqual({
      granted: 50,
      retryAfter: 0,
      quota: { limit: 60, remaining: 10, window: 60 },
    });
    restart();
    clock.now += 5_000;
    expect(await say("a", 20)).toEqual({
      granted: 10,
      retryAfter: 55,
      quota: { limit: 60, remaining: 0, window: 60 },
    });
  });

  it("that is repeated gets the first answer and charges nothing, for a minute", async () => {
    const { quota, roomOf, clock } = setUp();
    const question = roomOf("a").ask(AUTHOR, 2, clock.now);
    const [first, again] = await Promise.all([quota.answer(question), quota.answer(question)]);
    clock.now += 59_999;
    expect([again, await quota.answer(question)]).toEqual([first, first]);
    expect(quota.quota().remaining).toBe(58);
    clock.now += 2;
    await quota.answer(question);
    expect(quota.quota().remaining).toBe(58);
  });

  it("that is repeated after a crash is charged again, and never beyond the limit", async () => {
    const world = setUp({ limit: 3 });
    const question = world.roomOf("a").ask(AUTHOR, 2, world.clock.now);
    expect(await world.quota.answer(question)).toMatchObject({ granted: 2 });
    world.restart();
    expect(await world.quota.answer(question)).toMatchObject({ granted: 1 });
  });

  it("takes over what the first version has written", async () => {
    const { storage, restart, say, clock } = setUp({ lends: false });
    storage.put("messages", [[NOON - 30_000, 58]]);
    restart();
    expect(await say("a", 3)).toMatchObject({ granted: 2, retryAfter: 30 });
    restart();
    clock.now += 30_000;
    expect(await say("a", 60)).toMatchObject({ granted: 58 });
  });
});

describe("a lease", () => {
  it("is given to the room that asks twice within seconds: a tenth of the limit, for eight seconds", async () => {
    const { say, clock, counts } = setUp();
    expect(await say("a")).not.toHaveProperty("lease");
    clock.now += 5_001;
    expect(await say("a")).not.toHaveProperty("lease");
    clock.now += 5_000;
    expect(await say("a")).toMatchObject({ lease: { places: 6, duration: 8_000 }, quota: { remaining: 57 } });
    for (let count = 0; count < 6; count++) {
      clock.now += 1_000;
      expect(await say("a")).toMatchObject({ granted: 1, quota: { remaining: 56 - count } });
    }
    expect(counts.questions).toBe(3);
  });

  it("makes one question, and one row written, of seven messages that follow each other", async () => {
    const { say, clock, counts, storage } = setUp();
    for (let sent = 0; sent < 7 * 20; sent++) {
      clock.now += 1_250;
      expect(await say("a")).toMatchObject({ granted: 1 });
    }
    expect([counts.questions, storage.rows]).toEqual([21, 21]);
  });

  it("lets no ten seconds pass without a question of an author who writes each second: the Limiter is not put away", async () => {
    const { say, clock, counts } = setUp({ limit: 1_000 });
    const askedAt: number[] = [];
    for (let sent = 0; sent < 60; sent++) {
      const before = counts.questions;
      await say("a");
      if (counts.questions > before) askedAt.push(clock.now);
      clock.now += 1_000;
    }
    const pauses = askedAt.slice(1).map((at, index) => at - (askedAt[index] as number));
    expect(Math.max(...pauses)).toBeLessThan(10_000);
  });

  it("takes nothing from an author who sends exactly as much as is allowed", async () => {
    const { say, clock } = setUp();
    for (let sent = 0; sent < 200; sent++) {
      clock.now += 1_000;
      expect([sent, await say("a")]).toMatchObject([sent, { granted: 1 }]);
    }
  });

  it("writes one row for a message that comes alone, and one for a batch", async () => {
    const { say, clock, storage } = setUp();
    await say("a");
    clock.now += 60_000;
    await say("a");
    expect(storage.rows).toBe(2);
    clock.now += 60_000;
    await say("a", 60);
    expect(storage.rows).toBe(3);
  });

  it("is out once at a time, and moves to another room when it is over", async () => {
    const { say, clock } = setUp();
    await say("a");
    expect(await say("a")).toHaveProperty("lease");
    await say("b");
    expect(await say("b")).not.toHaveProperty("lease");
    clock.now += 10_000;
    await say("b");
    expect(await say("b")).toHaveProperty("lease");
  });

  it("follows its author into another room, and not more than once a second", async () => {
    const { say, clock, counts } = setUp();
    await say("a");
    await say("a");
    await say("a");
    clock.now += 1_000;
    await say("b");
    // The second question in a row calls the lease back, the third one lends it.
    expect(await say("b")).not.toHaveProperty("lease");
    expect(counts.recalls).toBe(1);
    expect(await say("b")).toMatchObject({ lease: { places: 6 }, quota: { remaining: 54 } });
    clock.now += 999;
    for (let count = 0; count < 4; count++) expect(await say("a")).not.toHaveProperty("lease");
    expect(counts.recalls).toBe(1);
  });

  it("stays where it is when the room can't be reached, which is asked once", async () => {
    const { say, clock, counts, recallBy } = setUp();
    recallBy(() => Promise.reject(new Error("away")));
    await say("a");
    await say("a");
    clock.now += 1_000;
    for (let count = 0; count < 5; count++) expect(await say("b")).not.toHaveProperty("lease");
    expect(counts.recalls).toBe(1);
  });

  it("is not given to an address, nor of a limit below ten", async () => {
    for (const options of [{ lends: false }, { limit: 9 }]) {
      const { say } = setUp(options);
      for (let count = 0; count < 4; count++) expect(await say("a")).not.toHaveProperty("lease");
    }
  });

  it("is taken back before anyone is refused, so that no place is left over", async () => {
    const { say, counts } = setUp();
    await say("a");
    await say("a");
    expect(await say("a")).toMatchObject({ granted: 1 });
    expect(await say("b", 60)).toMatchObject({ granted: 57, retryAfter: 60 });
    expect(counts.recalls).toBe(1);
    // Nothing is out any more, so nobody is asked again.
    expect(await say("b", 1)).toMatchObject({ granted: 0 });
    expect(await say("a", 1)).toMatchObject({ granted: 0 });
    expect(counts.recalls).toBe(1);
  });

  it("is asked for once by all that would be refused at the same time", async () => {
    const { say, counts } = setUp();
    await say("a");
    await say("a");
    const asked = await Promise.all(["b", "c", "d"].map((room) => say(room, 30)));
    expect(asked.reduce((sum, { granted }) => sum + granted, 0)).toBe(58);
    expect(counts.recalls).toBe(1);
  });

  it("that was given back is not asked for again after a crash", async () => {
    const { say, quota, restart, counts } = setUp();
    await say("a");
    await say("a");
    await quota.recallLeases();
    restart();
    expect([await say("b", 60), counts.recalls]).toMatchObject([{ granted: 58 }, 1]);
  });

  it("is not given to rooms that take turns, each of which asks once", async () => {
    const { say } = setUp();
    const leases = [];
    for (const room of ["a", "b", "a", "b"]) leases.push((await say(room)).lease);
    expect(leases).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("whose room can't say what it used counts as used when it is over", async () => {
    const { say, forget, clock, counts } = setUp();
    await say("a");
    await say("a");
    forget("a");
    expect(await say("b", 60)).toMatchObject({ granted: 52 });
    expect(await say("b", 1)).toMatchObject({ granted: 0 });
    expect(counts.recalls).toBe(1);
    clock.now += 60_000;
    expect(await say("b", 60)).toMatchObject({ granted: 54 });
    clock.now += 10_000;
    expect(await say("b", 6)).toMatchObject({ granted: 6 });
  });

  it("is out also for a Limiter that has slept meanwhile, and comes back to it", async () => {
    const { say, restart } = setUp();
    await say("a");
    await say("a");
    await say("a");
    restart();
    expect(await say("b", 60)).toMatchObject({ granted: 57 });
  });

  it("that a room does not know any more is not waited for when a key ends: the room uses it no more", async () => {
    const { say, forget, quota } = setUp();
    await say("a");
    await say("a");
    forget("a");
    expect(await Promise.race([quota.recallLeases().then(() => "over"), nextTurn("waits")])).toBe("over");
  });

  it("that a room does not give back in time is waited for, before a key's end is told", async () => {
    vi.useFakeTimers({ now: NOON });
    const { say, clock, recallBy, ...world } = setUp();
    await say("a");
    await say("a");
    recallBy(() => new Promise(() => undefined));
    let isOver = false;
    const over = world.quota.recallLeases().then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(1_000);
    clock.now += 1_000;
    await vi.advanceTimersByTimeAsync(6_999);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1_001);
    await over;
    expect(isOver).toBe(true);
  });
});

const nextTurn = <T>(value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, 0, value));

describe("whatever rooms, sleep and crashes do (property)", () => {
  const LIMIT = 20;
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        what: fc.constant("say" as const),
        room: fc.constantFrom("a", "b"),
        count: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant("wait" as const),
        ms: fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: 70_000 })),
      }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("restart" as const) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("forget", "mute"), room: fc.constantFrom("a", "b") }) },
  );

  /** Runs the steps; each message that is admitted is noted. Without troubles nobody may be refused while a place is free. */
  async function run(
    steps: readonly { what: string; room?: string; count?: number; ms?: number }[],
    troubles: boolean,
  ) {
    const { say, clock, restart, forget, recallBy, roomOf } = setUp({ limit: LIMIT });
    const admitted: number[] = [];
    const inWindow = () => admitted.filter((at) => at > clock.now - 60_000).length;
    const muted = new Set<string>();
    recallBy(async (room, lease) => {
      if (muted.has(room)) throw new Error("Network connection lost.");
      return roomOf(room).recall(AUTHOR.principal, lease, clock.now);
    });
    for (const { what, room = "a", count = 1, ms = 0 } of steps) {
      if (what === "wait") clock.now += ms;
      else if (what === "restart") restart();
      else if (what === "forget" && troubles) forget(room);
      else if (what === "mute" && troubles) muted.add(room);
      else if (what === "say") {
        const { granted } = await say(room, count);
        for (let each = 0; each < granted; each++) admitted.push(clock.now);
        expect(inWindow()).toBeLessThanOrEqual(LIMIT);
        if (!troubles && granted < count) expect(inWindow()).toBe(LIMIT);
      }
    }
  }

  const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 300) };

  it("never more than the limit are admitted in any window, and nobody is refused while a place is free", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => run(steps, false)),
      runs,
    );
  }, 120_000);

  it("never more than the limit are admitted when rooms forget their leases or can't be reached", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => run(steps, true)),
      runs,
    );
  }, 120_000);
});
