import { beforeEach, expect, it } from "vitest";
import { utf8Length } from "../../message-parser.ts";
import { FLOW, READING, type UpdateFrame } from "../../protocol.ts";
import { FakeLog } from "../fake-room.ts";
import { Backlog } from "./backlog.ts";

let log: FakeLog;
let backlog: Backlog;

beforeEach(() => {
  log = new FakeLog();
  backlog = new Backlog(log);
});

const add = (count: number, content = "line") => {
  for (let index = 0; index < count; index++) log.add(content);
};

it("gives everything after a seq, frame after frame, none longer than a frame may be (promise 4)", () => {
  add(700, "€".repeat(100));
  const frames: UpdateFrame[] = [];
  for (let at = 3; at < log.head; ) {
    const { text, bytes, to } = backlog.after(at);
    expect(bytes).toBe(utf8Length(text));
    expect(bytes).toBeLessThanOrEqual(FLOW.frameBytes);
    frames.push(JSON.parse(text) as UpdateFrame);
    at = to as number;
  }
  expect(frames.flatMap(({ messages = [] }) => messages)).toEqual(log.messages.slice(3));
  expect(frames.length).toBeGreaterThan(5);
});

it("gives a message that is longer than a frame by itself", () => {
  add(3, '"'.repeat(16_384));
  expect([backlog.after(0).to, backlog.after(1).to, backlog.after(2).to]).toEqual([1, 2, 3]);
});

it("reads and serialises once what hundreds need", () => {
  add(1_000);
  const first = backlog.after(500);
  const { reads } = log;
  expect(new Set(Array.from({ length: 300 }, () => backlog.after(500)))).toEqual(new Set([first]));
  expect(log.reads).toBe(reads);
  // The frame that ends at the head is the same until the log grows.
  const last = Array.from({ length: 300 }, () => backlog.after(990).text);
  expect([new Set(last).size, log.reads - reads]).toEqual([1, 10]);
  add(1);
  expect(backlog.after(990).to).toBe(1_001);
});

it("keeps the last frames and no more, however many readers begin at other places (promise 9)", () => {
  add(1_000);
  const first = backlog.after(0);
  for (let seq = 1; seq < 500; seq++) backlog.after(seq);
  expect(backlog.after(499)).toBe(backlog.after(499));
  expect(backlog.after(0)).not.toBe(first);
});

it("does not keep what was deleted, or what is of another history", () => {
  add(2, "secret");
  backlog.after(0);
  log.messages = log.messages.map((message) => ({ ...message, content: "", deleted: true }));
  backlog.forget();
  expect(backlog.after(0).text).not.toContain("secret");
  log.epoch = "second";
  log.messages = [];
  add(2, "new");
  expect(backlog.after(0).text).toContain("new");
});

it("reaches what is here and may be resumed, and nothing else", () => {
  add(READING.resume + 20);
  expect([READING.resume + 20, 20, 19, READING.resume + 21].map((seq) => backlog.reaches(seq))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  log.oldest = 101;
  expect([100, 99].map((seq) => backlog.reaches(seq))).toEqual([true, false]);
});
