/**
 * The log on one machine: each line of JSON that the Worker has written, with the time; and what the runtime and this
 * process have to say themselves, in the same form. It is the error output, so that nothing else comes between its lines.
 */

import { LogBound } from "../../party/operator-log/log-bound.ts";
import type { LogEventName } from "../../party/operator-log/log-events.ts";
import { type LogFields, logLine } from "../../party/operator-log/operator-log.ts";

/** Writes that `event` has happened here. */
export function logHere(event: LogEventName, fields: LogFields = {}): void {
  print(JSON.stringify(logLine(event, fields)), Date.now());
}

/** What the runtime has printed: a line of the Worker's log, or words of its own, at a time in ms since 1970. */
export interface Said {
  readonly level: string;
  readonly message: string;
  readonly at: number;
}

/** The Worker counts its own lines. */
const bound = new LogBound();

/** Whether the runtime has printed a line of the Worker's log, and no words of its own. */
export const isOfWorker = (message: string): boolean => /^\{"level":"\w+","event":"/.test(message);

/** Writes what the runtime has said: its own words too only up to a bound, as a failing D1 makes it speak each time. */
export function logSaid({ level, message, at }: Said): void {
  if (isOfWorker(message)) {
    print(message, at);
    return;
  }
  // By this process's clock: the runtime's two streams need not come in the order of their times.
  const leftOut = bound.admit("runtime.said", Date.now());
  if (!leftOut) return;
  const [words = ""] = message.split("\n", 1);
  const line = logLine("runtime.said", { ...leftOut, error: { name: "workerd", message: words, stack: message } });
  print(JSON.stringify({ ...line, level: level === "error" || level === "warn" ? level : "info" }), at);
}

/** Prints an object with its time in front. */
function print(json: string, at: number): void {
  console.error(`{"time":"${new Date(at).toISOString()}",${json.slice(1)}`);
}
