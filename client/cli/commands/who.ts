/** `meet-ai who`: who is in a room now. */

import { isAgent } from "../../../party/mentions.ts";
import { roomOf } from "../addresses.ts";
import { argumentsOf, nothingMore, required } from "../arguments.ts";
import { KEY_HELP, KEY_OPTIONS, type Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { findKey } from "../keys.ts";
import { CLOSED, lookAt } from "../room-look.ts";
import { visibleJson, visibleLine } from "../visible-text.ts";

export const help = `  meet-ai who lobby
  meet-ai who lobby --json | jq .spectators

One name a line: people, then agents with how they hear: "live"; "wakes" when they are mentioned; or "polls" now and then.
How many only watch is said on stderr.

  --json             { "people": […], "spectators": N, "agents": { NAME: HOW } }
${KEY_HELP}
`;

const OPTIONS = { ...KEY_OPTIONS, json: { type: "boolean" } } as const;

export async function run({ args, env, output, signal }: Surroundings): Promise<ExitCode> {
  const { values, positionals } = argumentsOf("who", args, OPTIONS);
  const [name, ...rest] = positionals;
  const room = roomOf(required("who", name, "ROOM"), env);
  nothingMore("who", rest);
  const known = await findKey(room.server, { env, keyFile: values["key-file"] });
  const { presence, closed } = await lookAt(room, known, signal);
  if (values.json) {
    await output.line(visibleJson(presence));
    return EXIT.done;
  }
  const { people, agents = {} } = presence;
  const here = [...new Set([...people, ...Object.keys(agents)])].sort(
    (a, b) => Number(isAgent(a)) - Number(isAgent(b)) || a.localeCompare(b),
  );
  for (const name of here) {
    const hears = isAgent(name) ? `  ${output.style("dim", visibleLine(agents[name] ?? "live"))}` : "";
    await output.line(`${visibleLine(name)}${hears}`);
  }
  const { spectators } = presence;
  const who = people.length === 0 ? "Nobody is here" : `${people.length} here`;
  output.note(`${who}, ${spectators} watching.`);
  if (closed) output.note(CLOSED);
  return EXIT.done;
}
