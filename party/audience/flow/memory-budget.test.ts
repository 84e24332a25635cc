import { describe, expect, it } from "vitest";
import {
  ADDRESS_BYTES,
  LEAST_WINDOW,
  MemoryBudget,
  MOST_STALLED,
  MOST_WINDOW,
  ROOM_BYTES,
  type Stalled,
  windowFor,
} from "./memory-budget.ts";

const MIB = 1024 * 1024;

describe("the windows of a room (promise 9)", () => {
  it("are together no more than the room may hold, for as many sockets as the least window allows", () => {
    for (const sockets of [1, 2, 100, 256, 257, 500, 512]) {
      expect(sockets * windowFor(sockets)).toBeLessThanOrEqual(ROOM_BYTES);
    }
  });

  it("are never so small that a frame does not fit, nor larger than one socket needs", () => {
    expect([windowFor(0), windowFor(1), windowFor(100)]).toEqual([MOST_WINDOW, MOST_WINDOW, MOST_WINDOW]);
    expect([windowFor(2_000), windowFor(32_768)]).toEqual([LEAST_WINDOW, LEAST_WINDOW]);
  });
});

describe("a new socket", () => {
  const from = (address: string, bytes: number): Stalled => ({ address, bytes });
  const verdicts = (budget: MemoryBudget, stalled: Stalled[]) =>
    ["a", "b"].map((address) => budget.refuse(address, stalled)?.fault);

  it("is refused first to an address whose sockets have stalled, and to nobody else", () => {
    expect(verdicts(new MemoryBudget(), [])).toEqual([undefined, undefined]);
    expect(verdicts(new MemoryBudget(), [from("a", ADDRESS_BYTES - 1)])).toEqual([undefined, undefined]);
    expect(verdicts(new MemoryBudget(), [from("a", ADDRESS_BYTES)])).toEqual(["rate_limited", undefined]);
    const halfFull = [from("c", ROOM_BYTES / 2), from("a", 1)];
    expect(verdicts(new MemoryBudget(), halfFull)).toEqual(["rate_limited", undefined]);
  });

  it("is refused at half the room's budget to all that hold something, and at twice the budget to everyone", () => {
    expect(verdicts(new MemoryBudget(), [from("c", ROOM_BYTES), from("a", 1)])).toEqual(["rate_limited", undefined]);
    expect(verdicts(new MemoryBudget(), [from("c", MOST_STALLED)])).toEqual(["rate_limited", "rate_limited"]);
  });

  it("is not refused any more when the closes are confirmed", () => {
    const budget = new MemoryBudget();
    const closed = Array.from({ length: 10 }, () => from("a", MIB / 2));
    for (const each of closed) budget.closed(each);
    expect(verdicts(budget, [])).toEqual(["rate_limited", undefined]);
    for (const each of closed) budget.confirmed(each);
    expect(verdicts(budget, [])).toEqual([undefined, undefined]);
  });
});
