/**
 * Text of others as a terminal may have it. A terminal obeys control sequences: one in a message could move the cursor
 * over earlier lines, change the window's title, or fill the clipboard.
 */

/** Where in a control sequence (ECMA-48, chapter 5) the text is. */
type Place =
  | "text"
  /** Behind ESC, and behind what stands between it and its end. */
  | "escape"
  /** Behind CSI: parameters, until a final character. */
  | "parameters"
  /** Behind OSC, DCS, SOS, PM or APC: a string, until its terminator. */
  | "string"
  /** Behind an ESC in such a string, which may begin its terminator. */
  | "end of string";

const [BELL, LINE_FEED, RETURN, ESCAPE, DELETE] = [0x07, 0x0a, 0x0d, 0x1b, 0x7f] as const;
const [TAB, LAST_C1] = [0x09, 0x9f] as const;
const [CSI, STRING_END] = [0x9b, 0x9c] as const;
/** DCS, SOS, OSC, PM and APC, as one character, and as what follows an ESC. */
const STRINGS: readonly number[] = [0x90, 0x98, 0x9d, 0x9e, 0x9f];
const STRINGS_BEHIND_ESCAPE: readonly number[] = [0x50, 0x58, 0x5d, 0x5e, 0x5f];
const CSI_BEHIND_ESCAPE = 0x5b;

/** No sequence that is meant well is longer. One that is may swallow no more of the text than this. */
const LONGEST_SEQUENCE = 4_096;

/** Embeddings, overrides and isolates (UAX #9): each reorders the text behind it. The marks reach no further than a letter. */
const isReordering = (code: number): boolean =>
  (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);

const isControl = (code: number): boolean =>
  (code < 0x20 && code !== TAB && code !== LINE_FEED) || (code >= DELETE && code <= LAST_C1);

/** Makes visible what comes in pieces: a sequence may begin in one and end in the next. */
export class VisibleStream {
  #place: Place = "text";
  /** Characters of the sequence so far. */
  #length = 0;
  /** A carriage return has been shown as a line break: a line feed behind it is the same one. */
  #isBroken = false;
  /** Half a character, at the end of the last piece. */
  #half = "";

  /** What of this piece, and of what was kept of those before, can be shown. */
  push(piece: string): string {
    const text = this.#half + piece;
    this.#half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
    let shown = "";
    for (const character of text.slice(0, text.length - this.#half.length)) {
      shown += this.#take(character, character.codePointAt(0) as number);
    }
    return shown;
  }

  /** What is left when nothing more comes. */
  end(): string {
    const rest = this.#place === "text" ? this.#half.toWellFormed() : "";
    this.#half = "";
    this.#place = "text";
    return rest;
  }

  /** What is shown of one character. */
  #take(character: string, code: number): string {
    if (this.#place !== "text") {
      this.#go(code);
      return "";
    }
    if (code === ESCAPE) this.#begin("escape");
    else if (code === CSI) this.#begin("parameters");
    else if (STRINGS.includes(code)) this.#begin("string");
    else if (code === RETURN || code === 0x2028 || code === 0x2029) {
      this.#isBroken = code === RETURN;
      return "\n";
    } else if (code === LINE_FEED && this.#isBroken) this.#isBroken = false;
    else if (!isControl(code) && !isReordering(code)) {
      this.#isBroken = false;
      // Half a character is none, also beside another half from which a sequence was taken.
      return character.toWellFormed();
    }
    return "";
  }

  #begin(place: Place): void {
    this.#place = place;
    this.#length = 0;
  }

  /** Goes on in a sequence. */
  #go(code: number): void {
    const isOver = ++this.#length > LONGEST_SEQUENCE;
    if (isOver) this.#place = "text";
    else if (this.#place === "escape") this.#behindEscape(code);
    else if (this.#place === "parameters") {
      // Whatever is no parameter ends it.
      if (code < 0x20 || code > 0x3f) this.#place = "text";
    } else if (code === BELL || code === STRING_END) this.#place = "text";
    else if (this.#place === "end of string") this.#behindEscape(code);
    else if (code === ESCAPE) this.#place = "end of string";
  }

  #behindEscape(code: number): void {
    if (code === CSI_BEHIND_ESCAPE) this.#begin("parameters");
    else if (STRINGS_BEHIND_ESCAPE.includes(code)) this.#begin("string");
    // Between ESC and its end there may be more.
    else if (code === ESCAPE || (code >= 0x20 && code <= 0x2f)) this.#place = "escape";
    else this.#place = "text";
  }
}

/** `text` without anything that a terminal obeys. Its lines and tabs stay. */
export function visibleText(text: string): string {
  const stream = new VisibleStream();
  return stream.push(text) + stream.end();
}

/** The same on one line: for what stands beside words of ours. */
export const visibleLine = (text: string): string => visibleText(text).replace(/\s+/g, " ").trim();

/** JSON that a terminal may have: what it would obey is escaped, so nothing is lost. */
export const visibleJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
