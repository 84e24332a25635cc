import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { deleteRoom, type Room } from "../api.ts";
import { Attempt } from "../attempt.ts";
import { PageElement } from "../page-element.ts";

/**
 * For the owner of a room: deletes it, once its id is typed.
 *
 * @event room-deleted - The room is gone; from the settings that it stands in.
 */
@customElement("site-end")
export class EndRoom extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  @state() private typedId = "";
  readonly #attempt = new Attempt(this);

  override render() {
    const id = this.room?.id ?? "";
    return html`
      <form class="settings-part" @submit=${this.#delete}>
        <h3>Delete room</h3>
        <p class="muted small">Deletes the room and every message in it, for everybody and forever.</p>
        <div class="field">
          <label for="end-id">Type <span class="mono">${id}</span> to delete it</label>
          <input
            id="end-id" class="input mono" autocomplete="off" autocapitalize="none" spellcheck="false"
            .value=${this.typedId}
            @input=${(event: Event) => {
              this.typedId = (event.target as HTMLInputElement).value;
            }}
          />
        </div>
        <div>
          <button type="submit" class="button danger" ?disabled=${this.#attempt.busy || this.typedId !== id}>
            Delete room
          </button>
        </div>
        ${this.#attempt.render()}
      </form>
    `;
  }

  #delete(event: SubmitEvent): void {
    event.preventDefault();
    const id = this.room?.id ?? "";
    if (this.typedId !== id) return;
    // The page may hear over its socket that the room is gone, and take this part away, before the answer comes.
    const settings = this.closest("site-settings") ?? this;
    void this.#attempt.run(async (key) => {
      await deleteRoom(key, id);
      settings.dispatchEvent(new Event("room-deleted", { bubbles: true }));
      return undefined;
    });
  }
}
