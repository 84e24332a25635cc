/**
 * What stands inside a paragraph, a heading or a cell: emphasis, code, links, mentions, line breaks.
 */

import type { TreeCursor } from "@lezer/common";
import { eachChild, element } from "./dom.ts";
import { decodeEntity } from "./entities.ts";
import { fullAddress, namesAnotherHost, safeAddress } from "./links.ts";

/** Inline elements inside inline elements; deeper ones keep their text. */
const INLINE_DEPTH = 12;

/** Appends to `parent` the inline content of the node of `text` under the cursor. `me` is the reader's own sender. */
export function appendInline(parent: HTMLElement, cursor: TreeCursor, text: string, me: string | undefined): void {
  new InlineRun(text, me).content(parent, cursor, cursor.from, cursor.to, 0);
}

/** The inline content of one block, from its first character to its last. */
class InlineRun {
  readonly #text: string;
  readonly #me: string | undefined;
  /** Spaces at the start of a line belong to the block's indentation. */
  #atLineStart = true;
  #inLink = false;

  constructor(text: string, me: string | undefined) {
    this.#text = text;
    this.#me = me;
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
    link.title = parts.title === "" ? href : `${href}\n${parts.title}`;
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
    // Where letters look like others, or a part was left out, the whole address shows what it is.
    if (!href.startsWith(written)) link.title = href;
    this.#append(parent, link);
  }

  #mention(parent: HTMLElement, mention: string): void {
    const node = element("span", mention.slice(1) === this.#me ? "mention me" : "mention");
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

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
