/** What a client may say of invites into a room. */

import * as z from "zod/mini";
import { type Fault, fault, isGuestSecret } from "../../party/protocol.ts";
import { role } from "./members.ts";
import { field } from "./schema.ts";
import { parseTime } from "./time.ts";

/** How many people one invite lets in at most, and one that does not say. */
const MOST_USES = 10_000;
const USUAL_USES = 1;
/** How long an invite lives that does not say, ms. */
export const USUAL_LIFE = 7 * 24 * 60 * 60_000;

/** The body of `POST /api/rooms/:id/invites`, which may be absent. */
export const InviteFields = z.strictObject({
  role: z.optional(role),
  uses: z._default(
    field(parseUses, {
      type: "integer",
      minimum: 1,
      maximum: MOST_USES,
      default: USUAL_USES,
      description: "How many people may use it.",
    }),
    USUAL_USES,
  ),
  expires: z.optional(
    field((value) => (value === null ? null : parseTime(value, "expires must be a time in ISO 8601, or null.")), {
      type: ["string", "null"],
      format: "date-time",
      description: "null: never. Absent: in seven days.",
    }),
  ),
});

/** The body of `POST /api/rooms/:id/join`. */
export const JoinFields = z.strictObject({
  invite: field(parseInvite, { type: "string", maxLength: 128, description: "The secret of an invite." }),
  guest: z.optional(
    field(parseGuest, {
      type: "string",
      minLength: 22,
      maxLength: 128,
      description: "Your secret as a guest, who has used the invite: with your key you take that place.",
    }),
  ),
});

/** The body of `POST /api/rooms/:id/owner`. */
export const HandoverFields = z.strictObject({
  handle: field(parseHandle, { type: "string", description: "The handle of a member, who then owns the room." }),
});

function parseUses(value: unknown): number | Fault {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_USES) return value as number;
  return fault("invalid", `uses must be a whole number from 1 to ${MOST_USES}.`);
}

function parseInvite(value: unknown): string | Fault {
  if (typeof value === "string" && value.length > 0 && value.length <= 128) return value;
  return fault("invalid", "invite must be the secret of an invite, as a string.");
}

function parseGuest(value: unknown): string | Fault {
  if (typeof value === "string" && isGuestSecret(value)) return value;
  return fault("invalid", "guest must be your secret as a guest.");
}

function parseHandle(value: unknown): string | Fault {
  if (typeof value === "string" && /^[a-z0-9][a-z0-9-]{0,63}$/.test(value)) return value;
  return fault("invalid", "handle must be that of a person with a key.");
}
