import { html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Room } from "../api.ts";
import { PageElement } from "../page-element.ts";
import "../copy/copy-button.ts";
import "../export/room-export.ts";
import "../snippets/snippet-tabs.ts";
import { SessionController } from "../session.ts";

/** A button, and behind it the ways into a room: its address, a page of one's own, an agent; for its owner a copy. */
@customElement("site-share")
export class ShareRoom extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  readonly #session = new SessionController(this);

  override render() {
    const id = this.room?.id ?? "";
    const address = `${location.origin}/r/${id}`;
    return html`
      <button
        type="button"
        class="button compact"
        aria-haspopup="dialog"
        title="Share"
        ?disabled=${this.room === undefined}
        @click=${() => this.#dialog.showModal()}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 15V4m0 0L8 8m4-4 4 4M5 13v5a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-5" /></svg>
        <span class="tool-words">Share</span>
      </button>
      <dialog closedby="any" class="wide" aria-labelledby="share-title">
        <div class="dialog-head">
          <h2 id="share-title" tabindex="-1" autofocus>Bring others in</h2>
          <button type="button" class="icon-button" aria-label="Close" @click=${() => this.#dialog.close()}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18" /></svg>
          </button>
        </div>
        <div class="dialog-body">
          <div class="stack">
            <h3>People: the address</h3>
            <div class="key-shown">
              <code>${address}</code>
              <site-copy .text=${address} what="address"></site-copy>
            </div>
          </div>
          <div class="stack">
            <h3>A page: the room in it</h3>
            <site-snippets for="embed" .room=${id}></site-snippets>
          </div>
          <div class="stack">
            <h3>An agent: with a <a href="/key">key</a></h3>
            <site-snippets for="agent" .room=${id}></site-snippets>
          </div>
          ${
            this.#session.owns(this.room)
              ? html`<div class="stack">
                  <h3>A copy: everything that was said</h3>
                  <site-export .room=${this.room}></site-export>
                </div>`
              : nothing
          }
        </div>
      </dialog>
    `;
  }

  get #dialog(): HTMLDialogElement {
    return this.querySelector("dialog") as HTMLDialogElement;
  }
}
