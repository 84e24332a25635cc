/** A person's machine as far as the command `meet-ai` sees it: a home folder of its own, variables, and the command. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../until.ts";

const ROOT = join(import.meta.dirname, "../../..");

export interface RunOptions {
  /** What is piped into it; without it stdin is empty. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** The disk takes nothing more. */
  readonly isDiskFull?: boolean;
}

/** What a command that has ended has left. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class Terminal {
  /** The home folder: configuration and state lie below it. */
  readonly home = mkdtempSync(join(tmpdir(), "meet-ai-home-"));
  readonly #env: Readonly<Record<string, string>>;
  readonly #running = new Set<Running>();

  /** `host`: what MEET_AI_HOST is. */
  constructor(host: string, env: Readonly<Record<string, string>> = {}) {
    this.#env = { PATH: process.env.PATH ?? "", HOME: this.home, MEET_AI_HOST: host, TZ: "UTC", ...env };
  }

  /** Runs `meet-ai` until it ends. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const running = this.start(args, options);
    running.child.stdin?.end(options.input);
    const code = await running.ended();
    return { code, out: running.out, err: running.err };
  }

  /** Starts `meet-ai`, and leaves stdin open. */
  start(args: readonly string[], { env = {}, isDiskFull = false }: RunOptions = {}): Running {
    const command = [process.execPath, join(ROOT, "client/cli/main.ts"), ...args];
    // Without the right to mount a small disk: no file may have a byte.
    const [program = "", ...rest] = isDiskFull ? ["sh", "-c", 'ulimit -f 0; exec "$0" "$@"', ...command] : command;
    const child = spawn(program, rest, {
      cwd: this.home,
      // A group of its own, so that what it has started can be ended with it.
      detached: true,
      env: { ...this.#env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const running = new Running(child);
    this.#running.add(running);
    void running.closed.then(() => this.#running.delete(running));
    return running;
  }

  [Symbol.dispose](): void {
    for (const running of this.#running) running.kill();
    // What is being killed may write a file yet.
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** A command under way. */
export class Running {
  out = "";
  err = "";
  readonly child: ChildProcess;
  /** It has ended, and all that it printed has come. */
  readonly closed: Promise<void>;
  #isClosed = false;

  constructor(child: ChildProcess) {
    this.child = child;
    // A command that has ended takes nothing more.
    child.stdin?.on("error", () => {});
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.err += text;
    });
    this.closed = new Promise((resolve) => {
      child.once("close", () => {
        this.#isClosed = true;
        resolve();
      });
    });
  }

  /** The exit code, once all that it printed has come. */
  async ended(patience = 60_000): Promise<number | null> {
    await until(`meet-ai has ended; it printed: ${this.out}${this.err}`, () => this.#isClosed, patience);
    return this.child.exitCode;
  }

  /** The first match of `pattern` in what it prints; fails when it ends before. */
  async prints(pattern: RegExp, patience = 60_000): Promise<RegExpExecArray> {
    return until(
      `it prints ${pattern}`,
      () => {
        const found = pattern.exec(this.out) ?? pattern.exec(this.err);
        if (!found && this.#isClosed) throw new Error(`It ended before it printed ${pattern}:\n${this.out}${this.err}`);
        return found;
      },
      patience,
    );
  }

  /** Ends it as Ctrl-C does. */
  interrupt(): void {
    this.child.kill("SIGINT");
  }

  /** Ends it and all that it has started, with no chance to tidy up. */
  kill(): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, "SIGKILL");
    } catch (error) {
      // The group has ended already.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
