/** What a command of this repository was started with. Whatever it does not know ends it before it does anything. */

import { type ParseArgsConfig, parseArgs } from "node:util";
import { end } from "./end.ts";

/** `parseArgs` of Node, but a mistake ends the process with one line, which names what the command takes. */
export function commandLine<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown };
    if (!String(code).startsWith("ERR_PARSE_ARGS")) throw error;
    // The first sentence says what is wrong; the next one is about arguments that begin with a hyphen.
    const [mistake] = message.split(/\. |\.$/);
    const options = Object.keys(config.options ?? {}).map((name) => `--${name}`);
    return end(`${mistake}. ${options.length > 0 ? `Options: ${options.join(", ")}.` : "There are no options."}`);
  }
}

/** Ends the process with one line when a name among `asked` is none of `names`. */
export function endIfUnknown(kind: string, asked: readonly string[], names: readonly string[]): void {
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length > 0) end(`There is no ${kind} ${unknown.join(", ")}. There are: ${names.join(", ")}.`);
}

/** The whole number from 0 on that an option gives. Ends the process with one line when it is none. */
export function wholeNumber(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  return end(`--${option} takes a whole number, not "${text}".`);
}
