/**
 * Colours for code. A chunk of its own, which is loaded when the first block with a known language is finished.
 */

import { SugarHigh, tokenize } from "sugar-high/core";
import { lang, languages } from "sugar-high/lang";

export type Highlight = typeof highlight;

/** The kinds of token that get a colour of their own; names, signs and spaces are plain text. */
const COLOURED = new Set(["keyword", "string", "class", "property", "entity", "jsxliterals", "comment"]);

const configurations = new Map(languages.map(({ id, config }) => [id, config]));

/**
 * Puts the tokens of a `<code>` element's text into `<span class="token-…">`. `language` is a name, an alias or a file
 * extension; of one that is not known, nothing is coloured. The text stays the same. Colours at most `limit` pieces, and
 * returns how many it has.
 */
export function highlight(code: Element, language: string, limit: number): number {
  const id = lang(language);
  if (id === undefined || id === "plaintext") return 0;
  const text = code.textContent ?? "";
  const pieces = joinAlike(tokenize(text, configurations.get(id)));
  // A tokenizer that loses a character must not make a reader lose it.
  if (pieces.reduce((length, { value }) => length + value.length, 0) !== text.length) return 0;
  const content = document.createDocumentFragment();
  let coloured = 0;
  let plain = "";
  for (const { kind, value } of pieces) {
    if (!COLOURED.has(kind) || coloured >= limit) {
      plain += value;
      continue;
    }
    coloured++;
    const span = document.createElement("span");
    span.className = `token-${kind}`;
    span.append(value);
    content.append(plain, span);
    plain = "";
  }
  content.append(plain);
  code.replaceChildren(content);
  return coloured;
}

interface Piece {
  readonly kind: string;
  value: string;
}

/** Neighbours of the same kind as one piece: a line of comment or string may come in many. */
function joinAlike(tokens: readonly (readonly [number, string])[]): Piece[] {
  const pieces: Piece[] = [];
  for (const [type, value] of tokens) {
    const kind = SugarHigh.TokenTypes[type] ?? "";
    const last = pieces.at(-1);
    if (last?.kind === kind) last.value += value;
    else pieces.push({ kind, value });
  }
  return pieces;
}
