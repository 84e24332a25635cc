import { LitElement } from "lit";

/**
 * An element of this site. It renders into the page itself, not into a shadow: one style sheet, one order of focus and
 * one set of ids serve the whole page. What the HTML file holds inside it keeps its place until the first render.
 */
export class PageElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    this.replaceChildren();
    return this;
  }
}
