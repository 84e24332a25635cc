/**
 * Colours for code. A chunk of its own, which is loaded when the first block with a known language is finished.
 */

import { type ParsedLine, parse } from "sugar-high/core";
import { lang, languages } from "sugar-high/lang";

/** The kinds of token that get a colour of their own; names, signs, spaces and the text of JSX are plain. */
const COLOURED = new Set(
  "keyword string class property entity comment diff-add diff-remove diff-hunk diff-meta".split(" "),
);

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
  const pieces = piecesOf(parse(text, configurations.get(id)).lines);
  // A tokenizer that loses a character must not make a reader lose it.
  if (pieces.map(({ value }) => value).join("") !== text) return 0;
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

/** Tokens in order, with neighbours of one kind in one piece: a string may come in many. A line of a diff is one. */
function piecesOf(lines: readonly ParsedLine[]): Piece[] {
  const pieces: Piece[] = [];
  const add = (kind: string, value: string): void => {
    const last = pieces.at(-1);
    if (last?.kind === kind) last.value += value;
    else if (value !== "") pieces.push({ kind, value });
  };
  for (const { index, value, tokens, annotations } of lines) {
    // A token that runs over several lines stays one piece.
    const goesOn = pieces.at(-1)?.kind === tokens[0]?.type;
    if (index > 0) add(goesOn ? (tokens[0]?.type ?? "break") : "break", "\n");
    const diff = annotations.find((annotation) => annotation.startsWith("diff-"));
    if (diff !== undefined) add(diff, value);
    else for (const token of tokens) add(token.type, token.value);
  }
  return pieces;
}
