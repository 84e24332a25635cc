import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SlidingWindow, type WindowState } from "./sliding-window.ts";

const LENGTH = 1_000;

/** What may happen to a window, and how much later than what was before it, in ms. */
type Event =
  | { readonly what: "take"; readonly after: number; readonly asked: number }
  | { readonly what: "give back"; readonly after: number; readonly which: number; readonly count: number }
  | { readonly what: "lend"; readonly after: number; readonly asked: number; readonly duration: number }
  | { readonly what: "settle"; readonly after: number; readonly which: number; readonly uses: readonly number[] }
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
    {
      arbitrary: fc.record({
        what: fc.constant("lend" as const),
        after,
        asked: fc.integer({ min: 1, max: 6 }),
        duration: fc.integer({ min: 1, max: LENGTH }),
      }),
      weight: 2,
    },
    {
      arbitrary: fc.record({
        what: fc.constant("settle" as const),
        after,
        which: fc.nat(),
        uses: fc.array(fc.nat({ max: LENGTH }), { maxLength: 6 }),
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
  /** What is out: it stands from when it was lent until a window after its end. */
  loans: { id: string; places: number; at: number; until: number }[] = [];

  /** How many stand in the window that ends at `now`. A grant leaves when it is `LENGTH` old. */
  used(now: number): number {
    const inside = this.grants.filter(({ at }) => at > now - LENGTH && at <= now);
    const out = this.loans.filter(({ at, until }) => at <= now && until > now - LENGTH);
    return [...inside.map(({ count }) => count), ...out.map(({ places }) => places)].reduce((a, b) => a + b, 0);
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
    if (event.what === "lend") {
      const free = limit - plain.used(now);
      const loan = window.lend(`loan ${plain.loans.length} ${now}`, event.asked, event.duration, now);
      expect(loan?.places ?? 0).toBe(Math.min(event.asked, free));
      if (loan) plain.loans.push(loan);
      continue;
    }
    if (event.what === "settle") {
      const loan = plain.loans[event.which % Math.max(1, plain.loans.length)];
      if (!loan) continue;
      const latest = Math.min(now, loan.until);
      const times = event.uses.slice(0, loan.places).map((after) => Math.min(loan.at + after, latest));
      window.settle(loan.id, times, now);
      plain.loans = plain.loans.filter((other) => other !== loan);
      // One that had left the window by itself is settled no more.
      if (loan.until > now - LENGTH) plain.grants.push(...times.map((at) => ({ at, count: 1 })));
      expect(plain.most).toBeLessThanOrEqual(limit);
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

  it("keeps a grant for a whole window after the clock was set back, and no longer", () => {
    const window = new SlidingWindow(3, LENGTH);
    window.take(1, 1_000);
    const ahead = window.take(1, 5_000_000);
    expect(window.take(9, 1_100)).toMatchObject({ granted: 2, wait: LENGTH });
    expect(window.take(1, 2_099).granted).toBe(0);
    expect(window.take(1, 2_100)).toMatchObject({ granted: 1, remaining: 2 });
    expect(ahead.at).toBe(5_000_000);
  });

  it("keeps what is lent for its time and a whole window after the clock was set back, and no longer", () => {
    const window = new SlidingWindow(3, LENGTH);
    window.lend("a", 3, 400, 5_000_000);
    expect(window.take(1, 1_000)).toMatchObject({ granted: 0, wait: 400 + LENGTH });
    expect(window.loans(1_000)).toMatchObject([{ at: 1_000, until: 1_400 }]);
    expect(window.take(9, 1_400 + LENGTH)).toMatchObject({ granted: 3 });
  });

  it("gives back what was granted before the clock was set back", () => {
    const window = new SlidingWindow(2, LENGTH);
    const { at } = window.take(2, 5_000_000);
    expect(window.take(1, 1_000).granted).toBe(0);
    window.giveBack(1, at);
    expect(window.take(9, 1_000)).toMatchObject({ granted: 1, remaining: 0 });
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
    expect(window.isEmpty(LENGTH - 1)).toBe(false);
    expect(window.state(LENGTH)).toEqual({ version: 2, grants: [], loans: [] });
    expect(window.isEmpty(LENGTH)).toBe(true);
  });

  it("counts what is lent from then until a window after its use, and what is not settled from its end", () => {
    const window = new SlidingWindow(5, LENGTH);
    window.lend("a", 3, 400, 0);
    expect(window.take(9, 0)).toMatchObject({ granted: 2, remaining: 0 });
    window.settle("a", [100], 200);
    expect(window.take(9, 200)).toMatchObject({ granted: 2 });
    expect(window.take(9, 1_000)).toMatchObject({ granted: 2, wait: 100 });
    const other = new SlidingWindow(2, LENGTH);
    other.lend("b", 2, 400, 0);
    expect(other.take(1, 1_399)).toMatchObject({ granted: 0, wait: 1 });
    expect(other.take(1, 1_400)).toMatchObject({ granted: 1 });
  });

  it("settles a loan once, and no use of it before it was lent, after its end, or beyond its places", () => {
    const window = new SlidingWindow(5, LENGTH);
    window.lend("a", 2, 400, 1_000);
    window.settle("a", [0, 9_999, 1_100], 1_500);
    window.settle("a", [], 1_500);
    expect(window.state(1_500).grants).toEqual([
      [1_000, 1],
      [1_400, 1],
    ]);
    window.lend("b", 1, 400, 1_500);
    window.settle("b", [Number.NaN], 1_600);
    expect(window.state(1_600).grants.at(-1)).toEqual([1_600, 1]);
  });

  it("reads what the first version has kept", () => {
    const window = new SlidingWindow(3, LENGTH, [[0, 2]]);
    expect(window.take(9, 500)).toMatchObject({ granted: 1, wait: 500 });
  });

  it("of a large limit keeps few times, counts none too short, and still grants all of its limit", () => {
    const window = new SlidingWindow(100_000, 60_000);
    const noon = 1_800_000_000_000;
    let granted = 0;
    for (let ms = 0; ms < 60_000; ms += 7) granted += window.take(20, noon + ms).granted;
    expect(granted).toBe(100_000);
    expect(window.state(noon + 59_999).grants.length).toBeLessThanOrEqual(602);
    expect(window.take(1, noon + 59_999).granted).toBe(0);
    expect(window.take(1, noon + 60_100).granted).toBe(1);
  });

  it("grants nothing when its limit is no number", () => {
    const { granted } = new SlidingWindow(Number("many"), LENGTH).take(1, 0);
    expect(granted > 0).toBe(false);
  });
});
