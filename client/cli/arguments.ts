/** What a command was started with. Whatever it does not know ends it before it does anything. */

import { type ParseArgsConfig, parseArgs } from "node:util";
import { usage } from "./failure.ts";

/** Options that a command takes, as Node's `parseArgs` has them. */
export type Options = NonNullable<ParseArgsConfig["options"]>;

type Parsed<Known extends Options> = ReturnType<typeof parseArgs<{ options: Known; allowPositionals: true }>>["values"];

/** The options and the other arguments. A mistake is one line, which names what the command takes. */
export function argumentsOf<Known extends Options>(
  command: string,
  args: readonly string[],
  options: Known,
): { values: Parsed<Known>; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Parsed<Known>, positionals };
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown };
    if (!String(code).startsWith("ERR_PARSE_ARGS")) throw error;
    // The first sentence says what is wrong; the next one is about arguments that begin with a hyphen.
    const [mistake] = message.split(/\. |\.$|\n/);
    throw usage(`${mistake}. See: meet-ai ${command} --help`);
  }
}

/** The one argument of this place. */
export function required(command: string, value: string | undefined, name: string): string {
  if (value) return value;
  throw usage(`${name} is missing. See: meet-ai ${command} --help`);
}

/** There is nothing behind what a command takes. */
export function nothingMore(command: string, rest: readonly string[]): void {
  if (rest.length > 0) throw usage(`"${rest[0]}" is one argument too many. See: meet-ai ${command} --help`);
}

/** A whole number that an option gives. */
export function wholeNumber(option: string, text: string, least = 0): number {
  if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text);
  throw usage(`${option} takes a whole number from ${least}, not "${text}".`);
}

/** Ms. */
const DAY = 86_400_000;
/** Ms. Node lets a timer of 25 days fire at once. */
const LONGEST_WAIT = 24 * DAY;

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY };

/**
 * A time that an option gives, in ms: `90s`, `10m`, `2h`, `7d`; a number alone is seconds. At most `longest`, whole days in ms:
 * what a timer of this machine's can wait, unless it is another clock that counts.
 */
export function duration(option: string, text: string, longest = LONGEST_WAIT): number {
  const [, number, unit = "s"] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  const length = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (length > longest) throw usage(`${option} takes at most ${longest / DAY}d.`);
  if (length > 0) return length;
  throw usage(`${option} takes a time such as 90s, 10m, 2h or 7d, not "${text}".`);
}

/** Words of a list with commas, without blanks and empty ones. */
export const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
