import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { isRoomId } from "../../../party/protocol.ts";
import { getRoom, isRefusal, messageOf, type Room } from "../api.ts";
import { PageElement } from "../page-element.ts";
import { SessionController } from "../session.ts";
import "../../widget/index.ts";

/**
 * The room that the page's address names, as high as the window leaves it; or what to do where there is none.
 *
 * @event room-loaded - The room is there; `detail` is what is known of it.
 */
@customElement("site-room")
export class RoomPage extends PageElement {
  /** The room's id, from the address. */
  @property() room = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  @property({ attribute: false }) details: Room | undefined;
  @state() private phase: "loading" | "shown" | "missing" | "failed" = "loading";
  @state() private problem = "";
  readonly #session = new SessionController(this);

  override connectedCallback(): void {
    super.connectedCallback();
    this.#load();
  }

  override willUpdate(): void {
    const name = this.phase === "missing" ? "No such room" : this.details?.name;
    if (name !== undefined) document.title = `${name} · meet-ai`;
  }

  override render() {
    switch (this.phase) {
      case "missing":
        return this.#renderMissing();
      case "failed":
        return this.#renderFailure();
      case "loading":
        return html`<p role="status" class="visually-hidden">Opening the room…</p>`;
      case "shown":
        return this.#renderRoom();
    }
  }

  #renderRoom() {
    return html`
      <h1 class="visually-hidden">${this.details?.name}</h1>
      <meet-ai-room room=${this.room} .key=${this.#session.current?.key}></meet-ai-room>
    `;
  }

  #renderMissing() {
    return html`
      <div class="not-found">
        <p class="mono muted">404</p>
        <h1>There is no room <bdi class="mono">${this.room}</bdi></h1>
        <p class="lead">It was deleted, or the address has a slip in it.</p>
        <div class="row">
          ${
            isRoomId(this.room)
              ? html`<a class="button primary" href="/rooms?new=${this.room}">Make this room</a>`
              : nothing
          }
          <a class="button" href="/rooms">See all rooms</a>
          <a class="button" href="/r/lobby">Go to the lobby</a>
        </div>
      </div>
    `;
  }

  #renderFailure() {
    return html`
      <div class="not-found" role="alert">
        <h1>The room did not open</h1>
        <p class="lead">${this.problem}</p>
        <button type="button" class="button primary" @click=${this.#load}>Try again</button>
      </div>
    `;
  }

  async #load(): Promise<void> {
    this.phase = "loading";
    try {
      if (!isRoomId(this.room)) throw new TypeError();
      this.details = await getRoom(this.room);
      this.phase = "shown";
      this.dispatchEvent(new CustomEvent("room-loaded", { detail: this.details }));
    } catch (error) {
      this.phase = error instanceof TypeError || isRefusal(error, "not_found") ? "missing" : "failed";
      this.problem = messageOf(error);
    }
  }
}
