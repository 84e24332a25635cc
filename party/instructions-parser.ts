/** Reads what an owner writes for the agents in a room. Apart from the rest, which a page loads without the parser of texts. */

import { LONGEST_INSTRUCTIONS } from "./instructions.ts";
import { cleanText } from "./message-parser.ts";
import { type Fault, fault } from "./protocol.ts";

/** The text as it is kept, or why it can't be. Empty takes it away. */
export function parseInstructions(value: unknown): string | Fault {
  if (typeof value !== "string") return fault("invalid", "instructions must be a string.");
  const text = cleanText(value);
  if ([...text].length <= LONGEST_INSTRUCTIONS) return text;
  return fault("too_large", `instructions is longer than ${LONGEST_INSTRUCTIONS} characters.`);
}
