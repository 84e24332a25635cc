/** What the runtime says, as JSON, one line each: on this process's output as text. */

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Another process listens where the runtime should. */
export class AddressInUse extends Error {
  readonly code = "EADDRINUSE";
}

/** The runtime's word for it. */
export const isAddressInUse = (line: string): boolean => line.includes("Address already in use");

/** What the runtime says about its own insides: nothing that a reader of the log can use. */
const INTERNAL =
  /^NOSENTRY|LLVM_SYMBOLIZER|recursive isolate lock|stack:(?: [a-f\d]{4,}){3,}|CODE_MOVED for unknown code block/;

export class RuntimeLog {
  /** What it has said before it was started. */
  readonly lines: string[] = [];
  readonly #streams: Promise<unknown>[] = [];
  #hasStarted = false;

  read(stream: Readable): void {
    const lines = createInterface({ input: stream });
    lines.on("line", (line) => this.#take(line));
    this.#streams.push(new Promise((resolve) => lines.once("close", resolve)));
  }

  /** Settles when the runtime has closed its streams. */
  get isRead(): Promise<unknown> {
    return Promise.all(this.#streams);
  }

  /** From now on each line is printed as it comes, after those that came before. */
  isStarted(): void {
    this.#hasStarted = true;
    for (const line of this.lines.splice(0)) console.error(line);
  }

  #take(line: string): void {
    const { level, message } = parsed(line);
    if (message === "" || INTERNAL.test(message)) return;
    if (!this.#hasStarted) this.lines.push(message);
    else if (level === "error" || level === "warn") console.error(message);
    else console.log(message);
  }
}

function parsed(line: string): { level: string; message: string } {
  try {
    const { level, message } = JSON.parse(line) as { level?: unknown; message?: unknown };
    if (typeof level === "string" && typeof message === "string") return { level, message };
  } catch {
    // The runtime's crash handler speaks plainly.
  }
  return { level: "error", message: line };
}
