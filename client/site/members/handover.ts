import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Room } from "../api.ts";
import { Attempt } from "../attempt.ts";
import { PageElement } from "../page-element.ts";
import { handOver } from "./members-api.ts";

/**
 * For the owner of a room: hands it to one of its members. It asks once more, because only the new owner can give it back.
 *
 * @event room-changed - The room has another owner; `detail` is the room as it is now.
 */
@customElement("site-handover")
export class Handover extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  /** Who is to have the room, when the owner says so again. */
  @state() private asked = "";
  readonly #attempt = new Attempt(this);

  override render() {
    return html`
      <form class="settings-part" @submit=${this.#submit}>
        <h3>Hand the room over</h3>
        <p class="muted small">To one of its members, who owns it then. You stay, as a moderator.</p>
        <div class="field">
          <label for="handover-name">New owner</label>
          <input
            id="handover-name" class="input mono" name="handle" required autocomplete="off" autocapitalize="none"
            spellcheck="false" placeholder="swift-otter" ?readonly=${this.asked !== ""}
          />
        </div>
        ${this.asked === "" ? this.#renderFirst() : this.#renderAgain()}
        ${this.#attempt.render()}
      </form>
    `;
  }

  #renderFirst() {
    return html`<div><button type="submit" class="button danger">Hand over…</button></div>`;
  }

  #renderAgain() {
    const { busy } = this.#attempt;
    return html`
      <p><span class="handle">${this.asked}</span> decides over the room then, and only they can give it back.</p>
      <div class="row">
        <button type="submit" class="button danger" ?disabled=${busy}>Hand it to ${this.asked}</button>
        <button type="button" class="button" ?disabled=${busy} @click=${() => this.#ask("")}>Keep it</button>
      </div>
    `;
  }

  #ask(handle: string): void {
    this.asked = handle;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { room, asked } = this;
    if (asked === "") {
      this.#ask(String(new FormData(event.target as HTMLFormElement).get("handle")).trim());
      return;
    }
    if (!room) return;
    const isDone = await this.#attempt.run(async (key) => {
      await handOver(key, room.id, asked);
      return `The room is ${asked}'s.`;
    });
    this.#ask("");
    if (!isDone) return;
    const detail = { ...room, createdBy: asked };
    this.dispatchEvent(new CustomEvent("room-changed", { detail, bubbles: true }));
  }
}
