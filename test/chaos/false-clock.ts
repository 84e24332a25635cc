/**
 * A clock for a server's processes that can be set while they run. `false-clock.c` stands between them and the system's
 * clock; it is compiled here. Only the time of day is set: timers go on, as they do when an operator sets a real clock.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { LOOKED_EVERY } from "../../api/local/runtime/clock-watch.ts";

const SOURCE = join(import.meta.dirname, "false-clock.c");

export class FalseClock implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "meet-ai-clock-"));
  readonly #library = join(this.#folder, "false-clock.so");
  readonly #offset = join(this.#folder, "offset");

  private constructor() {
    // As many bytes as a time has: right.
    writeFileSync(this.#offset, Buffer.alloc(8));
  }

  /** A clock that is right, until it is set; or why there is none on this machine. */
  static make(): FalseClock | { readonly skipped: string } {
    if (process.platform !== "linux") return { skipped: "a process's clock can be set on Linux alone" };
    const clock = new FalseClock();
    try {
      execFileSync("cc", ["-shared", "-fPIC", "-O2", "-o", clock.#library, SOURCE], { stdio: "pipe" });
      return clock;
    } catch (error) {
      clock[Symbol.dispose]();
      return { skipped: `a process's clock needs a C compiler: ${(error as Error).message.split("\n")[0]}` };
    }
  }

  /** With this in its environment a process goes by this clock, and so do those that it starts. */
  get environment(): Record<string, string> {
    return { LD_PRELOAD: this.#library, FALSE_CLOCK: this.#offset };
  }

  /** Sets it ahead by so many whole seconds, or back, and leaves it so until a server has looked at it. */
  async set(seconds: number): Promise<void> {
    const nanoseconds = Buffer.alloc(8);
    nanoseconds.writeBigInt64LE(BigInt(seconds) * 1_000_000_000n);
    // In place, and never cut: processes have mapped this very file.
    writeFileSync(this.#offset, nanoseconds, { flag: "r+" });
    await pause(4 * LOOKED_EVERY);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
