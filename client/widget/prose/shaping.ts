/**
 * How much of a text a browser can lay out without stopping for it.
 *
 * Before text is shown, it is cut into runs of one script, and each is given to a font: some 50 µs a run, however
 * short. Ordinary text has few runs, also where languages mix. Sixteen kilobytes in which the script changes at every
 * letter have as many runs as letters, and stop the page of everybody in the room for a second.
 */

/** Runs of one script in a message that are laid out before its reader asks for more. */
const RUN_LIMIT = 800;

/** The beginning of `text` that has no more than `RUN_LIMIT` runs: nearly always all of it. */
export function shapeable(text: string): string {
  // Each run is a character at least, and ASCII has one script.
  if (text.length <= RUN_LIMIT || /^\p{ASCII}*$/u.test(text)) return text;
  let runs = 0;
  let last: number | undefined;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) as number;
    const script = scriptOf(code);
    if (script !== NEUTRAL && script !== last) {
      // Emoji have a font of their own, which is looked for in more places.
      runs += script === EMOJI ? 2 : 1;
      if (runs > RUN_LIMIT) return text.slice(0, at);
      last = script;
    }
    at += code > 0xffff ? 2 : 1;
  }
  return text;
}

/** Goes with any script: spaces, signs, digits; joiners and selectors, which belong to what stands before them. */
const NEUTRAL = -1;
const EAST_ASIA = 0x2e80;
const EMOJI = 0x10000;

/** A number for the script of a character, as coarse as fonts are: blocks of 128, but one for all of East Asia. */
function scriptOf(code: number): number {
  if (code < 0x80) return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a ? 0 : NEUTRAL;
  if (code < 0x370) return 0;
  if ((code >= 0x200b && code <= 0x200f) || (code >= 0xfe00 && code <= 0xfe0f)) return NEUTRAL;
  if ((code >= 0x2e80 && code <= 0xd7ff) || (code >= 0xf900 && code <= 0xffff)) return EAST_ASIA;
  return code < EMOJI ? code >> 7 : EMOJI;
}
