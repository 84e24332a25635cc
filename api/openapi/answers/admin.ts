/** What `/api/admin` answers with. */

import * as z from "zod/mini";
import { ERROR_STATUS, type ErrorCode } from "../../../party/protocol.ts";
import { count, described, named, time, timeOrNull } from "../described.ts";
import { RoomId } from "../fields.ts";
import { hold } from "./rooms.ts";
import { DatabaseSize, dailyLimits, estimatedByDay } from "./usage.ts";

const Code = z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]);

export const operatorDeed = {
  id: described(z.string(), "Later ones are greater."),
  at: time("ISO 8601 UTC with milliseconds."),
  method: z.string(),
  path: described(z.string(), "Without whom it names."),
  target: described(z.nullable(z.string()), "Whom it was done to; null: nobody, or they were erased."),
  detail: described(z.nullable(z.string()), "What was changed."),
  status: described(z.int(), "What it was answered with."),
};

export const notice = { text: z.string(), since: time("ISO 8601 UTC with milliseconds.") };

const room = {
  id: RoomId,
  name: z.string(),
  access: z.enum(["open", "members"]),
  listed: z.boolean(),
  closed: described(z.boolean(), "The operator has closed it: nobody writes."),
  hidden: described(z.boolean(), "The operator has taken it out of the lists."),
  owner: described(z.nullable(z.string()), "The owner's handle; null: the room is nobody's."),
  createdAt: time("ISO 8601 UTC with milliseconds."),
  messages: count("That D1 has and keeps."),
  lastMessageAt: timeOrNull("By D1, which may be behind; null: nothing was said."),
};

const now = described(
  z.nullable(
    z.strictObject({
      head: count("The newest seq."),
      lastMessageAt: timeOrNull("null: nothing was said."),
      bytes: count("What the room's own storage holds."),
      connections: z.strictObject({
        people: count("People, each once."),
        agents: count("Agents, each once."),
        spectators: count("Connections of which nobody has said who they are."),
      }),
      archive: z.strictObject({
        lag: count("Messages that D1 does not have yet."),
        failures: count("Attempts in a row that have failed."),
        refused: count("Packs of a hundred messages that D1 refuses."),
        hold,
      }),
    }),
  ),
  "The room's own word. null: it was not asked, because nothing was said in it for a day, or it has not answered.",
);

export const RoomFigures = named("RoomFigures", z.strictObject(room), "A room as the operator sees it.");

export const Overview = z.strictObject({
  at: time("ISO 8601 UTC with milliseconds."),
  notice: described(z.nullable(z.strictObject(notice)), "What the operator says on every page; null: nothing."),
  storage: z.strictObject({
    database: DatabaseSize,
    roomLimit: described(z.nullable(z.int()), "`ROOM_LIMIT_MB` in bytes; null: no limit but the disk."),
  }),
  estimatedByDay,
  dailyLimits,
  rooms: z.strictObject({
    count: count("Rooms, of the 10,000 that were made last."),
    messages: count("Their messages in D1."),
    isWhole: described(z.boolean(), "There are no more rooms than these."),
    largest: z.array(RoomFigures),
    busiest: described(z.array(z.strictObject({ ...room, now })), "The ones that were active last, by D1."),
  }),
  errors: z.strictObject({
    counts: described(
      z.array(z.strictObject({ day: z.string(), code: Code, count: count("Answers with this code.", 1) })),
      "By day (UTC), newest first. Other isolates' are up to five minutes behind, and what an isolate had not written when it ended is missing.",
    ),
    incidents: described(
      z.array(
        z.strictObject({
          id: described(z.string(), "As the client was told, and as it stands in the log."),
          at: time("ISO 8601 UTC with milliseconds."),
          code: Code,
          what: described(z.string(), "The words of the log line."),
          place: described(z.string(), "A method and the beginning of a path, or a room."),
        }),
      ),
      "The latest failures of the server's own, newest first; at most 100.",
    ),
  }),
});

export const Notice = named("Notice", z.strictObject(notice), "What the operator says on every page.");

export const HeldRoom = z.strictObject({
  id: RoomId,
  listed: z.boolean(),
  closed: z.boolean(),
  hidden: z.boolean(),
});

export const Audit = z.strictObject({
  entries: described(z.array(z.strictObject(operatorDeed)), "Newest first."),
  next: described(z.nullable(z.string()), "The cursor of the next page; null on the last."),
});
