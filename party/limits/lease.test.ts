import { describe, expect, it } from "vitest";
import { Lease } from "./lease.ts";
import { Leases } from "./leases.ts";
import type { Admission } from "./limiter.ts";

const NOON = 1_800_000_000_000;
const QUOTA = { limit: 60, remaining: 40, window: 60 };
const GRANT = { id: "lease-1", places: 3, duration: 10_000 };
const AUTHOR = { principal: "person:p1", keyHash: "a" };

describe("a lease", () => {
  it("is used place by place, and tells what is left of the quota", () => {
    const lease = new Lease(GRANT, QUOTA, "a", NOON);
    expect(lease.take(1, NOON + 10)).toMatchObject({ remaining: 39 });
    expect(lease.take(3, NOON + 20)).toBeUndefined();
    expect([lease.take(2, NOON + 20), lease.left(NOON + 20)]).toMatchObject([{ remaining: 37 }, 0]);
    expect(lease.take(1, NOON + 20)).toBeUndefined();
    expect(lease.close(NOON + 100)).toEqual({ lease: "lease-1", ages: [90, 80, 80] });
  });

  it("is over when its time is, counted from before it was asked for", () => {
    const lease = new Lease(GRANT, QUOTA, "a", NOON);
    expect(lease.left(NOON + 9_999)).toBe(3);
    expect([lease.left(NOON + 10_000), lease.take(1, NOON + 10_000)]).toEqual([0, undefined]);
  });

  it("that is closed admits nothing more, and says again what of it was used", () => {
    const lease = new Lease(GRANT, QUOTA, "a", NOON);
    lease.take(1, NOON);
    expect(lease.close(NOON + 1)).toEqual({ lease: "lease-1", ages: [1] });
    expect(lease.take(1, NOON + 2)).toBeUndefined();
    expect(lease.close(NOON + 3)).toEqual({ lease: "lease-1", ages: [3] });
  });
});

describe("the leases of a room", () => {
  /** A room with a lease of three places for the author. */
  function setUp() {
    let ids = 0;
    const leases = new Leases("lobby", () => `question-${++ids}`);
    const question = leases.ask(AUTHOR, 1, NOON);
    const admission: Admission = { granted: 1, retryAfter: 0, quota: QUOTA, lease: GRANT };
    leases.learn(AUTHOR, question, admission, NOON);
    return { leases, question };
  }

  it("admit without a question as long as there are places", () => {
    const { leases, question } = setUp();
    expect(question).toEqual({ id: "question-1", count: 1, room: "lobby", keyHash: "a" });
    expect(leases.take(AUTHOR, 2, NOON)).toMatchObject({ granted: 2, quota: { remaining: 38 } });
    expect(leases.take(AUTHOR, 2, NOON)).toBeUndefined();
    expect(leases.take(AUTHOR, 1, NOON)).toMatchObject({ granted: 1, quota: { remaining: 37 } });
  });

  it("are their author's, and of the key with which they were asked for", () => {
    const { leases } = setUp();
    expect(leases.take({ principal: "person:p2", keyHash: "a" }, 1, NOON)).toBeUndefined();
    expect(leases.take({ ...AUTHOR, keyHash: "b" }, 1, NOON)).toBeUndefined();
  });

  it("end with the next question, which says what of them was used until an answer shows that it has come", () => {
    const { leases } = setUp();
    leases.take(AUTHOR, 2, NOON + 100);
    const question = leases.ask(AUTHOR, 2, NOON + 200);
    expect(question.uses).toEqual({ lease: "lease-1", ages: [100, 100] });
    expect(leases.take(AUTHOR, 1, NOON + 200)).toBeUndefined();
    // Its answer did not come.
    const next = leases.ask(AUTHOR, 1, NOON + 300);
    expect(next.uses).toEqual({ lease: "lease-1", ages: [200, 200] });
    leases.learn(AUTHOR, next, { granted: 1, retryAfter: 0, quota: QUOTA }, NOON + 300);
    expect(leases.ask(AUTHOR, 1, NOON + 400).uses).toBeUndefined();
  });

  it("are given back when they are recalled, and unknown ones are not", () => {
    const { leases } = setUp();
    leases.take(AUTHOR, 1, NOON);
    expect(leases.recall("person:p1", "another", NOON)).toBeUndefined();
    expect(leases.recall("person:p2", "lease-1", NOON)).toBeUndefined();
    expect(leases.take(AUTHOR, 1, NOON)).toBeDefined();
    expect(leases.recall("person:p1", "lease-1", NOON + 5)).toEqual({ lease: "lease-1", ages: [5, 5] });
    expect(leases.take(AUTHOR, 1, NOON)).toBeUndefined();
  });

  it("that were recalled before the answer that brings them are not used when it comes", () => {
    let ids = 0;
    const leases = new Leases("lobby", () => `question-${++ids}`);
    const question = leases.ask(AUTHOR, 1, NOON);
    expect(leases.recall("person:p1", "lease-1", NOON)).toBeUndefined();
    leases.learn(AUTHOR, question, { granted: 1, retryAfter: 0, quota: QUOTA, lease: GRANT }, NOON);
    expect(leases.take(AUTHOR, 1, NOON)).toBeUndefined();
  });
});
