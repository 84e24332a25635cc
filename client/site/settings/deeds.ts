import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { type Deed, listDeeds, type Room } from "../api.ts";
import { Attempt } from "../attempt.ts";
import { PageElement } from "../page-element.ts";
import { dateAndTime } from "../times.ts";
import { shownName } from "./shown-name.ts";

const WORDS: Readonly<Record<string, string>> = {
  mute: "muted",
  unmute: "unmuted",
  delete: "deleted a message by",
  erase: "deleted everything by a sender",
  approve: "approved a message by",
  refuse: "refused a message by",
  role: "made",
  remove: "removed",
  settings: "changed the settings",
  owner: "handed the room to",
};

/** For the owner and moderators of a room: who of them did what, newest first. */
@customElement("site-deeds")
export class Deeds extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  @state() private deeds: readonly Deed[] = [];
  @state() private next: number | null = null;
  readonly #attempt = new Attempt(this);

  override connectedCallback(): void {
    super.connectedCallback();
    this.deeds = [];
    this.next = null;
    this.#load();
  }

  override render() {
    return html`
      <section class="settings-part" aria-labelledby="deeds-title">
        <h3 id="deeds-title">What was done</h3>
        ${this.deeds.length === 0 ? html`<p class="muted small">Nothing yet. It is kept for 90 days.</p>` : nothing}
        <ul class="entries">
          ${this.deeds.map(
            ({ at, by, deed, target, role }) => html`<li>
              <span>
                <span class="handle" title=${by}>${by === "" ? "Somebody who was erased" : shownName(by)}</span> ${WORDS[deed] ?? deed}
                ${target === undefined ? nothing : html`<span class="handle" title=${target}>${shownName(target)}</span>`}
                ${role}
              </span>
              <time class="muted small" datetime=${at}>${dateAndTime(at)}</time>
            </li>`,
          )}
        </ul>
        ${
          this.next === null
            ? nothing
            : html`<div><button type="button" class="button compact" ?disabled=${this.#attempt.busy} @click=${this.#load}>
                Show more
              </button></div>`
        }
        ${this.#attempt.render()}
      </section>
    `;
  }

  #load(): void {
    void this.#attempt.run(async (key) => {
      const { entries, next } = await listDeeds(key, this.room?.id ?? "", this.next);
      this.deeds = [...this.deeds, ...entries];
      this.next = next;
      return undefined;
    });
  }
}
