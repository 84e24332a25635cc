import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { RoomActions } from "../actions.ts";
import { lazily } from "../lazy.ts";
import { loadRenderer, renderer } from "../lazy-renderer.ts";
import { define, LightElement } from "../light-element.ts";
import type { Prose } from "../prose/prose.ts";
import { avatar, hueClass } from "../sender.ts";
import type { Strings } from "../strings/strings.ts";
import { fullTime, shortTime } from "../time.ts";
import { messageStyles } from "./message.styles.ts";
import { render } from "./rendering.ts";
import { type Row, sameParts } from "./row.ts";

/** The buttons, with the list of people: loaded when the pointer is first over a message, or when the page is idle. */
export const loadTools = lazily(() => import("../tools.ts"));

/** @summary One message of the log: who, when, what, and what can be done with it. */
export class MeetAiMessage extends LightElement {
  static override styles = messageStyles;

  static override properties = {
    row: { attribute: false, hasChanged: (now: Row, before?: Row) => !sameParts(now, before) },
    strings: { attribute: false },
    me: { attribute: false },
    actions: { attribute: false },
    active: { state: true },
  };

  declare row: Row;
  declare strings: Strings;
  declare me: string | undefined;
  declare actions: RoomActions;
  /** Under the pointer, or with the focus: only then there are buttons, which hundreds of rows could not afford. */
  declare active: boolean;

  #prose: Prose | undefined;

  readonly #activate = (): void => {
    // A touch is a visit of the mouse, as browsers tell it: it ends with a touch elsewhere.
    this.active = this.matches(":hover, :focus, :focus-within");
  };

  constructor() {
    super();
    for (const type of ["mouseenter", "mouseleave", "focusin", "focusout"]) this.addEventListener(type, this.#activate);
  }

  protected override render(): TemplateResult {
    const { message, leads } = this.row;
    return html`
      ${renderer()?.quote(this)}
      <div class="gutter">${leads ? avatar(message.sender) : this.active ? this.#time("time aside", /\s*\p{L}+\s*/gu) : nothing}</div>
      <div class="body">
        ${leads ? this.#head() : nothing}
        ${
          message.deleted
            ? html`<p class="deleted" id=${`${this.id}-text`}>${this.strings.deleted}</p>`
            : html`<div class="content" part="content" id=${`${this.id}-text`}></div>`
        }
        ${renderer()?.below(this)}
      </div>
      ${renderer()?.tools(this)}
    `;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const { sender, createdAt } = this.row.message;
    this.ariaLabel = `${this.actions.nameOf(sender)}, ${shortTime(createdAt, this.strings.language)}`;
    // Its buttons speak the language in which it was made.
    if (changed.has("strings")) this.#prose = undefined;
    if (changed.has("row") || changed.has("me") || changed.has("strings")) this.#showContent();
  }

  #head(): TemplateResult {
    const { message, name, state } = this.row;
    const { sender } = message;
    return html`<div class="head">
      <bdi class="sender ${hueClass(sender)}" part="sender">${renderer()?.nameOf(sender, name, this.strings) ?? sender}</bdi
      >${renderer()?.badge(this.row, this.strings)}
      ${state === "draft" ? html`<span class="writing">${this.strings.writing}</span>` : this.#time("time")}
    </div>`;
  }

  /** When it was said. `without` is left out: there is no room for "AM" beside a message, and the first of the run says so. */
  #time(classes: string, without = /$/): TemplateResult | typeof nothing {
    const { createdAt } = this.row.message;
    const { language } = this.strings;
    if (this.row.state === "draft") return nothing;
    return html`<time class=${classes} datetime=${createdAt} title=${this.active ? fullTime(createdAt, language) : nothing}
      >${shortTime(createdAt, language).replace(without, "")}</time
    >`;
  }

  /** @internal */
  get order(): number {
    return this.row.message.seq || Number.POSITIVE_INFINITY;
  }

  /** Text as nodes, made by the renderer, or as it is until that has come. */
  #showContent(): void {
    if (this.row.message.deleted) this.#prose = undefined;
    else if (this.#prose || (renderer() && this.row.state === "draft")) this.renderMarkdown();
    else if (renderer()) render(this);
    else {
      this.showText();
      void loadRenderer().then(() => {
        // What it quotes may have been set with its marks.
        this.requestUpdate();
        if (this.isConnected) render(this);
      });
    }
  }

  /** @internal */
  showText(): void {
    const host = this.querySelector<HTMLElement>(":scope > .body > .content");
    if (!host || this.#prose) return;
    host.classList.add("unrendered");
    host.textContent = this.row.message.content;
  }

  /** @internal */
  renderMarkdown(): void {
    const host = this.querySelector<HTMLElement>(":scope > .body > .content");
    const loaded = renderer();
    if (!host || !loaded) return;
    if (!this.#prose) {
      host.classList.remove("unrendered");
      host.replaceChildren();
      const { copy, copied, showMore, showLess } = this.strings;
      this.#prose = new loaded.Prose(host, { labels: { copy, copied, showMore, showLess } });
    }
    this.#prose.me = this.me;
    const { content } = this.row.message;
    if (this.row.state === "draft") this.#prose.stream(content);
    else this.#prose.set(content);
  }
}

define("meet-ai-message", MeetAiMessage);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-message": MeetAiMessage;
  }
}
