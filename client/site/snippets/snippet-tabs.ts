import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../page-element.ts";
import "../copy/copy-button.ts";
import { agentSnippets, embedSnippets, type Snippet } from "./snippets.ts";

/** Snippets for one purpose, one at a time, each with a button that copies it. */
@customElement("site-snippets")
export class SnippetTabs extends PageElement {
  @property() for: "embed" | "agent" = "embed";
  @property() room = "lobby";
  @property({ attribute: false }) secret: string | undefined;
  @state() private chosen = 0;

  override render() {
    const snippets = this.#snippets();
    const shown = snippets[this.chosen] as Snippet;
    const single = snippets.length === 1;
    return html`
      <div class="snippet-head">
        ${
          single
            ? html`<p class="muted small">${shown.note}</p>`
            : html`
              <div role="tablist" aria-label="Snippets" @keydown=${this.#onKey}>
                ${snippets.map(
                  ({ id, title }, index) => html`
                    <button
                      type="button"
                      role="tab"
                      id=${this.#id("tab", id)}
                      aria-controls=${this.#id("panel", "shown")}
                      aria-selected=${index === this.chosen}
                      tabindex=${index === this.chosen ? 0 : -1}
                      @click=${() => {
                        this.chosen = index;
                      }}
                    >
                      ${title}
                    </button>
                  `,
                )}
              </div>
            `
        }
        <site-copy .text=${shown.code} what="snippet"></site-copy>
      </div>
      <div
        id=${this.#id("panel", "shown")}
        role=${single ? "group" : "tabpanel"}
        aria-label=${single ? shown.title : shown.title}
      >
        <pre class="snippet" tabindex="0" role="region" aria-label="${shown.title}: code"><code>${shown.code}</code></pre>
        ${single ? "" : html`<p class="snippet-note muted small">${shown.note}</p>`}
      </div>
    `;
  }

  #snippets(): Snippet[] {
    const context = { origin: location.origin, room: this.room, key: this.secret };
    return this.for === "embed" ? embedSnippets(context) : agentSnippets(context);
  }

  #id(part: string, name: string): string {
    return `${this.for}-${part}-${name}`;
  }

  /** As the ARIA practices have it for tabs: the arrows choose, Tab leaves. */
  #onKey(event: KeyboardEvent): void {
    const count = this.#snippets().length;
    const to = {
      ArrowRight: (this.chosen + 1) % count,
      ArrowLeft: (this.chosen + count - 1) % count,
      Home: 0,
      End: count - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.chosen = to;
    this.querySelectorAll<HTMLElement>("[role=tab]")[to]?.focus();
  }
}
