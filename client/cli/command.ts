/** What a command is, and what it is given. */

import type { ExitCode } from "./exit-code.ts";
import type { Output } from "./output.ts";

/** What a command takes from its surroundings. */
export interface Surroundings {
  /** What stands behind the command's name. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C and by SIGTERM. */
  readonly signal: AbortSignal;
  readonly output: Output;
}

export interface Command {
  /** Examples first. */
  readonly help: string;
  run(surroundings: Surroundings): Promise<ExitCode>;
}

/** Options that every command on a server takes. */
export const KEY_OPTIONS = { "key-file": { type: "string" } } as const;

/** The lines of help about them. */
export const KEY_HELP = `  --key-file FILE    the key is in this file, and not in MEET_AI_KEY or where "key create" has saved it`;
