import { describe, expect, it } from "vitest";
import { seqs } from "../../test/unit/sqlite.ts";
import { LIMITS, READING } from "../protocol.ts";
import { type StoredMessage, toMessage } from "./stored-message.ts";
import { TAIL_LENGTH, TAIL_MESSAGES, TAIL_SLACK, Tail } from "./tail.ts";

const NOON = Date.parse("2026-11-24T12:00:00.000Z");

function messages(from: number, to: number, content = "line"): StoredMessage[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    return { seq: from + index, id: `m${from + index}`, kind: "text", sender: "a-b", content, ref: null, at: NOON };
  });
}

it("ends at the head, and is empty after a wake", () => {
  const tail = new Tail(7);
  expect([tail.first, tail.get(7), tail.from(8, 9)]).toEqual([8, undefined, []]);
  tail.push(messages(8, 10));
  expect([tail.first, seqs(tail.from(9, 9)), seqs(tail.from(8, 2))]).toEqual([8, [9, 10], [8, 9]]);
  expect([tail.get(7), tail.get(8)?.id, tail.get(11)]).toEqual([undefined, "m8", undefined]);
});

describe("memory stays flat", () => {
  it("in the number of messages", () => {
    const tail = new Tail(0);
    tail.push(messages(1, 10 * TAIL_MESSAGES));
    expect(tail.first).toBe(9 * TAIL_MESSAGES + 1);
    for (let seq = 10 * TAIL_MESSAGES + 1; seq <= 12 * TAIL_MESSAGES; seq++) {
      tail.push(messages(seq, seq));
      const kept = seq - tail.first + 1;
      if (kept < TAIL_MESSAGES || kept > TAIL_MESSAGES + TAIL_SLACK) throw new Error(`${kept} are kept at ${seq}`);
      expect(tail.get(tail.first)?.id).toBe(`m${tail.first}`);
    }
  });

  it("in their length, while the longest welcome fits", () => {
    const tail = new Tail(0);
    tail.push(messages(1, 200, "x".repeat(LIMITS.contentBytes)));
    const kept = 200 - tail.first + 1;
    expect(kept).toBeGreaterThanOrEqual(READING.welcome);
    expect(kept * LIMITS.contentBytes).toBeLessThanOrEqual(TAIL_LENGTH);
  });

  it("and what was deleted takes no room in it", () => {
    const tail = new Tail(0);
    const long = "x".repeat(LIMITS.contentBytes);
    for (let seq = 1; seq <= (2 * TAIL_LENGTH) / long.length; seq++) {
      tail.push(messages(seq, seq, long));
      tail.blank(seq);
    }
    expect(tail.first).toBe(1);
  });

  it("also when older ones are added, of which the newest go in", () => {
    const tail = new Tail(1_000);
    tail.push(messages(1_001, 1_010));
    tail.prepend(messages(1, 1_000));
    expect(tail.first).toBe(1_010 - TAIL_MESSAGES + 1);
    expect(seqs(tail.from(tail.first, 2))).toEqual([tail.first, tail.first + 1]);
    tail.prepend(messages(1, tail.first - 1));
    expect(tail.first).toBe(1_010 - TAIL_MESSAGES + 1);
  });
});

it("takes no message from behind a gap", () => {
  const tail = new Tail(9);
  tail.prepend([...messages(1, 5), ...messages(8, 9)]);
  expect([tail.first, seqs(tail.from(8, 9))]).toEqual([8, [8, 9]]);
});

it("serialises each message once, and again only when it was deleted", () => {
  const tail = new Tail(0);
  const said = messages(1, 3);
  tail.push(said);
  expect(tail.json(2)).toEqual(said.slice(1).map((message) => JSON.stringify(toMessage(message))));
  expect(tail.json(1)[0]).toContain("line");
  tail.blank(1);
  tail.blank(99);
  expect(JSON.parse(tail.json(1)[0] as string)).toMatchObject({ seq: 1, content: "", deleted: true });
  expect([tail.get(1)?.content, tail.get(2)?.content]).toEqual(["", "line"]);
});
