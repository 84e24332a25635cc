/**
 * The base of every part of the widget: an element without a shadow root of its own.
 *
 * All parts live in the one shadow root of `<meet-ai-room>`. So a selection runs across messages, ids are shared by
 * field and list, `::part` reaches everything, and one set of style sheets is enough.
 */

import { LitElement } from "lit";

export class LightElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}

/** Defines an element unless it is: the widget's script may be on a page twice. */
export function define(name: string, element: CustomElementConstructor): void {
  if (typeof customElements !== "undefined" && !customElements.get(name)) customElements.define(name, element);
}
