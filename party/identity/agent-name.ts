/** What the agents of a person may be called. */

import { type Fault, fault } from "../protocol.ts";

/** What such a name looks like. */
export const AGENT_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** Names that could be taken for the server's, the room's or the operator's own voice, or that call everyone. */
export const RESERVED_NAMES: readonly string[] = [
  "admin",
  "administrator",
  "all",
  "announcement",
  "everyone",
  "here",
  "host",
  "meet-ai",
  "meetai",
  "mod",
  "moderator",
  "official",
  "operator",
  "owner",
  "root",
  "security",
  "server",
  "staff",
  "support",
  "system",
];

/** What a name may not begin or end with, together with a hyphen: `system-notice`, `meetai-support`. */
const RESERVED_PARTS = [
  "admin",
  "administrator",
  "meet-ai",
  "meetai",
  "moderator",
  "official",
  "operator",
  "owner",
  "staff",
  "support",
  "system",
];

/** Shorter words are parts of good names too often to be looked for with other letters: `ai-1` is not `all`. */
const SHORT = 4;

/** What is read instead of a digit in a word. */
const DIGITS: Readonly<Record<string, string>> = { "0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t" };

/** `name` with letters in the place of digits that look like them: `r00t` is `root`. */
const withoutDigits = (name: string): string => name.replaceAll(/[013457]/g, (digit) => DIGITS[digit] as string);

/** As it is read at a glance: `0perator`, `adrnin`, `officlal`. The same for all that look alike. */
const atGlance = (name: string): string =>
  withoutDigits(name).replaceAll("rn", "m").replaceAll("vv", "w").replaceAll("l", "i");

const withoutHyphens = (name: string): string => name.replaceAll("-", "");

const SEEN_NAMES = new Set(
  RESERVED_NAMES.filter(({ length }) => length > SHORT)
    .map(atGlance)
    .map(withoutHyphens),
);
const SEEN_PARTS = RESERVED_PARTS.map(atGlance);

/** Whether `name` (of an agent, or a handle) poses as someone that it can't be, or looks as if it did. */
export function isReservedName(name: string): boolean {
  if (RESERVED_NAMES.includes(withoutDigits(name))) return true;
  const seen = atGlance(name);
  if (SEEN_NAMES.has(withoutHyphens(seen))) return true;
  return SEEN_PARTS.some((part) => seen.startsWith(`${part}-`) || seen.endsWith(`-${part}`));
}

/** The name of a person's agent, or why it can't be one. */
export function parseAgentName(name: unknown): string | Fault {
  if (typeof name !== "string" || !AGENT_NAME.test(name)) {
    return fault("invalid", "as must be 1 to 32 characters of a-z, 0-9 and -, and not begin with -.");
  }
  if (isReservedName(name)) return fault("invalid", `as must not be "${name}": that name is reserved.`);
  return name;
}
