/** When the runtime is started again. The runtime itself is in `test/processes/stop.test.ts`. */

import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { beforeEach, expect, it, vi } from "vitest";
import { Runtime } from "./runtime.ts";

/** What has been started, with what makes it listen where that is `later`, and what a crash waits for. */
const { children, pauses, listens } = vi.hoisted(() => ({
  children: [] as EventEmitter[],
  listens: { later: false, now: [] as (() => void)[] },
  pauses: [] as PromiseWithResolvers<void>[],
}));

vi.mock("node:child_process", () => ({ spawn: () => startedChild() }));
vi.mock("node:timers/promises", () => ({
  setTimeout: () => {
    const pause = Promise.withResolvers<void>();
    pauses.push(pause);
    return pause.promise;
  },
}));

/** A process that listens at once, unless that is for later, and ends when it is told to. */
function startedChild(): EventEmitter {
  const control = new PassThrough();
  const listen = () => {
    for (const socket of ["door", "control"])
      control.write(`${JSON.stringify({ event: "listen", socket, port: 8_787 })}\n`);
  };
  if (listens.later) listens.now.push(listen);
  else listen();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const child = Object.assign(new EventEmitter(), {
    ...{ stdin, stdout, stderr, stdio: [stdin, stdout, stderr, control], exitCode: null, signalCode: null },
    pid: children.length + 1,
    kill(this: ChildProcess, signal: NodeJS.Signals) {
      Object.assign(this, { signalCode: signal });
      for (const stream of [stdout, stderr, control]) stream.end();
      return this.emit("exit", null, signal);
    },
  });
  children.push(child);
  return child;
}

const start = () => Runtime.start(Buffer.of(), { host: "localhost", port: 0, started: () => undefined });
const crash = async () => {
  (children.at(-1) as ChildProcess).kill("SIGKILL");
  await expect.poll(() => pauses).toHaveLength(1);
};
/** One that starts after a crash and does not listen yet; and what would end this process. */
async function startedAgain() {
  const exit = vi.spyOn(process, "exit").mockReturnValue(undefined as never);
  const runtime = await start();
  await crash();
  listens.later = true;
  pauses[0]?.resolve();
  await expect.poll(() => children).toHaveLength(2);
  return { runtime, exit };
}
/** Lets everything go on that waits for nothing else. */
const settled = () => new Promise(setImmediate);

beforeEach(() => {
  children.length = 0;
  pauses.length = 0;
  Object.assign(listens, { later: false, now: [] });
  vi.spyOn(console, "error").mockReturnValue();
});

it("is started again after a crash", async () => {
  await start();
  await crash();
  pauses[0]?.resolve();
  await expect.poll(() => children).toHaveLength(2);
});

it("is not started again when it was ended meanwhile", async () => {
  const runtime = await start();
  await crash();
  await runtime.stop();
  pauses[0]?.resolve();
  await settled();
  expect(children).toHaveLength(1);
});

it("is started once when it gets another configuration meanwhile", async () => {
  const runtime = await start();
  await crash();
  await runtime.replace(Buffer.of());
  pauses[0]?.resolve();
  await settled();
  expect(children).toHaveLength(2);
});

it("starts to the end after a crash, before it goes on with another configuration", async () => {
  const { runtime, exit } = await startedAgain();
  const replaced = runtime.replace(Buffer.of());
  await settled();
  expect(isRunning(1)).toBe(true);
  listens.later = false;
  listens.now[0]?.();
  await replaced;
  expect([children.length, isRunning(1), isRunning(2), exit.mock.calls]).toEqual([3, false, true, []]);
  exit.mockRestore();
});

it("never runs twice when two things want it started anew at once", async () => {
  const runtime = await start();
  await Promise.all([runtime.replace(Buffer.of()), runtime.replace(Buffer.of()), runtime.restart()]);
  expect(children.map((_, index) => isRunning(index))).toEqual([false, false, false, true]);
});

it("may be ended while it starts after a crash", async () => {
  const { runtime, exit } = await startedAgain();
  await runtime.stop();
  await settled();
  expect([children.length, isRunning(1), exit.mock.calls]).toEqual([2, false, []]);
  exit.mockRestore();
});

const isRunning = (index: number): boolean => (children[index] as ChildProcess).signalCode === null;
