/** wrangler, as a process: the one that comes first on the PATH, or the one of this repository. */

import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

export interface Outcome {
  readonly status: number;
  /** What it has said. */
  readonly stdout: string;
  readonly stderr: string;
}

export class Wrangler {
  readonly #root: string;
  /** What tells each command which environment is meant. */
  readonly #environment: readonly string[];

  constructor(root: string, environment: readonly string[]) {
    this.#root = root;
    this.#environment = environment;
  }

  /** Runs a command, and shows what it says. */
  show(...args: string[]): Promise<Outcome> {
    return this.#run("show", args);
  }

  /** Runs a command that is to answer something; nothing is shown. */
  ask(...args: string[]): Promise<Outcome> {
    return this.#run("hide", args);
  }

  #run(output: "show" | "hide", args: readonly string[]): Promise<Outcome> {
    const child = spawn("wrangler", [...args, ...this.#environment], {
      cwd: this.#root,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        PATH: `${process.env.PATH ?? ""}${delimiter}${join(this.#root, "node_modules/.bin")}`,
        // Answers yes to what wrangler would ask.
        CI: "1",
        WRANGLER_SEND_METRICS: "false",
      },
    });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (text: Buffer) => {
        said[name] += text;
        if (output === "show") process[name].write(text);
      });
    }
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ status: code ?? 1, ...said }));
    });
  }
}

/** What a command has answered as JSON; `undefined` when that was something else. */
export function answerOf<T>({ stdout }: Outcome): T | undefined {
  try {
    // Notices may come before it.
    return JSON.parse(stdout.slice(Math.max(0, stdout.search(/^[[{]/m)))) as T;
  } catch {
    return undefined;
  }
}
