import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RECENT, RecentIds, type Seed } from "./recent-ids.ts";

const SEED: Seed = [1, 2];

function filled(count: number, first = 1): RecentIds {
  const recent = new RecentIds(SEED);
  for (let seq = first; seq < first + count; seq++) recent.add(seq, "swift-otter", `m${seq}`);
  return recent;
}

function isKnown(recent: RecentIds, seq: number): boolean {
  return recent.candidates("swift-otter", `m${seq}`).includes(seq);
}

describe("recognising a retry (promise 3)", () => {
  it(`knows at least the newest ${RECENT}, however many came`, () => {
    for (const count of [1, RECENT, RECENT + 1, 2 * RECENT - 1, 2 * RECENT, 3 * RECENT + 7]) {
      const recent = filled(count);
      expect(recent.last).toBe(count);
      for (let seq = Math.max(1, count - RECENT + 1); seq <= count; seq++) {
        if (!isKnown(recent, seq)) throw new Error(`${seq} of ${count} is forgotten`);
      }
    }
  });

  it("forgets in the end, so that memory stays flat", () => {
    const recent = filled(10 * RECENT);
    expect(isKnown(recent, 1)).toBe(false);
    expect(isKnown(recent, 8 * RECENT)).toBe(false);
    expect(recent.dump().byteLength).toBe((RECENT + 4) * 8);
  });

  it("begins anywhere: behind what was pruned", () => {
    const recent = filled(3, 7_001);
    expect(recent.last).toBe(7_003);
    expect([7_000, 7_001, 7_003].map((seq) => isKnown(recent, seq))).toEqual([false, true, true]);
  });

  it("tells pairs apart that make the same text", () => {
    const recent = new RecentIds();
    recent.add(1, "a", "b-c");
    expect(recent.candidates("a-b", "c")).toEqual([]);
    expect(recent.candidates("a", "b-c")).toEqual([1]);
  });

  it("nominates all of a pair that comes again, the newest first", () => {
    const recent = new RecentIds();
    for (const seq of [1, 2, 3]) recent.add(seq, "a-b", seq === 2 ? "other" : "same");
    expect(recent.candidates("a-b", "same")).toEqual([3, 1]);
  });

  it("forgets the older one of a pair and still knows the newer", () => {
    const recent = filled(0);
    recent.add(1, "a-b", "same");
    for (let seq = 2; seq < 2 * RECENT; seq++) recent.add(seq, "swift-otter", `m${seq}`);
    recent.add(2 * RECENT, "a-b", "same");
    expect(recent.candidates("a-b", "same")).toEqual([2 * RECENT]);
  });
});

it("survives a restart with the newest, and goes on", () => {
  const again = RecentIds.from(filled(RECENT + 100).dump()) as RecentIds;
  expect(again.last).toBe(RECENT + 100);
  expect([100, 101, RECENT + 100].map((seq) => isKnown(again, seq))).toEqual([false, true, true]);
  again.add(RECENT + 101, "swift-otter", `m${RECENT + 101}`);
  expect(isKnown(again, RECENT + 101)).toBe(true);
});

it("survives a restart before anything was said", () => {
  const again = RecentIds.from(new RecentIds().dump()) as RecentIds;
  expect(again.last).toBe(0);
  again.add(1, "swift-otter", "m1");
  expect(isKnown(again, 1)).toBe(true);
});

describe("what is not contiguous", () => {
  it("is refused, because every later pair would be kept under a wrong seq", () => {
    const recent = filled(3, 7_001);
    for (const seq of [7_005, 7_003, 1]) {
      expect(() => recent.add(seq, "a-b", "x")).toThrow(`Message ${seq} does not follow 7003.`);
    }
    expect([recent.last, recent.candidates("a-b", "x")]).toEqual([7_003, []]);
    recent.add(7_004, "a-b", "x");
    expect(recent.candidates("a-b", "x")).toEqual([7_004]);
  });

  it("is passed over where it is said so, over restarts too", () => {
    const recent = filled(3);
    recent.passOver(5);
    recent.add(6, "a-b", "x");
    const again = RecentIds.from(recent.dump()) as RecentIds;
    expect([again.last, again.candidates("a-b", "x"), isKnown(again, 3), isKnown(again, 4)]).toEqual([
      6,
      [6],
      true,
      false,
    ]);
  });
});

describe("a dump of another form", () => {
  it.each([
    ["without a version, as they were first", new Float64Array([2, 17, 18]).buffer],
    ["empty", new ArrayBuffer(0)],
    ["cut off", filled(3).dump().slice(0, 17)],
    ["cut off before the first seq", filled(3).dump().slice(0, 24)],
  ])("is not believed: %s", (_, dump) => {
    expect(RecentIds.from(dump)).toBeUndefined();
  });
});

it("gives a pair another number in each room, so that nobody can prepare ids that collide", () => {
  const numbers = [new RecentIds(), new RecentIds()].map((recent) => {
    recent.add(1, "a-b", "x");
    return new Float64Array(recent.dump()).at(-1);
  });
  expect(numbers[0]).not.toBe(numbers[1]);
});

it("hardly ever nominates a message for nothing", () => {
  const recent = filled(RECENT);
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/), (id) => {
      expect(recent.candidates("brisk-lynx", id)).toEqual([]);
    }),
    { numRuns: 5_000 },
  );
});
