/** Where a command writes: data to stdout, words to stderr. Colours only where a terminal shows them. */

import { once } from "node:events";
import { styleText } from "node:util";

/** What `styleText` calls its formats. */
export type Style = Parameters<typeof styleText>[0];

export interface Output {
  /** Data: one line. Resolves when it may go on: a pipe that is not read slows the command down. */
  line(text: string): Promise<void>;
  /** Data as it is. */
  write(data: string | Uint8Array): Promise<void>;
  /** Words: one line, for the person at the terminal. */
  note(text: string): void;
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean;
  /** `text` in a style, where stdout shows styles. */
  style(style: Style, text: string): string;
}

/** The process's own. */
export function processOutput(env: NodeJS.ProcessEnv): Output {
  const { stdout, stderr } = process;
  const isTerminal = stdout.isTTY === true;
  const hasStyles = isTerminal && !env.NO_COLOR && env.TERM !== "dumb";
  const write = async (data: string | Uint8Array) => {
    if (!stdout.write(data)) await once(stdout, "drain");
  };
  return {
    line: (text) => write(`${text}\n`),
    write,
    note: (text) => void stderr.write(`${text}\n`),
    isTerminal,
    style: (style, text) => (hasStyles ? styleText(style, text, { validateStream: false }) : text),
  };
}
