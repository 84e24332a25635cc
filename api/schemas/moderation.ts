/** What a client may say when it moderates a room. */

import * as z from "zod/mini";
import { fault } from "../../party/protocol.ts";
import { field, wholeNumber } from "./schema.ts";
import { parseTime } from "./time.ts";

/** The body of `PUT /api/rooms/:id/mutes/:sender`, which may be absent. */
export const NewMute = z.strictObject({
  until: z.optional(
    field(
      (value) => (value === null ? null : parseTime(value, "until must be a time in ISO 8601, or null for good.")),
      {
        type: ["string", "null"],
        format: "date-time",
        description: "Absent or null: for good.",
      },
    ),
  ),
  address: z.optional(
    field((value) => (typeof value === "boolean" ? value : fault("invalid", "address must be true or false.")), {
      type: "boolean",
      description:
        "Mute the addresses from which they write, too, for 30 days at most: whoever writes from there is muted, but for the owner, the moderators and their agents.",
    }),
  ),
});

/** Deeds of one page of the log. */
const PAGE = { usual: 50, most: 200 };

/** The query of `GET /api/rooms/:id/moderation`. */
export const DeedQuery = z.object({
  limit: z._default(wholeNumber("limit", { least: 1, most: PAGE.most, otherwise: PAGE.usual }), PAGE.usual),
  cursor: z.optional(wholeNumber("cursor", { least: 1, description: "The `next` of the page before." })),
});
