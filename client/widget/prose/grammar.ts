/**
 * The Markdown of a message: CommonMark as a chat needs it, with tables, strikethrough, task lists, bare addresses and
 * mentions. Only syntax is decided here; `render.ts` makes nodes of it.
 *
 * Left out on purpose: HTML, which is shown as it was written; link references, because a later line would change an
 * earlier one; underlined headings, because `---` under a line of chat is a rule.
 *
 * Everything here does work in proportion to the text, or is bounded: a message comes from a stranger, and the reader's
 * page must not stop for it. Where the library's own rule is quadratic, ours takes its place and says so.
 */

import {
  type BlockContext,
  parser as commonMark,
  type InlineContext,
  type InlineParser,
  type Line,
  type MarkdownConfig,
  type MarkdownParser,
  Strikethrough,
  Table,
  TaskList,
} from "@lezer/markdown";
import { ADDRESS_LIMIT, addressEnd } from "./links.ts";

/** Blocks inside blocks; a list counts twice, once for its item. What would go deeper is a paragraph. */
const DEPTH_LIMIT = 20;

/** Characters with a meaning in one paragraph, heading or cell; with more, it is plain text. */
const MARK_LIMIT = 1_000;

/** Spaces at the start of a line that may still be a table's second. */
const INDENT_LIMIT = 256;

const MARKS = /[*_~[\]!\\&@]/g;

/** Matching marks to each other takes time by the square of their number, so a paragraph that is full of them has none. */
const plain: InlineParser = {
  name: "Plain",
  before: "Escape",
  parse: (cx, _next, pos) => (pos === cx.offset && hasTooManyMarks(cx.text) ? cx.end : -1),
};

function hasTooManyMarks(text: string): boolean {
  if (text.length <= MARK_LIMIT) return false;
  let count = 0;
  for (const _ of text.matchAll(MARKS)) if (++count > MARK_LIMIT) return true;
  return false;
}

/** A backslash at the end of a line. The library's rule also looks for two spaces, again at each space of a run. */
const hardBreak: InlineParser = {
  name: "HardBreak",
  parse: (cx, next, pos) =>
    next === BACKSLASH && cx.char(pos + 1) === NEWLINE ? cx.addElement(cx.elt("HardBreak", pos, pos + 2)) : -1,
};

const EMAIL = "[\\w.+-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,62})(?:\\.[a-z0-9][a-z0-9-]{0,62}){1,8}";
const ANGLE_ADDRESS = new RegExp(`<(?:(?:https?://|mailto:)[^\\s<>]{1,${ADDRESS_LIMIT}}|${EMAIL})>`, "iy");
const BARE_EMAIL = new RegExp(`(?:mailto:)?${EMAIL}`, "iy");
const BARE_START = /(?:https?:\/\/|www\.)(?=[^\s.])/iy;
const WORD = /[\p{L}\p{N}_]/u;
// Joins what follows to the name before it: `a+b@example.org`, `modules/@scope`.
const NAME_SIGN = /[.+@/-]/;

/** `<https://example.org>` and `<ada@example.org>`. */
const angleAddress: InlineParser = {
  name: "AngleAddress",
  before: "Emphasis",
  parse(cx, next, pos) {
    if (next !== LESS_THAN) return -1;
    const match = matchAt(ANGLE_ADDRESS, cx, pos);
    if (match === undefined) return -1;
    const end = pos + match.length;
    return cx.addElement(
      cx.elt("Autolink", pos, end, [
        cx.elt("LinkMark", pos, pos + 1),
        cx.elt("URL", pos + 1, end - 1),
        cx.elt("LinkMark", end - 1, end),
      ]),
    );
  },
};

/** Addresses in running text. The library's rule counts all brackets again for each one that it takes off the end. */
const bareAddress: InlineParser = {
  name: "BareAddress",
  after: "Strikethrough",
  parse(cx, next, pos) {
    if (!mayBeginAnAddress(next) || isAfter(WORD, cx, pos)) return -1;
    const start = matchAt(BARE_START, cx, pos);
    if (start !== undefined) {
      const end = addressEnd(cx.text, pos - cx.offset) + cx.offset;
      // Text that is too long for an address is passed over as a whole, not tried again from its middle.
      if (end - pos > ADDRESS_LIMIT) return end;
      return end - pos > start.length ? cx.addElement(cx.elt("URL", pos, end)) : -1;
    }
    const email = isAfter(NAME_SIGN, cx, pos) ? undefined : matchAt(BARE_EMAIL, cx, pos);
    return email === undefined ? -1 : cx.addElement(cx.elt("URL", pos, pos + email.length));
  },
};

const MENTION = /@(?:[a-z0-9._-]{1,64}@|~?)[a-z0-9][a-z0-9-]{0,63}(?:\/[a-z0-9][a-z0-9-]{0,31})?/y;

/** `@swift-otter`, `@swift-otter/claude`, `@~brisk-lynx-4f2a9c`, `@anna@acme`. */
const mention: InlineParser = {
  name: "Mention",
  before: "Emphasis",
  parse(cx, next, pos) {
    if (next !== AT || isAfter(WORD, cx, pos) || isAfter(NAME_SIGN, cx, pos)) return -1;
    const match = matchAt(MENTION, cx, pos)?.replace(/-+$/, "");
    if (match === undefined || WORD.test(cx.slice(pos + match.length, pos + match.length + 1))) return -1;
    return cx.addElement(cx.elt("Mention", pos, pos + match.length));
  },
};

/** At the depth limit, a line that would open another quote or list is a paragraph of its own. */
function stopNesting(cx: BlockContext, line: Line): boolean {
  if (cx.depth <= DEPTH_LIMIT || !OPENS_A_BLOCK.test(line.text.slice(line.pos, line.pos + 12))) return false;
  const from = cx.lineStart + line.pos;
  const text = line.text.slice(line.pos);
  const paragraph = cx.elt("Paragraph", from, from + text.length, cx.parser.parseInline(text, from));
  cx.nextLine();
  cx.addElement(paragraph);
  return true;
}

const OPENS_A_BLOCK = /^(?:[>*+-]|\d{1,9}[.)])/;

/** The library's rule for a table that interrupts a paragraph is quadratic in the spaces before its second line. */
const boundedTable: MarkdownConfig = {
  ...Table,
  parseBlock: (Table.parseBlock ?? []).map((rule) => ({
    ...rule,
    endLeaf: (cx, line, leaf) => !isFarIndented(cx.peekLine()) && (rule.endLeaf?.(cx, line, leaf) ?? false),
  })),
};

const isFarIndented = (line: string): boolean => /^[>\s]/.test(line) && /^[>\s]*/.exec(line)![0].length > INDENT_LIMIT;

/** Parses a message. Give it to nothing that shows HTML: the tree has the text's own marks. */
export const markdown: MarkdownParser = commonMark.configure([
  {
    remove: ["HTMLBlock", "HTMLTag", "LinkReference", "SetextHeading"],
    defineNodes: ["Mention"],
    parseBlock: [{ name: "DepthLimit", before: "Blockquote", parse: stopNesting }],
    parseInline: [hardBreak],
  },
  boundedTable,
  TaskList,
  Strikethrough,
  // In this order: each is put before or after one that is there already.
  { parseInline: [plain, angleAddress, mention, bareAddress] },
]);

const NEWLINE = 10;
const LESS_THAN = 60;
const AT = 64;
const BACKSLASH = 92;

/** Letters, digits and what may begin the name before an `@`. */
function mayBeginAnAddress(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
}

/** Whether the character right before `pos` is one of `pattern`. */
function isAfter(pattern: RegExp, cx: InlineContext, pos: number): boolean {
  return pos > cx.offset && pattern.test(cx.slice(pos - 1, pos));
}

/** What `pattern`, which must be sticky, matches at `pos`. */
function matchAt(pattern: RegExp, cx: InlineContext, pos: number): string | undefined {
  pattern.lastIndex = pos - cx.offset;
  return pattern.exec(cx.text)?.[0];
}
