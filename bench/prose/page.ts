/** Runs in the browser: renders messages with one renderer or another, and says how long that took. */

import DOMPurify from "dompurify";
import markdownIt from "markdown-it";
import { marked } from "marked";
import { highlight } from "../../client/widget/prose/code.ts";
import { proseStyles } from "../../client/widget/prose/prose.styles.ts";
import { Prose } from "../../client/widget/prose/prose.ts";

const labels = { copy: "Copy", copied: "Copied", showMore: "Show more", showLess: "Show less" };
const commonMark = markdownIt({ linkify: true, breaks: true });

/** Each shows a text in an element. */
const RENDERERS: Readonly<Record<string, (host: HTMLElement, text: string) => void>> = {
  "text only": (host, text) => {
    host.textContent = text;
  },
  "meet-ai": (host, text) => new Prose(host, { me: "swift-otter", labels }).set(text),
  "marked + DOMPurify": (host, text) => {
    host.innerHTML = DOMPurify.sanitize(marked.parse(text, { async: false, breaks: true }));
  },
  "markdown-it": (host, text) => {
    host.innerHTML = commonMark.render(text);
  },
};

/** Milliseconds. */
export interface Times {
  readonly script: number;
  readonly layout: number;
}

/** Shows `texts` with `name` in a new list, lays it out, and takes it away. */
function show(name: string, texts: readonly string[]): Times {
  const render = RENDERERS[name];
  if (!render) throw new Error(`There is no renderer "${name}".`);
  const list = document.createElement("div");
  document.body.append(list);
  const start = performance.now();
  for (const text of texts) {
    const host = document.createElement("div");
    list.append(host);
    render(host, text);
  }
  const rendered = performance.now();
  list.getBoundingClientRect();
  const end = performance.now();
  list.remove();
  return { script: rendered - start, layout: end - rendered };
}

/** Streams `text` in `count` pieces into one message; the time of each piece with its layout. */
function stream(text: string, count: number): number[] {
  const host = document.createElement("div");
  document.body.append(host);
  const view = new Prose(host, { me: "swift-otter", labels });
  const times = Array.from({ length: count }, (_, index) => {
    const start = performance.now();
    view.stream(text.slice(0, Math.ceil((text.length * (index + 1)) / count)));
    host.getBoundingClientRect();
    return performance.now() - start;
  });
  host.remove();
  return times;
}

/** Colours `code` as `language`; how long that took. */
function colour(code: string, language: string): number {
  const node = document.createElement("code");
  node.append(code);
  const start = performance.now();
  highlight(node, language, 2_000);
  return performance.now() - start;
}

document.adoptedStyleSheets = [proseStyles.styleSheet as CSSStyleSheet];

export const bench = { show, stream, colour };
Reflect.set(globalThis, "bench", bench);
