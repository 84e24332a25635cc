/** What the API answers with about messages and asks. */

import * as z from "zod/mini";
import { OPTION_ID } from "../../../party/asks/ask-parser.ts";
import { count, described, named, time } from "../described.ts";
import { Sender, Seq } from "../fields.ts";

export const askTerms = {
  options: z.array(z.strictObject({ id: z.string().check(z.regex(OPTION_ID)), label: z.string() })),
  from: described(
    z.union([z.literal("people"), z.array(Sender)]),
    "Who may answer: people with a key and sites' users, or these senders.",
  ),
  guests: described(z.optional(z.literal(true)), "With `people`: guests may answer, too."),
};

const Ask = named(
  "Ask",
  z.strictObject({
    ...askTerms,
    until: time("ISO 8601 UTC: nobody can answer from then on."),
    closed: described(
      z.optional(
        z.union([
          z.strictObject({ option: z.string(), by: z.union([Sender, z.literal("")]), seq: Seq }),
          z.strictObject({ expired: z.literal(true), seq: Seq }),
        ]),
      ),
      "What has closed it, as the room knows it now.",
    ),
  }),
);

export const Message = named(
  "Message",
  z.strictObject({
    seq: Seq,
    id: described(z.string(), "Chosen by the sender, unique among that sender's messages."),
    kind: described(z.enum(["text", "deletion", "erasure", "expiry"]), "Ignore kinds that you do not know."),
    sender: described(z.union([Sender, z.literal("")]), "Empty where everything by the sender was erased."),
    content: z.string(),
    createdAt: time("ISO 8601 UTC with milliseconds. Never goes back within a room."),
    replyTo: described(
      z.optional(z.int().check(z.gte(1))),
      "The seq of the message that this one answers. Of an expiry: the ask that nobody answered in time.",
    ),
    target: described(
      z.optional(z.int().check(z.gte(1))),
      "Of a deletion: the seq of the message whose content is gone.",
    ),
    deleted: described(z.optional(z.literal(true)), "The content has been deleted; the message keeps its place."),
    erased: described(
      z.optional(z.union([Sender, z.literal("")])),
      "Of an erasure: whose messages are gone, those of their agents among them, up to `upTo`. Empty once it is carried out.",
    ),
    upTo: z.optional(Seq),
    ask: described(z.optional(Ask), "Of a text that asks."),
    answer: described(
      z.optional(z.strictObject({ target: Seq, option: z.string() })),
      "Of a text that answers an ask: `content` is the label of the option, and `replyTo` the ask.",
    ),
  }),
);

export const SentMessage = named(
  "SentMessage",
  z.extend(Message, {
    unheard: described(
      z.optional(
        z.strictObject({
          agents: described(z.array(Sender), "Who."),
          message: described(z.string(), "The same in words."),
        }),
      ),
      "Agents that the message mentions and that do not hear it, of those whom the room knows.",
    ),
  }),
);

export const Page = named(
  "Page",
  z.strictObject({
    messages: z.array(Message),
    head: count("The newest seq. In a page of `before` as far as the archive is."),
    epoch: described(z.string(), "Names this history of the room; give it back with your cursor."),
    names: described(
      z.optional(z.record(z.string(), z.string())),
      "What sites call those of the senders who are their users, by sender. To be shown with the site.",
    ),
    more: described(z.boolean(), "There are more in the direction that was asked for."),
    closed: described(z.optional(z.literal(true)), "The server's operator has closed the room: nobody writes."),
    reset: described(
      z.optional(z.literal(true)),
      "Your cursor is of another history, or what follows it is gone: these are the newest messages instead.",
    ),
  }),
);

const answered = {
  option: described(z.string(), "The id of the option that was chosen."),
  by: described(z.union([Sender, z.literal("")]), "Who has answered; empty where they were erased since."),
  seq: Seq,
};

export const AskAnswer = z.union([
  z.strictObject({ ...answered, label: z.string() }),
  z.strictObject({ expired: z.literal(true), seq: Seq }),
  z.strictObject({ deleted: z.literal(true) }),
]);

export const HeldAnswer = z.strictObject({
  error: z.strictObject({ code: z.literal("held"), message: z.string() }),
  held: described(z.string(), "Its id among the messages that wait."),
});
