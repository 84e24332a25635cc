/** What a client may say of a room's members. */

import * as z from "zod/mini";
import { type Fault, fault, type MemberRole } from "../../party/protocol.ts";
import { field, wholeNumber } from "./schema.ts";
import { parseSender } from "./sender.ts";

/** What a member may be made. The owner is above these, and is no member that could be made. */
export const ROLES = ["reader", "member", "moderator"] as const satisfies readonly MemberRole[];

export const role = field(parseRole, {
  type: "string",
  enum: [...ROLES],
  description: "A `reader` reads, a `member` writes too, a `moderator` also decides over those below them.",
});

/** The body of `PUT /api/rooms/:id/members/:sender`. */
export const NewMember = z.strictObject({ role });

/** Members of one page of the list. */
const PAGE = { usual: 100, most: 500 };

/** The query of `GET /api/rooms/:id/members`. */
export const MemberListQuery = z.object({
  limit: z._default(wholeNumber("limit", { least: 1, most: PAGE.most, otherwise: PAGE.usual }), PAGE.usual),
  cursor: z._default(
    field((value) => (value === "" ? "" : parseSender(String(value))), {
      type: "string",
      description: "The `next` of the page before.",
    }),
    "",
  ),
});

function parseRole(value: unknown): MemberRole | Fault {
  return ROLES.find((known) => known === value) ?? fault("invalid", `role must be one of ${ROLES.join(", ")}.`);
}
