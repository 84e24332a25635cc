/** What a message says, without the marks that say how: for where it stands in one line, or is read out. */

import { renderBlocks } from "./render.ts";

/** Characters of a message that are looked at. */
const LIMIT = 1_000;

/** What stands in lines of its own. */
const PARTS = "p, h3, li, pre, th, td, br";

/** The words at the beginning of a message, a line for each part of it; `own`: without what it quotes, if it says more. */
export function words(text: string, own = false): string {
  const content = document.createElement("div");
  for (const { node } of renderBlocks(text.slice(0, LIMIT), CONTEXT)) content.append(node);
  for (const caption of content.querySelectorAll("figcaption")) caption.remove();
  for (const part of content.querySelectorAll(PARTS)) {
    part.before("\n");
    part.after("\n");
  }
  const all = linesOf(content);
  if (!own) return all;
  for (const quote of content.querySelectorAll("blockquote")) quote.remove();
  return linesOf(content) || all;
}

const CONTEXT = { me: undefined, labels: { copy: "", copied: "" } };

const linesOf = ({ textContent }: Element): string => (textContent ?? "").replace(/\s*\n\s*/g, "\n").trim();
