import { html, nothing, type TemplateResult } from "lit";
import type { RoomActions } from "../actions.ts";
import { define, LightElement } from "../light-element.ts";
import type { Row } from "../message/row.ts";
import { partStrings } from "../strings/parts.ts";
import type { Strings } from "../strings/strings.ts";
import { deleteIcon, linkIcon, replyIcon } from "./message-tools.icons.ts";
import { messageToolsStyles } from "./message-tools.styles.ts";

export { copyLink } from "./copy-link.ts";

/** @summary What can be done with a message: reply, copy its link, delete it. */
export class MeetAiMessageTools extends LightElement {
  static override styles = messageToolsStyles;

  static override properties = {
    row: { attribute: false },
    strings: { attribute: false },
    actions: { attribute: false },
    confirming: { state: true },
  };

  declare row: Row;
  declare strings: Strings;
  declare actions: RoomActions;
  declare confirming: boolean;

  /** Deleting is for everybody and for good, so it takes two steps: the second is a button that has the focus. */
  askDelete(): void {
    this.confirming = true;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(".danger")?.focus({ preventScroll: true }));
  }

  protected override render(): TemplateResult {
    const { actions } = this;
    const strings = partStrings(this.strings);
    const { message, deletable } = this.row;
    if (this.confirming) {
      return html`<div class="tools" part="tools">
        <button type="button" class="danger" @click=${this.#delete}>${strings.deleteSure}</button>
        ${this.#tool(strings.close, "✕", () => this.#settle())}
      </div>`;
    }
    return html`<div class="tools" part="tools">
      ${actions.canWrite() ? this.#tool(strings.reply, replyIcon, () => actions.reply(message)) : nothing}
      ${this.#tool(strings.copyLink, linkIcon, () => actions.copyLink(message.seq))}
      ${deletable ? this.#tool(strings.delete, deleteIcon, () => this.askDelete()) : nothing}
    </div>`;
  }

  #tool(name: string, icon: unknown, act: () => void): TemplateResult {
    return html`<button type="button" tabindex="-1" title=${name} aria-label=${name} @click=${act}>${icon}</button>`;
  }

  readonly #delete = (): void => {
    this.actions.delete(this.row.message.seq);
    this.#settle();
  };

  /** The question is answered; the focus goes back to the message. */
  #settle(): void {
    this.confirming = false;
    (this.parentElement as HTMLElement).focus({ preventScroll: true });
  }
}

define("meet-ai-message-tools", MeetAiMessageTools);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-message-tools": MeetAiMessageTools;
  }
}
