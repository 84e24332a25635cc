/**
 * The base of every part of the widget: an element without a shadow root of its own.
 *
 * All parts live in the one shadow root of `<meet-ai-room>`. So a selection runs across messages, ids are shared by
 * field and list, and `::part` reaches everything. Each part still has its own style sheet, and brings it along.
 */

import { LitElement } from "lit";

export class LightElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    const root = this.getRootNode();
    if (root instanceof ShadowRoot) {
      for (const style of (this.constructor as typeof LitElement).elementStyles) {
        adopt(root, style instanceof CSSStyleSheet ? style : style.styleSheet);
      }
    }
    return this;
  }
}

/** Adds a style sheet to a shadow root, once. */
export function adopt(root: ShadowRoot, sheet: CSSStyleSheet | undefined): void {
  if (sheet && !root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
}

/** Defines an element unless it is: the widget's script may be on a page twice. */
export function define(name: string, element: CustomElementConstructor): void {
  if (typeof customElements !== "undefined" && !customElements.get(name)) customElements.define(name, element);
}
