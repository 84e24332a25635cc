import { describe, expect, it, vi } from "vitest";
import { openLog, startedLog } from "../../test/unit/entries.ts";
import { deletion, TestStorage, text } from "../../test/unit/sqlite.ts";
import type { Participant } from "../identity/sender.ts";
import { Leases } from "../limits/leases.ts";
import type { Admission } from "../limits/limiter.ts";
import type { StoredMessage, Unplaced } from "../log/stored-message.ts";
import { type Fault, fault, isFault } from "../protocol.ts";
import { DEFAULT_SETTINGS, type RoomRecord, type RoomSettings } from "../room-record.ts";
import type { Outcome } from "./entry.ts";
import { ANSWER_WITHIN, LANE_BOUND } from "./lane.ts";
import { LANES_TOGETHER } from "./lanes.ts";
import { MOST_REPETITIONS, Submissions } from "./submissions.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

const person: Participant = { sender: "swift-otter", principal: "key:1", keyId: "k1" };
const claude: Participant = { ...person, sender: "swift-otter/claude" };
const other: Participant = { sender: "calm-heron", principal: "key:2", keyId: "k2" };
const guest: Participant = { sender: "~brisk-lynx-4f2a9c", principal: "address:192.0.2.1" };

const say = (who: Participant, id: string, content?: string) => ({ who, message: text(who.sender, id, content) });

/** Submissions to a real log, with Limiters that grant everything until they are told otherwise, and timers by hand. */
/** A room without rules about what is written. */
const NO_RULES = {
  earlier: () => undefined,
  refuse: () => undefined,
  hold: () => undefined,
  passed: () => undefined,
};

/** A room in which nothing is asked. */
const NO_ASKS = { turn: () => ({ refuse: () => undefined, pass: () => undefined }) };

function desk(settings: Partial<RoomSettings> = {}) {
  const storage = new TestStorage();
  const log = startedLog(storage);
  const room = {
    id: "den",
    access: "open",
    createdBy: null,
    settings: { ...DEFAULT_SETTINGS, ...settings },
  } as unknown as RoomRecord & { settings: RoomSettings };
  const published: StoredMessage[][] = [];
  const asked: [principal: string, count: number][] = [];
  const clock = { now: NOON };
  const timers = new Timers(clock);
  const limiter = {
    left: Number.POSITIVE_INFINITY,
    answer: undefined as
      | ((principal: string, count: number, keyHash: string | undefined) => Promise<Admission | Fault>)
      | undefined,
  };
  const grant = (count: number): Admission => {
    const granted = Math.min(count, limiter.left);
    limiter.left -= granted;
    return { granted, retryAfter: 9, quota: { limit: 60, remaining: limiter.left, window: 60 } };
  };
  const leases = new Leases("den", () => "question");
  const make = (over = log) =>
    new Submissions({
      now: () => clock.now,
      schedule: timers.schedule,
      record: () => room,
      reader: (participant) => participant,
      log: over,
      audience: () => 0,
      leases,
      ask: async ({ principal }, { count, keyHash }) => {
        asked.push([principal, count]);
        return limiter.answer ? limiter.answer(principal, count, keyHash) : grant(count);
      },
      begin: () => undefined,
      wrote: () => undefined,
      screen: NO_RULES,
      asks: NO_ASKS,
      publish: (messages) => {
        if (messages.length > 0) published.push([...messages]);
      },
    });
  const subject = make();
  /** Submits `say` and remembers what its author is told. */
  function submit({ who, message, origin }: Say): { outcome?: Outcome } {
    const told: { outcome?: Outcome } = {};
    subject.submit({
      participant: who,
      origin,
      message,
      settle: (outcome) => {
        expect(told.outcome).toBeUndefined();
        told.outcome = outcome;
      },
    });
    return told;
  }
  /** Submits one after the other without waiting; what each of them is told in the end. */
  async function handle(...says: Say[]): Promise<Outcome[]> {
    const all = says.map(submit);
    for (let turn = 0; turn < 100 && all.some(({ outcome }) => !outcome); turn++) {
      await settled();
      if (all.some(({ outcome }) => !outcome)) timers.runNext();
    }
    return all.map(({ outcome }) => {
      if (!outcome) throw new Error("An author was never told what became of a message.");
      return outcome;
    });
  }
  return {
    desk: subject,
    submit,
    handle,
    storage,
    log,
    room,
    published,
    asked,
    limiter,
    grant,
    make,
    clock,
    timers,
  };
}

type Say = { who: Participant; message: Unplaced; origin?: string };

/** Timers that a test lets run, in the order of their time. */
class Timers {
  readonly #clock: { now: number };
  #pending: { at: number; run: () => void }[] = [];

  constructor(clock: { now: number }) {
    this.#clock = clock;
  }

  readonly schedule = (delay: number, run: () => void): (() => void) => {
    const timer = { at: this.#clock.now + delay, run };
    this.#pending.push(timer);
    return () => {
      this.#pending = this.#pending.filter((each) => each !== timer);
    };
  };

  /** How many are set. */
  get size(): number {
    return this.#pending.length;
  }

  /** Moves the clock to the next timer and runs it. */
  runNext(): void {
    const [next] = this.#pending.sort((a, b) => a.at - b.at);
    if (!next) return;
    this.#pending.shift();
    this.#clock.now = Math.max(this.#clock.now, next.at);
    next.run();
  }
}

/** Until all that promises lead to has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** An outcome in short: `7` for a new message, `=7` for one that was there, or the error's code. */
function brief(outcome: Outcome): number | string {
  if (isFault(outcome)) return outcome.fault;
  return outcome.repeated ? `=${outcome.message.seq}` : outcome.message.seq;
}

describe("a lane", () => {
  it("makes nobody wait for another author's Limiter (promise 9)", async () => {
    const { submit, grant, limiter, log } = desk();
    const slow = Promise.withResolvers<void>();
    limiter.answer = (principal, count) =>
      principal === "key:1" ? slow.promise.then(() => grant(count)) : Promise.resolve(grant(count));
    const waiting = submit(say(person, "a"));
    const others = [submit(say(other, "b")), submit(say(guest, "c"))];
    await settled();
    expect([waiting.outcome, ...others.map(({ outcome }) => outcome && brief(outcome))]).toEqual([
      undefined,
      1,
      undefined,
    ]);
    slow.resolve();
    await settled();
    expect(log.after(0, 9).map(({ id }) => id)).toContain("b");
  });

  it("keeps one author's messages in the order of their coming, and asks once for all that wait (promise 2)", async () => {
    const { handle, log, asked } = desk();
    const outcomes = await handle(
      say(person, "a"),
      say(other, "b"),
      say(person, "c"),
      say(claude, "d"),
      say(person, "e"),
    );
    expect(outcomes.every((outcome) => !isFault(outcome))).toBe(true);
    const own = log.after(0, 9).filter(({ sender }) => sender !== "calm-heron");
    expect(own.map(({ id }) => id)).toEqual(["a", "c", "d", "e"]);
    expect(asked).toEqual([
      ["key:1", 1],
      ["key:2", 1],
      ["key:1", 3],
    ]);
  });

  it("has one question in flight", async () => {
    const { submit, limiter, asked, grant } = desk();
    const slow = Promise.withResolvers<void>();
    limiter.answer = (_, count) => slow.promise.then(() => grant(count));
    for (const id of ["a", "b", "c"]) submit(say(person, id));
    await settled();
    expect(asked).toEqual([["key:1", 1]]);
    slow.resolve();
    await settled();
    expect(asked).toEqual([
      ["key:1", 1],
      ["key:1", 2],
    ]);
  });

  it("refuses all that waits, in order, when its Limiter does not answer in time; a late answer changes nothing", async () => {
    const { submit, limiter, timers, log, grant, clock } = desk();
    const slow = Promise.withResolvers<void>();
    limiter.answer = (_, count) => slow.promise.then(() => grant(count));
    const told = ["a", "b", "c"].map((id) => submit(say(person, id)));
    await settled();
    timers.runNext();
    await settled();
    expect(clock.now - NOON).toBe(ANSWER_WITHIN);
    expect(told.map(({ outcome }) => outcome && brief(outcome))).toEqual(["unavailable", "unavailable", "unavailable"]);
    slow.resolve();
    await settled();
    expect(log.head).toBe(0);
  });

  it("is bounded: beyond it an author is told to slow down, and others are not", async () => {
    const { submit, limiter, grant } = desk();
    limiter.answer = (principal, count) =>
      principal === "key:1" ? new Promise(() => undefined) : Promise.resolve(grant(count));
    const told = Array.from({ length: LANE_BOUND.messages + 1 }, (_, index) => submit(say(person, `m${index}`)));
    expect(told.at(-2)?.outcome).toBeUndefined();
    expect(told.at(-1)?.outcome).toMatchObject({ fault: "rate_limited" });
    const free = submit(say(other, "b"));
    await settled();
    expect(free.outcome).toMatchObject({ repeated: false });
  });

  it("is bounded in characters too", () => {
    const { submit, limiter } = desk();
    limiter.answer = () => new Promise(() => undefined);
    const long = "x".repeat(16_000);
    const told = Array.from({ length: 70 }, (_, index) => submit(say(person, `m${index}`, long)));
    const taken = told.filter(({ outcome }) => !outcome);
    expect(taken).toHaveLength(Math.floor(LANE_BOUND.characters / long.length));
  });

  it("has the place of what has left it, also when it is never empty", async () => {
    const { submit, grant, limiter } = desk();
    const long = "x".repeat(16_000);
    let answer = Promise.withResolvers<void>();
    limiter.answer = (_, count) => answer.promise.then(() => grant(count));
    const told = [submit(say(person, "m0", long))];
    while (told.length < (2 * LANE_BOUND.characters) / long.length) {
      told.push(submit(say(person, `m${told.length}`, long)));
      const { resolve } = answer;
      answer = Promise.withResolvers<void>();
      resolve();
      await settled();
    }
    expect(told.flatMap(({ outcome }) => (outcome && isFault(outcome) ? [brief(outcome)] : []))).toEqual([]);
  });

  it("is let go when nothing waits in it: the next message is admitted by the lease that its answer brought", async () => {
    const { handle, limiter, grant, asked } = desk();
    limiter.answer = async (_, count) => ({ ...grant(count), lease: { id: "l", places: 3, duration: 10_000 } });
    await handle(say(person, "a"));
    expect([(await handle(say(person, "b"))).map(brief), asked]).toEqual([[2], [["key:1", 1]]]);
  });

  it("is one for each key of a person: what the end of one refuses, the other may say", async () => {
    const { submit, limiter, grant } = desk();
    const old = { ...person, keyHash: "old" };
    const next = { ...person, keyHash: "next" };
    limiter.answer = async (_, count, keyHash) => (keyHash === "old" ? fault("unauthorized", "Over.") : grant(count));
    const told = [say(old, "a"), say(next, "b"), say(old, "c"), say(next, "d")].map(submit);
    await settled();
    expect(told.map(({ outcome }) => outcome && brief(outcome))).toEqual(["unauthorized", 1, "unauthorized", 2]);
  });

  it("leaves no timer behind when its Limiter has answered", async () => {
    const { handle, timers } = desk();
    await handle(say(person, "a"));
    expect(timers.size).toBe(0);
  });
});

describe("all lanes of a room", () => {
  const long = "x".repeat(16_000);
  /** Authors, each with a key, of whom each lets 60 long messages wait. */
  const crowd = (count: number) =>
    Array.from({ length: count }, (_, author) => ({ ...other, sender: `a-${author}`, principal: `key:${author}` }));
  const each = 60;

  it("are bounded together, and have the place again that those who waited have left (promise 9)", async () => {
    const { submit, limiter, grant } = desk();
    const slow = Promise.withResolvers<void>();
    limiter.answer = (_, count) => slow.promise.then(() => grant(count));
    const fill = (round: string) =>
      crowd(20).flatMap((who) =>
        Array.from({ length: each }, (_, index) => submit(say(who, `${round}${index}`, long))),
      );
    const first = fill("a");
    const room = Math.floor(LANES_TOGETHER / long.length);
    expect(first.filter(({ outcome }) => !outcome)).toHaveLength(room);
    expect(first.at(-1)?.outcome).toMatchObject({ fault: "rate_limited" });
    slow.resolve();
    await settled();
    limiter.answer = () => new Promise(() => undefined);
    expect(fill("b").filter(({ outcome }) => !outcome)).toHaveLength(room);
  });

  it("lose no place by what one lane refuses", () => {
    const { submit, limiter } = desk();
    limiter.answer = () => new Promise(() => undefined);
    for (let refused = 0; refused < LANES_TOGETHER / long.length; refused++) {
      for (let index = 0; index < (refused === 0 ? LANE_BOUND.characters / long.length : 1); index++) {
        submit(say(person, `${refused}-${index}`, long));
      }
    }
    expect(submit(say(other, "a", long)).outcome).toBeUndefined();
  });
});

describe("a batch", () => {
  it("is given its seqs after the Limiters have answered, so that two batches never get the same (promise 2)", async () => {
    const { submit, published, limiter, grant, timers } = desk();
    const slow = Promise.withResolvers<void>();
    limiter.answer = (principal, count) =>
      principal === "key:1" ? slow.promise.then(() => grant(count)) : Promise.resolve(grant(count));
    submit(say(person, "a"));
    await settled();
    submit(say(other, "b"));
    await settled();
    slow.resolve();
    await settled();
    // Two authors in one window are a crowd, for which the room gathers.
    timers.runNext();
    expect(published.flat().map(({ seq, id }) => `${seq} ${id}`)).toEqual(["1 b", "2 a"]);
  });

  it("tells its authors what is left to them", async () => {
    const { handle, limiter } = desk();
    limiter.left = 5;
    const [outcome] = await handle(say(person, "a"));
    expect(outcome).toMatchObject({ quota: { limit: 60, remaining: 4, window: 60 } });
  });

  it("is told to everybody before its authors are answered, and in the same turn as it was written", async () => {
    const { log, room, timers } = desk();
    const order: string[] = [];
    const append = log.append.bind(log);
    log.append = (...args) => {
      order.push("written");
      queueMicrotask(() => order.push("another turn"));
      return append(...args);
    };
    const subject = new Submissions({
      now: () => NOON,
      schedule: timers.schedule,
      record: () => room,
      reader: (participant) => participant,
      log,
      audience: () => 0,
      leases: new Leases("den", () => "question"),
      ask: async () => ({ granted: 1, retryAfter: 0, quota: { limit: 60, remaining: 59, window: 60 } }),
      begin: () => order.push("begun"),
      wrote: () => undefined,
      screen: NO_RULES,
      asks: NO_ASKS,
      publish: () => order.push("told"),
    });
    const settle = () => order.push("answered");
    subject.submit({ participant: person, origin: undefined, message: text("swift-otter", "a"), settle });
    await settled();
    // When it begins, those whose time is over are let go: they hear nothing of it.
    expect(order).toEqual(["begun", "written", "told", "answered", "another turn"]);
  });

  it("that is on disk is never reported as not kept, whatever goes wrong in telling of it (promise 6)", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { log, room, timers } = desk();
    const told: Outcome[] = [];
    const subject = new Submissions({
      now: () => NOON,
      schedule: timers.schedule,
      record: () => room,
      reader: (participant) => participant,
      log,
      audience: () => 0,
      leases: new Leases("den", () => "question"),
      ask: async () => ({ granted: 1, retryAfter: 0, quota: { limit: 60, remaining: 59, window: 60 } }),
      begin: () => undefined,
      wrote: () => undefined,
      screen: NO_RULES,
      asks: NO_ASKS,
      publish: () => {
        throw new Error("of the telling");
      },
    });
    const settle = (outcome: Outcome) => void told.push(outcome);
    subject.submit({ participant: person, origin: undefined, message: text("swift-otter", "a"), settle });
    await settled();
    expect([log.head, told.map(brief)]).toEqual([1, [1]]);
    errors.mockRestore();
  });

  it("follows rules that have changed while a message waited for its Limiter", async () => {
    const { submit, limiter, room, log, grant } = desk();
    const slow = Promise.withResolvers<void>();
    limiter.answer = (_, count) => slow.promise.then(() => grant(count));
    const told = submit(say(person, "a"));
    room.settings = { ...room.settings, mutes: { "swift-otter": null } };
    slow.resolve();
    await settled();
    expect([log.head, told.outcome && brief(told.outcome)]).toEqual([0, "muted"]);
  });
});

describe("a room that is closed", () => {
  it("takes nothing, and refuses what its Limiters admit afterwards", async () => {
    const { submit, desk: subject, limiter, log, grant, published } = desk();
    const slow = Promise.withResolvers<void>();
    limiter.answer = (_, count) => slow.promise.then(() => grant(count));
    const waiting = submit(say(person, "a"));
    subject.close();
    const late = submit(say(other, "b"));
    slow.resolve();
    await settled();
    expect([waiting, late].map(({ outcome }) => outcome && brief(outcome))).toEqual(["unavailable", "unavailable"]);
    expect([log.head, published]).toEqual([0, []]);
  });
});

describe("a retry is free (promise 3)", () => {
  it("over batches: the first one's seq, nothing stored, no quota asked", async () => {
    const { handle, log, published, asked } = desk();
    await handle(say(person, "a"));
    expect((await handle(say(person, "a"))).map(brief)).toEqual(["=1"]);
    expect([log.head, published.length, asked.length]).toEqual([1, 1, 1]);
  });

  it("while the first is under way", async () => {
    const { handle, log, asked } = desk();
    expect((await handle(say(person, "a"), say(other, "a"), say(person, "a"))).map(brief)).toEqual([1, 2, "=1"]);
    expect(log.head).toBe(2);
    expect(asked).toEqual([
      ["key:1", 1],
      ["key:2", 1],
    ]);
  });

  it("while the first is under way, for so many repetitions as wait; more are refused and cost nothing (promise 9)", async () => {
    const { submit, limiter, grant, log } = desk();
    const slow = Promise.withResolvers<void>();
    limiter.answer = (_, count) => slow.promise.then(() => grant(count));
    const told = Array.from({ length: 1 + MOST_REPETITIONS + 1 }, () => submit(say(person, "a")));
    slow.resolve();
    await settled();
    const repeated = Array.from({ length: MOST_REPETITIONS }, () => "=1");
    expect(told.map(({ outcome }) => outcome && brief(outcome))).toEqual([1, ...repeated, "rate_limited"]);
    expect(log.head).toBe(1);
  });

  it("over quota, muted, paused or refused storage notwithstanding", async () => {
    const { handle, limiter, room, storage } = desk({ loopGuard: 1 });
    await handle(say(claude, "a"));
    limiter.left = 0;
    room.settings = { ...room.settings, mutes: { "swift-otter": null } };
    storage.refuse("swift-otter/claude says a");
    expect((await handle(say(claude, "a"))).map(brief)).toEqual(["=1"]);
  });

  it("after the message was deleted, with whatever content: nothing comes back", async () => {
    const { handle, log } = desk();
    await handle(say(person, "a", "secret"));
    await handle({ who: person, message: deletion("swift-otter", 1) });
    expect((await handle(say(person, "a", "secret"))).map(brief)).toEqual(["=1"]);
    expect(log.get(1)?.content).toBe("");
  });

  it("but another content or another answer under the same id is a conflict, over batches and within", async () => {
    const { handle, log } = desk();
    await handle(say(person, "a", "one"));
    const answer = { who: person, message: { ...text("swift-otter", "a", "one"), ref: 1 } };
    const outcomes = await handle(say(person, "a", "two"), answer, say(person, "b", "one"), say(person, "b", "two"));
    expect(outcomes.map(brief)).toEqual(["conflict", "conflict", 2, "conflict"]);
    expect(log.head).toBe(2);
  });

  it("and an id is one sender's: a person and their agent may use the same", async () => {
    const { handle } = desk();
    expect((await handle(say(person, "a"), say(claude, "a"))).map(brief)).toEqual([1, 2]);
  });

  it("of a message that was refused is refused with it, and may be tried again", async () => {
    const { handle, limiter } = desk();
    limiter.left = 0;
    expect((await handle(say(person, "a"), say(person, "a"))).map(brief)).toEqual(["rate_limited", "rate_limited"]);
    limiter.left = 1;
    expect((await handle(say(person, "a"))).map(brief)).toEqual([1]);
  });
});

describe("quotas", () => {
  it("let the first ones in and tell the others when to come again", async () => {
    const { handle, limiter, log } = desk();
    limiter.left = 2;
    const outcomes = await handle(...["a", "b", "c", "d"].map((id) => say(person, id)));
    expect(outcomes.map(brief)).toEqual([1, 2, "rate_limited", "rate_limited"]);
    expect(outcomes[3]).toMatchObject({ retryAfter: 9 });
    expect(log.head).toBe(2);
  });

  it("refuse a revoked key from the very next write, and nobody else", async () => {
    const { handle, limiter } = desk();
    limiter.answer = async () => fault("unauthorized", "This key is not valid.");
    expect((await handle(say(person, "a"))).map(brief)).toEqual(["unauthorized"]);
  });

  it("that can't be asked keep nothing, and say so (promise 6)", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { handle, limiter, log, published } = desk();
    limiter.answer = () => Promise.reject(new Error("internal error"));
    expect((await handle(say(person, "a"), say(other, "b"))).map(brief)).toEqual(["unavailable", "unavailable"]);
    expect([log.head, published.length]).toEqual([0, 0]);
    limiter.answer = undefined;
    expect((await handle(say(person, "a"))).map(brief)).toEqual([1]);
    errors.mockRestore();
  });

  it("of a lease are not used up by a deletion either, whose key is asked about (promise 10)", async () => {
    const { handle, limiter, grant, asked } = desk();
    limiter.answer = async (_, count) => ({ ...grant(count), lease: { id: "l", places: 1, duration: 10_000 } });
    await handle(say(person, "a"));
    await handle({ who: person, message: deletion("swift-otter", 1) });
    expect(asked).toEqual([
      ["key:1", 1],
      ["key:1", 0],
    ]);
  });

  it("are not used up by a deletion; only whether the key is still good is asked", async () => {
    const { handle, asked } = desk();
    await handle(say(person, "a"));
    await handle({ who: person, message: deletion("swift-otter", 1) });
    expect(asked).toEqual([
      ["key:1", 1],
      ["key:1", 0],
    ]);
  });
});

describe("storage that refuses", () => {
  it("acknowledges nothing, tells nobody, and takes the next (promises 1 and 6)", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { handle, storage, log, published } = desk();
    storage.refuse("too much");
    // The first goes alone; the others wait for its Limiter's answer, and are one batch.
    const batch = [say(person, "a"), say(claude, "b", "too much"), say(person, "a")];
    const outcomes = await handle(say(person, "alone"), ...batch);
    expect(outcomes.map(brief)).toEqual([1, "unavailable", "unavailable", "unavailable"]);
    expect([log.head, published.length]).toEqual([1, 1]);
    expect((await handle(say(person, "a"))).map(brief)).toEqual([2]);
    errors.mockRestore();
  });

  it("does not count for the loop guard", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { handle, storage, desk: subject } = desk({ loopGuard: 1 });
    storage.refuse("too much");
    await handle(say(claude, "a", "too much"));
    expect(subject.agentsPaused).toBe(false);
    errors.mockRestore();
  });
});

describe("the loop guard", () => {
  it("holds agents back after so many in a row, over batches and within, until a person speaks", async () => {
    const { handle, desk: subject } = desk({ loopGuard: 3 });
    await handle(say(claude, "1"), say(claude, "2"));
    expect(subject.agentsPaused).toBe(false);
    expect((await handle(say(claude, "3"), say(claude, "4"))).map(brief)).toEqual([3, "loop_guard"]);
    expect(subject.agentsPaused).toBe(true);
    const outcomes = await handle(say(claude, "5"), say(person, "6"), say(claude, "7"));
    expect(outcomes.map(brief)).toEqual(["loop_guard", 4, 5]);
    expect(subject.agentsPaused).toBe(false);
  });

  it("takes a guest for a person, and a deletion for neither", async () => {
    const { handle, desk: subject } = desk({ loopGuard: 2 });
    await handle(say(claude, "1"), say(claude, "2"), { who: person, message: deletion("swift-otter", 1) });
    expect(subject.agentsPaused).toBe(true);
    await handle(say(guest, "3"));
    expect(subject.agentsPaused).toBe(false);
  });

  it("counts on after a restart", async () => {
    const { handle, make, storage } = desk({ loopGuard: 3 });
    await handle(say(person, "0"), say(claude, "1"), say(claude, "2"), say(claude, "3"));
    expect(make(openLog(storage)).agentsPaused).toBe(true);
    expect(make().refuse(claude, undefined)).toMatchObject({ fault: "loop_guard" });
    expect(make().refuse(person, undefined)).toBeUndefined();
  });

  it("does not count who was over quota", async () => {
    const { handle, limiter, desk: subject } = desk({ loopGuard: 2 });
    limiter.left = 1;
    await handle(say(claude, "1"), say(claude, "2"), say(claude, "3"));
    expect(subject.agentsPaused).toBe(false);
  });

  it("is off at 0, and follows what the owner settles", async () => {
    const { handle, room, desk: subject } = desk({ loopGuard: 0 });
    await handle(...["1", "2", "3"].map((id) => say(claude, id)));
    expect(subject.agentsPaused).toBe(false);
    room.settings = { ...room.settings, loopGuard: 3 };
    expect(subject.agentsPaused).toBe(true);
  });
});

describe("the room's rules", () => {
  it("refuse the muted, guests where they read, and pages of other origins, before any quota is asked", async () => {
    const { handle, asked } = desk({ guests: "read", origins: ["https://a.example"], mutes: { "calm-heron": null } });
    const outcomes = await handle(
      say(guest, "a"),
      say(other, "b"),
      { ...say(person, "c"), origin: "https://b.example" },
      { ...say(person, "d"), origin: "https://a.example" },
    );
    expect(outcomes.map(brief)).toEqual(["read_only", "muted", "forbidden", 1]);
    expect(asked).toEqual([["key:1", 1]]);
  });

  it("place nothing in a room that the operator has closed, though a moderator has approved it", () => {
    const { desk: subject, log } = desk({ closed: true });
    const outcomes: Outcome[] = [];
    const settle = (outcome: Outcome) => outcomes.push(outcome);
    subject.place({ participant: other, origin: undefined, message: text(other.sender, "a"), approved: true, settle });
    expect(outcomes.map(brief)).toEqual(["read_only"]);
    expect(log.head).toBe(0);
  });

  it("let the muted take back what they said", async () => {
    const { handle, room } = desk();
    await handle(say(person, "a"));
    room.settings = { ...room.settings, mutes: { "swift-otter": null } };
    expect((await handle({ who: person, message: deletion("swift-otter", 1) })).map(brief)).toEqual([2]);
  });
});

describe("the places of all that is under way", () => {
  it("are there once their authors' Limiters have answered and the batch is written", async () => {
    const { desk: subject, submit, limiter, grant, timers, published } = desk();
    const answer = Promise.withResolvers<Admission>();
    limiter.answer = () => answer.promise;
    await subject.allPlaced();
    const told = submit(say(person, "a"));
    let arePlaced = false;
    const placed = subject.allPlaced().then(() => {
      arePlaced = true;
    });
    await settled();
    expect(arePlaced).toBe(false);
    answer.resolve(grant(1));
    await settled();
    if (!told.outcome) timers.runNext();
    await placed;
    expect(published.flat().map(({ id }) => id)).toEqual(["a"]);
    await subject.allPlaced();
  });

  it("are waited for and no others: a room in which messages never cease can be left", async () => {
    const { desk: subject, submit, limiter, grant, timers } = desk();
    const answers: (() => void)[] = [];
    limiter.answer = () => new Promise((resolve) => answers.push(() => resolve(grant(1))));
    const first = submit(say(person, "a"));
    let arePlaced = false;
    void subject.allPlaced().then(() => {
      arePlaced = true;
    });
    const later = submit(say(other, "b"));
    answers[0]?.();
    await settled();
    if (!first.outcome) timers.runNext();
    await settled();
    expect([arePlaced, later.outcome]).toEqual([true, undefined]);
  });
});
