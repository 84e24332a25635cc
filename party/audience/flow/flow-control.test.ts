import { describe, expect, it } from "vitest";
import { FlowControl } from "./flow-control.ts";

const WINDOW = 1_000;
const NOON = 1_800_000_000_000;

describe("what a client has not read (promise 9)", () => {
  it("is all that it was sent, until it answers", () => {
    const flow = new FlowControl();
    flow.sent(300);
    flow.sent(30);
    expect([flow.unread, flow.owesSince]).toEqual([330, undefined]);
  });

  it("is asked about at half of the window, once until it is answered", () => {
    const flow = new FlowControl();
    flow.sent(499);
    expect(flow.isCheckDue(WINDOW)).toBe(false);
    flow.sent(1);
    expect(flow.isCheckDue(WINDOW)).toBe(true);
    const n = flow.ask(NOON);
    flow.sent(400);
    expect([flow.isCheckDue(WINDOW), flow.ask(NOON + 5), flow.owesSince]).toEqual([false, undefined, NOON]);
    expect(flow.answer(n as number)).toBe(true);
    expect(flow.owesSince).toBeUndefined();
  });

  it("is less by what was sent before the check, and by nothing that came after it", () => {
    const flow = new FlowControl();
    flow.sent(600);
    const n = flow.ask(NOON) as number;
    flow.sent(250);
    expect([flow.answer(n), flow.unread]).toEqual([true, 250]);
  });

  it("never grows beyond the window, but for one frame to a client that has read everything", () => {
    const flow = new FlowControl();
    expect(flow.fits(5_000, WINDOW)).toBe(true);
    flow.sent(700);
    expect([flow.fits(300, WINDOW), flow.fits(301, WINDOW)]).toEqual([true, false]);
  });

  it("is not lessened by a number that was guessed, said too early or said again", () => {
    const flow = new FlowControl();
    expect(flow.answer(0)).toBe(false);
    flow.sent(600);
    const n = flow.ask(NOON) as number;
    expect([flow.answer(n + 1), flow.unread]).toEqual([false, 600]);
    expect([flow.answer(n), flow.answer(n), flow.unread]).toEqual([true, false, 0]);
  });

  it("is asked with a number that can't be guessed from the last one", () => {
    const numbers = Array.from({ length: 1_000 }, () => new FlowControl().ask(NOON) as number);
    expect(new Set(numbers).size).toBeGreaterThan(990);
    expect(numbers.filter((n) => !Number.isSafeInteger(n) || n < 0)).toEqual([]);
  });
});

describe("a client that is asked for a sign of life", () => {
  it("owes nothing by that, and confirms what it has read when it answers", () => {
    const flow = new FlowControl();
    flow.sent(100);
    const n = flow.probe() as number;
    expect([flow.owesSince, flow.probe()]).toEqual([undefined, undefined]);
    expect([flow.answer(n), flow.unread]).toEqual([true, 0]);
  });

  it("owes the same answer from when a check is due", () => {
    const flow = new FlowControl();
    flow.probe();
    flow.sent(800);
    expect(flow.isCheckDue(WINDOW)).toBe(true);
    expect([flow.ask(NOON), flow.owesSince]).toEqual([undefined, NOON]);
  });
});

it("goes on after the room's sleep where it was", () => {
  const flow = new FlowControl({ n: 7, since: NOON, at: 3, unread: 900 });
  expect([flow.unread, flow.owesSince, flow.askedNumber]).toEqual([900, NOON, 7]);
  expect([flow.answer(7), flow.unread]).toEqual([true, 0]);
});
