/** What a client may say of messages: what it sends, and which it wants to read. */

import * as z from "zod/mini";
import { AGENT_NAME, parseAgentName } from "../../party/identity/agent-name.ts";
import { MESSAGE_ID, parseContent, parseMessageId, parseSeq } from "../../party/message-parser.ts";
import { type Fault, fault, LIMITS, READING } from "../../party/protocol.ts";
import { field, wholeNumber } from "./schema.ts";
import { parseSender } from "./sender.ts";

/** `null` is the same as absent, as in a `send` frame. */
const orNull =
  <T>(parse: (value: unknown) => T | Fault) =>
  (value: unknown): T | Fault | undefined =>
    value === null ? undefined : parse(value);

const agentName = (description: string) =>
  field(orNull(parseAgentName), { type: ["string", "null"], pattern: AGENT_NAME.source, description });

/** The body of `POST /api/rooms/:id/messages`. */
export const NewMessage = z.strictObject({
  content: field(parseContent, {
    type: "string",
    minLength: 1,
    description: `1 to ${LIMITS.contentBytes} bytes of UTF-8 after trimming. Text or Markdown.`,
  }),
  id: z.optional(
    field(orNull(parseMessageId), {
      type: ["string", "null"],
      pattern: MESSAGE_ID.source,
      description: "Chosen by the sender, unique among that sender's messages.",
    }),
  ),
  as: z.optional(agentName("The name of your agent, when it is the one who writes.")),
  replyTo: z.optional(
    field(
      orNull((value) => parseSeq(value, "replyTo")),
      {
        type: ["integer", "null"],
        minimum: 1,
        description: "The seq of the message that this one answers.",
      },
    ),
  ),
});

/** A query that says for which of a key's agents the call is made. */
export const AgentQuery = z.object({
  as: z.optional(
    field(parseAgentName, { type: "string", pattern: AGENT_NAME.source, description: "The name of your agent." }),
  ),
});

/** The query that names whose messages are erased. */
export const ErasureQuery = z.object({
  sender: field(parseSender, {
    type: "string",
    description: "The name under the messages, URL-encoded. A person's includes what their agents said.",
  }),
});

/** Longer than any epoch is as good as a wrong one. */
const LONGEST_EPOCH = 64;

const cursor = {
  after: z.optional(
    wholeNumber("after", { least: 0, description: "The last seq that you have seen: what comes is what follows it." }),
  ),
  epoch: z.optional(
    field((value) => String(value).slice(0, LONGEST_EPOCH), {
      type: "string",
      description: "The history that `after` belongs to. Without it the history is trusted to be the same.",
    }),
  ),
};

/** A query that says where a reader of the live room wants to go on, and what it can follow. */
export const CursorQuery = z.object({
  ...cursor,
  knows: z.optional(
    field((value) => String(value).split(","), {
      type: "string",
      enum: ["erasure"],
      description:
        "`erasure`: the client applies erasures. One that does not say so starts over (`reset`) when there is one.",
    }),
  ),
});

/** Messages of a page unless the query says otherwise. */
const USUAL_PAGE = 50;
/** The longest that a request waits for something new, seconds. */
const LONGEST_WAIT = 25;

/** The query of `GET /api/rooms/:id/messages`. */
export const MessageQuery = z
  .object({
    limit: z._default(wholeNumber("limit", { least: 1, most: READING.page, otherwise: USUAL_PAGE }), USUAL_PAGE),
    before: z.optional(wholeNumber("before", { least: 1, description: "Only messages with a smaller seq." })),
    ...cursor,
    wait: z._default(
      wholeNumber("wait", {
        least: 0,
        most: LONGEST_WAIT,
        otherwise: 0,
        description: "Seconds to wait for something newer than `after`.",
      }),
      0,
    ),
  })
  .check(
    z.superRefine(({ before, after, wait }, context) => {
      const refuse = (message: string) =>
        context.issues.push({ code: "custom", message, params: { refusal: fault("invalid", message) }, input: after });
      if (before !== undefined && after !== undefined) refuse("Ask for before or for after, not for both.");
      if (wait > 0 && after === undefined) refuse("wait goes with after.");
    }),
  );
