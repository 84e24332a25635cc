/** The port that `PORT` names. */

import { end } from "./end.ts";

/** `PORT`, or 8787. Ends the process with a line that says why when it is no port. */
export function portFromEnvironment(): number {
  const text = process.env.PORT ?? "8787";
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  return end(`PORT must be a number from 0 to 65535, not "${text}".`);
}
