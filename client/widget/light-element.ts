/**
 * The base of every part of the widget: an element without a shadow root of its own.
 *
 * All parts live in the one shadow root of `<meet-ai-room>`. So a selection runs across messages, ids are shared by
 * field and list, and `::part` reaches everything. Each part still has its own style sheet, and brings it along.
 */

import { type CSSResult, LitElement } from "lit";

export class LightElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    const root = this.getRootNode();
    if (root instanceof ShadowRoot) {
      for (const styles of (this.constructor as typeof LitElement).elementStyles) adopt(root, styles as CSSResult);
    }
    return this;
  }
}

const adopted = new WeakMap<ShadowRoot, Set<CSSResult>>();

/** Adds styles to a shadow root, once. */
export function adopt(root: ShadowRoot, styles: CSSResult): void {
  const all = adopted.get(root) ?? new Set();
  // By what was added: the root may have sheets of others, too.
  if (!all.has(styles)) root.adoptedStyleSheets.push(...sheets(root, [styles]));
  adopted.set(root, all.add(styles));
}

/** Adds them all again, to a shadow root that has come into another document: it has left its style sheets behind. */
export function readopt(root: ShadowRoot): void {
  root.adoptedStyleSheets = sheets(root, adopted.get(root) ?? []);
}

/** A constructed style sheet belongs to the document of its window. */
function sheets({ ownerDocument: { defaultView } }: ShadowRoot, all: Iterable<CSSResult>): CSSStyleSheet[] {
  return [...all].flatMap((styles) => {
    if (defaultView === window) return styles.styleSheet ?? [];
    // A document that is not shown has no window, and no need of styles.
    if (!defaultView) return [];
    const sheet = new defaultView.CSSStyleSheet();
    sheet.replaceSync(styles.cssText);
    return sheet;
  });
}

/** Defines an element unless it is: the widget's script may be on a page twice. */
export function define(name: string, element: CustomElementConstructor): void {
  if (typeof customElements !== "undefined" && !customElements.get(name)) customElements.define(name, element);
}
