/**
 * Makes nodes of a message's Markdown: elements and text nodes, never a string of HTML.
 *
 * Each block of the message becomes one node, and knows where it began in the text; that is what lets `prose.ts` leave
 * finished blocks alone while a message is still being written. Nothing that a reader could see is dropped: what can't
 * be shown as what it means (an unsafe link, a reference without a target) is shown as it was written.
 */

import type { TreeCursor } from "@lezer/common";
import { codeBlock } from "./code-block.ts";
import { eachChild, element } from "./dom.ts";
import { markdown } from "./grammar.ts";
import { appendInline } from "./inline.ts";

/** Characters of a message that is parsed at all; a room takes no more than half as many bytes. */
const TEXT_LIMIT = 32_768;

/** Elements of one message, a block counting twice. From the block that would go beyond, the rest is plain text. */
export const ELEMENT_LIMIT = 1_500;

/** Lines of a message that is parsed at all: almost every line is an element or more. */
const LINE_LIMIT = 1_500;

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

  /** Its class says how long its last number is, which stands before it: what reaches beyond the message is cut off. */
  #orderedList(cursor: TreeCursor): HTMLElement {
    const list = element("ol");
    const start = Number.parseInt(this.#text.slice(cursor.from, cursor.from + 12).trimStart(), 10);
    if (start !== 1) list.start = start;
    this.#blocks(list, cursor);
    const { length } = String(start + list.childElementCount - 1);
    if (length > 1) list.className = `digits-${length}`;
    return list;
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
    appendInline(parent, cursor, this.#text, this.#context.me);
    return parent;
  }
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
