/** The answer as it grows, and as it is posted in the end: bounded, and without anything that a terminal obeys. */

import { cleanText, utf8Length } from "../../party/message-parser.ts";
import { LIMITS } from "../../party/protocol.ts";
import { VisibleStream } from "../cli/visible-text.ts";

/** Why an answer ends before its agent is done with it. */
export type EarlyEnd =
  | { readonly why: "stopped"; readonly by: string }
  | { readonly why: "too long" }
  | { readonly why: "too late"; readonly after: number }
  | { readonly why: "leaving" }
  | { readonly why: "failed"; readonly reason: string };

/** What the words about an early end may take, in bytes. */
const ROOM_FOR_WORDS = 700;

export class AnswerText {
  readonly #most: number;
  readonly #stream = new VisibleStream();
  #text = "";
  #bytes = 0;
  #isApart = false;

  /** `most`: bytes of UTF-8, at most what a message may have. */
  constructor(most: number = LIMITS.contentBytes) {
    this.#most = Math.min(most, LIMITS.contentBytes) - ROOM_FOR_WORDS;
  }

  get isEmpty(): boolean {
    return this.#text.trim() === "";
  }

  /** Whether more came than a message may have. */
  get isTooLong(): boolean {
    return this.#bytes > this.#most;
  }

  /** Takes a piece, and gives what of it the others may see. */
  add(piece: string): string {
    // More would only fill memory.
    if (this.isTooLong) return "";
    // So much of it is too long already.
    let text = this.#stream.push(piece.slice(0, 2 * LIMITS.contentBytes));
    if (text !== "" && this.#isApart) {
      if (!this.isEmpty && !/^\n|^$/.test(text)) text = `\n\n${text}`;
      this.#isApart = false;
    }
    this.#text += text;
    this.#bytes += utf8Length(text);
    return text;
  }

  /** What comes next stands apart from what came before: something else was done in between. */
  setApart(): void {
    this.#isApart = true;
  }

  /** The message, with a word about why it ends early. */
  message(end?: EarlyEnd): string {
    const text = firstBytes(cleanText(this.#text + this.#stream.end()), this.#most);
    const words = end ? wordsOf(end) : text === "" ? "(It gave no answer.)" : "";
    return text === "" ? words : words === "" ? text : `${text}${closing(text)}\n\n${words}`;
  }
}

function wordsOf(end: EarlyEnd): string {
  switch (end.why) {
    case "stopped":
      return `(Stopped by ${end.by}.)`;
    case "too long":
      return "(Cut: the answer was longer than one message.)";
    case "too late":
      return `(Stopped: it took longer than ${Math.round(end.after / 1_000)} s.)`;
    case "leaving":
      return "(Stopped: the bridge to this agent was ended.)";
    case "failed":
      return `(No more comes: ${end.reason})`;
  }
}

/** The beginning of `text` that has so many bytes. Half a character is none. */
function firstBytes(text: string, most: number): string {
  const bytes = new TextEncoder().encode(text);
  return bytes.length <= most ? text : new TextDecoder().decode(bytes.subarray(0, most)).replace(/\ufffd+$/, "");
}

/** Ends a block of code that was cut off: otherwise the words behind it would be code, too. */
const closing = (text: string): string => ((text.match(/^ {0,3}```/gm)?.length ?? 0) % 2 === 1 ? "\n```" : "");
