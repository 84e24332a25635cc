/** The judge of the curves: the long run itself is `npm run soak`. */

import { describe, expect, it } from "vitest";
import { type Curve, drawn, isFlat, quantile } from "../soak/curve.ts";

const LIMIT = { ratio: 1.1, slack: 10 };

function curve(figure: (minute: number) => number): Curve {
  const points = Array.from({ length: 60 }, (_, minute) => [minute, figure(minute)] as const);
  return { name: "memory", unit: "MB", points };
}

describe("a curve of a long run", () => {
  it("is flat when it has grown only while caches filled", () => {
    expect(
      isFlat(
        curve((minute) => 200 + Math.min(minute, 25) * 4),
        LIMIT,
      ),
    ).toBe(true);
  });

  it("is not flat when it goes on growing, however slowly it began", () => {
    expect(
      isFlat(
        curve((minute) => 200 + minute * 4),
        LIMIT,
      ),
    ).toBe(false);
    expect(
      isFlat(
        curve((minute) => 2 ** (minute / 6)),
        LIMIT,
      ),
    ).toBe(false);
  });

  it("is flat when one look among many is high, or the figures are small", () => {
    expect(
      isFlat(
        curve((minute) => (minute === 58 ? 9_000 : 300)),
        LIMIT,
      ),
    ).toBe(true);
    expect(
      isFlat(
        curve((minute) => (minute < 45 ? 1 : 5)),
        LIMIT,
      ),
    ).toBe(true);
  });

  it("is drawn from its first look to its last, with the outages behind it", () => {
    const svg = drawn(
      curve((minute) => minute),
      [[10, 20]],
    );
    expect(svg.match(/<polyline[^>]*points="([^"]*)"/)?.[1]?.split(" ")).toHaveLength(60);
    expect(svg.match(/class="outage"/g)).toHaveLength(1);
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(drawn({ name: "lag", unit: "messages", points: [] })).not.toMatch(/NaN|Infinity/);
    expect(drawn({ name: "lag", unit: "messages", points: [[0, 0]] })).not.toMatch(/NaN|Infinity/);
  });

  it("knows a quantile, also of nothing", () => {
    expect([quantile([3, 1, 2], 0.5), quantile([], 0.99), quantile([1, 2, 3, 4], 0.99)]).toEqual([2, 0, 4]);
  });
});
