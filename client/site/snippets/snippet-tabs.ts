import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../page-element.ts";
import "../copy/copy-button.ts";
import "../tabs/tab-list.ts";
import { SessionController } from "../session.ts";
import { mcpSnippets } from "./mcp-snippets.ts";
import { agentSnippets, embedSnippets, type Snippet, type SnippetContext } from "./snippets.ts";

const SNIPPETS: Readonly<Record<SnippetTabs["for"], (context: SnippetContext) => Snippet[]>> = {
  embed: embedSnippets,
  agent: agentSnippets,
  mcp: mcpSnippets,
};

/**
 * Snippets for one purpose, one at a time, each with a button that copies it. What is copied has the key in it that is in use
 * here, and what is shown has not: somebody may be looking.
 */
@customElement("site-snippets")
export class SnippetTabs extends PageElement {
  @property() for: "embed" | "agent" | "mcp" = "embed";
  @property() room = "lobby";
  /** A key that is shown in them. */
  @property({ attribute: false }) secret: string | undefined;
  /** The secret of an invite, which the agent brings along. */
  @property({ attribute: false }) invite: string | undefined;
  /** Only members read the room, so that also readers say who they are. */
  @property({ attribute: false }) isClosed = false;
  @state() private chosen = "";
  readonly #session = new SessionController(this);

  override render() {
    const snippets = this.#snippets(this.secret);
    const shown = snippets.find(({ id }) => id === this.chosen) ?? (snippets[0] as Snippet);
    // With an invite it is for somebody else, who has a key of their own.
    const key = this.secret ?? (this.invite === undefined ? this.#session.current?.key : undefined);
    const copied = this.#snippets(key).find(({ id }) => id === shown.id) as Snippet;
    const hasMore = copied.code !== shown.code;
    const panel = `${this.for}-panel-shown`;
    const single = snippets.length === 1;
    return html`
      <div class="snippet-head">
        ${
          single
            ? html`<p class="muted small">${shown.note}</p>`
            : html`
              <site-tabs
                label=${this.for === "mcp" ? "Coding agents" : "Snippets"} .tabs=${snippets} .chosen=${shown.id} panel=${panel}
                @tab-chosen=${({ detail }: CustomEvent<string>) => {
                  this.chosen = detail;
                }}
              ></site-tabs>
            `
        }
        <site-copy .text=${copied.code} what="snippet"></site-copy>
      </div>
      <div
        id=${panel}
        role=${single ? "group" : "tabpanel"}
        aria-label=${single ? shown.title : shown.title}
      >
        <pre class="snippet" tabindex="0" role="region" aria-label="${shown.title}: code"><code>${shown.code}</code></pre>
        ${
          single
            ? ""
            : html`<p class="snippet-note muted small">${shown.note}${hasMore ? " What you copy has your key in it." : ""}</p>`
        }
        ${
          shown.say === undefined
            ? ""
            : html`<div class="snippet-say">
                <p class="muted small">Then say to it: <q>${shown.say}</q></p>
                <site-copy .text=${shown.say} what="sentence"></site-copy>
              </div>`
        }
      </div>
    `;
  }

  #snippets(key: string | undefined): Snippet[] {
    const { room, invite, isClosed } = this;
    return SNIPPETS[this.for]({ origin: location.origin, room, key, invite, isClosed });
  }
}
