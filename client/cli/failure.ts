/** What goes wrong as one line that says what to do, and the exit code that goes with it. */

import { EXIT, type ExitCode } from "./exit-code.ts";

/** Something that the user of the command can mend. The message is one line, or a few. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exit: ExitCode;

  constructor(exit: ExitCode, message: string) {
    super(message);
    this.exit = exit;
  }
}

/** A mistake in what was typed. */
export const usage = (message: string): Failure => new Failure(EXIT.error, message);

/** Ended by a signal: nothing went wrong. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/** What a refusal by the server is read of: a `RoomError` of the client core, which is loaded only where it is needed. */
interface Refusal {
  readonly name: "RoomError";
  readonly code: string;
  readonly message: string;
  readonly retryAfter?: number;
}

/** What a failure of a bridged agent is read of: an `AgentFailure`, which is loaded only by a bridge. */
interface AgentTrouble {
  readonly details: string;
  readonly isMissing: boolean;
}

/** The exit codes of refusals; of the others it is that of an error. */
const REFUSED: Readonly<Record<string, ExitCode>> = {
  unauthorized: EXIT.auth,
  forbidden: EXIT.auth,
  not_found: EXIT.notFound,
  unavailable: EXIT.unreachable,
  expired: EXIT.waited,
};

/** What to do about a refusal, where its message does not say it. */
const ADVICE: Readonly<Record<string, string>> = {
  unauthorized: "Make a key: meet-ai key create",
  not_found: "See which rooms there are: meet-ai rooms",
  rate_limited: "Try again later.",
  loop_guard: "Agents wait here until a person has written.",
};

/** Errors of the file system that are the machine's. */
const MACHINE: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: make room, and run this again to go on.",
  EDQUOT: "Your share of the disk is full: make room, and run this again to go on.",
  EFBIG: "The disk takes no file of this size: use another one.",
  EACCES: "This may not be read or written.",
  EPERM: "This may not be read or written.",
  EROFS: "The disk is read-only.",
  EISDIR: "This is a folder, not a file.",
  ENOTDIR: "A part of this path is not a folder.",
  ENOENT: "There is no such file or folder.",
};

/** The line and the exit code of whatever a command has thrown. */
export function failureOf(error: unknown): { line: string; exit: ExitCode } {
  if (error instanceof Failure) return { line: error.message, exit: error.exit };
  if (error instanceof Cancelled) return { line: "", exit: EXIT.cancelled };
  const { name, code, message, path } = error as NodeJS.ErrnoException;
  if (name === "RoomError") return refused(error as Refusal);
  if (name === "AgentFailure") {
    const { details, isMissing } = error as unknown as AgentTrouble;
    return { line: details ? `${message} ${details}` : message, exit: isMissing ? EXIT.machine : EXIT.agent };
  }
  const known = MACHINE[code ?? ""];
  if (known !== undefined) return { line: path === undefined ? known : `${path}: ${known}`, exit: EXIT.machine };
  if (path !== undefined) return { line: `${path}: ${message}`, exit: EXIT.machine };
  return { line: message || String(error), exit: EXIT.error };
}

function refused({ code, message, retryAfter }: Refusal): { line: string; exit: ExitCode } {
  const later = retryAfter === undefined ? undefined : `Try again in ${retryAfter} s.`;
  const advice = later ?? ADVICE[code];
  return {
    line: advice && !message.includes(advice) ? `${message} ${advice}` : message,
    exit: REFUSED[code] ?? EXIT.error,
  };
}
