import { describe, expect, it } from "vitest";
import { AddressBudget } from "./address-budget.ts";

/** How many of `tries` at `now` are granted to `address`. */
const granted = (budget: AddressBudget, address: string, tries: number, now: number): number =>
  Array.from({ length: tries }, () => budget.spend(address, now)).filter(Boolean).length;

describe("an address's budget", () => {
  it("is a minute's at once, and comes back with time", () => {
    const budget = new AddressBudget(120);
    expect(granted(budget, "192.0.2.1", 500, 0)).toBe(120);
    expect(granted(budget, "192.0.2.1", 500, 500)).toBe(1);
    expect(granted(budget, "192.0.2.1", 500, 30_500)).toBe(60);
    expect(granted(budget, "192.0.2.1", 500, 10_000_000)).toBe(120);
  });

  it("is its own, whatever others spend", () => {
    const budget = new AddressBudget(3);
    expect(granted(budget, "192.0.2.1", 9, 0)).toBe(3);
    expect(granted(budget, "192.0.2.2", 9, 0)).toBe(3);
  });

  it("is kept for so many addresses, and forgotten first for the one that asked least lately", () => {
    const budget = new AddressBudget(1, 2);
    for (const address of ["a", "b", "a", "c"]) budget.spend(address, 0);
    // `b` was forgotten for `c`; `a` is still known.
    expect(granted(budget, "a", 1, 0)).toBe(0);
    expect(granted(budget, "b", 1, 0)).toBe(1);
  });

  it("says in how many seconds there is one again", () => {
    expect([1, 30, 59, 60, 600].map((perMinute) => new AddressBudget(perMinute).retryAfter)).toEqual([60, 2, 2, 1, 1]);
  });
});
