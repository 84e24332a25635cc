/** What a backup is told of the directory. */

import * as z from "zod/mini";
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
        type: z.literal("state"),
        room: RoomId,
        part: described(z.string(), "`members`, `invites`, `deeds`, `held`, or one of a later version."),
        body: described(z.unknown(), "What the room knows, in the form that docs/backup.md describes."),
      }),
      z.strictObject({
        type: z.literal("erasureOrder"),
        senderHash: hash("SHA-256 of the name that the operator has erased, in hex."),
        at: time("What was said up to then."),
        sender: described(z.nullable(Sender), "null: it is carried out everywhere."),
      }),
      z.strictObject({ type: z.literal("operatorDeed"), ...operatorDeed }),
      z.strictObject({ type: z.literal("notice"), ...notice }),
    ]),
  ),
  next: described(z.nullable(z.string()), "The cursor of the next page; null on the last."),
});
