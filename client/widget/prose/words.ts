/** What a message says, without the marks that say how: for where it stands in one line, or is read out. */

import type { Message } from "../../../party/protocol.ts";
import { element } from "./dom.ts";
import { renderBlocks } from "./render.ts";

/** Characters of a message that are looked at for an excerpt: a window can hold hundreds of quotations. */
const EXCERPT = 300;

/** What stands in lines of its own. */
const PARTS = "p, h3, li, pre, th, td, br";

/** The words of `text`, a line for each part of it. Of a text that is nothing but marks: these. */
export function words(text: string): string {
  const content = element("div");
  for (const { node } of renderBlocks(text, CONTEXT)) content.append(node);
  for (const caption of content.querySelectorAll("figcaption")) caption.remove();
  for (const list of content.querySelectorAll("ol")) {
    for (const [index, item] of [...list.children].entries()) item.prepend(`${list.start + index}. `);
  }
  for (const part of content.querySelectorAll(PARTS)) {
    part.before("\n");
    part.after("\n");
  }
  return (content.textContent ?? "").replace(/\s*\n\s*/g, "\n").trim() || text.trim();
}

const CONTEXT = { me: undefined, labels: { copy: "", copied: "" } };

const excerpts = new WeakMap<Message, string>();

/** The words at the beginning of a message, without what it quotes before it says something itself. */
export function excerptOf(message: Message): string {
  let excerpt = excerpts.get(message);
  if (excerpt === undefined) {
    const own = message.content.replace(/^(?:>.*\n+)+/, "");
    excerpt = words(own.slice(0, EXCERPT));
    excerpts.set(message, excerpt);
  }
  return excerpt;
}
