/**
 * Makes nodes of a message's Markdown: elements and text nodes, never a string of HTML.
 *
 * Each block of the message becomes one node, and knows where it began in the text; that is what lets `prose.ts` leave
 * finished blocks alone while a message is still being written. Nothing that a reader could see is dropped: what can't
 * be shown as what it means (an unsafe link, a reference without a target) is shown as it was written.
 */

import type { TreeCursor } from "@lezer/common";
import { codeBlock } from "./code-block.ts";
import { decodeEntity } from "./entities.ts";
import { markdown } from "./grammar.ts";
import { fullAddress, namesAnotherHost, safeAddress } from "./links.ts";

/** Characters of a message that is parsed at all; a room takes no more than half as many bytes. */
const TEXT_LIMIT = 32_768;

/** Elements of one message, a block counting twice. From the block that would go beyond, the rest is plain text. */
export const ELEMENT_LIMIT = 1_500;

/** Lines of a message that is parsed at all: almost every line is an element or more. */
const LINE_LIMIT = 1_500;

/** Inline elements inside inline elements; deeper ones keep their text. */
const INLINE_DEPTH = 12;

export interface RenderContext {
  /** The sender whose mentions are the reader's own. */
  readonly me: string | undefined;
  /** Labels of the copy button, before and after. */
  readonly labels: { readonly copy: string; readonly copied: string };
}

/** A block of a message, made into a node. */
export interface Block {
  /** Where the line begins, in the text, with which the block does. */
  readonly from: number;
  readonly node: HTMLElement;
  /** How much of `ELEMENT_LIMIT` it took. */
  readonly elements: number;
}

/** The blocks of `text`, at most `budget` elements of them; what is left over is one block of plain text. */
export function renderBlocks(text: string, context: RenderContext, budget = ELEMENT_LIMIT): Block[] {
  if (text.length > TEXT_LIMIT || hasTooManyLines(text)) return [plainBlock(text, 0)];
  const blocks: Block[] = [];
  const cursor = markdown.parse(text).cursor();
  const renderer = new Renderer(text, context);
  for (let more = cursor.firstChild(); more; more = cursor.nextSibling()) {
    const from = text.lastIndexOf("\n", cursor.from - 1) + 1;
    const elements = countElements(cursor, text);
    budget -= elements;
    if (budget < 0) return [...blocks, plainBlock(text, from)];
    const node = renderer.block(cursor);
    if (node) {
      node.dir = node.dir || "auto";
      blocks.push({ from, node, elements });
    }
  }
  return blocks;
}

function plainBlock(text: string, from: number): Block {
  const node = element("p", "plain");
  node.dir = "auto";
  node.append(text.slice(from).trimEnd());
  return { from, node, elements: 1 };
}

function hasTooManyLines(text: string): boolean {
  let lines = 0;
  for (const _ of text.matchAll(/[^\n]\n/g)) if (++lines > LINE_LIMIT) return true;
  return false;
}

/** Elements that a syntax node needs where it is neither an inline one nor a plain block. */
const ELEMENTS_OF: Readonly<Record<string, number>> = { CodeText: 0, FencedCode: 8, CodeBlock: 8, Table: 4 };

/**
 * An upper bound of the elements that the block under the cursor needs: those of its syntax nodes, and its line breaks.
 * A block counts twice, for it takes the browser as much time to lay out as two inline elements.
 */
function countElements(cursor: TreeCursor, text: string): number {
  const { from, to, name } = cursor;
  let count = 0;
  if (name !== "FencedCode" && name !== "CodeBlock") {
    for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count++;
  }
  cursor.iterate(({ name, type }) => {
    if (!name.endsWith("Mark")) count += ELEMENTS_OF[name] ?? (type.is("Block") ? 2 : 1);
  });
  return count;
}

const HEADING = /^ATXHeading([1-6])$/;

class Renderer {
  readonly #text: string;
  readonly #context: RenderContext;

  constructor(text: string, context: RenderContext) {
    this.#text = text;
    this.#context = context;
  }

  /** The node of the block under the cursor, which stays where it is; `undefined` for a mark. */
  block(cursor: TreeCursor): HTMLElement | undefined {
    const { name } = cursor;
    switch (name) {
      case "Paragraph":
        return this.#inline(element("p"), cursor);
      case "Blockquote":
        return this.#blocks(element("blockquote"), cursor);
      case "BulletList":
        return this.#blocks(element("ul"), cursor);
      case "OrderedList":
        return this.#orderedList(cursor);
      case "ListItem":
        return this.#listItem(cursor);
      case "Task":
        return this.#task(element("p"), cursor);
      case "FencedCode":
      case "CodeBlock":
        return this.#code(cursor);
      case "Table":
        return this.#table(cursor);
      case "HorizontalRule":
        return element("hr");
    }
    const level = HEADING.exec(name)?.[1];
    // One level of the page for all headings of messages: a log has no outline, and a message must not skip a level.
    if (level !== undefined) return this.#inline(element("h3", `heading-${level}`), cursor);
    return undefined;
  }

  #blocks<E extends HTMLElement>(parent: E, cursor: TreeCursor): E {
    eachChild(cursor, () => {
      const node = this.block(cursor);
      if (node) parent.append(node);
    });
    return parent;
  }

  #orderedList(cursor: TreeCursor): HTMLElement {
    const list = element("ol");
    const start = Number.parseInt(this.#text.slice(cursor.from, cursor.from + 12).trimStart(), 10);
    if (start !== 1) list.start = start;
    return this.#blocks(list, cursor);
  }

  /** An item's first paragraph stands in the item itself, so that a short list needs no paragraphs. */
  #listItem(cursor: TreeCursor): HTMLElement {
    const item = element("li");
    eachChild(cursor, () => {
      if (cursor.name === "Paragraph" && !item.hasChildNodes()) this.#inline(item, cursor);
      else if (cursor.name === "Task" && !item.hasChildNodes()) {
        item.className = "task";
        this.#task(item, cursor);
      } else {
        const node = this.block(cursor);
        if (node) item.append(node);
      }
    });
    return item;
  }

  #task<E extends HTMLElement>(parent: E, cursor: TreeCursor): E {
    const label = element("label");
    const box = element("input");
    box.type = "checkbox";
    box.disabled = true;
    // The attribute, so that two boxes of the same state are equal nodes.
    box.toggleAttribute("checked", /^\[[xX]/.test(this.#text.slice(cursor.from, cursor.from + 2)));
    label.append(box);
    this.#inline(label, cursor);
    parent.append(label);
    return parent;
  }

  #code(cursor: TreeCursor): HTMLElement {
    let info = "";
    let code = "";
    eachChild(cursor, () => {
      const content = this.#text.slice(cursor.from, cursor.to);
      if (cursor.name === "CodeInfo") info = content;
      else if (cursor.name === "CodeText") code += content;
    });
    return codeBlock(code, info, this.#context.labels);
  }

  #table(cursor: TreeCursor): HTMLElement {
    const frame = element("div", "table");
    // It scrolls sideways, and a keyboard has to reach what scrolls.
    frame.tabIndex = 0;
    const table = element("table");
    const body = element("tbody");
    let alignments: string[] = [];
    eachChild(cursor, () => {
      if (cursor.name === "TableHeader") {
        const head = element("thead");
        head.append(this.#row(cursor, "th", []));
        table.append(head);
      } else if (cursor.name === "TableDelimiter") {
        alignments = columnAlignments(this.#text.slice(cursor.from, cursor.to));
        table.querySelectorAll("th").forEach((cell, column) => {
          align(cell, alignments[column]);
        });
      } else if (cursor.name === "TableRow") {
        body.append(this.#row(cursor, "td", alignments));
      }
    });
    if (body.hasChildNodes()) table.append(body);
    frame.append(table);
    return frame;
  }

  /** A row's cells. The tree has no node for an empty cell, only the `|` on both sides. */
  #row(cursor: TreeCursor, kind: "th" | "td", alignments: readonly string[]): HTMLElement {
    const row = element("tr");
    let cell: HTMLTableCellElement | undefined;
    let first = true;
    const close = (): void => {
      const closed = cell ?? element(kind);
      if (kind === "th") closed.scope = "col";
      align(closed, alignments[row.childElementCount]);
      row.append(closed);
      cell = undefined;
    };
    eachChild(cursor, () => {
      if (cursor.name === "TableCell") cell = this.#inline(element(kind), cursor);
      else if (cursor.name === "TableDelimiter" && (cell || !first)) close();
      first = false;
    });
    if (cell) close();
    return row;
  }

  /** Fills `parent` with the inline content of the node under the cursor. */
  #inline<E extends HTMLElement>(parent: E, cursor: TreeCursor): E {
    const line = new InlineRun(this.#text, this.#context);
    line.content(parent, cursor, cursor.from, cursor.to, 0);
    return parent;
  }
}

/** The inline content of one block, from its first character to its last. */
class InlineRun {
  readonly #text: string;
  readonly #context: RenderContext;
  /** Spaces at the start of a line belong to the block's indentation. */
  #atLineStart = true;
  #inLink = false;

  constructor(text: string, context: RenderContext) {
    this.#text = text;
    this.#context = context;
  }

  /** Appends what lies between `from` and `to` of the node under the cursor, which stays where it is. */
  content(parent: HTMLElement, cursor: TreeCursor, from: number, to: number, depth: number): void {
    let at = from;
    eachChild(cursor, () => {
      if (cursor.from < at || cursor.to > to) return;
      this.#plain(parent, at, cursor.from);
      at = cursor.to;
      this.#node(parent, cursor, depth);
    });
    this.#plain(parent, at, to);
  }

  #node(parent: HTMLElement, cursor: TreeCursor, depth: number): void {
    const { name, from, to } = cursor;
    switch (name) {
      case "Emphasis":
        this.#span("em", parent, cursor, depth);
        break;
      case "StrongEmphasis":
        this.#span("strong", parent, cursor, depth);
        break;
      case "Strikethrough":
        this.#span("del", parent, cursor, depth);
        break;
      case "InlineCode":
        this.#inlineCode(parent, cursor);
        break;
      case "Link":
      case "Image":
        this.#link(parent, cursor, depth);
        break;
      case "Autolink":
        this.#bareAddress(parent, from, to, this.#text.slice(from + 1, to - 1));
        break;
      case "URL":
        this.#bareAddress(parent, from, to, this.#text.slice(from, to));
        break;
      case "Mention":
        this.#mention(parent, this.#text.slice(from, to));
        break;
      case "Escape":
        this.#append(parent, this.#text.slice(from + 1, to));
        break;
      case "Entity":
        this.#append(parent, decodeEntity(this.#text.slice(from, to)));
        break;
      case "HardBreak":
        this.#break(parent);
        break;
      // The marks of this block, of the blocks around it, and of a task: their meaning is in the elements.
      case "HeaderMark":
      case "QuoteMark":
      case "ListMark":
      case "EmphasisMark":
      case "StrikethroughMark":
      case "TaskMarker":
        break;
      default:
        this.#plain(parent, from, to);
        break;
    }
  }

  #span(tag: "em" | "strong" | "del", parent: HTMLElement, cursor: TreeCursor, depth: number): void {
    const inner = depth < INLINE_DEPTH ? element(tag) : parent;
    if (inner !== parent) parent.append(inner);
    this.content(inner, cursor, cursor.from, cursor.to, depth + 1);
  }

  #inlineCode(parent: HTMLElement, cursor: TreeCursor): void {
    let at = cursor.from;
    let source = "";
    // Its own marks, and those of a quote that it runs through.
    eachChild(cursor, () => {
      source += this.#text.slice(at, cursor.from);
      at = cursor.to;
    });
    source += this.#text.slice(at, cursor.to);
    let code = source.replace(/\n[ \t]*/g, " ");
    // CommonMark: one space at each end only keeps backticks apart from the marks.
    if (/^ .* $/.test(code) && /[^ ]/.test(code)) code = code.slice(1, -1);
    if (parent.closest("td, th")) code = code.replaceAll("\\|", "|");
    const node = element("code");
    node.append(code);
    this.#append(parent, node);
  }

  /** `[text](address)`, or `![text](address)`, which is a link too: showing a remote image would tell who reads. */
  #link(parent: HTMLElement, cursor: TreeCursor, depth: number): void {
    const parts = linkParts(cursor, this.#text);
    const href = parts && !this.#inLink ? safeAddress(destination(parts.url)) : undefined;
    if (!parts || href === undefined) {
      this.#asWritten(parent, cursor, depth);
      return;
    }
    const link = anchor(href);
    this.#inLink = true;
    this.content(link, cursor, parts.textFrom, parts.textTo, depth + 1);
    this.#inLink = false;
    if (link.textContent.trim() === "") link.replaceChildren(href);
    // A text that names another host than the link opens would be a lie about where it leads.
    if (namesAnotherHost(link.textContent, href)) {
      this.#asWritten(parent, cursor, depth);
      return;
    }
    link.title = parts.title === "" ? href : `${parts.title} (${href})`;
    if (cursor.name === "Image") link.className = "image";
    this.#append(parent, link);
  }

  /** What is no link after all: its marks and its address as text, with whatever they contain. */
  #asWritten(parent: HTMLElement, cursor: TreeCursor, depth: number): void {
    const { from, to } = cursor;
    let at = from;
    let marks = 0;
    eachChild(cursor, () => {
      this.#plain(parent, at, cursor.from);
      at = cursor.to;
      if (cursor.name === "LinkMark") marks++;
      if (cursor.name === "LinkMark" || cursor.name === "LinkLabel" || cursor.name === "LinkTitle") {
        this.#plain(parent, cursor.from, cursor.to);
      } else if (cursor.name === "URL" && marks === DESTINATION_AFTER) {
        const written = this.#text.slice(cursor.from, cursor.to);
        this.#address(parent, cursor.from, cursor.to, written, written);
      } else this.#node(parent, cursor, depth);
    });
    this.#plain(parent, at, to);
  }

  #bareAddress(parent: HTMLElement, from: number, to: number, written: string): void {
    this.#address(parent, from, to, written, fullAddress(written));
  }

  /** A link whose text is the address as it was written; `address` is the whole of it. */
  #address(parent: HTMLElement, from: number, to: number, written: string, address: string): void {
    const href = this.#inLink ? undefined : safeAddress(address);
    if (href === undefined) {
      this.#plain(parent, from, to);
      return;
    }
    const link = anchor(href);
    link.append(written);
    this.#append(parent, link);
  }

  #mention(parent: HTMLElement, mention: string): void {
    const node = element("span", mention.slice(1) === this.#context.me ? "mention me" : "mention");
    node.append(mention);
    this.#append(parent, node);
  }

  #plain(parent: HTMLElement, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.#atLineStart) while (at < to && isBlank(this.#text.charCodeAt(at))) at++;
      const newline = this.#text.indexOf("\n", at);
      const end = newline < 0 || newline >= to ? to : newline;
      if (end > at) this.#append(parent, this.#text.slice(at, end));
      if (end === to) return;
      this.#break(parent);
      at = end + 1;
    }
  }

  #append(parent: HTMLElement, content: string | Node): void {
    parent.append(content);
    this.#atLineStart = false;
  }

  #break(parent: HTMLElement): void {
    parent.append(element("br"));
    this.#atLineStart = true;
  }
}

/** A link's destination comes after this many of its marks: `[`, `]` and `(`. An address before is part of its text. */
const DESTINATION_AFTER = 3;

interface LinkParts {
  readonly textFrom: number;
  readonly textTo: number;
  /** As it was written. */
  readonly url: string;
  readonly title: string;
}

/** The parts of the link under the cursor; `undefined` of a reference, which has no address. */
function linkParts(cursor: TreeCursor, text: string): LinkParts | undefined {
  const marks: { from: number; to: number }[] = [];
  let url: string | undefined;
  let title = "";
  eachChild(cursor, () => {
    const { name, from, to } = cursor;
    if (name === "LinkMark") marks.push({ from, to });
    else if (name === "URL" && marks.length === DESTINATION_AFTER) url = text.slice(from, to);
    else if (name === "LinkTitle") title = unescaped(text.slice(from + 1, to - 1));
  });
  const [open, close] = marks;
  if (url === undefined || !open || !close) return undefined;
  return { textFrom: open.to, textTo: close.from, url, title };
}

/** The address that a link's destination stands for. */
function destination(written: string): string {
  const address = unescaped(written.startsWith("<") ? written.slice(1, -1) : written);
  return /^www\./i.test(address) ? fullAddress(address) : address;
}

/** Text in which neither escapes nor character references are nodes of their own. */
function unescaped(text: string): string {
  return text.replace(
    /\\([!-/:-@[-`{-~])|&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]\w{1,30});/gi,
    (written, escaped?: string) => (escaped === undefined ? decodeEntity(written) : escaped),
  );
}

function anchor(href: string): HTMLAnchorElement {
  const link = element("a");
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow ugc";
  return link;
}

/** Per column of a table's second row: `start`, `center`, `end`, or nothing. */
function columnAlignments(row: string): string[] {
  return row
    .replace(/^[>\s]*\|?|\|?\s*$/g, "")
    .split("|")
    .map((column) => {
      const mark = column.trim();
      if (mark.endsWith(":")) return mark.startsWith(":") ? "center" : "end";
      return mark.startsWith(":") ? "start" : "";
    });
}

function align(cell: HTMLElement, alignment: string | undefined): void {
  if (alignment) cell.className = `align-${alignment}`;
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = ""): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (className !== "") node.className = className;
  return node;
}

/** Calls `visit` with the cursor on each child in turn, and brings the cursor back. */
function eachChild(cursor: TreeCursor, visit: () => void): void {
  if (!cursor.firstChild()) return;
  do visit();
  while (cursor.nextSibling());
  cursor.parent();
}
