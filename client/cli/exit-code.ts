/** What the command `meet-ai` ends with: a script knows by it what to do next. Documented in docs/cli.md. */

export const EXIT = {
  /** Done. */
  done: 0,
  /** Refused, or asked for wrongly. */
  error: 1,
  /** Ended by Ctrl-C or by SIGTERM. */
  cancelled: 2,
  /** No key, a key that is not valid, or one that is not let in. */
  auth: 4,
  /** What was waited for did not come in time. */
  waited: 5,
  /** No such room, no such message. */
  notFound: 6,
  /** The server does not answer, or is no meet-ai server. */
  unreachable: 7,
  /** Something on this machine: a file that others can read, a full disk, a program that is not there. */
  machine: 8,
  /** The agent that was to be bridged does not work. */
  agent: 9,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
