import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SlidingWindow, type WindowState } from "./sliding-window.ts";

const LENGTH = 1_000;

/** What may happen to a window, and how much later than what was before it, in ms. */
type Event =
  | { readonly what: "take"; readonly after: number; readonly asked: number }
  | { readonly what: "give back"; readonly after: number; readonly which: number; readonly count: number }
  | { readonly what: "restart"; readonly after: number };

const after = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3 * LENGTH }));

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    { arbitrary: fc.record({ what: fc.constant("take" as const), after, asked: fc.nat({ max: 12 }) }), weight: 6 },
    {
      arbitrary: fc.record({
        what: fc.constant("give back" as const),
        after,
        which: fc.nat(),
        count: fc.integer({ min: 1, max: 3 }),
      }),
      weight: 2,
    },
    { arbitrary: fc.record({ what: fc.constant("restart" as const), after }), weight: 1 },
  ),
  { maxLength: 80 },
);

/** The window as one would explain it: all grants that were ever made and still stand, by their times. */
class PlainWindow {
  readonly grants: { at: number; count: number }[] = [];

  /** How many stand in the window that ends at `now`. A grant leaves when it is `LENGTH` old. */
  used(now: number): number {
    const inside = this.grants.filter(({ at }) => at > now - LENGTH && at <= now);
    return inside.reduce((sum, { count }) => sum + count, 0);
  }

  /** The most that stand in any window whatever. */
  get most(): number {
    return Math.max(0, ...this.grants.map(({ at }) => this.used(at)));
  }
}

/** Lets `happening` happen to a window of `limit`, and to a plain one, and looks at both after each event. */
function compare(limit: number, happening: readonly Event[]): void {
  let now = 1_700_000_000_000;
  let window = new SlidingWindow(limit, LENGTH);
  const plain = new PlainWindow();
  for (const event of happening) {
    now += event.after;
    if (event.what === "restart") {
      const state = JSON.parse(JSON.stringify(window.state(now))) as WindowState;
      window = new SlidingWindow(limit, LENGTH, state);
      continue;
    }
    if (event.what === "give back") {
      const grant = plain.grants[event.which % Math.max(1, plain.grants.length)];
      if (!grant) continue;
      const count = Math.min(event.count, grant.count);
      window.giveBack(count, grant.at);
      grant.count -= count;
      continue;
    }
    const free = limit - plain.used(now);
    const { granted, remaining, wait, at } = window.take(event.asked, now);
    expect(granted).toBe(Math.min(event.asked, free));
    expect(remaining).toBe(free - granted);
    if (granted > 0) plain.grants.push({ at, count: granted });
    expect(plain.most).toBeLessThanOrEqual(limit);
    if (remaining > 0) expect(wait).toBe(0);
    else {
      expect(plain.used(now + wait - 1)).toBe(limit);
      expect(plain.used(now + wait)).toBeLessThan(limit);
    }
  }
}

describe("a sliding window", () => {
  it("never grants more than its limit in any window, and never refuses what a fresh one would allow", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), events, (limit, happening) => compare(limit, happening)),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 1_000) },
    );
  }, 120_000);

  it("grants the first of many, and says when there is room for another", () => {
    const window = new SlidingWindow(5, LENGTH);
    expect(window.take(3, 0)).toMatchObject({ granted: 3, remaining: 2, wait: 0 });
    expect(window.take(4, 400)).toMatchObject({ granted: 2, remaining: 0, wait: 600 });
    expect(window.take(1, 999)).toMatchObject({ granted: 0, remaining: 0, wait: 1 });
    expect(window.take(9, 1_000)).toMatchObject({ granted: 3, remaining: 0, wait: 400 });
  });

  it("gives back exactly the grant that came to nothing, however many came after it", () => {
    const window = new SlidingWindow(2, LENGTH);
    const first = window.take(1, 0);
    window.take(1, 500);
    window.giveBack(1, first.at);
    expect(window.take(1, 600).granted).toBe(1);
    // The one at 500 is still there at 1,400: had it gone in place of the first, this would be a third in one window.
    expect(window.take(1, 1_400)).toMatchObject({ granted: 0, wait: 100 });
  });

  it("has nothing to give back of a grant that has left it", () => {
    const window = new SlidingWindow(1, LENGTH);
    const { at } = window.take(1, 0);
    expect(window.take(1, 2_000).granted).toBe(1);
    window.giveBack(1, at);
    expect(window.take(1, 2_001).granted).toBe(0);
  });

  it("keeps a grant as long as ever when the clock goes back", () => {
    const window = new SlidingWindow(2, LENGTH);
    window.take(1, 5_000);
    expect(window.take(1, 1_000)).toMatchObject({ granted: 1, at: 5_000 });
    expect(window.take(1, 5_999).granted).toBe(0);
    expect(window.take(1, 6_000).granted).toBe(1);
  });

  it("holds what stands against it after its limit was lowered", () => {
    const before = new SlidingWindow(10, LENGTH);
    before.take(8, 0);
    const window = new SlidingWindow(3, LENGTH, before.state(1));
    expect(window.take(1, 2)).toMatchObject({ granted: 0, remaining: 0 });
    expect(window.take(5, LENGTH)).toMatchObject({ granted: 3 });
  });

  it("has nothing to keep once all has left it", () => {
    const window = new SlidingWindow(5, LENGTH);
    window.take(5, 0);
    expect(window.state(LENGTH)).toEqual([]);
  });

  it("grants nothing when its limit is no number", () => {
    const { granted } = new SlidingWindow(Number("many"), LENGTH).take(1, 0);
    expect(granted > 0).toBe(false);
  });
});
