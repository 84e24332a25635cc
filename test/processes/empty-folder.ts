/** An empty folder with a shell in it, where somebody pastes what a page or a document tells them to. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { until } from "./until.ts";

export class EmptyFolder {
  readonly path = mkdtempSync(join(tmpdir(), "meet-ai-pasted-"));
  readonly #running = new Set<Pasted>();

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.path, name)), { recursive: true });
    writeFileSync(join(this.path, name), text);
  }

  /** Runs `code` as a shell would that it is pasted into. */
  paste(code: string, variables: Readonly<Record<string, string>> = {}): Pasted {
    // A test's own key and its NODE_ENV, for which Lit would warn of its development, are not somebody's.
    const { MEET_AI_KEY: _, NODE_ENV: __, ...environment } = process.env;
    const child = spawn("sh", ["-c", code], {
      cwd: this.path,
      // A group of its own, so that one signal reaches all that it has started.
      detached: true,
      env: {
        ...environment,
        // This Node alone: what else this repository has installed is not on somebody's path.
        PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
        // What was fetched before is not fetched again.
        npm_config_prefer_offline: "true",
        npm_config_audit: "false",
        npm_config_fund: "false",
        npm_config_update_notifier: "false",
        ...variables,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const pasted = new Pasted(child);
    this.#running.add(pasted);
    return pasted;
  }

  [Symbol.dispose](): void {
    for (const pasted of this.#running) pasted.kill();
    // What is being killed may write a file yet.
    rmSync(this.path, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** What was pasted, as it runs. */
export class Pasted {
  output = "";
  errors = "";
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (text: Buffer) => {
      this.output += text;
    });
    child.stderr?.on("data", (text: Buffer) => {
      this.errors += text;
    });
  }

  /** The exit code, once it has ended and all that it printed has come; within `patience` ms. */
  async ended(patience = 120_000): Promise<number> {
    await until("what was pasted has ended", () => this.#hasEnded, patience);
    return this.#child.exitCode as number;
  }

  /** The first match of `pattern` in what it prints; fails when it ends before. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    const found = await until(
      `it prints ${pattern}`,
      () => pattern.exec(this.output) ?? (this.#hasEnded && "ended"),
      120_000,
    );
    if (found === "ended") throw new Error(`It ended before it printed ${pattern}:\n${this.output}${this.errors}`);
    return found;
  }

  /** It has ended, and all that it printed has come. */
  get #hasEnded(): boolean {
    const { exitCode, stdout, stderr } = this.#child;
    return exitCode !== null && !!stdout?.closed && !!stderr?.closed;
  }

  /** Ends all that it has started, with no chance to tidy up. */
  kill(): void {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    process.kill(-this.#child.pid, "SIGKILL");
  }
}
