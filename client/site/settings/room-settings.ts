import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Room } from "../api.ts";
import { PageElement } from "../page-element.ts";
import { RoleController } from "../role.ts";
import "../erase/erase-sender.ts";
import "../export/room-export.ts";
import "../members/handover.ts";
import "../members/invites.ts";
import "../members/members.ts";
import "../tabs/tab-list.ts";
import "./deeds.ts";
import "./end-room.ts";
import "./mutes.ts";
import "./room-form.ts";
import "./rules.ts";

/** What moderators decide, too, and what only the owner does. */
const TABS = [
  { id: "room", title: "Room", isOwners: true },
  { id: "people", title: "People", isOwners: false },
  { id: "moderation", title: "Moderation", isOwners: false },
  { id: "data", title: "Data", isOwners: true },
] as const;

/**
 * For the owner and the moderators of a room: a button, and behind it what they decide. Each part asks the server when it
 * is shown.
 *
 * @event room-changed - The room is saved or handed over; `detail` is the room as it is now.
 * @event room-deleted - The room is gone.
 */
@customElement("site-settings")
export class RoomSettings extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  @state() private isOpen = false;
  @state() private chosen = "";
  readonly #role = new RoleController(this);

  override render() {
    if (!this.room || !this.#role.moderates) return nothing;
    return html`
      <button type="button" class="button compact" aria-haspopup="dialog" title="Settings" @click=${this.#open}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M4 7h9m5 0h2M4 17h2m5 0h9" /><circle cx="15.5" cy="7" r="2.5" /><circle cx="8.5" cy="17" r="2.5" />
        </svg>
        <span class="tool-words">Settings</span>
      </button>
      <dialog closedby="any" class="drawer" aria-labelledby="settings-title" @close=${this.#onClose}>
        <div class="dialog-head">
          <h2 id="settings-title" tabindex="-1" autofocus>Settings</h2>
          <button type="button" class="icon-button" aria-label="Close" @click=${() => this.#dialog.close()}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18" /></svg>
          </button>
        </div>
        ${this.isOpen ? this.#renderTabs(this.room) : nothing}
      </dialog>
    `;
  }

  #renderTabs(room: Room) {
    const tabs = TABS.filter(({ isOwners }) => !isOwners || this.#role.role === "owner");
    const chosen = tabs.find(({ id }) => id === this.chosen) ?? tabs[0];
    return html`
      <div class="dialog-body">
        <site-tabs
          label="Settings" panel="settings-panel" .tabs=${tabs} .chosen=${chosen?.id ?? ""}
          @tab-chosen=${({ detail }: CustomEvent<string>) => {
            this.chosen = detail;
          }}
        ></site-tabs>
        <div id="settings-panel" class="settings-panel" role="tabpanel" aria-label=${chosen?.title ?? ""}>
          ${this.#renderPart(chosen?.id, room)}
        </div>
      </div>
    `;
  }

  #renderPart(part: (typeof TABS)[number]["id"] | undefined, room: Room) {
    const isOwner = this.#role.role === "owner";
    switch (part) {
      case "room":
        return html`<site-room-form .room=${room}></site-room-form>`;
      case "people":
        return html`
          <site-members .room=${room} .isOwner=${isOwner}></site-members>
          <site-invites .room=${room} .isOwner=${isOwner}></site-invites>
          ${isOwner ? html`<site-handover .room=${room}></site-handover>` : nothing}
        `;
      case "moderation":
        return html`
          ${isOwner ? html`<site-rules .room=${room}></site-rules>` : nothing}
          <site-mutes .room=${room}></site-mutes>
          <section class="settings-part" aria-labelledby="erase-title">
            <h3 id="erase-title">Erase messages</h3>
            <site-erase .room=${room}></site-erase>
          </section>
          <site-deeds .room=${room}></site-deeds>
        `;
      case "data":
        return html`
          <section class="settings-part" aria-labelledby="export-title">
            <h3 id="export-title">Download</h3>
            <site-export .room=${room}></site-export>
          </section>
          <site-end .room=${room}></site-end>
        `;
    }
  }

  get #dialog(): HTMLDialogElement {
    return this.querySelector("dialog") as HTMLDialogElement;
  }

  #open(): void {
    this.chosen = "";
    this.isOpen = true;
    this.#dialog.showModal();
  }

  #onClose(): void {
    this.isOpen = false;
  }
}
