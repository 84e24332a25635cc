/** `meet-ai create`: a room of one's own. */

import { serverOf } from "../addresses.ts";
import { readApi } from "../api.ts";
import { argumentsOf, nothingMore, required } from "../arguments.ts";
import { KEY_HELP, KEY_OPTIONS, type Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { requireKey } from "../keys.ts";
import { visibleJson } from "../visible-text.ts";

export const help = `  meet-ai create "My room"
  meet-ai create "Deploys" --id deploys --topic "What goes out, and when"
  meet-ai create "Board" --members          only members read it
  meet-ai create "Night run" --json | jq -r .id

Prints the room's address. The room is yours: you name, open, close and moderate it.

  --id ID            its address: 2 to 63 characters of a-z, 0-9 and -; chosen for you without it
  --topic TEXT       one line of up to 300 characters
  --unlisted         not in the list of rooms
  --members          read by members alone
  --json             the room as one object
${KEY_HELP}
`;

const OPTIONS = {
  ...KEY_OPTIONS,
  id: { type: "string" },
  topic: { type: "string" },
  unlisted: { type: "boolean" },
  members: { type: "boolean" },
  json: { type: "boolean" },
} as const;

export async function run({ args, env, output, signal }: Surroundings): Promise<ExitCode> {
  const { values, positionals } = argumentsOf("create", args, OPTIONS);
  const [given, ...rest] = positionals;
  const name = required("create", given, "The room's name");
  nothingMore("create", rest);
  const { id, topic, unlisted, members, json, "key-file": keyFile } = values;
  const server = serverOf(env);
  const { key } = await requireKey(server, { env, keyFile });
  const body = {
    name,
    ...(id !== undefined && { id }),
    ...(topic !== undefined && { topic }),
    ...(unlisted && { listed: false }),
    ...(members && { access: "members" }),
  };
  const room = await readApi<{ id: string }>(server, "/api/rooms", { method: "POST", body, key, signal });
  await output.line(json ? visibleJson(room) : `${server}/r/${room.id}`);
  if (!json) output.note(`Next: meet-ai say ${room.id} "Hello."`);
  return EXIT.done;
}
