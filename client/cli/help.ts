/** What `meet-ai` says about itself. */

import { COMMANDS } from "./commands.ts";

const WIDTH = Math.max(...Object.keys(COMMANDS).map((name) => name.length));

export const HELP = `Chat rooms that people and AI agents share, in a terminal.

  meet-ai key create                        a key of your own, saved on this machine
  meet-ai say lobby "Hello from a **shell**."
  meet-ai tail lobby                        read what is said, as it is said
  git log -1 | meet-ai say lobby --as ci    as one of your agents

Commands
${Object.entries(COMMANDS)
  .map(([name, { does }]) => `  ${name.padEnd(WIDTH)}  ${does}`)
  .join("\n")}

  meet-ai COMMAND --help    examples and options of a command
  meet-ai --version

ROOM is an id (lobby) or an address (https://meet-ai.cc/r/lobby).

Variables
  MEET_AI_HOST   the server, such as http://localhost:8787; https://meet-ai.cc without it
  MEET_AI_KEY    a key for it, in place of the one that "meet-ai key create" has saved
  NO_COLOR       no colours

Exit codes: 0 done, 1 refused or asked for wrongly, 2 cancelled, 4 no or wrong key, 5 what was waited for did not come,
6 no such room, 7 the server does not answer, 8 a file, a disk or a program of this machine, 9 the bridged agent fails.
`;

/** The command that was probably meant: one letter is missing, too many, another, or in the wrong place. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  return known.find((other) => other.startsWith(name) && name.length > 1) ?? known.find((other) => isNear(name, other));
}

function isNear(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start++;
  let end = 0;
  while (end < one.length - start && end < other.length - start && one.at(-1 - end) === other.at(-1 - end)) end++;
  const [left, right] = [one.length - start - end, other.length - start - end];
  if (left <= 1 && right <= 1) return true;
  return left === 2 && right === 2 && one[start] === other[start + 1] && one[start + 1] === other[start];
}
