/** What the operator may say. */

import * as z from "zod/mini";
import { parseLine } from "../../party/line.ts";
import { fault, isFault } from "../../party/protocol.ts";
import { field, wholeNumber } from "./schema.ts";

const trueOrFalse = (name: string, description: string) =>
  z.optional(
    field((value) => (typeof value === "boolean" ? value : fault("invalid", `${name} must be true or false.`)), {
      type: "boolean",
      description,
    }),
  );

/** The body of `PATCH /api/admin/rooms/:id`. */
export const RoomHold = z.strictObject({
  closed: trueOrFalse("closed", "Nobody writes; it is read as before. Its owner can't change that."),
  hidden: trueOrFalse("hidden", "It stands in no list, and its owner can't list it."),
});

const LONGEST_NOTICE = 280;

/** The body of `PUT /api/admin/notice`. */
export const NewNotice = z.strictObject({
  text: field(
    (value) => {
      const line = parseLine(value, "text", LONGEST_NOTICE);
      return isFault(line) || line !== "" ? line : fault("invalid", "text must say something.");
    },
    { type: "string", maxLength: LONGEST_NOTICE, description: "One line of plain text." },
  ),
});

const PAGE = { usual: 50, most: 200 };

/** The query of `GET /api/admin/audit`. */
export const AuditQuery = z.object({
  limit: z._default(wholeNumber("limit", { least: 1, most: PAGE.most, otherwise: PAGE.usual }), PAGE.usual),
  cursor: z.optional(
    field(
      (value) =>
        /^[\w-]{1,40}$/.test(String(value))
          ? String(value)
          : fault("invalid", "cursor must be `next` of an earlier answer."),
      {
        type: "string",
        description: "The `next` of the page before.",
      },
    ),
  ),
});
