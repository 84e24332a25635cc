/**
 * The operator's log: one line of JSON for each event. The platform says when; on one machine the server's own process
 * does. No line has a message's content, a key or an address.
 */

import { describedError, withoutSecrets } from "./described-error.ts";
import { LogBound } from "./log-bound.ts";
import { LOG_EVENTS, type LogEventName, type LogLevel } from "./log-events.ts";

/** What else a line says. What is `undefined` is left out. */
export interface LogFields {
  /** The id of the room that it is about. */
  readonly room?: string | undefined;
  /** The id of the request, or of the frame's failure, that its client was told. */
  readonly request?: string | undefined;
  /** What was thrown. */
  readonly error?: unknown;
  readonly [field: string]: unknown;
}

/** A line as it is printed. */
export interface LogLine {
  readonly level: LogLevel;
  readonly event: LogEventName;
  readonly message: string;
  readonly [field: string]: unknown;
}

const bound = new LogBound();

/** Writes that `event` has happened, unless very many have in this minute. */
export function logEvent(event: LogEventName, fields: LogFields = {}): void {
  const leftOut = bound.admit(event, Date.now());
  if (!leftOut) return;
  const line = logLine(event, { ...fields, ...leftOut });
  console[line.level](JSON.stringify(line));
}

/** What the log has of `event`. */
export function logLine(event: LogEventName, { error, ...fields }: LogFields = {}): LogLine {
  const [level, message] = LOG_EVENTS[event];
  const said = Object.entries(fields).map(([name, value]) => [name, plain(value)]);
  return {
    level,
    event,
    message,
    ...Object.fromEntries(said),
    ...(error !== undefined && { error: describedError(error) }),
  };
}

/** The sentence of `event`. */
export const sentenceOf = (event: LogEventName): string => LOG_EVENTS[event][1];

/** Texts without secrets; numbers and the like as they are. Nothing else may be a field. */
function plain(value: unknown): unknown {
  if (typeof value === "string") return withoutSecrets(value);
  return typeof value === "object" && value !== null ? undefined : value;
}
