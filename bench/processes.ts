/**
 * Processes under test: starting them, ending them with everything that they started, and what the kernel says about
 * them. The accounting reads /proc; where there is none, shares of processors are unknown and nothing else is missing.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The process is ready when this is a line of its output. */
  readonly ready: string;
  /** How long it may take to be ready, ms. */
  readonly timeout: number;
}

/** A process in a group of its own, so that it ends together with everything that it started. */
export class ProcessGroup implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Runs `node` with these arguments and resolves when it is ready. */
  static async start(args: readonly string[], options: ProcessOptions): Promise<ProcessGroup> {
    const child = spawn(process.execPath, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const group = new ProcessGroup(child);
    running.add(group);
    const said: string[] = [];
    const ready = Promise.withResolvers<void>();
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        if (said.length < 200) said.push(line);
        if (line === options.ready) ready.resolve();
      });
    }
    const fail = (why: string): void => ready.reject(new Error(`${args[0]} ${why}:\n${said.join("\n")}`));
    child.once("exit", (code) => fail(`ended with ${code}`));
    const timer = setTimeout(() => fail("was not ready in time"), options.timeout);
    try {
      await ready.promise;
      return group;
    } catch (error) {
      await group[Symbol.asyncDispose]();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get id(): number {
    return this.#child.pid as number;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    running.delete(this);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.kill();
    await gone;
  }

  kill(): void {
    try {
      process.kill(-this.id, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

const running = new Set<ProcessGroup>();
process.on("exit", () => {
  for (const group of running) group.kill();
});
// Their own groups do not hear of an interrupt.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Ticks in a second in which /proc counts; fixed by Linux for user space. */
const TICKS = 100;
const PAGE = 4096;

interface Stat {
  readonly group: number;
  /** Seconds of processor time. */
  readonly time: number;
  /** Bytes. */
  readonly resident: number;
}

function* stats(): Generator<Stat> {
  let ids: string[] = [];
  try {
    ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return;
  }
  for (const id of ids) {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, "latin1");
      // The name in parentheses may contain anything; the fields come after it.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [group, user, system, resident] = [fields[2], fields[11], fields[12], fields[21]].map(Number);
      yield { group: group ?? 0, time: ((user ?? 0) + (system ?? 0)) / TICKS, resident: (resident ?? 0) * PAGE };
    } catch {
      // It ended in this moment.
    }
  }
}

/** Resident bytes of a whole group. */
export function residentBytes(group: number): number {
  return [...stats()].reduce((sum, stat) => (stat.group === group ? sum + stat.resident : sum), 0);
}

export interface ProcessorTime {
  readonly at: number;
  /** Seconds: of one group, and of everything on the machine. */
  readonly group: number;
  readonly machine: number;
}

/** The processor time so far. Two of these make a share. */
export function processorTime(group: number): ProcessorTime {
  let own = 0;
  for (const stat of stats()) if (stat.group === group) own += stat.time;
  return { at: Number(process.hrtime.bigint()) / 1e9, group: own, machine: machineTime() };
}

/** A group is quiet when it takes less than this share of a processor over `QUIET_FOR` ms. */
const QUIET_SHARE = 0.05;
const QUIET_FOR = 500;

/** Waits until a group has nothing left to do, at most `patience` ms: what one load left behind is not the next one's. */
export async function untilQuiet(group: number, patience = 20_000): Promise<void> {
  const end = performance.now() + patience;
  for (let from = processorTime(group); performance.now() < end; ) {
    await pause(QUIET_FOR);
    const to = processorTime(group);
    if (processorShares(from, to).group < QUIET_SHARE) return;
    from = to;
  }
}

/** How many processors were busy between `from` and `to`, with the group and with everything. */
export function processorShares(from: ProcessorTime, to: ProcessorTime): { group: number; machine: number } {
  const seconds = to.at - from.at;
  return { group: (to.group - from.group) / seconds, machine: (to.machine - from.machine) / seconds };
}

function machineTime(): number {
  try {
    const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n");
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.trim().split(/\s+/).slice(1).map(Number);
    return (user + nice + system + irq + softirq) / TICKS;
  } catch {
    return 0;
  }
}
