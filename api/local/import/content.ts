/** A message's text as a room keeps it: cleaned as a new one would be, and in parts when it is too long for one message. */

import { CONTROL_CHARACTERS, cleanText, isVisible } from "../../../party/message-parser.ts";
import { LIMITS } from "../../../party/protocol.ts";
import type { DecodedText, Encoding } from "./source-value.ts";

/** Bytes of one text that are kept at most. What follows is cut off. */
export const LONGEST_TEXT = 1024 * 1024;

/** The first `LONGEST_TEXT` bytes of a longer text, up to the end of a letter. */
export function cutOff(bytes: Uint8Array, encoding: Encoding): Uint8Array {
  let end = LONGEST_TEXT;
  // Inside a letter the bytes of UTF-8 begin with 10.
  while (encoding === "utf-8" && end > LONGEST_TEXT - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/** What was changed in a text. */
export type TextChange = "invalid-utf8" | "control-characters" | "whitespace" | "text-split";

export interface CleanContent {
  /** One for each message; none when there is nothing to see. */
  readonly parts: readonly string[];
  readonly changes: readonly TextChange[];
}

export function cleanContent({ text, isRepaired }: DecodedText): CleanContent {
  const cleaned = cleanText(text);
  const changes: TextChange[] = isRepaired ? ["invalid-utf8"] : [];
  if (cleaned !== text) {
    const hasControls = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n").search(CONTROL_CHARACTERS) >= 0;
    changes.push(hasControls ? "control-characters" : "whitespace");
  }
  if (!isVisible(cleaned)) return { parts: [], changes };
  const parts = split(cleaned);
  return { parts, changes: parts.length > 1 ? [...changes, "text-split"] : changes };
}

const encoder = new TextEncoder();
const buffer = new Uint8Array(LIMITS.contentBytes);

/** Parts of at most `LIMITS.contentBytes`, at the end of a line or a word where there is one in the second half. */
function split(text: string): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length; ) {
    const { read } = encoder.encodeInto(text.slice(from, from + LIMITS.contentBytes), buffer);
    const end =
      from + read >= text.length
        ? text.length
        : from + breakIn(text.slice(from, from + read), text.slice(from + read, from + read + WINDOW));
    const part = cleanText(text.slice(from, end));
    if (isVisible(part)) parts.push(part);
    from = end;
  }
  return parts;
}

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Characters in which the end of a letter with its marks is looked for. */
const WINDOW = 100;

function breakIn(part: string, next: string): number {
  const candidates = ["\n\n", "\n", " "].map((mark) => part.lastIndexOf(mark));
  const end = candidates.find((at) => at > part.length / 2);
  if (end !== undefined) return end;
  // Between letters; a letter and its marks stay together.
  const tail = part.slice(-WINDOW) + next;
  const last = GRAPHEMES.segment(tail).containing(tail.length - next.length);
  const back = last && last.index > 0 ? tail.length - next.length - last.index : 0;
  return part.length - back;
}
