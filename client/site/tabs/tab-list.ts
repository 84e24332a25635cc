import { html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { PageElement } from "../page-element.ts";

export interface Tab {
  readonly id: string;
  readonly title: string;
}

/**
 * The tabs above a panel that its host renders.
 *
 * @event tab-chosen - `detail` is the id of the tab.
 */
@customElement("site-tabs")
export class TabList extends PageElement {
  @property({ attribute: false }) tabs: readonly Tab[] = [];
  @property() chosen = "";
  @property() label = "";
  /** The id of the panel. */
  @property() panel = "";

  override render() {
    return html`
      <div role="tablist" aria-label=${this.label} @keydown=${this.#onKey}>
        ${this.tabs.map(
          ({ id, title }) => html`
            <button
              type="button"
              role="tab"
              id="${this.panel}-tab-${id}"
              aria-controls=${this.panel}
              aria-selected=${id === this.chosen}
              tabindex=${id === this.chosen ? 0 : -1}
              @click=${() => this.#choose(id)}
            >
              ${title}
            </button>
          `,
        )}
      </div>
    `;
  }

  #choose(id: string): void {
    this.dispatchEvent(new CustomEvent("tab-chosen", { detail: id }));
  }

  /** As the ARIA practices have it for tabs: the arrows choose, Tab leaves. */
  #onKey(event: KeyboardEvent): void {
    const count = this.tabs.length;
    const at = this.tabs.findIndex(({ id }) => id === this.chosen);
    const to = {
      ArrowRight: (at + 1) % count,
      ArrowLeft: (at + count - 1) % count,
      Home: 0,
      End: count - 1,
    }[event.key];
    const tab = to === undefined ? undefined : this.tabs[to];
    if (!tab) return;
    event.preventDefault();
    this.#choose(tab.id);
    this.querySelector<HTMLElement>(`[id="${this.panel}-tab-${tab.id}"]`)?.focus();
  }
}
