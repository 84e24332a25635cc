import { describe, expect, it } from "vitest";
import { FLOW } from "../protocol.ts";
import { closeAt, FlowControl } from "./flow-control.ts";

const MB = 1024 * 1024;

describe("how far behind a client is (promise 9)", () => {
  it("counts what went to everybody and what went to it alone", () => {
    const pace = new FlowControl(1_000);
    expect(pace.behind(1_000)).toBe(0);
    pace.sentAlone(30);
    expect(pace.behind(1_500)).toBe(530);
  });

  it("is asked when a check is due, once until it answers", () => {
    const pace = new FlowControl(0);
    expect(pace.isCheckDue(FLOW.checkEvery - 1)).toBe(false);
    expect(pace.isCheckDue(FLOW.checkEvery)).toBe(true);
    pace.ask(FLOW.checkEvery);
    expect(pace.owesAnswer).toBe(true);
    expect(pace.isCheckDue(3 * FLOW.checkEvery)).toBe(false);
  });

  it("is less by what was sent before the check, and by nothing that came after it", () => {
    const pace = new FlowControl(0);
    pace.sentAlone(100);
    const n = pace.ask(2_000);
    pace.sentAlone(50);
    expect(pace.answer(n)).toBe(true);
    expect(pace.owesAnswer).toBe(false);
    expect(pace.behind(2_700)).toBe(750);
  });

  it("is asked about after a backlog, which makes nobody slow", () => {
    const pace = new FlowControl(0);
    pace.sentBacklog(2 * FLOW.closeAt);
    expect([pace.isCheckDue(0), pace.behind(0), pace.overdue(0)]).toEqual([true, 2 * FLOW.closeAt, 0]);
    const n = pace.ask(0);
    pace.sentAlone(70);
    expect(pace.overdue(30)).toBe(100);
    pace.answer(n);
    expect([pace.behind(30), pace.overdue(30)]).toEqual([100, 100]);
  });

  it("is not lessened by a number that was guessed, said too early or said again", () => {
    const pace = new FlowControl(0);
    expect(pace.answer(0)).toBe(false);
    const n = pace.ask(2_000);
    expect(pace.answer(n + 1)).toBe(false);
    expect(pace.behind(2_000)).toBe(2_000);
    expect(pace.answer(n)).toBe(true);
    expect(pace.answer(n)).toBe(false);
    expect(pace.behind(5_000)).toBe(3_000);
  });

  it("is asked with a number that can't be guessed from the last one", () => {
    const numbers = Array.from({ length: 100 }, () => new FlowControl(0).ask(0));
    expect(new Set(numbers).size).toBeGreaterThan(95);
    expect(numbers.every((n) => Number.isSafeInteger(n) && n >= 0)).toBe(true);
  });
});

describe("how far behind a client may be", () => {
  it("is the limit of the protocol for a few, and less the more they are, so that a room's memory holds them all", () => {
    expect(closeAt(0)).toBe(FLOW.closeAt);
    expect(closeAt(1)).toBe(FLOW.closeAt);
    for (const owing of [1, 5, 12, 20, 48]) expect(owing * closeAt(owing)).toBeLessThanOrEqual(48 * MB);
  });

  it("is never so little that a client which reads is closed before it could answer", () => {
    expect(closeAt(10_000)).toBe(FLOW.checkEvery);
  });
});
