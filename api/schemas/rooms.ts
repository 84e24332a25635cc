/** What a client may say of rooms: what it makes, changes, mutes and looks for. */

import * as z from "zod/mini";
import { LONGEST_INSTRUCTIONS } from "../../party/instructions.ts";
import { parseInstructions } from "../../party/instructions-parser.ts";
import { parseLine, parseVisibleLine } from "../../party/line.ts";
import { cleanText } from "../../party/message-parser.ts";
import { BLOCKED, parseBlocked } from "../../party/moderation/blocked-words.ts";
import { SLOWEST } from "../../party/moderation/pace.ts";
import { HOLD_RULES, LINK_RULES } from "../../party/moderation/rules.ts";
import { type Access, type Fault, fault, isRoomId, LIMITS, ROOM_ID } from "../../party/protocol.ts";
import { LONGEST_KEEP_DAYS, LONGEST_LOOP_GUARD } from "../../party/room-record.ts";
import { field, wholeNumber } from "./schema.ts";

/** Origins that one room may have. */
const MOST_ORIGINS = 20;
/** What a browser's origin can be: a scheme, a host of 253 characters, a port. The room's row goes in a header. */
const LONGEST_ORIGIN = 300;

const name = field((value) => parseVisibleLine(value, "name", LIMITS.roomName), {
  type: "string",
  minLength: 1,
  description: `At most ${LIMITS.roomName} characters, on one line.`,
});

const topic = field((value) => parseLine(value, "topic", LIMITS.roomTopic), {
  type: "string",
  description: `At most ${LIMITS.roomTopic} characters, on one line.`,
});

const listed = field(
  (value) => (typeof value === "boolean" ? value : fault("invalid", "listed must be true or false.")),
  { type: "boolean", description: "Whether the room is in the list of rooms." },
);

const id = field(parseId, {
  type: ["string", "null"],
  pattern: ROOM_ID.source,
  description: "The room's address. Chosen by the server when it is absent.",
});

const guests = field<"write" | "read">(
  (value) => (value === "write" || value === "read" ? value : fault("invalid", 'guests must be "write" or "read".')),
  { type: "string", enum: ["write", "read"], description: "Whether guests may write here." },
);

const access = field<Access>(
  (value) =>
    value === "open" || value === "members" ? value : fault("invalid", 'access must be "open" or "members".'),
  { type: "string", enum: ["open", "members"], description: "Who may read here: anybody, or the room's members." },
);

const loopGuard = field(parseLoopGuard, {
  type: "integer",
  minimum: 0,
  maximum: LONGEST_LOOP_GUARD,
  description: "How many messages by agents may follow each other without one by a person; 0: any number.",
});

export const origins = field(parseOrigins, {
  type: "array",
  maxItems: MOST_ORIGINS,
  items: { type: "string" },
  description: "Origins whose pages may post here beside the server's own, such as https://example.com; empty: any.",
});

const days = (name: string, description: string) =>
  field((value) => parseDays(value, name), {
    type: ["integer", "null"],
    minimum: 1,
    maximum: LONGEST_KEEP_DAYS,
    description,
  });

const keepDays = days(
  "keepDays",
  "Messages that are older than so many days are deleted, at most as many as the deployment keeps them; null: as many as the deployment keeps them.",
);

const endAfterDays = days(
  "endAfterDays",
  "The room is deleted when nothing was said in it for so many days; null: it does not end by itself.",
);

const slow = field(parseSlow, {
  type: ["integer", "null"],
  minimum: 0,
  maximum: SLOWEST,
  description: "Slow mode: seconds between two messages of one sender; 0: none; null: the default.",
});

const hold = field((value) => parseRule(value, "hold", HOLD_RULES), {
  type: ["string", "null"],
  enum: [...HOLD_RULES, null],
  description:
    "Whose messages wait for a moderator: nobody's, those of guests, or the first of everybody who has none here yet; null: the default.",
});

const links = field((value) => parseRule(value, "links", LINK_RULES), {
  type: ["string", "null"],
  enum: [...LINK_RULES, null],
  description: "Whose messages with a link are shown at once: those of others wait; null: the default.",
});

const blocked = field(parseBlocked, {
  type: "array",
  maxItems: BLOCKED.most,
  items: { type: "string", minLength: BLOCKED.shortest, maxLength: BLOCKED.longest },
  description: "Words that are refused, whole, whatever their case and accents. No patterns.",
});

const instructions = field(parseInstructions, {
  type: "string",
  maxLength: LONGEST_INSTRUCTIONS,
  description: `What the owner asks of agents: Markdown, at most ${LONGEST_INSTRUCTIONS} characters. Empty: nothing.`,
});

/** The rules about what is written, which moderators settle, too. */
const rules = {
  slow: z.optional(slow),
  hold: z.optional(hold),
  links: z.optional(links),
  blocked: z.optional(blocked),
};
export const RULES: readonly string[] = Object.keys(rules);

/** The body of `POST /api/rooms`. */
export const NewRoom = z.strictObject({
  name,
  topic: z.optional(topic),
  listed: z.optional(listed),
  access: z.optional(access),
  id: z.optional(id),
  keepDays: z.optional(keepDays),
  endAfterDays: z.optional(endAfterDays),
  instructions: z.optional(instructions),
  ...rules,
});

/** The body of `PATCH /api/rooms/:id`: only what is named changes. */
export const RoomChanges = z.strictObject({
  name: z.optional(name),
  topic: z.optional(topic),
  listed: z.optional(listed),
  access: z.optional(access),
  guests: z.optional(guests),
  loopGuard: z.optional(loopGuard),
  origins: z.optional(origins),
  keepDays: z.optional(keepDays),
  endAfterDays: z.optional(endAfterDays),
  instructions: z.optional(instructions),
  ...rules,
});

/** Rooms of one page of the list. */
const PAGE = { usual: 50, most: 100 };

/** The query of `GET /api/rooms`. */
export const RoomListQuery = z.object({
  limit: z._default(wholeNumber("limit", { least: 1, most: PAGE.most, otherwise: PAGE.usual }), PAGE.usual),
  cursor: z.optional(field(parseListCursor, { type: "string", description: "The `next` of the page before." })),
  q: z._default(field(parseSearch, { type: "string", description: "Text that the id, name or topic contains." }), ""),
});

/** Where a list of rooms goes on: after the room `id`, which was active at `activity` (ISO 8601). */
export interface ListCursor {
  readonly activity: string;
  readonly id: string;
}

/** A cursor as clients are given it. */
export function listCursor({ activity, id }: ListCursor): string {
  return `${Date.parse(activity).toString(36)}.${id}`;
}

function parseListCursor(value: unknown): ListCursor | Fault {
  const [time = "", id = ""] = String(value).split(".");
  const at = Number.parseInt(time, 36);
  if (/^[0-9a-z]{1,10}$/.test(time) && isRoomId(id) && at < 8.64e15) {
    return { activity: new Date(at).toISOString(), id };
  }
  return fault("invalid", "cursor must be the next of an earlier page.");
}

/** No name is longer than what is looked at, so a longer text finds what its beginning finds. */
function parseSearch(value: unknown): string {
  return cleanText(String(value)).slice(0, LIMITS.roomName);
}

function parseId(value: unknown): string | null | Fault {
  if (value === null || (typeof value === "string" && isRoomId(value))) return value;
  return fault("invalid", "id must be 2 to 63 characters of a-z, 0-9 and -, without - at either end.");
}

function parseLoopGuard(value: unknown): number | Fault {
  const isFitting = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LONGEST_LOOP_GUARD;
  if (isFitting) return value as number;
  return fault("invalid", `loopGuard must be a whole number from 0 to ${LONGEST_LOOP_GUARD}.`);
}

function parseDays(value: unknown, name: string): number | null | Fault {
  if (value === null) return null;
  const isFitting = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LONGEST_KEEP_DAYS;
  if (isFitting) return value as number;
  return fault("invalid", `${name} must be a whole number from 1 to ${LONGEST_KEEP_DAYS}, or null.`);
}

function parseSlow(value: unknown): number | null | Fault {
  if (value === null) return null;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= SLOWEST) return value as number;
  return fault("invalid", `slow must be a whole number of seconds from 0 to ${SLOWEST}, or null.`);
}

function parseRule<Rule extends string>(value: unknown, name: string, known: readonly Rule[]): Rule | null | Fault {
  if (value === null) return null;
  return (
    known.find((rule) => rule === value) ?? fault("invalid", `${name} must be one of ${known.join(", ")}, or null.`)
  );
}

function parseOrigins(value: unknown): string[] | Fault {
  const refusal = fault("invalid", `origins must be at most ${MOST_ORIGINS} origins such as https://example.com.`);
  if (!Array.isArray(value) || value.length > MOST_ORIGINS) return refusal;
  const origins = value.map(parseOrigin);
  if (origins.includes(undefined)) return refusal;
  return [...new Set(origins as string[])];
}

function parseOrigin(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > LONGEST_ORIGIN || !URL.canParse(value)) return undefined;
  const { protocol, origin, href } = new URL(value);
  const isWeb = protocol === "https:" || protocol === "http:";
  return isWeb && href === `${origin}/` ? origin : undefined;
}
