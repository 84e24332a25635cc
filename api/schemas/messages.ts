/** What a client may say of messages: what it sends, and which it wants to read. */

import * as z from "zod/mini";
import { ASK_BOUNDS, OPTION_ID, parseAnswer, parseAsk } from "../../party/asks/ask-parser.ts";
import { LEAST_CHARACTERS } from "../../party/brief/brief-page.ts";
import { AGENT_NAME, parseAgentName } from "../../party/identity/agent-name.ts";
import { SENDER } from "../../party/identity/sender-form.ts";
import { MESSAGE_ID, parseContent, parseMessageId, parseSeq } from "../../party/message-parser.ts";
import { type Fault, fault, isFault, LIMITS, READING } from "../../party/protocol.ts";
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
  content: z.optional(
    field(orNull(parseContent), {
      type: ["string", "null"],
      minLength: 1,
      description: `1 to ${LIMITS.contentBytes} bytes of UTF-8 after trimming. Text or Markdown. Absent of an answer alone, whose text is the room's.`,
    }),
  ),
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
  ask: z.optional(
    field(orNull(parseAsk), {
      type: ["object", "null"],
      required: ["options"],
      description: "People can answer this message with one click: `content` is the question.",
      properties: {
        options: {
          type: "array",
          minItems: ASK_BOUNDS.options.least,
          maxItems: ASK_BOUNDS.options.most,
          description: "A string is the id and the label of an option.",
          items: {
            oneOf: [
              { type: "string", pattern: OPTION_ID.source },
              {
                type: "object",
                required: ["id", "label"],
                properties: {
                  id: { type: "string", pattern: OPTION_ID.source },
                  label: { type: "string", minLength: 1, maxLength: ASK_BOUNDS.label },
                },
              },
            ],
          },
        },
        from: {
          oneOf: [
            { type: "string", enum: ["people"] },
            {
              type: "array",
              minItems: 1,
              maxItems: ASK_BOUNDS.from,
              items: { type: "string", pattern: SENDER.source },
            },
          ],
          description:
            "Who may answer: people with a key and sites' users (`people`), or these senders. Never an agent.",
        },
        guests: { type: "boolean", description: "With `people`: guests may answer, too." },
        until: {
          type: ["string", "null"],
          format: "date-time",
          description: "UTC. Nobody can answer from then on; at most 30 days ahead. Absent: in 7 days.",
        },
      },
    }),
  ),
  answer: z.optional(
    field(orNull(parseAnswer), {
      type: ["object", "null"],
      required: ["target", "option"],
      description: "Answers the ask `target`. `content`, `replyTo` and `ask` are left out.",
      properties: {
        target: { type: "integer", minimum: 1 },
        option: { type: "string", pattern: OPTION_ID.source, description: "The id of one of its options." },
      },
    }),
  ),
});

/** The longest that a request waits for an answer, seconds. Clients give a call a minute. */
const LONGEST_WAIT_FOR_ANSWER = 50;

/** The query of `GET /api/rooms/:id/messages/:seq/answer`. */
export const AnswerQuery = z.object({
  wait: z._default(
    wholeNumber("wait", {
      least: 0,
      most: LONGEST_WAIT_FOR_ANSWER,
      otherwise: 0,
      description: "Seconds to wait while nobody has answered.",
    }),
    0,
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

/** So many names are looked for in messages. */
const MOST_NAMES = 20;

function parseNames(value: unknown): string[] | Fault {
  const names = String(value).split(",");
  if (names.length > MOST_NAMES) return fault("invalid", `At most ${MOST_NAMES} names can be looked for.`);
  for (const name of names) {
    const sender = parseSender(name);
    if (isFault(sender)) return sender;
  }
  return names;
}

const names = (description: string) => z.optional(field(parseNames, { type: "string", description }));

/** What only a brief reading knows. */
const brief = {
  format: z.optional(
    field((value) => (value === "brief" ? value : fault("invalid", "format must be brief, or absent for JSON.")), {
      type: "string",
      enum: ["brief"],
      description: "`brief`: text, a line for each message, for a model or a terminal.",
    }),
  ),
  around: z.optional(
    wholeNumber("around", { least: 1, description: "Brief: the messages on both sides of this seq." }),
  ),
  mentions: names("Brief: only messages that mention one of these senders, with commas between them."),
  you: names(
    "Brief: what you are called, with commas between the names. What you say ends no `wait`, and what mentions you is counted.",
  ),
  max_chars: z.optional(
    wholeNumber("max_chars", {
      least: LEAST_CHARACTERS,
      most: 1_000_000,
      description:
        "Brief: the whole answer has at most so many characters. After a cursor the oldest messages stay, otherwise the newest.",
    }),
  ),
};

/** Messages of a page unless the query says otherwise. */
const USUAL_PAGE = 50;
/** The longest that a request waits for something new, seconds. */
const LONGEST_WAIT = 50;

/** The query of `GET /api/rooms/:id/messages`. */
export const MessageQuery = z
  .object({
    limit: z._default(wholeNumber("limit", { least: 1, most: READING.page, otherwise: USUAL_PAGE }), USUAL_PAGE),
    before: z.optional(wholeNumber("before", { least: 1, description: "Only messages with a smaller seq." })),
    ...cursor,
    ...brief,
    as: z.optional(
      field(parseAgentName, {
        type: "string",
        pattern: AGENT_NAME.source,
        description:
          "The name of your agent, with a key: who mentions it is not told that it does not hear, while it asks.",
      }),
    ),
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
    z.superRefine(({ before, after, wait, format, around, mentions, you, max_chars }, context) => {
      const refuse = (message: string) =>
        context.issues.push({ code: "custom", message, params: { refusal: fault("invalid", message) }, input: after });
      if (before !== undefined && after !== undefined) refuse("Ask for before or for after, not for both.");
      if (around !== undefined && (before ?? after) !== undefined) refuse("around goes without before and after.");
      const isBrief = [around, mentions, you, max_chars].some((field) => field !== undefined);
      if (isBrief && format === undefined) refuse("around, mentions, you and max_chars go with format=brief.");
      if (wait > 0 && after === undefined) refuse("wait goes with after.");
    }),
  );
