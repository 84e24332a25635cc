import { describe, expect, it } from "vitest";
import { AgentLeases, isHeld } from "./agent-leases.ts";

const claude = { sender: "swift-otter/claude", principal: "person:1" };
const MINUTE = 60_000;

/** Whether Claude has a lease that holds at `now`. */
const holds = (leases: AgentLeases, now: number): boolean => {
  const lease = leases.get(claude.sender);
  return lease !== undefined && isHeld(lease, now);
};

describe("an agent that asks", () => {
  it("once is believed to ask again within two minutes", () => {
    const leases = new AgentLeases([]);
    leases.asked(claude, 0);
    expect([holds(leases, 2 * MINUTE - 1), holds(leases, 2 * MINUTE)]).toEqual([true, false]);
  });

  it("before the clock was set back is not believed to hear for hours", () => {
    const leases = new AgentLeases([]);
    leases.asked(claude, 300 * MINUTE);
    expect([holds(leases, 0), leases.nextEnd(0)]).toEqual([false, undefined]);
    leases.asked(claude, 0);
    expect(holds(leases, MINUTE)).toBe(true);
  });

  it("every ten minutes is believed for twenty, by what it has done and not by what it says", () => {
    const leases = new AgentLeases([]);
    leases.asked(claude, 0);
    leases.asked(claude, 10 * MINUTE);
    expect([holds(leases, 30 * MINUTE - 1), holds(leases, 30 * MINUTE)]).toEqual([true, false]);
  });

  it("for several pages at a go is taken for one that asks once", () => {
    const leases = new AgentLeases([]);
    for (const start of [0, 10 * MINUTE])
      for (let page = 0; page < 5; page++) leases.asked(claude, start + page * 1_000);
    expect(holds(leases, 10 * MINUTE + 4_000 + 19 * MINUTE)).toBe(true);
  });

  it("ever faster is not believed for as long as when it was slow", () => {
    const leases = new AgentLeases([]);
    leases.asked(claude, 0);
    leases.asked(claude, 50 * MINUTE);
    expect(holds(leases, 140 * MINUTE)).toBe(true);
    leases.asked(claude, 51 * MINUTE);
    expect([holds(leases, 53 * MINUTE - 1), holds(leases, 53 * MINUTE)]).toEqual([true, false]);
    // A loop without a pause that follows on a slow one.
    const looping = new AgentLeases([]);
    looping.asked(claude, 0);
    looping.asked(claude, 10 * MINUTE);
    for (let at = 10 * MINUTE; at <= 40 * MINUTE; at += 10_000) looping.asked(claude, at);
    expect([holds(looping, 42 * MINUTE - 1), holds(looping, 42 * MINUTE)]).toEqual([true, false]);
  });

  it("after longer than an hour has its habit forgotten: no lease holds for a day", () => {
    const leases = new AgentLeases([]);
    leases.asked(claude, 0);
    leases.asked(claude, 12 * 60 * MINUTE);
    expect(holds(leases, 12 * 60 * MINUTE + 2 * MINUTE)).toBe(false);
  });

  it("and waits has its time to ask again when the wait ends", () => {
    const leases = new AgentLeases([]);
    leases.asked(claude, 0);
    leases.waited(claude.sender, 50_000);
    expect([holds(leases, 50_000 + 2 * MINUTE - 1), holds(leases, 50_000 + 2 * MINUTE)]).toEqual([true, false]);
  });
});

describe("a flood of names", () => {
  it("gives eight agents of a person a lease, and all people together sixty-four", () => {
    const leases = new AgentLeases([]);
    const given = (person: number, count: number) =>
      Array.from({ length: count }, (_, index) =>
        leases.asked({ sender: `person-${person}/a${index}`, principal: `person:${person}` }, 0),
      ).filter(Boolean).length;
    expect(given(1, 1_000)).toBe(8);
    expect(Array.from({ length: 20 }, (_, person) => given(person + 2, 8)).reduce((sum, count) => sum + count)).toBe(
      56,
    );
    expect(leases.all()).toHaveLength(64);
    // Those that have ended make room.
    expect(leases.asked(claude, 3 * MINUTE)).toBe(true);
    expect(leases.all()).toHaveLength(1);
  });
});

it("a bridge that is lost is believed for as long as it has said, and with its person's keys no more", () => {
  const leases = new AgentLeases([]);
  leases.lost(claude, 30_000, 1_000);
  expect([leases.nextEnd(1_000), holds(leases, 31_000)]).toEqual([31_000, false]);
  expect(leases.forget(({ principal }) => principal === "person:2")).toEqual([]);
  expect(leases.forget(({ principal }) => principal === "person:1")).toEqual([claude.sender]);
  expect(leases.nextEnd(1_000)).toBeUndefined();
});
