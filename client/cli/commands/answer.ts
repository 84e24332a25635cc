/** `meet-ai answer`: one of the options of a question, as the person whose key it is. */

import { randomId } from "../../stay/random-id.ts";
import { RoomError } from "../../stay/room-error.ts";
import { roomOf } from "../addresses.ts";
import { readApi } from "../api.ts";
import { argumentsOf, nothingMore, required, wholeNumber } from "../arguments.ts";
import { KEY_HELP, KEY_OPTIONS, type Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { requireKey } from "../keys.ts";
import { explained } from "../room-look.ts";

export const help = `  meet-ai answer my-room 12 yes
  meet-ai tail my-room --mentions          shows questions, and how they are answered

The first answer decides. Agents do not answer: this is said as you.

  --id ID            the answer's id; chosen at random without it
${KEY_HELP}
`;

const OPTIONS = { ...KEY_OPTIONS, id: { type: "string" } } as const;

export async function run({ args, env, output, signal }: Surroundings): Promise<ExitCode> {
  const { values, positionals } = argumentsOf("answer", args, OPTIONS);
  const [name, seq, option, ...rest] = positionals;
  const room = roomOf(required("answer", name, "ROOM"), env);
  const target = wholeNumber("SEQ", required("answer", seq, "SEQ"), 1);
  const answer = { target, option: required("answer", option, "OPTION") };
  nothingMore("answer", rest);
  const known = await requireKey(room.server, { env, keyFile: values["key-file"] });
  try {
    const sent = await readApi<{ seq: number }>(room.server, `/api/rooms/${encodeURIComponent(room.room)}/messages`, {
      method: "POST",
      body: { answer, id: values.id ?? randomId() },
      key: known.key,
      signal,
      repeatable: true,
    });
    await output.line(String(sent.seq));
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof RoomError)) throw error;
    // Not the room's: that would be said of the room.
    if (error.code === "forbidden") throw new Failure(EXIT.auth, error.message);
    if (error.code === "not_found") throw new Failure(EXIT.notFound, error.message);
    throw explained(error, room, known);
  }
}
