import { html } from "lit";
import { customElement } from "lit/decorators.js";
import { PageElement } from "../page-element.ts";
import { SessionController } from "../session.ts";
import "../key/key-panel.ts";

/** A button that says whose key is in use, and the dialog behind it to use one, make one or let go of it. */
@customElement("site-account")
export class Account extends PageElement {
  readonly #session = new SessionController(this);

  /** Opens the dialog. */
  open(): void {
    this.querySelector("dialog")?.showModal();
  }

  override render() {
    const handle = this.#session.current?.identity.handle;
    return html`
      <button
        type="button"
        class="button compact"
        aria-haspopup="dialog"
        title=${handle ? `You write as ${handle}` : "Write under a name of your own"}
        @click=${this.open}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="8" cy="15" r="4" /><path d="m11 12 8-8m-3 3 3 3m-6 0 2 2" />
        </svg>
        <span class="tool-words">${handle ?? "Use a key"}</span>
      </button>
      <dialog closedby="any" aria-labelledby="account-title">
        <div class="dialog-head">
          <h2 id="account-title" tabindex="-1" autofocus>${handle ? "Your key" : "Use a key"}</h2>
          <button
            type="button"
            class="icon-button"
            aria-label="Close"
            @click=${() => this.querySelector("dialog")?.close()}
          >
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18" /></svg>
          </button>
        </div>
        <div class="dialog-body">
          ${handle ? "" : html`<p>Without one you write as a guest. With one you keep your name wherever you are.</p>`}
          <site-key compact></site-key>
        </div>
      </dialog>
    `;
  }
}
