/**
 * The agent's process. It is started without a shell, so that no text is ever read as a command; in a group of its own, so
 * that Ctrl-C reaches the bridge alone and one signal ends all that it has started; and without the bridge's key.
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { visibleLine } from "../cli/visible-text.ts";
import { AgentFailure } from "./agent.ts";

export interface ChildPlace {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What a child has said on stderr is kept so far, in characters: the end of it tells why it has failed. */
const LAST_WORDS = 2_000;
/** How long a child may take to end after it was asked to, ms. */
const MERCY = 3_000;

export class Child {
  readonly name: string;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** When it has ended and its output is read. */
  readonly closed: Promise<void>;
  #errors = "";
  #end: string | undefined;
  readonly #killAtExit = () => this.#signal("SIGKILL");

  private constructor(command: readonly string[], { cwd, env }: ChildPlace) {
    const [program = "", ...args] = command;
    this.name = program;
    this.#process = spawn(program, args, { cwd, env, shell: false, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    // What a child does not read any more is lost with it.
    this.#process.stdin.on("error", () => {});
    this.#process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-LAST_WORDS);
    });
    process.once("exit", this.#killAtExit);
    this.closed = new Promise((settle) => {
      this.#process.once("error", (error) => {
        this.#end = `could not be started (${error.message})`;
        settle();
      });
      this.#process.once("close", (code, signal) => {
        this.#end = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
        process.off("exit", this.#killAtExit);
        settle();
      });
    });
  }

  /** Looks for the program, as `start` does. */
  static async find(command: readonly string[], place: ChildPlace): Promise<void> {
    await requireProgram(command[0] ?? "", place);
  }

  /**
   * Starts `command`.
   *
   * @throws AgentFailure, when there is no such program.
   */
  static async start(command: readonly string[], place: ChildPlace): Promise<Child> {
    await Child.find(command, place);
    return new Child(command, place);
  }

  get stdin(): Writable {
    return this.#process.stdin;
  }

  get stdout(): Readable {
    return this.#process.stdout;
  }

  /** Whether it has ended. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Whether it has ended by itself and says that all is well. */
  get hasSucceeded(): boolean {
    return this.#process.exitCode === 0;
  }

  /** How it has ended: `ended with code 1`. */
  get howItEnded(): string {
    return this.#end ?? "has not ended";
  }

  /** The last line that it wrote to stderr: often why it has ended. */
  get lastWords(): string {
    const [last = ""] = this.#errors.trim().split("\n").slice(-1);
    return visibleLine(last).slice(0, 300);
  }

  /** Ends it and all that it has started: it is asked first. */
  async end(): Promise<void> {
    this.#signal("SIGTERM");
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), MERCY);
    await Promise.race([this.closed, once(over.signal, "abort")]);
    clearTimeout(timer);
    // What it has started may hold its output open.
    this.#signal("SIGKILL");
    this.#process.stdout.destroy();
    this.#process.stderr.destroy();
    await this.closed;
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group has ended already.
    }
  }
}

/** The variables of `env` that a child may have: none in which the key is. */
export function withoutKey(env: NodeJS.ProcessEnv, key: string): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name, value]) => name !== "MEET_AI_KEY" && !value?.includes(key));
  return Object.fromEntries(kept);
}

/** Whether the program is there is said before anything is asked of it. */
async function requireProgram(program: string, { cwd, env }: ChildPlace): Promise<void> {
  const places = /[/\\]/.test(program)
    ? [resolve(cwd, program)]
    : (env.PATH ?? "").split(delimiter).map((folder) => join(folder, program));
  for (const place of places) {
    const isThere = await access(place, constants.X_OK)
      .then(async () => (await stat(place)).isFile())
      .catch(() => false);
    if (isThere) return;
  }
  const shown = visibleLine(program);
  throw new AgentFailure(`There is no program ${shown}. Install it, or give its whole path.`, { isMissing: true });
}
