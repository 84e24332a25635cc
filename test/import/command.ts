/** `npm run import` in a process of its own, to be killed. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Whatever would reach an account fails, unless a test names one. */
const { CLOUDFLARE_API_TOKEN: _, CLOUDFLARE_ACCOUNT_ID: __, ...withoutAccount } = process.env;

const ROOT = join(import.meta.dirname, "../..");

export interface Ended {
  /** `null` when it was killed. */
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
  /** The most memory that it has held until its last output, in bytes. As Linux counts it; 0 elsewhere. */
  readonly peak: number;
}

export interface RunOptions {
  /** The process is killed as soon as what it has printed matches this, and prints nothing more. */
  readonly killAt?: RegExp | undefined;
  readonly env?: NodeJS.ProcessEnv;
  /** No file may become larger, bytes, as on a disk that is full. */
  readonly largestFile?: number;
}

/** Matches the output of an import that is at least at so many tenths of `phase`. */
export function reaches(phase: "Reading" | "Writing", tenth: number): RegExp {
  const tenths = Array.from({ length: 11 - tenth }, (_, more) => tenth + more);
  return new RegExp(`${phase}: (${tenths.join("|")})0 %`);
}

/** Runs the import with `args` into `stateDir`. */
export async function runImport(
  stateDir: string,
  args: readonly string[],
  { killAt, env = {}, largestFile }: RunOptions = {},
): Promise<Ended> {
  const limit = largestFile === undefined ? "unlimited" : Math.ceil(largestFile / 1_024);
  const dying = killAt ? ["--import", join(import.meta.dirname, "dying.ts")] : [];
  const command = [process.execPath, ...dying, "api/local/import.ts", ...args];
  const child: ChildProcess = spawn("bash", ["-c", `ulimit -f ${limit}; exec "$@"`, "bash", ...command], {
    cwd: ROOT,
    env: { ...withoutAccount, ...env, ...(killAt && { DIES_AT: killAt.source }), STATE_DIR: stateDir },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, errors, peak] = ["", "", 0];
  child.stdout?.on("data", (text: Buffer) => {
    output += text.toString();
    peak = Math.max(peak, peakOf(child.pid));
  });
  child.stderr?.on("data", (text: Buffer) => {
    errors += text.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output, errors, peak };
}

function peakOf(pid: number | undefined): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
