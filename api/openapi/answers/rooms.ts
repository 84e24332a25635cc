/** What the API answers with about rooms. */

import * as z from "zod/mini";
import { HOLD_RULES, LINK_RULES } from "../../../party/moderation/rules.ts";
import { count, described, named, time, timeOrNull } from "../described.ts";
import { RoomId, Sender, Seq } from "../fields.ts";

const room = {
  id: RoomId,
  name: z.string(),
  topic: z.string(),
  access: described(z.enum(["open", "members"]), "Who may read here: anybody, or the room's members."),
  createdBy: described(z.nullable(z.string()), "The handle of its owner's key; null for a room that is no key's."),
  createdAt: time("ISO 8601 UTC with milliseconds."),
  lastSeq: count("The newest seq; 0 in an empty room."),
  lastMessageAt: timeOrNull("null in an empty room."),
  guests: described(z.enum(["write", "read"]), "Whether guests may write here."),
  loopGuard: count("How many messages by agents may follow each other without one by a person; 0: any number."),
  slow: count("Slow mode: seconds between two messages of one sender; 0: none."),
  hold: described(z.enum(HOLD_RULES), "Whose messages a moderator approves before others see them."),
  links: described(z.enum(LINK_RULES), "Whose messages with a link are shown at once; those of others wait."),
  keepDays: described(
    z.nullable(z.int().check(z.gte(1))),
    "Messages that are older than so many days are deleted; null: as many as `keepDaysLimit` says.",
  ),
  keepDaysLimit: described(
    z.nullable(z.int().check(z.gte(1))),
    "This deployment keeps no message for longer, whatever `keepDays` is; null: for ever.",
  ),
  endAfterDays: described(
    z.nullable(z.int().check(z.gte(1))),
    "The room is deleted when nothing was said in it for so many days; null: it does not end by itself.",
  ),
  closed: described(z.optional(z.literal(true)), "The operator has closed it: nobody writes."),
};

const instructions = described(
  z.nullable(
    z.strictObject({
      version: count("Rises with each change.", 1),
      text: described(z.string(), "Markdown, in the owner's words."),
    }),
  ),
  "What the room's owner asks of agents; null: nothing. It is the owner's word, not the server's.",
);

const settled = {
  listed: z.boolean(),
  hidden: described(z.optional(z.literal(true)), "The operator has taken it out of the lists."),
  blocked: described(z.array(z.string()), "Words that are refused."),
  origins: described(z.array(z.string()), "Origins whose pages may post here beside the server's own; empty: any."),
};

const now = {
  presence: z.strictObject({
    people: described(z.array(Sender), "Who is connected, each once."),
    spectators: count("Connections that have not said who they are."),
    agents: described(
      z.optional(z.record(z.string(), z.enum(["live", "wakes", "polls"]))),
      "How agents hear, by sender, as far as `people` does not say it: an agent that is there and not in here is `live`.",
    ),
  }),
  agentsPaused: described(z.boolean(), "Agents wait until a person speaks."),
};

export const hold = described(
  z.nullable(
    z.strictObject({
      limit: described(z.enum(["full", "day"]), "D1 has no room left, or has used up its rows until 00:00 UTC."),
      since: time("ISO 8601 UTC with milliseconds."),
      nextTry: time("When the room asks D1 again, at the latest."),
      placesLeft: described(
        z.nullable(z.int()),
        "About so many more messages the room can keep by itself; null where its storage has no known limit.",
      ),
      lastsUntil: timeOrNull("When these are used up, as people go on; null where that can't be said."),
    }),
  ),
  "A limit that D1 has reached; null: none. The room keeps what D1 does not take.",
);

const archive = z.strictObject({
  lag: count("Messages that D1 does not have yet."),
  failures: count("Tries in a row that have failed."),
  refused: described(
    z.array(z.strictObject({ first: Seq, reason: z.string() })),
    "Packs of a hundred messages that D1 refuses, by their first seq. They stay in the room and are tried again daily.",
  ),
  hold,
  databaseShare: described(
    z.nullable(z.number()),
    "The part of its limit that D1 has used, from 0.8 on; null below, and where there is no limit.",
  ),
  dayShare: described(
    z.nullable(z.number()),
    "An estimate: the part of the free plan's nearest daily limit that the deployment has used today, from 0.8 on; else null.",
  ),
});

export const Room = named("Room", z.strictObject(room));

export const OwnRoom = named(
  "OwnRoom",
  z.strictObject({ ...room, instructions, ...settled }),
  "A room as its owner sees it.",
);

export const RoomNow = named(
  "RoomNow",
  z.strictObject({
    ...room,
    instructions,
    ...now,
    blocked: described(z.optional(z.array(z.string())), "Words that are refused; for moderators."),
  }),
);

export const OwnRoomNow = named("OwnRoomNow", z.strictObject({ ...room, instructions, ...now, ...settled, archive }));

export const RoomList = z.strictObject({
  rooms: z.array(Room),
  next: described(z.nullable(z.string()), "The cursor of the next page; null on the last."),
});
