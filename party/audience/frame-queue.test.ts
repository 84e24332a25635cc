import { expect, it } from "vitest";
import { FrameQueue } from "./frame-queue.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

it("works through what one client sends in its order, at once when nothing waits", async () => {
  const queue = new FrameQueue();
  const done: string[] = [];
  let finish: () => void = () => undefined;
  queue.add(() => void done.push("first"));
  expect(done).toEqual(["first"]);
  queue.add(() => new Promise<void>((resolve) => (finish = resolve)).then(() => void done.push("hello")));
  queue.add(() => void done.push("second"));
  queue.add(() => void done.push("third"));
  expect(done).toEqual(["first"]);
  finish();
  await turn();
  expect(done).toEqual(["first", "hello", "second", "third"]);
  queue.add(() => void done.push("fourth"));
  expect(done.at(-1)).toBe("fourth");
});

it("keeps the order when several have to wait, one after the other", async () => {
  const queue = new FrameQueue();
  const done: number[] = [];
  const finish: (() => void)[] = [];
  const waiting = (number: number) => () => {
    return new Promise<void>((resolve) => finish.push(resolve)).then(() => void done.push(number));
  };
  queue.add(waiting(1));
  queue.add(waiting(2));
  finish[0]?.();
  await turn();
  queue.add(() => void done.push(3));
  expect(done).toEqual([1]);
  finish[1]?.();
  await turn();
  expect(done).toEqual([1, 2, 3]);
});

it("lets so many frames of a client wait and no more", () => {
  const queue = new FrameQueue();
  queue.add(() => new Promise(() => undefined));
  const taken = Array.from({ length: 257 }, () => queue.add(() => undefined));
  expect(taken).toEqual([...Array(256).fill(true), false]);
});
