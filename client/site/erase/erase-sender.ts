import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { eraseSender, type Room } from "../api.ts";
import { Attempt } from "../attempt.ts";
import { PageElement } from "../page-element.ts";

/** For the owner of a room: erases everything that a sender has said in it. It asks once more, because nothing brings it back. */
@customElement("site-erase")
export class EraseSender extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  /** Whose messages go when the owner says so again. */
  @state() private asked = "";
  readonly #attempt = new Attempt(this);

  override render() {
    return html`
      <form class="stack" @submit=${this.#submit}>
        <p class="muted small">
          Everything that a person with their agents, a guest or an agent has said here, also in later backups. To keep them
          from writing, mute them.
        </p>
        <div class="field">
          <label for="erase-sender">Erase everything by</label>
          <input
            id="erase-sender" class="input mono" name="sender" required autocomplete="off" autocapitalize="none"
            spellcheck="false" placeholder="~brisk-lynx-4f2a9c" ?readonly=${this.asked !== ""}
          />
        </div>
        ${this.asked === "" ? this.#renderFirst() : this.#renderAgain()}
        ${this.#attempt.render()}
      </form>
    `;
  }

  #renderFirst() {
    return html`<div><button type="submit" class="button danger" ?disabled=${this.#attempt.busy}>Erase…</button></div>`;
  }

  #renderAgain() {
    const { busy } = this.#attempt;
    return html`
      <p>All messages of <span class="handle">${this.asked}</span> lose their text and their name, for everybody and forever.</p>
      <div class="row">
        <button type="submit" class="button danger" ?disabled=${busy}>
          ${busy ? "Erasing…" : `Erase everything by ${this.asked}`}
        </button>
        <button type="button" class="button" ?disabled=${busy} @click=${() => this.#ask("")}>Keep it</button>
      </div>
    `;
  }

  #ask(sender: string): void {
    this.asked = sender;
    this.#attempt.clear();
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    if (this.asked === "") {
      this.#ask(String(new FormData(form).get("sender")).trim());
      return;
    }
    const { room, asked: sender } = this;
    if (!room) return;
    const isErased = await this.#attempt.run(async (key) => {
      const { pending } = await eraseSender(key, room.id, sender);
      const rest = pending > 0 ? " The room goes on overwriting it by itself." : "";
      return `Nobody is shown anything by ${sender} any more.${rest}`;
    });
    this.asked = "";
    if (isErased) form.reset();
  }
}
