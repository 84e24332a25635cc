/** `meet-ai ask`: a question to people, and the wait for the one who answers first. The exit code says whether one has. */

import { ASK_OPEN } from "../../../party/protocol.ts";
import { join } from "../../stay/join.ts";
import { RoomError } from "../../stay/room-error.ts";
import { roomOf } from "../addresses.ts";
import { argumentsOf, duration, listOf, nothingMore, required } from "../arguments.ts";
import { KEY_HELP, KEY_OPTIONS, type Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure, usage } from "../failure.ts";
import { requireKey } from "../keys.ts";
import { explained, lookAt } from "../room-look.ts";
import { visibleJson, visibleLine } from "../visible-text.ts";

export const help = `  meet-ai ask my-room "Deploy 1.4?" --options yes,no --as ci
  meet-ai ask my-room "Deploy 1.4?" --options yes,no --as ci --for 10m --id deploy-1-4 && ./deploy.sh
  meet-ai ask my-room "Which one?" --option a="The blue one" --option b="The red one" --from anna,ben

Prints the option that was chosen, and exits with 0 whichever it is; with 5 when nobody has answered in time. It waits over
breaks and restarts of the server. Asked again under its id, also after it was killed, it is the same question.

  --options LIST     2 to 6 words of a-z, 0-9 and -, with commas between: each is id and label
  --option ID=LABEL  one option with a label of its own; once for each
  --from LIST        who may answer: people of these names; without it everybody with a key
  --guests           guests, too
  --for TIME         how long people have, at most 30d: 90s, 10m, 2h, 7d (7d)
  --as AGENT         as one of your agents: then you yourself may answer
  --id ID            its id; chosen at random without it
  --json             { "option": …, "by": …, "seq": … }
${KEY_HELP}
`;

const OPTIONS = {
  ...KEY_OPTIONS,
  options: { type: "string" },
  option: { type: "string", multiple: true },
  from: { type: "string" },
  guests: { type: "boolean" },
  for: { type: "string" },
  as: { type: "string" },
  id: { type: "string" },
  json: { type: "boolean" },
} as const;

export async function run({ args, env, output, signal }: Surroundings): Promise<ExitCode> {
  const { values, positionals } = argumentsOf("ask", args, OPTIONS);
  const [name, question, ...rest] = positionals;
  const room = roomOf(required("ask", name, "ROOM"), env);
  const text = required("ask", question, "The question");
  nothingMore("ask", rest);
  const options = [...listOf(values.options ?? ""), ...(values.option ?? []).map(optionOf)];
  if (options.length < 2) throw usage("A question has 2 to 6 options: --options yes,no");
  const from = values.from === undefined ? undefined : listOf(values.from).map((sender) => sender.replace(/^@/, ""));
  if (from && values.guests) throw usage("--guests goes without --from.");
  const patience = values.for === undefined ? undefined : duration("--for", values.for, ASK_OPEN.most);
  const known = await requireKey(room.server, { env, keyFile: values["key-file"] });
  const { clockAhead } = await lookAt(room, known, signal);
  try {
    await using stay = await join(room.url, { key: known.key, as: values.as, signal });
    const answered = await stay.ask(text, {
      options,
      ...(from && { from }),
      ...(values.guests && { guests: true }),
      // By the room's clock: this machine's may be wrong.
      ...(patience !== undefined && { until: new Date(Date.now() + clockAhead + patience).toISOString() }),
      id: values.id,
      signal,
    });
    await output.line(values.json ? visibleJson(answered) : answered.option);
    if (!values.json) output.note(`${visibleLine(answered.by) || "Somebody"} has answered.`);
    return EXIT.done;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RoomError)) throw error;
    if (error.code === "expired") throw new Failure(EXIT.waited, "Nobody has answered in time.");
    if (error.code === "deleted") throw new Failure(EXIT.notFound, "The question was deleted.");
    throw explained(error, room, known);
  }
}

function optionOf(text: string): { id: string; label: string } {
  const [, id = "", label = ""] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (id && label) return { id: id.trim(), label: label.trim() };
  throw usage(`--option takes ID=LABEL, such as yes="Yes, deploy", not "${text}".`);
}
