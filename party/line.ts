/**
 * One line of text that everybody sees beside others' lines: a room's name or topic, or a name that is shown. It may be
 * in any script, and must stay in its place.
 */

import { cleanText, isVisible } from "./message-parser.ts";
import { type Fault, fault } from "./protocol.ts";

/**
 * Embeddings, overrides and isolates (UAX #9, sections 2.1 to 2.5): each reorders everything until its end, also beyond
 * the line that has it. Arabic and Hebrew need none of them, because their letters have a direction of their own. The
 * marks (section 2.6) stay: they reach no further than their neighbours, and languages are written with them.
 */
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * More marks in a row than any script puts on one letter; format characters between them do not end the row. Hebrew with
 * vowels and accents has up to five, Tibetan and Vietnamese fewer. In Indic scripts and in emoji sequences a letter or a
 * picture follows after two or three. Marks without end cover the lines above and below.
 */
const MARKS = 6;
const TOO_MANY_MARKS = new RegExp(String.raw`(?:\p{M}\p{Cf}*){${MARKS + 1}}`, "u");

/** `value` as it is kept: on one line, without what is not shown. `name` is what a refusal calls it; `most`: characters. */
export function parseLine(value: unknown, name: string, most: number): string | Fault {
  if (typeof value !== "string") return fault("invalid", `${name} must be a string.`);
  const line = cleanText(value.replace(BIDI_CONTROLS, "")).replace(/\s+/g, " ");
  if ([...line].length > most) return fault("too_large", `${name} is longer than ${most} characters.`);
  if (TOO_MANY_MARKS.test(line)) {
    return fault("invalid", `${name} has more than ${MARKS} combining marks on one character.`);
  }
  return line;
}

/** The same, of which something must be to see. */
export function parseVisibleLine(value: unknown, name: string, most: number): string | Fault {
  const line = parseLine(value, name, most);
  return typeof line === "string" && !isVisible(line) ? fault("invalid", `${name} is empty.`) : line;
}
