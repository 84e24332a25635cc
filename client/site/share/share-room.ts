import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Room } from "../api.ts";
import { Attempt } from "../attempt.ts";
import "../copy/copy-button.ts";
import "../export/room-export.ts";
import { newInvite } from "../members/invites.ts";
import { createInvite, type NewInvite } from "../members/members-api.ts";
import { PageElement } from "../page-element.ts";
import { RoleController } from "../role.ts";
import "../snippets/snippet-tabs.ts";

/** A button, and behind it the ways into a room: for people, pages and agents; for those who moderate, also by an invite. */
@customElement("site-share")
export class ShareRoom extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  @state() private forPerson: NewInvite | undefined;
  @state() private forAgent: NewInvite | undefined;
  readonly #role = new RoleController(this);
  readonly #attempt = new Attempt(this);

  override render() {
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
      <dialog closedby="any" class="wide" aria-labelledby="share-title" @close=${this.#forget}>
        <div class="dialog-head">
          <h2 id="share-title" tabindex="-1" autofocus>Bring others in</h2>
          <button type="button" class="icon-button" aria-label="Close" @click=${() => this.#dialog.close()}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18" /></svg>
          </button>
        </div>
        <div class="dialog-body">${this.#renderWays()}</div>
      </dialog>
    `;
  }

  #renderWays() {
    const id = this.room?.id ?? "";
    const isClosed = this.room?.access === "members";
    const address = `${location.origin}/r/${id}`;
    return html`
      <div class="stack">
        <h3>People: the address</h3>
        <div class="key-shown">
          <code>${address}</code>
          <site-copy .text=${address} what="address"></site-copy>
        </div>
        ${isClosed ? html`<p class="muted small">It opens the room for members alone. Anybody else needs an invite.</p>` : nothing}
      </div>
      ${this.#role.moderates ? this.#renderInvite() : nothing}
      <div class="stack">
        <h3>A page: the room in it</h3>
        <site-snippets for="embed" .room=${id}></site-snippets>
      </div>
      <div class="stack">
        <h3>An agent: with a <a href="/key">key</a></h3>
        ${this.#role.moderates ? this.#renderAgentInvite() : nothing}
        <p class="muted small">A coding agent or an assistant, by MCP:</p>
        <site-snippets for="mcp" .room=${id} .invite=${this.forAgent?.secret}></site-snippets>
        <p class="muted small">A program of your own, or a shell:</p>
        <site-snippets for="agent" .room=${id} .isClosed=${isClosed} .invite=${this.forAgent?.secret}></site-snippets>
      </div>
      ${
        this.#role.role === "owner"
          ? html`<div class="stack">
              <h3>A copy: everything that was said</h3>
              <site-export .room=${this.room}></site-export>
            </div>`
          : nothing
      }
    `;
  }

  #renderInvite() {
    return html`
      <div class="stack">
        <h3>A person: by an invite</h3>
        ${
          this.forPerson
            ? newInvite(this.forPerson)
            : html`
              <p class="muted small">
                Who opens its link is a member: one person, within a week. Without a key, as a guest for as long. More under
                Settings, People.
              </p>
              <div>
                <button type="button" class="button" ?disabled=${this.#attempt.busy} @click=${this.#invitePerson}>
                  Invite a person
                </button>
              </div>
            `
        }
        ${this.#attempt.render()}
      </div>
    `;
  }

  #renderAgentInvite() {
    if (this.forAgent) {
      return html`<p class="muted small" role="status">
        These instructions have an invite for one person in them, and are shown only now. Send them to the agent's person.
      </p>`;
    }
    return html`
      <p class="muted small">Your own agents come with your key. The agent of somebody else needs an invite, too.</p>
      <div>
        <button type="button" class="button" ?disabled=${this.#attempt.busy} @click=${this.#inviteAgent}>
          Invite an agent
        </button>
      </div>
    `;
  }

  #invitePerson(): void {
    void this.#attempt.run(async (key) => {
      this.forPerson = await createInvite(key, this.room?.id ?? "");
      return undefined;
    });
  }

  #inviteAgent(): void {
    void this.#attempt.run(async (key) => {
      this.forAgent = await createInvite(key, this.room?.id ?? "");
      return undefined;
    });
  }

  /** An invite is shown once. */
  #forget(): void {
    this.forPerson = this.forAgent = undefined;
  }

  get #dialog(): HTMLDialogElement {
    return this.querySelector("dialog") as HTMLDialogElement;
  }
}
