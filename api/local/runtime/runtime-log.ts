/** What the runtime says, as JSON, one line each: it goes into the log. */

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { isOfWorker, logSaid, type Said } from "../server-log.ts";

/** Another process listens where the runtime should. */
export class AddressInUse extends Error {
  readonly code = "EADDRINUSE";
}

/** The runtime's word for it. */
export const isAddressInUse = (line: string): boolean => line.includes("Address already in use");

/**
 * What the runtime says about its own insides, or of a visitor's frame that is none: nothing that a reader of the log can
 * use. It calls such a frame an error that nothing caught, although it has closed the socket for it.
 */
const INTERNAL =
  /^NOSENTRY|LLVM_SYMBOLIZER|recursive isolate lock|stack:(?: [a-f\d]{4,}){3,}|CODE_MOVED for unknown code block|jsg\.Error: WebSocket protocol error/;

export class RuntimeLog {
  /** What it has said before it was started. */
  readonly #early: Said[] = [];
  readonly #streams: Promise<unknown>[] = [];
  #hasStarted = false;

  read(stream: Readable): void {
    const lines = createInterface({ input: stream });
    lines.on("line", (line) => this.#take(line));
    this.#streams.push(new Promise((resolve) => lines.once("close", resolve)));
  }

  /** The words that it has said before it was started. */
  get lines(): string[] {
    return this.#early.map(({ message }) => message);
  }

  /** Settles when the runtime has closed its streams. */
  get isRead(): Promise<unknown> {
    return Promise.all(this.#streams);
  }

  /** From now on each line is printed as it comes, after those that came before. */
  isStarted(): void {
    this.#hasStarted = true;
    for (const said of this.#early.splice(0)) logSaid(said);
  }

  #take(line: string): void {
    const said = parsed(line);
    if (said.message === "" || (INTERNAL.test(said.message) && !isOfWorker(said.message))) return;
    if (this.#hasStarted) logSaid(said);
    else this.#early.push(said);
  }
}

function parsed(line: string): Said {
  try {
    const { level, message, timestamp } = JSON.parse(line) as Partial<
      Record<"level" | "message" | "timestamp", unknown>
    >;
    const at = typeof timestamp === "number" ? timestamp : Date.now();
    if (typeof level === "string" && typeof message === "string") return { level, message, at };
  } catch {
    // The runtime's crash handler speaks plainly.
  }
  return { level: "error", message: line, at: Date.now() };
}
