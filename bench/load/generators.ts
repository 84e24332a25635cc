/** The bench's end of a generator: a process that is told what to do over IPC. */

import { type ChildProcess, fork } from "node:child_process";
import type { Commands } from "./generator.ts";

/** No command takes longer, ms. */
const TIMEOUT = 60_000;

type Answer = { call: number; value?: unknown; error?: string };

export class Generator implements AsyncDisposable {
  readonly #child: ChildProcess = fork(new URL("./generator.ts", import.meta.url));
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #calls = 0;

  constructor() {
    this.#child.on("message", ({ call, value, error }: Answer) => {
      const waiter = this.#waiting.get(call);
      this.#waiting.delete(call);
      if (error === undefined) waiter?.resolve(value);
      else waiter?.reject(new Error(error));
    });
    this.#child.on("exit", (code) => {
      for (const waiter of this.#waiting.values()) waiter.reject(new Error(`A load generator ended with ${code}.`));
    });
  }

  /** Has the generator do one of its commands. */
  async tell<Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const waiter = Promise.withResolvers<unknown>();
    const call = this.#calls++;
    this.#waiting.set(call, waiter);
    const timer = setTimeout(() => waiter.reject(new Error(`A load generator did not ${name} in time.`)), TIMEOUT);
    this.#child.send({ call, name, args });
    try {
      return (await waiter.promise) as Awaited<ReturnType<Commands[Name]>>;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }
}
