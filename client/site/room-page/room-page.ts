import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { FINAL_CLOSE, isRoomId } from "../../../party/protocol.ts";
import { knownGuest } from "../../stay/credentials.ts";
import { deviceMemory } from "../../widget/browser-memory.ts";
import type { MeetAiAskEvent, MeetAiStatusEvent } from "../../widget/index.ts";
import { ApiError, type Credentials, getRoom, isRefusal, messageOf, type Room } from "../api.ts";
import { takeInvite } from "../invite.ts";
import { PageElement } from "../page-element.ts";
import { SessionController } from "../session.ts";
import "../../widget/index.ts";

/** Closes from here on are the room's own: afterwards the person may know more of the room than before, or less. */
const ROOMS_OWN = 4400;

/**
 * The room that the page's address names, as high as the window leaves it; or what to do where there is none. An invite in
 * the address is the room's to take. Of a room that only members read, the page knows nothing until the room has let the
 * person in.
 *
 * @event room-loaded - What is known of the room has changed; `detail` is that, `undefined` when it is nothing any more.
 */
@customElement("site-room")
export class RoomPage extends PageElement {
  /** The room's id, from the address. */
  @property() room = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  @property({ attribute: false }) details: Room | undefined;
  @state() private phase: "loading" | "shown" | "missing" | "failed" = "loading";
  @state() private problem = "";
  @state() private invite = takeInvite();
  /** How many questions wait for an answer of the person here. */
  @state() private wanted = 0;
  @state() private isDeleted = false;
  /** It has to be asked for once the room has let the person in. */
  #isUnknown = true;
  readonly #session = new SessionController(this);

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("hashchange", this.#followInvite);
    this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("hashchange", this.#followInvite);
  }

  override willUpdate(): void {
    const nameless = this.phase === "shown" ? this.#nameless : undefined;
    const name = this.phase === "missing" ? "No such room" : (this.details?.name ?? nameless);
    const wanted = this.phase === "shown" && this.wanted > 0 ? "Answer wanted · " : "";
    if (name !== undefined) document.title = `${wanted}${name} · meet-ai`;
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
      <h1 class="visually-hidden">${this.details?.name ?? this.#nameless}</h1>
      <meet-ai-room
        room=${this.room} .key=${this.#session.current?.key} .invite=${this.invite} @meet-ai-status=${this.#onStatus}
        @meet-ai-ask=${this.#onAsk}
      ></meet-ai-room>
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

  /** The address of an invite that is put into the tab of the room changes nothing but the fragment. */
  readonly #followInvite = (): void => {
    this.invite = takeInvite() ?? this.invite;
  };

  #onStatus({ detail: { status, code } }: MeetAiStatusEvent): void {
    this.isDeleted = code === FINAL_CLOSE.deleted;
    if (code !== undefined && code >= ROOMS_OWN) this.#isUnknown = true;
    if (status === "closed" && this.#isUnknown) this.#show(undefined);
    if (status === "open" && this.#isUnknown) void this.#load();
  }

  #onAsk({ detail }: MeetAiAskEvent): void {
    this.wanted = detail.wanted;
  }

  async #load(): Promise<void> {
    if (this.phase !== "shown") this.phase = "loading";
    try {
      if (!isRoomId(this.room)) throw new TypeError();
      this.#show(await this.#ask());
      this.phase = "shown";
    } catch (error) {
      // A room that was shown tells by itself what becomes of it.
      if (this.phase === "shown") return;
      this.phase = error instanceof TypeError || isRefusal(error, "not_found") ? "missing" : "failed";
      this.problem = messageOf(error);
    }
  }

  /** What the person may know of the room: of one that is its members' only with what makes them one. */
  async #ask(): Promise<Room | undefined> {
    const refused = (error: unknown) => {
      if (error instanceof ApiError && (error.code === "unauthorized" || error.code === "forbidden")) return undefined;
      throw error;
    };
    const open = await getRoom(this.room).catch(refused);
    const credentials = this.#credentials;
    return open ?? (credentials && (await getRoom(this.room, credentials).catch(refused)));
  }

  get #credentials(): Credentials | undefined {
    const key = this.#session.current?.key;
    const guest = knownGuest(deviceMemory, location.origin);
    return key === undefined ? (guest as Credentials | undefined) : { key };
  }

  /** What a room is called of which nothing is known any more, or not yet. */
  get #nameless(): string {
    return this.isDeleted ? "A deleted room" : "A room for its members";
  }

  #show(details: Room | undefined): void {
    this.details = details;
    this.#isUnknown = details === undefined;
    this.dispatchEvent(new CustomEvent("room-loaded", { detail: details }));
  }
}
