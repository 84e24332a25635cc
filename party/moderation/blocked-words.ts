/**
 * The words that a room does not want to read. A word is found whole, whatever its case and its accents, and also where
 * digits stand for letters. They are words, not patterns: what would match too much can't be said.
 */

import { asLetters } from "../identity/handle.ts";
import { type Fault, fault } from "../protocol.ts";

/** How many there may be, and how long each, in characters. */
export const BLOCKED = { most: 100, shortest: 2, longest: 40 } as const;

/** Letters and digits, with spaces, hyphens and apostrophes between them. */
const WORDS = /^[\p{L}\p{M}\p{N}]+(?:[ '’-][\p{L}\p{M}\p{N}]+)*$/u;
/** Scripts that put no spaces between words: there a word is found anywhere. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/** A list of words to block, or what is wrong with it. */
export function parseBlocked(value: unknown): string[] | Fault {
  if (!Array.isArray(value) || value.length > BLOCKED.most) {
    return fault("invalid", `blocked must be a list of at most ${BLOCKED.most} words.`);
  }
  const words = value.map((word) => (typeof word === "string" ? word.normalize("NFC").trim() : ""));
  const wrong = words.findIndex((word) => !WORDS.test(word) || word.length > BLOCKED.longest || matchesTooMuch(word));
  if (wrong === -1) return [...new Set(words)];
  const { shortest, longest } = BLOCKED;
  return fault(
    "invalid",
    `blocked[${wrong}] must be a word of ${shortest} to ${longest} letters and digits, and not a pattern.`,
  );
}

/** A word of one letter stands in every other message. */
const matchesTooMuch = (word: string): boolean => [...bare(word).replace(/[ '’-]/g, "")].length < BLOCKED.shortest;

export class BlockedWords {
  /** Sequences of words, by their first one. */
  readonly #spaced = new Map<string, string[][]>();
  readonly #unspaced: string[] = [];

  /** Of `words` that `parseBlocked` has let pass. */
  constructor(words: readonly string[]) {
    for (const word of words) {
      if (UNSPACED.test(word)) this.#unspaced.push(wordsOf(word).join(""));
      else this.#add(wordsOf(word));
    }
  }

  /** Whether one of the words stands in `text`. */
  areIn(text: string): boolean {
    if (this.#spaced.size === 0 && this.#unspaced.length === 0) return false;
    const words = wordsOf(text);
    if (this.#unspaced.length > 0) {
      const run = words.join("");
      if (this.#unspaced.some((word) => run.includes(word))) return true;
    }
    return words.some((word, at) => {
      return this.#spaced.get(word)?.some((sequence) => sequence.every((next, i) => words[at + i] === next)) ?? false;
    });
  }

  #add(sequence: string[]): void {
    const [first = ""] = sequence;
    this.#spaced.set(first, [...(this.#spaced.get(first) ?? []), sequence]);
  }
}

/** The words of `text`, as a reader in a hurry sees them. */
function wordsOf(text: string): string[] {
  const words = bare(text).match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return words.map((word) => (/\p{L}/u.test(word) ? asLetters(word) : word));
}

/** Without case, accents and characters that are not seen. Signs that make another word of it, as in Hindi, stay. */
const bare = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/[\p{Cf}\u00ad]|(?=\p{sc=Inherited})\p{M}/gu, "")
    .toLowerCase();
