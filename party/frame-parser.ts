/** The one parser for the frames that clients send. What a frame leads to is the router's subject. */

import { parseSubmission, type Submission } from "./asks/ask-parser.ts";
import { parseAgentName } from "./identity/agent-name.ts";
import { CONTROL_CHARACTERS, parseMessageId, parseSeq } from "./message-parser.ts";
import {
  type BadFrame,
  type ClientFrame,
  type DeleteFrame,
  type DraftFrame,
  type Fault,
  fault,
  type HelloFrame,
  isFault,
  isGuestSecret,
  isKey,
  type ReadFrame,
  type SendFrame,
  WAKES,
} from "./protocol.ts";

/** A `send` whose message has been checked. */
export type SubmittedFrame = Submission & Pick<SendFrame, "type">;

/** A frame of a client's that has been checked. */
export type ReceivedFrame = Exclude<ClientFrame, SendFrame> | SubmittedFrame;

/** No secret of an invite is longer. */
const LONGEST_INVITE = 128;

function parseHello(value: Readonly<Record<string, unknown>>): HelloFrame | Fault {
  const credentials = parseCredentials(value);
  const hello = isFault(credentials) ? credentials : withWakes(credentials, value.wakes);
  const { invite } = value;
  if (isFault(hello) || invite === undefined || invite === null) return hello;
  if (hello.token !== undefined)
    return fault("invalid", "A site's user has the role that the site gives them: no invite.");
  if (typeof invite === "string" && invite.length <= LONGEST_INVITE) return { ...hello, invite };
  return fault("invalid", "invite must be the secret of an invite, as a string.");
}

/** A bridge's hello says how soon it is back when it is lost. */
function withWakes(hello: HelloFrame, wakes: unknown): HelloFrame | Fault {
  if (wakes === undefined || wakes === null) return hello;
  if (hello.as === undefined) return fault("invalid", "wakes goes with as: it says that an agent is woken.");
  const { least, most } = WAKES;
  const isFitting = Number.isInteger(wakes) && (wakes as number) >= least && (wakes as number) <= most;
  if (isFitting) return { ...hello, wakes: wakes as number };
  return fault("invalid", `wakes must be a whole number of seconds from ${least} to ${most}.`);
}

function parseCredentials(value: Readonly<Record<string, unknown>>): HelloFrame | Fault {
  if (typeof value.token === "string" && value.key === undefined && value.guest === undefined) {
    if (value.as !== undefined) return fault("invalid", "A site's user has no agents: as goes with a key.");
    return { type: "hello", token: value.token };
  }
  if (typeof value.key === "string" && value.guest === undefined && value.token === undefined) {
    if (!isKey(value.key)) return fault("unauthorized", "This key is not valid.");
    if (value.as === undefined || value.as === null) return { type: "hello", key: value.key };
    const as = parseAgentName(value.as);
    return isFault(as) ? as : { type: "hello", key: value.key, as };
  }
  if (typeof value.guest === "string" && value.key === undefined && value.token === undefined) {
    if (value.as !== undefined) return fault("invalid", "A guest has no agents: as goes with a key.");
    if (isGuestSecret(value.guest)) return { type: "hello", guest: value.guest };
    return fault("invalid", "guest must be a secret of 22 to 128 characters of A-Z, a-z, 0-9, _ and -.");
  }
  return fault("invalid", "hello takes one of a key, a guest secret and a site's token, as a string.");
}

function parseDraft(value: Readonly<Record<string, unknown>>): DraftFrame | Fault {
  const id = parseMessageId(value.id);
  if (isFault(id)) return id;
  if (typeof value.append !== "string") return fault("invalid", "append must be a string.");
  // Not trimmed: an append is a piece of a text, and its spaces count.
  const append = value.append.toWellFormed().replace(/\r\n?/g, "\n").replace(CONTROL_CHARACTERS, "");
  const replyTo =
    value.replyTo === undefined || value.replyTo === null ? undefined : parseSeq(value.replyTo, "replyTo");
  if (isFault(replyTo)) return replyTo;
  return {
    type: "draft",
    id,
    append,
    ...(value.whole === true && { whole: true as const }),
    ...(replyTo !== undefined && { replyTo }),
    ...(value.end === true && { end: true as const }),
  };
}

function parseDelete(value: Readonly<Record<string, unknown>>): DeleteFrame | Fault {
  const seq = parseSeq(value.seq, "seq");
  return isFault(seq) ? seq : { type: "delete", seq };
}

function parseRead(value: Readonly<Record<string, unknown>>): ReadFrame | Fault {
  const { n } = value;
  if (typeof n === "number" && Number.isSafeInteger(n)) return { type: "read", n };
  return fault("invalid", "n must be the number that came with check.");
}

function parseSendFrame(value: Readonly<Record<string, unknown>>): SubmittedFrame | Fault {
  const send = parseSubmission(value);
  return isFault(send) ? send : { type: "send", ...send };
}

const FRAME_PARSERS = new Map<unknown, (value: Readonly<Record<string, unknown>>) => ReceivedFrame | Fault>([
  ["hello", parseHello],
  ["send", parseSendFrame],
  ["draft", parseDraft],
  ["delete", parseDelete],
  ["read", parseRead],
]);

/**
 * Parses one frame from a client. The frame's length has been checked before. Unknown fields are dropped, so that later
 * clients can talk to earlier servers.
 */
export function parseClientFrame(text: string): ReceivedFrame | BadFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fault("invalid", "A frame must be JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fault("invalid", "A frame must be a JSON object.");
  }
  const record = value as Readonly<Record<string, unknown>>;
  const parse = FRAME_PARSERS.get(record.type);
  if (!parse) return fault("invalid", "type must be one of hello, send, draft, delete, read.");
  const frame = parse(record);
  if (!isFault(frame)) return frame;
  const id = parseMessageId(record.id);
  const about = record.type as ClientFrame["type"];
  return { ...frame, about, ...(!isFault(id) && { id }) };
}
