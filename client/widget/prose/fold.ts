/**
 * Folds a long message: its beginning, and a button for the rest.
 *
 * Whether a message is long is told by its text, so nothing has to be laid out to know it. Its text stays in the page:
 * a screen reader reads it, and finding or focusing something in the hidden part unfolds it.
 */

import { element } from "./dom.ts";

/** Lines of a phone's width from which a message is folded. Well above what the folded one shows. */
const LONG = 40;
const LINE_LENGTH = 80;

/** Whether `text` takes so many lines that it is worth folding. */
export function isLong(text: string): boolean {
  let lines = 0;
  for (let from = 0; from <= text.length && lines <= LONG; ) {
    const newline = text.indexOf("\n", from);
    const end = newline < 0 ? text.length : newline;
    lines += Math.max(1, Math.ceil((end - from) / LINE_LENGTH));
    from = end + 1;
  }
  return lines > LONG;
}

export interface FoldLabels {
  readonly showMore: string;
  readonly showLess: string;
}

/**
 * Folds `content`, and puts the button after it. `onUnfold` is called each time that everything is to be seen. Returns
 * what takes the fold away for good.
 */
export function fold(content: HTMLElement, labels: FoldLabels, onUnfold?: () => void): () => void {
  const button = element("button", "fold-toggle");
  button.type = "button";
  const show = (folded: boolean): void => {
    content.classList.toggle("folded", folded);
    button.ariaExpanded = String(!folded);
    button.replaceChildren(folded ? labels.showMore : labels.showLess);
    if (!folded) onUnfold?.();
  };
  // By keyboard: a click into the visible part, to select some of it, is no wish to see the rest.
  const unfold = ({ target }: FocusEvent): void => {
    if ((target as Element).matches(":focus-visible")) show(false);
  };
  const unfoldWhenScrolled = (): void => {
    if (content.scrollTop > 0) show(false);
  };
  button.addEventListener("click", () => {
    content.scrollTop = 0;
    show(!content.classList.contains("folded"));
  });
  content.addEventListener("focusin", unfold);
  content.addEventListener("scroll", unfoldWhenScrolled);
  content.after(button);
  show(true);
  return () => {
    content.classList.remove("folded");
    content.removeEventListener("focusin", unfold);
    content.removeEventListener("scroll", unfoldWhenScrolled);
    button.remove();
  };
}
