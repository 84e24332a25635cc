import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Measure, STEPS, UsageSampler } from "./usage-sampler.ts";

describe("what is used", () => {
  it("is written down once for five hundred, by chance", () => {
    const drawn = [0.5, 0.99, 0.999, 0.1];
    const sampler = new UsageSampler(() => drawn.shift() as number);
    const taken = [1, 2, 3, 4].map(() => {
      sampler.count("workerRequests", 1);
      return sampler.take();
    });
    expect(taken).toEqual([undefined, undefined, { workerRequests: 500 }, undefined]);
  });

  it("is right on average, however it comes in pieces", () => {
    const amounts = fc.array(fc.record({ amount: fc.integer({ min: 0, max: 20_000 }) }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(amounts, fc.constantFrom(...(Object.keys(STEPS) as Measure[])), (pieces, measure) => {
        // Every chance once, so that the average is exact.
        const chances = 1_000;
        let [counted, used] = [0, 0];
        for (const { amount } of pieces) {
          used += amount;
          for (let chance = 0; chance < chances; chance++) {
            const sampler = new UsageSampler(() => (chance + 0.5) / chances);
            sampler.count(measure, amount);
            counted += (sampler.take()?.[measure] ?? 0) / chances;
          }
        }
        expect(Math.abs(counted - used)).toBeLessThanOrEqual((pieces.length * STEPS[measure]) / chances);
      }),
      { numRuns: 50 },
    );
  });

  it("is taken once", () => {
    const sampler = new UsageSampler(() => 0);
    sampler.count("databaseRowsWritten", 1_250);
    sampler.count("databaseRowsWritten", 500);
    sampler.count("objectMs", 500_000);
    expect([sampler.take(), sampler.take()]).toEqual([{ databaseRowsWritten: 1_500, objectMs: 500_000 }, undefined]);
  });
});
