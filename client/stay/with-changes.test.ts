import { describe, expect, test } from "vitest";
import type { Ask, Message } from "../../party/protocol.ts";
import { message, run } from "./fake-socket.ts";
import { withChanges } from "./with-changes.ts";

const ASK: Ask = {
  options: [
    { id: "yes", label: "Yes" },
    { id: "no", label: "No" },
  ],
  from: "people",
  until: "2026-12-01T00:00:00.000Z",
};
const ask = (more: Partial<Ask> = {}) => message(1, { sender: "swift-otter/claude", ask: { ...ASK, ...more } });
const answer = (seq: number, option: string, sender = "amber-fox", target = 1) =>
  message(seq, { sender, replyTo: target, answer: { target, option } });
const expiry = message(9, { kind: "expiry", content: "", replyTo: 1 });
const erasure = (erased: string, upTo: number) => message(9, { kind: "erasure", content: "", erased, upTo });
const closedBy = (before: Message, ...log: Message[]) => withChanges([before], log)[0]?.ask?.closed;

describe("an ask", () => {
  test("is closed by its first answer, whatever comes afterwards", () => {
    const closed = { seq: 5, option: "no", by: "amber-fox" };
    expect(closedBy(ask(), answer(5, "no"))).toEqual(closed);
    expect(closedBy(ask(), answer(5, "no"), answer(6, "yes", "calm-crane"), expiry)).toEqual(closed);
    expect(closedBy(ask({ closed }), answer(6, "yes", "calm-crane"))).toEqual(closed);
  });

  test("is closed by its expiry, and keeps its text, which an expiry does not delete", () => {
    const [closed] = withChanges([ask()], [expiry]);
    expect(closed).toEqual(ask({ closed: { seq: 9, expired: true } }));
  });

  test("is not closed by what is about another message, nor by a reply that is no answer", () => {
    const before = [ask(), ...run(2, 3)];
    const log = [
      answer(5, "no", "amber-fox", 2),
      message(6, { kind: "expiry", replyTo: 3 }),
      message(7, { replyTo: 1 }),
    ];
    expect(withChanges(before, log)).toEqual(before);
  });

  test("that is deleted or erased is no ask any more", () => {
    const [deleted] = withChanges([ask()], [message(9, { kind: "deletion", content: "", target: 1 })]);
    expect(deleted).toMatchObject({ content: "", deleted: true });
    expect(deleted).not.toHaveProperty("ask");
    expect(withChanges([ask()], [erasure("swift-otter", 8)])[0]).toEqual({
      seq: 1,
      id: "erased:1",
      kind: "text",
      sender: "",
      content: "",
      createdAt: ask().createdAt,
      deleted: true,
    });
  });

  test("names nobody as the one who decided, once everything by them is erased", () => {
    const closed = { seq: 5, option: "no", by: "amber-fox" };
    expect(closedBy(ask({ closed }), erasure("amber-fox", 5))).toEqual({ ...closed, by: "" });
    // What they have said after it stays.
    expect(closedBy(ask({ closed }), erasure("amber-fox", 4))).toEqual(closed);
    expect(closedBy(ask({ closed }), erasure("calm-crane", 8))).toEqual(closed);
  });
});

test("an answer that is deleted or erased has decided all the same", () => {
  const before = [ask(), answer(5, "no")];
  const closed = { seq: 5, option: "no", by: "amber-fox" };
  const [first, second] = withChanges(before, [
    before[1] as Message,
    message(9, { kind: "deletion", content: "", target: 5 }),
  ]);
  expect(first?.ask?.closed).toEqual(closed);
  expect(second).toMatchObject({ content: "", deleted: true, answer: { target: 1, option: "no" } });
  const [, erased] = withChanges(before, [erasure("amber-fox", 8)]);
  // As the log has it from then on: a page of it closes the ask, too.
  expect(closedBy(ask(), erased as Message)).toEqual({ ...closed, by: "" });
});

test("a log without changes gives the same array", () => {
  const before = run(1, 3);
  expect(withChanges(before, run(4, 6))).toBe(before);
});
