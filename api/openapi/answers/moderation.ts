/** What the API answers with about mutes, messages that are held, and who has moderated what. */

import * as z from "zod/mini";
import { DEEDS } from "../../../party/room-rpc.ts";
import { described, named, time, timeOrNull } from "../described.ts";
import { Sender, Seq } from "../fields.ts";
import { askTerms } from "./messages.ts";

export const Mute = named(
  "Mute",
  z.strictObject({
    sender: Sender,
    until: timeOrNull("null: for good."),
    address: described(z.optional(z.literal(true)), "The address is muted, too."),
    addressUntil: described(z.optional(z.iso.datetime()), "Until when that holds."),
  }),
);

export const MuteList = z.strictObject({ mutes: z.array(Mute) });

const Held = named(
  "Held",
  z.strictObject({
    id: z.string(),
    messageId: described(z.string(), "The id that its author gave it."),
    sender: Sender,
    content: z.string(),
    ask: described(
      z.optional(z.strictObject({ ...askTerms, until: z.optional(z.iso.datetime()) })),
      "Of an ask. Without `until` its time begins when it is approved.",
    ),
    replyTo: z.optional(Seq),
    at: time("ISO 8601 UTC with milliseconds."),
    why: described(z.enum(["guest", "newcomer", "link"]), "By which rule it waits."),
  }),
);

export const HeldList = z.strictObject({ held: z.array(Held) });

const Deed = named(
  "Deed",
  z.strictObject({
    id: described(z.int().check(z.gte(1)), "Later ones have a higher one."),
    at: time("ISO 8601 UTC with milliseconds."),
    by: described(z.string(), "Who did it; `operator` for the operator, and empty where they were erased since."),
    deed: z.enum(DEEDS),
    target: described(z.optional(z.string()), "Whom it was done to; absent also where they were erased since."),
    until: z.optional(timeOrNull("Of a mute; null: for good.")),
    address: described(z.optional(z.literal(true)), "Of a mute: the address, too."),
    seq: described(z.optional(Seq), "Of which message."),
    role: described(z.optional(z.enum(["reader", "member", "moderator", "owner"])), "Which one was given."),
    settings: described(z.optional(z.array(z.string())), "Which fields of the room were changed."),
  }),
);

export const DeedList = z.strictObject({
  entries: z.array(Deed),
  next: described(z.nullable(z.int()), "The cursor of the next page; null on the last."),
});
