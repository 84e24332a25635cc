/**
 * A block of code: its language, a button that copies it, and the code, which is coloured once it is finished.
 */

import { lazily } from "../lazy.ts";
import { element } from "./dom.ts";

/** How long the copy button says that it has copied, ms. */
const COPIED_FOR = 2_000;

/** Coloured pieces of code that are made at once. What comes after stays plain. */
const PIECE_LIMIT = 2_000;

/** A `<figure>` with `code` in it. `info` is what stands after the fence: the language first, or nothing. */
export function codeBlock(
  code: string,
  info: string,
  labels: { readonly copy: string; readonly copied: string },
): HTMLElement {
  const figure = element("figure", "code");
  figure.dir = "ltr";
  const caption = element("figcaption");
  const name = element("span", "code-info");
  name.append(info);
  const button = element("button", "code-copy");
  button.type = "button";
  button.append(labels.copy);
  caption.append(name, button);
  const pre = element("pre");
  // It scrolls sideways, and a keyboard has to reach what scrolls.
  pre.tabIndex = 0;
  const content = element("code");
  content.append(code);
  pre.append(content);
  figure.append(caption, pre);
  // The node's own text, not `code`: a block that is still being written grows in place.
  button.addEventListener("click", async () => {
    if (!(await copyText(content))) return;
    button.replaceChildren(labels.copied);
    setTimeout(() => button.replaceChildren(labels.copy), COPIED_FOR);
  });
  return figure;
}

/** Whether both are blocks of the same code, though one may be coloured and the other not. */
export function isSameCodeBlock(a: Node, b: Node): boolean {
  if (!(a instanceof HTMLElement && b instanceof HTMLElement && a.matches("figure.code") && b.matches("figure.code"))) {
    return false;
  }
  return codeOf(a).textContent === codeOf(b).textContent && languageOf(a) === languageOf(b);
}

/** The code that each block was coloured for: one that has changed since is coloured again. */
const colouredFor = new WeakMap<Element, string>();

const loadHighlight = lazily(() => import("./code.ts"));

/** Colours every block of code in `root` that has a language and is not coloured yet. */
export async function colourCode(root: Element): Promise<void> {
  const waiting = [...root.querySelectorAll("figure.code")].filter(
    (figure) => languageOf(figure) !== "" && colouredFor.get(figure) !== codeOf(figure).textContent,
  );
  if (waiting.length === 0) return;
  const { highlight } = await loadHighlight();
  let left = PIECE_LIMIT;
  for (const figure of waiting) {
    const code = codeOf(figure);
    if (colouredFor.get(figure) === code.textContent) continue;
    colouredFor.set(figure, code.textContent);
    left -= highlight(code, languageOf(figure), left);
  }
}

const codeOf = (figure: Element): Element => figure.querySelector("code") as Element;

/** The first word of what stands after the fence. */
function languageOf(figure: Element): string {
  return figure.querySelector(".code-info")?.textContent.split(/\s/, 1)[0] ?? "";
}

/** Copies the text of `node`; whether that worked. */
async function copyText(node: Element): Promise<boolean> {
  const text = node.textContent;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission, or a page without TLS: the selection can still be copied.
    const selection = getSelection();
    selection?.selectAllChildren(node);
    return document.execCommand("copy");
  }
}
