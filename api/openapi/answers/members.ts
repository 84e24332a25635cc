/** What the API answers with about a room's members, its invites and its owner. */

import * as z from "zod/mini";
import { ROLES } from "../../schemas/members.ts";
import { count, described, named, time, timeOrNull } from "../described.ts";
import { Sender } from "../fields.ts";

export const Member = named(
  "Member",
  z.strictObject({
    sender: Sender,
    role: described(z.enum(["reader", "member", "moderator", "owner"]), "The owner is above the others."),
    since: time("ISO 8601 UTC with milliseconds."),
  }),
);

export const MemberList = z.strictObject({
  members: z.array(Member),
  next: described(z.nullable(z.string()), "The cursor of the next page; null on the last."),
});

const invite = {
  id: z.string(),
  role: z.enum(ROLES),
  uses: count("How many people may use it.", 1),
  used: count("How many have."),
  createdBy: described(z.string(), "Who made it; empty where they were erased since."),
  createdAt: time("ISO 8601 UTC with milliseconds."),
  expires: timeOrNull("null: never."),
};

export const Invite = named("Invite", z.strictObject(invite));

export const InviteList = z.strictObject({ invites: z.array(Invite) });

export const NewInvite = named(
  "NewInvite",
  z.strictObject({
    ...invite,
    secret: described(z.string(), "Shown only here: only its hash is stored."),
    url: described(z.string(), "The room's address with the secret in its fragment."),
  }),
);

export const Owner = z.strictObject({ owner: z.string() });
