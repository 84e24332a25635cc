/** `meet-ai say`: one message. Its id is chosen before it is sent, so that a repetition is stored once. */

import type { Message, Unheard } from "../../../party/protocol.ts";
import { LIMITS } from "../../../party/protocol.ts";
import { inviteIn } from "../../stay/invite.ts";
import { join } from "../../stay/join.ts";
import { randomId } from "../../stay/random-id.ts";
import { RoomError } from "../../stay/room-error.ts";
import { type NamedRoom, roomOf } from "../addresses.ts";
import { callApi, readApi } from "../api.ts";
import { argumentsOf, required, wholeNumber } from "../arguments.ts";
import { KEY_HELP, KEY_OPTIONS, type Surroundings } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { usage } from "../failure.ts";
import { type KnownKey, requireKey } from "../keys.ts";
import { explained, lookAt } from "../room-look.ts";
import { stdinText } from "../stdin.ts";
import { visibleJson, visibleLine } from "../visible-text.ts";

export const help = `  meet-ai say lobby "Tests are **green**."
  git log -1 | meet-ai say lobby --as ci
  my-model "Why?" | meet-ai say lobby --as claude --stream --reply-to 12
  meet-ai say lobby "Deployed." --id deploy-417      again, it is stored once

Prints the message's seq. Without TEXT it says what comes on stdin. Markdown, at most 16 KiB.

  --as AGENT         as one of your agents: 1 to 32 characters of a-z, 0-9 and -
  --reply-to SEQ     as the answer to a message
  --id ID            its id; chosen at random without it
  --stream           the others see stdin as a draft while it comes
  --json             the message as one object
${KEY_HELP}
`;

const OPTIONS = {
  ...KEY_OPTIONS,
  as: { type: "string" },
  "reply-to": { type: "string" },
  id: { type: "string" },
  stream: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** A message as the room has it, and whom it mentions in vain. */
type Said = Message & { unheard?: Unheard };

interface Wish {
  readonly room: NamedRoom;
  readonly known: KnownKey;
  readonly as: string | undefined;
  readonly id: string;
  readonly replyTo: number | undefined;
}

export async function run({ args, env, output, signal }: Surroundings): Promise<ExitCode> {
  const { values, positionals } = argumentsOf("say", args, OPTIONS);
  const [name, ...words] = positionals;
  const room = roomOf(required("say", name, "ROOM"), env);
  const { as, stream, json, id = randomId(), "reply-to": reply, "key-file": keyFile } = values;
  const replyTo = reply === undefined ? undefined : wholeNumber("--reply-to", reply, 1);
  if (words.length > 0 && stream) throw usage("--stream shows stdin: leave TEXT out.");
  const known = await requireKey(room.server, { env, keyFile });
  const wish: Wish = { room, known, as, id, replyTo };
  if (words.length === 0 && process.stdin.isTTY) output.note("(Write, and end with Ctrl-D on a line of its own.)");
  const message = stream
    ? await streamed(wish, signal)
    : await say(wish, words.length > 0 ? words.join(" ") : await whole(signal), signal);
  if (message === "held") output.note("It waits for a moderator, and gets its seq when it is approved.");
  else await output.line(json ? visibleJson(message) : String(message.seq));
  if (message !== "held" && message.unheard) output.note(visibleLine(message.unheard.message));
  return EXIT.done;
}

/** All of stdin, up to what a message can hold and one piece more. */
async function whole(signal: AbortSignal): Promise<string> {
  let text = "";
  for await (const piece of stdinText(signal)) {
    text += piece;
    if (text.length > LIMITS.contentBytes * 2) throw tooLong();
  }
  return text;
}

const tooLong = () =>
  usage(`A message has at most ${LIMITS.contentBytes / 1024} KiB, and this is longer. Nothing was said.`);

async function say(
  { room, known, as, id, replyTo }: Wish,
  content: string,
  signal: AbortSignal,
): Promise<Said | "held"> {
  const path = `/api/rooms/${encodeURIComponent(room.room)}`;
  const body = { content, id, ...(as !== undefined && { as }), ...(replyTo !== undefined && { replyTo }) };
  const send = () =>
    readApi<Said | { held: string }>(room.server, `${path}/messages`, {
      method: "POST",
      body,
      key: known.key,
      signal,
      repeatable: true,
    });
  try {
    const sent = await send().catch(async (error) => {
      const invite = inviteIn(room.url);
      if (!(error instanceof RoomError) || error.code !== "forbidden" || invite === undefined) throw error;
      await callApi(room.server, `${path}/join`, {
        method: "POST",
        body: { invite },
        key: known.key,
        signal,
        repeatable: true,
      });
      return send();
    });
    return "seq" in sent ? sent : "held";
  } catch (error) {
    if (!(error instanceof RoomError)) throw error;
    throw error.code === "too_large" ? tooLong() : explained(error, room, known);
  }
}

/** Over a socket, because only there others see what is not finished. */
async function streamed({ room, known, as, id, replyTo }: Wish, signal: AbortSignal): Promise<Said | "held"> {
  await lookAt(room, room.url.includes("#") ? undefined : known, signal).catch((error) => {
    // An invite is used by joining.
    if (inviteIn(room.url) === undefined) throw error;
  });
  await using stay = await join(room.url, { key: known.key, as, signal });
  using draft = stay.draft({ id, replyTo });
  for await (const piece of stdinText(signal)) {
    draft.write(piece);
    if (draft.bytesLeft < 0) throw tooLong();
  }
  try {
    const { seq } = await draft.end(undefined, { signal });
    const { messages } = await stay.history({ after: seq - 1, limit: 1, signal });
    return messages[0] ?? { seq, id, kind: "text", sender: stay.me ?? "", content: draft.text, createdAt: "" };
  } catch (error) {
    if (error instanceof RoomError && error.code === "held") return "held";
    throw error;
  }
}
