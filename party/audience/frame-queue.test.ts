import { expect, it } from "vitest";
import { LIMITS } from "../protocol.ts";
import { FrameQueue } from "./frame-queue.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

it("works through what one client sends in its order, at once when nothing waits", async () => {
  const queue = new FrameQueue();
  const done: string[] = [];
  let finish: () => void = () => undefined;
  queue.add(() => void done.push("first"), 5);
  expect(done).toEqual(["first"]);
  queue.add(() => new Promise<void>((resolve) => (finish = resolve)).then(() => void done.push("hello")), 5);
  queue.add(() => void done.push("second"), 5);
  queue.add(() => void done.push("third"), 5);
  expect(done).toEqual(["first"]);
  finish();
  await turn();
  expect(done).toEqual(["first", "hello", "second", "third"]);
  queue.add(() => void done.push("fourth"), 5);
  expect(done.at(-1)).toBe("fourth");
});

it("keeps the order when several have to wait, one after the other", async () => {
  const queue = new FrameQueue();
  const done: number[] = [];
  const finish: (() => void)[] = [];
  const waiting = (number: number) => () => {
    return new Promise<void>((resolve) => finish.push(resolve)).then(() => void done.push(number));
  };
  queue.add(waiting(1), 5);
  queue.add(waiting(2), 5);
  finish[0]?.();
  await turn();
  queue.add(() => void done.push(3), 5);
  expect(done).toEqual([1]);
  finish[1]?.();
  await turn();
  expect(done).toEqual([1, 2, 3]);
});

it("lets so many frames of a client wait and no more", () => {
  const queue = new FrameQueue();
  queue.add(() => new Promise(() => undefined), 5);
  const taken = Array.from({ length: 257 }, () => queue.add(() => undefined, 5));
  expect(taken).toEqual([...Array(256).fill(true), false]);
});

it("lets two frames of the greatest length wait and no more, and others once these are done (promise 9)", async () => {
  const queue = new FrameQueue();
  let finish: () => void = () => undefined;
  const long = () => queue.add(() => undefined, LIMITS.frameBytes);
  queue.add(() => new Promise<void>((resolve) => (finish = resolve)), 5);
  expect([long(), long(), long()]).toEqual([true, true, false]);
  finish();
  await turn();
  queue.add(() => new Promise(() => undefined), 5);
  expect([long(), long(), long()]).toEqual([true, true, false]);
});
