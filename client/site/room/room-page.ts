import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { isRoomId } from "../../../party/protocol.ts";
import { getRoom, isRefusal, messageOf, type RoomDetails } from "../api.ts";
import { PageElement } from "../page-element.ts";
import { SessionController, session } from "../session.ts";
import "../settings/room-settings.ts";
import "../share/share-room.ts";
import "../../widget/index.ts";

/** The page of one room: the room as high as the window, and its owner's settings a click away. */
@customElement("site-room")
export class RoomPage extends PageElement {
  /** The room's id, from the address. */
  @property() room = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  @state() private details: RoomDetails | undefined;
  @state() private phase: "loading" | "shown" | "missing" | "failed" = "loading";
  @state() private problem = "";
  readonly #session = new SessionController(this);

  override async connectedCallback(): Promise<void> {
    super.connectedCallback();
    await session.ready;
    this.#load();
  }

  override render() {
    if (this.phase === "missing") return this.#renderMissing();
    if (this.phase === "failed") return this.#renderFailure();
    return html`
      <div class="room-bar">
        <h1><bdi>${this.details?.name ?? "\u00a0"}</bdi></h1>
        <div class="room-actions">
          <site-share .room=${this.room}></site-share>
          <site-settings
            .room=${this.details}
            @room-changed=${(event: CustomEvent<RoomDetails>) => this.#show(event.detail)}
            @room-deleted=${() => location.assign("/rooms")}
          ></site-settings>
        </div>
      </div>
      ${
        this.phase === "shown"
          ? html`<meet-ai-room room=${this.room} theme="auto" .key=${this.#session.current?.key}></meet-ai-room>`
          : html`<div class="room-wait" role="status"><span class="visually-hidden">Opening the room…</span></div>`
      }
    `;
  }

  #renderMissing() {
    return html`
      <div class="not-found room-missing">
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
      <div class="not-found room-missing" role="alert">
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
      this.#show(await getRoom(this.room, session.current?.key));
      this.phase = "shown";
    } catch (error) {
      this.phase = error instanceof TypeError || isRefusal(error, "not_found") ? "missing" : "failed";
      this.problem = messageOf(error);
      document.title = this.phase === "missing" ? "No such room · meet-ai" : "meet-ai";
    }
  }

  #show(details: RoomDetails): void {
    this.details = details;
    document.title = `${details.name} · meet-ai`;
  }
}
