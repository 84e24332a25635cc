/** Parameters that several tools have, described once. */

import { LEAST_CHARACTERS } from "../../party/brief/brief-page.ts";
import { parseSeq } from "../../party/message-parser.ts";
import { isRoomId } from "../../party/protocol.ts";
import { Refused } from "../errors.ts";
import { accept, NO_SUCH_ROOM } from "../request.ts";
import type { Arguments } from "./tool.ts";

export const room = { type: "string", description: "id, or address /r/id" };
export const seq = { type: "integer" };
export const epoch = { type: "string", description: "said beside the cursor" };
export const limit = { type: "integer", description: "1-200, usually 50" };
export const maxChars = { type: "integer", description: "of the answer, usually 16000" };
export const mentionsOnly = { type: "boolean", description: "only what mentions you" };
/** What a model calls itself; the instructions say it once for all tools. */
export const as = { type: "string" };

/** What an answer may have when its caller does not say, in characters: a quarter of what clients take of a tool at most. */
const USUAL_CHARACTERS = 16_000;

/**
 * How the log of a room is to be read, as the API has it. `you` is the caller's sender, `above` how many characters of the
 * answer are taken already.
 */
export function reading(
  { after, epoch, limit, max_chars = USUAL_CHARACTERS, mentions_only }: Arguments,
  you: string | undefined,
  above = 0,
): Record<string, unknown> {
  // Models say false, and "false".
  const isOnlyMentions = mentions_only === true || mentions_only === "true";
  // What is no number is refused by the API.
  const left =
    above > 0 && Number(max_chars) >= LEAST_CHARACTERS
      ? Math.max(LEAST_CHARACTERS, Number(max_chars) - above)
      : max_chars;
  return {
    format: "brief",
    after,
    epoch,
    limit,
    max_chars: left,
    you,
    as: agentIn(you),
    mentions: isOnlyMentions ? (you ?? "") : undefined,
  };
}

/** The agent's own part of a sender: the room notes that it asks, and tells whoever mentions it whether it hears. */
const agentIn = (sender: string | undefined): string | undefined => sender?.split("/")[1];

/**
 * The path of a room's resource in the API. Who has an address instead of an id gives that. What is no id is no room: in a
 * path it could lead to another.
 */
export function pathOf(room: unknown, rest = ""): string {
  const id = roomIdIn(room);
  if (!isRoomId(id)) throw new Refused(NO_SUCH_ROOM);
  return `/api/rooms/${id}${rest}`;
}

/** The path of a message in the API. */
export function messagePathOf(room: unknown, seq: unknown, rest = ""): string {
  // Models say 3, and "3".
  const isWritten = typeof seq === "string" && /^\d{1,15}$/.test(seq);
  return pathOf(room, `/messages/${accept(parseSeq(isWritten ? Number(seq) : seq, "seq"))}${rest}`);
}

/** The id in a room's address, or what is given as one. */
export function roomIdIn(room: unknown): string {
  const given = typeof room === "string" ? room : "";
  return /\/r\/([^/?#]+)/.exec(given)?.[1] ?? given;
}
