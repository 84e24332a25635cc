/**
 * A process that is told what to do over IPC, seen from both of its ends: load is made in processes of its own, so that
 * neither the bench nor another load delays what one of them measures.
 */

import { type ChildProcess, fork } from "node:child_process";

/** What a process can be told: each command by its name, with whatever arguments IPC carries. */
// biome-ignore lint/suspicious/noExplicitAny: the arguments are each command's own
export type Commands<Shape> = { [Name in keyof Shape]: (...args: any[]) => unknown };

interface Order {
  readonly call: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** No command takes longer, ms. */
const TIMEOUT = 120_000;

/** The bench's end. Disposing it ends the process. */
export class Commanded<Does extends Commands<Does>> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #calls = 0;

  /** Starts the process that runs `script`. */
  constructor(script: URL) {
    this.#child = fork(script);
    this.#child.on("message", ({ call, value, error }: Answer) => {
      const waiter = this.#waiting.get(call);
      this.#waiting.delete(call);
      if (error === undefined) waiter?.resolve(value);
      else waiter?.reject(new Error(error));
    });
    this.#child.on("exit", (code) => {
      for (const waiter of this.#waiting.values()) waiter.reject(new Error(`A load process ended with ${code}.`));
    });
  }

  /** Has the process do one of its commands. Rejects with what the command threw, or when it takes too long. */
  async tell<Name extends keyof Does & string>(
    name: Name,
    ...args: Parameters<Does[Name]>
  ): Promise<Awaited<ReturnType<Does[Name]>>> {
    const waiter = Promise.withResolvers<unknown>();
    const call = this.#calls++;
    this.#waiting.set(call, waiter);
    const timer = setTimeout(() => waiter.reject(new Error(`A load process did not ${name} in time.`)), TIMEOUT);
    this.#child.send({ call, name, args } satisfies Order);
    try {
      return (await waiter.promise) as Awaited<ReturnType<Does[Name]>>;
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

/** The process's end: does what it is told for as long as the bench lives. */
export function obey<Does extends Commands<Does>>(commands: Does): void {
  process.on("message", async ({ call, name, args }: Order) => {
    try {
      const value: unknown = await commands[name as keyof Does](...args);
      process.send?.({ call, value } satisfies Answer);
    } catch (error) {
      process.send?.({ call, error: String(error) } satisfies Answer);
    }
  });
  process.on("disconnect", () => process.exit());
}
