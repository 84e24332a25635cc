/** What a backup is told of the directory. */

import * as z from "zod/mini";
import { ROLES } from "../../schemas/members.ts";
import { count, described, time, timeOrNull } from "../described.ts";
import { RoomId, Sender, Seq } from "../fields.ts";
import { notice, operatorDeed } from "./admin.ts";
import { holder } from "./keys.ts";

const hash = (description: string) => described(z.string(), description);

/** What a backup has of the directory. */
export const DirectoryPage = z.strictObject({
  records: z.array(
    z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("secret"), name: z.string(), value: z.string() }),
      z.strictObject({
        type: z.literal("key"),
        ...holder,
        hash: hash("SHA-256 of the key, in hex."),
        nextHash: z.nullable(hash("Of a key that a rotation has made and that was not used yet.")),
        lastUsed: timeOrNull("To within an hour."),
        revokedAt: timeOrNull("null: it is valid."),
      }),
      z.strictObject({
        type: z.literal("site"),
        name: z.string(),
        owner: described(z.string(), "The id of the key that registered it."),
        keys: described(z.array(z.looseObject({})), "Public keys; none once it was removed."),
        origins: z.array(z.string()),
        createdAt: time("ISO 8601 UTC with milliseconds."),
        removedAt: timeOrNull("null: it stands."),
      }),
      z.strictObject({
        type: z.literal("room"),
        id: RoomId,
        name: z.string(),
        topic: z.string(),
        listed: z.boolean(),
        access: z.enum(["open", "members"]),
        owner: described(z.nullable(z.string()), "The id of the key that made it."),
        createdAt: time("ISO 8601 UTC with milliseconds."),
        settings: z.looseObject({}),
        revision: count("Grows with each change.", 1),
        epoch: z.nullable(z.string()),
        lastSeq: count("Where the room's log ends."),
        first: Seq,
        goneBefore: timeOrNull("Messages from before this time are gone; null: none for their age."),
        lastMessageAt: timeOrNull("To within a minute; null: nothing was ever said."),
      }),
      z.strictObject({
        type: z.literal("member"),
        room: RoomId,
        sender: Sender,
        role: described(z.nullable(z.enum(ROLES)), "null: not a member any more."),
        since: time("ISO 8601 UTC with milliseconds."),
        invite: described(z.nullable(z.string()), "The id of the invite by which they came."),
        uses: described(z.array(z.string()), "The ids of the invites that they have used."),
        removed: described(z.boolean(), "Somebody else has removed them."),
        change: count("Grows with each change.", 1),
      }),
      z.strictObject({
        type: z.literal("invite"),
        room: RoomId,
        id: z.string(),
        secretHash: hash("SHA-256 of its secret, in hex."),
        role: z.enum(ROLES),
        uses: count("How many people may use it.", 1),
        used: count("How many have."),
        createdBy: described(z.string(), "Who made it; empty where they were erased since."),
        createdAt: time("ISO 8601 UTC with milliseconds."),
        expiresAt: timeOrNull("null: never."),
        revoked: z.boolean(),
        change: count("Grows with each change.", 1),
      }),
      z.strictObject({
        type: z.literal("moderation"),
        room: RoomId,
        kind: described(z.enum(["deed", "held"]), "Who did what, or a message that is held."),
        id: z.string(),
        body: described(z.looseObject({}), "The row, whose form `v` says."),
      }),
      z.strictObject({ type: z.literal("operatorDeed"), ...operatorDeed }),
      z.strictObject({ type: z.literal("notice"), ...notice }),
    ]),
  ),
  next: described(z.nullable(z.string()), "The cursor of the next page; null on the last."),
});
