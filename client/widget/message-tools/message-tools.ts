import { html, nothing, type TemplateResult } from "lit";
import type { RoomActions } from "../actions.ts";
import { muteIcon } from "../icons.ts";
import { define, LightElement } from "../light-element.ts";
import type { Row } from "../message/row.ts";
import type { RoomElement } from "../message-links.ts";
import type { Strings } from "../strings/strings.ts";
import { copyLink } from "./copy-link.ts";
import { deleteIcon, linkIcon, replyIcon } from "./message-tools.icons.ts";
import { messageToolsStyles } from "./message-tools.styles.ts";

/** @summary What can be done with a message: reply, copy its link, mute its sender, delete it. */
export class MeetAiMessageTools extends LightElement {
  static override styles = messageToolsStyles;

  static override properties = {
    row: { attribute: false },
    strings: { attribute: false },
    actions: { attribute: false },
    confirming: { state: true },
    muting: { state: true },
    report: { state: true },
  };

  declare row: Row;
  declare strings: Strings;
  declare actions: RoomActions;
  declare confirming: boolean;
  declare muting: boolean;
  /** What has become of the last thing that was asked for. */
  declare report: string | undefined;

  /** Deleting is for everybody and for good, so it takes two steps: the second is a button that has the focus. */
  askDelete(): void {
    this.confirming = true;
    this.report = undefined;
    void this.updateComplete.then(() =>
      this.querySelector<HTMLElement>(".danger")?.focus({ preventScroll: true, focusVisible: true }),
    );
  }

  /** Puts the message's link into the clipboard, and says whether the browser let it. */
  async copyLink(): Promise<void> {
    const { linkCopied, linkRefused } = this.strings;
    const { host } = this.getRootNode() as ShadowRoot;
    this.report = (await copyLink(this.row.message.seq, host as RoomElement)) ? linkCopied : linkRefused;
    this.actions.say(this.report);
  }

  protected override render(): TemplateResult {
    const { actions, strings } = this;
    const { message, deletable, mutable, canWrite } = this.row;
    if (this.muting) {
      return html`<div class="tools" part="tools" @keydown=${this.#onKey}><meet-ai-mute .sender=${message.sender} .strings=${strings}
        .actions=${actions} .close=${() => this.#settle()}></meet-ai-mute></div>`;
    }
    if (this.confirming) {
      return html`<div class="tools" part="tools" @keydown=${this.#onKey}>
        <button type="button" class="danger" @click=${this.#delete}>${strings.deleteSure}</button>
        ${this.#tool(strings.cancel, "✕", () => this.#settle())}
      </div>`;
    }
    return html`<div class="tools" part="tools" @keydown=${this.#onArrow}>
      ${this.report ? html`<span class="report">${this.report}</span>` : nothing}
      ${canWrite ? this.#tool(strings.reply, replyIcon, () => actions.reply(message)) : nothing}
      ${this.#tool(strings.copyLink, linkIcon, () => this.copyLink())}
      ${mutable ? this.#tool(strings.mute(actions.nameOf(message.sender)), muteIcon, () => this.#askMute()) : nothing}
      ${deletable ? this.#tool(strings.delete, deleteIcon, () => this.askDelete()) : nothing}
    </div>`;
  }

  #askMute(): void {
    // The question comes with what mutes.
    void this.actions.moderation();
    this.muting = true;
    this.report = undefined;
  }

  #tool(name: string, icon: unknown, act: () => void): TemplateResult {
    return html`<button type="button" tabindex="-1" title=${name} aria-label=${name} @click=${act}>${icon}</button>`;
  }

  readonly #delete = async (): Promise<void> => {
    const { seq } = this.row.message;
    this.#settle();
    (await this.actions.author())?.delete(seq);
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    // Elsewhere in the log it leads to the field.
    event.preventDefault();
    event.stopPropagation();
    this.#settle();
  };

  /** From button to button, and before the first one back to the message. */
  readonly #onArrow = (event: KeyboardEvent): void => {
    const forward = this.strings.direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    event.stopPropagation();
    const buttons = [...this.querySelectorAll("button")];
    const place = buttons.indexOf(event.target as HTMLButtonElement) + (event.key === forward ? 1 : -1);
    const next = buttons[Math.min(place, buttons.length - 1)] ?? this.parentElement;
    next?.focus({ preventScroll: true, focusVisible: true });
  };

  /** The question is answered; the focus goes back to the message. */
  #settle(): void {
    this.confirming = false;
    this.muting = false;
    (this.parentElement as HTMLElement).focus({ preventScroll: true });
  }
}

define("meet-ai-message-tools", MeetAiMessageTools);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-message-tools": MeetAiMessageTools;
  }
}
