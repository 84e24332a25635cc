/**
 * The one parser for what the author of a message chooses: its text, its id and what it replies to. The same over the
 * socket and HTTP, on the server and in clients, which load it only when somebody is about to write.
 */

import { type Fault, fault, isFault, LIMITS, type Seq } from "./protocol.ts";

/** What the id of a message looks like. */
export const MESSAGE_ID = /^[A-Za-z0-9_-]{1,64}$/;

// Everything in Unicode's C0 and C1 control blocks but tab and line feed.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
export const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

// A character that leaves a trace by itself: not a control or format character, not a space, not a combining mark, and
// none of the blank letters (Hangul fillers, the empty Braille pattern) that Unicode counts among the visible.
const VISIBLE = /[^\p{C}\p{Z}\p{M}\u115f\u1160\u3164\uffa0\u2800]/u;

const encoder = new TextEncoder();

/** The length of `text` in bytes of UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).byteLength;
}

/** Whether `text` is longer than `limit` bytes of UTF-8; looks at most of the text only when it has to. */
export function exceedsBytes(text: string, limit: number): boolean {
  // A UTF-16 unit is one to three bytes of UTF-8.
  if (text.length > limit) return true;
  if (text.length * 3 <= limit) return false;
  return utf8Length(text) > limit;
}

/** Text as a room keeps it: well-formed Unicode, line ends as `\n`, no control characters, nothing around it. */
export function cleanText(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, "\n").replace(CONTROL_CHARACTERS, "").trim();
}

/** Whether there is anything to see in `text`. */
export const isVisible = (text: string): boolean => VISIBLE.test(text);

/** A message's content as the room keeps it, or why it can't. */
export function parseContent(content: unknown): string | Fault {
  if (typeof content !== "string") return fault("invalid", "content must be a string.");
  const text = cleanText(content);
  if (!isVisible(text)) return fault("invalid", "content is empty.");
  if (exceedsBytes(text, LIMITS.contentBytes)) {
    return fault("too_large", `content is longer than ${LIMITS.contentBytes} bytes of UTF-8.`);
  }
  return text;
}

export function parseMessageId(id: unknown): string | Fault {
  if (typeof id === "string" && MESSAGE_ID.test(id)) return id;
  return fault("invalid", `id must be 1 to ${LIMITS.idLength} characters of A-Z, a-z, 0-9, _ and -.`);
}

/** A seq, or why not. `name` is what the error calls it. */
export function parseSeq(seq: unknown, name: string): Seq | Fault {
  if (typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 1) return seq;
  return fault("invalid", `${name} must be the seq of a message: a whole number from 1.`);
}

/** The parts of a text that its author chooses: the same over the socket and HTTP. */
export interface TextSubmission {
  id: string;
  content: string;
  replyTo?: Seq;
}

/** Parses `{ id, content, replyTo? }` of a `send` frame or of a POSTed message. */
export function parseSend(value: Readonly<Record<string, unknown>>): TextSubmission | Fault {
  const id = parseMessageId(value.id);
  if (isFault(id)) return id;
  const content = parseContent(value.content);
  if (isFault(content)) return content;
  if (value.replyTo === undefined || value.replyTo === null) return { id, content };
  const replyTo = parseSeq(value.replyTo, "replyTo");
  return isFault(replyTo) ? replyTo : { id, content, replyTo };
}
