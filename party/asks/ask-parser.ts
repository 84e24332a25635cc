/**
 * The one parser for what somebody says of an ask or an answer: the same over the socket and HTTP. Whether who asks may, and
 * whether its time is to come, is the room's to judge (`asks.ts`).
 */

import { isAgent } from "../identity/sender.ts";
import { isSender } from "../identity/sender-form.ts";
import { isVisible, parseMessageId, parseSend, parseSeq, type TextSubmission, utf8Length } from "../message-parser.ts";
import { type Answer, type AskOption, type Fault, fault, isFault, LIMITS } from "../protocol.ts";
import type { AskTerms } from "./ask.ts";

/** How many options an ask has, characters of a label, and how many senders it can name. */
export const ASK_BOUNDS = { options: { least: 2, most: 6 }, label: 80, from: 20 } as const;

/** What the id of an option looks like. */
export const OPTION_ID = /^[a-z0-9-]{1,32}$/;

// Controls, line separators, and what changes the order or the look of what is around it, but for the joiners that emoji and
// some scripts are written with.
const UNFIT_IN_LABEL = /[\p{Cc}\p{Zl}\p{Zp}\p{Co}\p{Cs}]|(?!\u200c|\u200d)\p{Cf}/u;

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?Z$/;

/** A text as it is submitted, an ask, or an answer: what its author chooses. */
export type Submission = TextSubmission | AskSubmission | AnswerSubmission;

export interface AskSubmission extends TextSubmission {
  readonly ask: AskTerms;
}

export interface AnswerSubmission {
  readonly id: string;
  readonly answer: Answer;
}

/** Parses what a `send` frame or a POSTed message says. `null` is the same as absent. */
export function parseSubmission(value: Readonly<Record<string, unknown>>): Submission | Fault {
  const ask = value.ask ?? undefined;
  const answer = value.answer ?? undefined;
  if (ask !== undefined && answer !== undefined) return fault("invalid", "A message asks or answers, not both.");
  if (answer !== undefined) return parseAnswerSubmission(value.id, answer);
  const text = parseSend(value);
  if (isFault(text) || ask === undefined) return text;
  const terms = parseAsk(ask);
  if (isFault(terms)) return terms;
  return refuseLength(text.content, terms) ?? { ...text, ask: terms };
}

function parseAnswerSubmission(id: unknown, answer: unknown): AnswerSubmission | Fault {
  const parsed = parseMessageId(id);
  if (isFault(parsed)) return parsed;
  const chosen = parseAnswer(answer);
  return isFault(chosen) ? chosen : { id: parsed, answer: chosen };
}

/** The terms of an ask, or why they can't be. */
export function parseAsk(ask: unknown): AskTerms | Fault {
  if (!isRecord(ask)) return fault("invalid", "ask must be an object with options.");
  const options = parseOptions(ask.options);
  if (isFault(options)) return options;
  const from = parseFrom(ask.from ?? "people");
  if (isFault(from)) return from;
  const guests = ask.guests ?? false;
  if (typeof guests !== "boolean") return fault("invalid", "guests must be true or false.");
  if (guests && from !== "people") return fault("invalid", "guests goes with from: people. Name a guest in from.");
  const until = ask.until === undefined || ask.until === null ? undefined : parseUntil(ask.until);
  if (isFault(until)) return until;
  return { options, from, ...(guests && { guests }), ...(until !== undefined && { until }) };
}

/** What an answer chooses, or why it can't be one. */
export function parseAnswer(answer: unknown): Answer | Fault {
  if (!isRecord(answer)) return fault("invalid", "answer must be an object with target and option.");
  const target = parseSeq(answer.target, "target");
  if (isFault(target)) return target;
  const { option } = answer;
  if (typeof option === "string" && OPTION_ID.test(option)) return { target, option };
  return fault("invalid", "option must be the id of one of the ask's options.");
}

function parseOptions(options: unknown): AskOption[] | Fault {
  const { least, most } = ASK_BOUNDS.options;
  if (!Array.isArray(options) || options.length < least || options.length > most) {
    return fault("invalid", `options must be a list of ${least} to ${most}.`);
  }
  const parsed: AskOption[] = [];
  for (const option of options as unknown[]) {
    const one = parseOption(option);
    if (isFault(one)) return one;
    if (parsed.some(({ id }) => id === one.id)) return fault("invalid", `Two options have the id ${one.id}.`);
    parsed.push(one);
  }
  return parsed;
}

function parseOption(option: unknown): AskOption | Fault {
  const { id, label } = isRecord(option) ? option : { id: option, label: option };
  if (typeof id !== "string" || !OPTION_ID.test(id)) {
    return fault("invalid", "The id of an option must be 1 to 32 characters of a-z, 0-9 and -.");
  }
  const text = typeof label === "string" ? label.trim() : "";
  if (!isVisible(text) || [...text].length > ASK_BOUNDS.label) {
    return fault("invalid", `The label of an option must be 1 to ${ASK_BOUNDS.label} characters that can be seen.`);
  }
  if (!text.isWellFormed() || UNFIT_IN_LABEL.test(text)) {
    return fault("invalid", "The label of an option is one line, without characters that control how text is shown.");
  }
  return { id, label: text };
}

function parseFrom(from: unknown): AskTerms["from"] | Fault {
  if (from === "people") return from;
  if (!Array.isArray(from) || from.length < 1 || from.length > ASK_BOUNDS.from) {
    return fault("invalid", `from must be "people", or 1 to ${ASK_BOUNDS.from} senders.`);
  }
  for (const sender of from as unknown[]) {
    if (!isSender(sender)) return fault("invalid", "from must name senders as they stand under messages.");
    if (isAgent(sender)) return fault("invalid", "from must not name agents: an ask is for people.");
  }
  return [...new Set(from as string[])];
}

function parseUntil(until: unknown): string | Fault {
  const time = typeof until === "string" && TIME.test(until) ? Date.parse(until) : Number.NaN;
  if (Number.isNaN(time)) return fault("invalid", "until must be a time in UTC, as in 2027-01-31T12:00:00Z.");
  return new Date(time).toISOString();
}

/** A pack of D1's has place for a hundred messages of the longest content (`archive/pack.ts`): an ask is no longer. */
function refuseLength(question: string, { options, from }: AskTerms): Fault | undefined {
  const words = [...options.flatMap(({ id, label }) => [id, label]), ...(from === "people" ? [] : from)];
  const bytes = words.reduce((sum, word) => sum + utf8Length(word), utf8Length(question));
  if (bytes <= LIMITS.contentBytes) return undefined;
  return fault("too_large", `An ask with its options is longer than ${LIMITS.contentBytes} bytes of UTF-8.`);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
