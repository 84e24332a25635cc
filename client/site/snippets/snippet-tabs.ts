import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../page-element.ts";
import "../copy/copy-button.ts";
import "../tabs/tab-list.ts";
import { agentSnippets, embedSnippets, type Snippet } from "./snippets.ts";

/** Snippets for one purpose, one at a time, each with a button that copies it. */
@customElement("site-snippets")
export class SnippetTabs extends PageElement {
  @property() for: "embed" | "agent" = "embed";
  @property() room = "lobby";
  @property({ attribute: false }) secret: string | undefined;
  /** The secret of an invite, which the agent brings along. */
  @property({ attribute: false }) invite: string | undefined;
  /** Only members read the room, so that also readers say who they are. */
  @property({ attribute: false }) isClosed = false;
  @state() private chosen = "";

  override render() {
    const snippets = this.#snippets();
    const shown = snippets.find(({ id }) => id === this.chosen) ?? (snippets[0] as Snippet);
    const panel = `${this.for}-panel-shown`;
    const single = snippets.length === 1;
    return html`
      <div class="snippet-head">
        ${
          single
            ? html`<p class="muted small">${shown.note}</p>`
            : html`
              <site-tabs
                label="Snippets" .tabs=${snippets} .chosen=${shown.id} panel=${panel}
                @tab-chosen=${({ detail }: CustomEvent<string>) => {
                  this.chosen = detail;
                }}
              ></site-tabs>
            `
        }
        <site-copy .text=${shown.code} what="snippet"></site-copy>
      </div>
      <div
        id=${panel}
        role=${single ? "group" : "tabpanel"}
        aria-label=${single ? shown.title : shown.title}
      >
        <pre class="snippet" tabindex="0" role="region" aria-label="${shown.title}: code"><code>${shown.code}</code></pre>
        ${single ? "" : html`<p class="snippet-note muted small">${shown.note}</p>`}
      </div>
    `;
  }

  #snippets(): Snippet[] {
    const { room, secret: key, invite, isClosed } = this;
    const context = { origin: location.origin, room, key, invite, isClosed };
    return this.for === "embed" ? embedSnippets(context) : agentSnippets(context);
  }
}
