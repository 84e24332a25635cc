import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { MemberRole } from "../../../party/protocol.ts";
import type { Room } from "../api.ts";
import { Attempt } from "../attempt.ts";
import "../copy/copy-button.ts";
import { PageElement } from "../page-element.ts";
import { dateAndTime } from "../times.ts";
import { createInvite, type Invite, listInvites, type NewInvite, revokeInvite } from "./members-api.ts";
import { roleOptions } from "./roles.ts";

/** How long an invite may live, in days; 0: until it is revoked. */
const LIVES = [
  [1, "for a day"],
  [7, "for a week"],
  [30, "for 30 days"],
  [0, "until it is revoked"],
] as const;
const USUAL_LIFE = 7;
const DAY = 86_400_000;

/** For the owner and moderators of a room: makes invites, shows the link of a new one this once, and revokes them. */
@customElement("site-invites")
export class Invites extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  /** The person here owns the room, and so invites moderators, too. */
  @property({ attribute: false }) isOwner = false;
  @state() private invites: readonly Invite[] | undefined;
  @state() private made: NewInvite | undefined;
  readonly #attempt = new Attempt(this);

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#attempt.run(async (key) => {
      this.invites = await listInvites(key, this.#id);
      return undefined;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.made = undefined;
  }

  override render() {
    const { invites, made } = this;
    return html`
      <section class="settings-part" aria-labelledby="invites-title">
        <h3 id="invites-title">Invites</h3>
        ${made ? newInvite(made) : nothing}
        ${
          invites === undefined
            ? nothing
            : invites.length === 0
              ? html`<p class="muted small">None. Who opens the link of an invite is a member of this room.</p>`
              : html`<ul class="entries">${invites.map(this.#renderInvite)}</ul>`
        }
        <form class="pair-form" @submit=${this.#create}>
          <div class="field">
            <label for="invite-role">As</label>
            <select id="invite-role" class="input" name="role">${roleOptions(this.isOwner)}</select>
          </div>
          <div class="field">
            <label for="invite-uses">How many people</label>
            <input id="invite-uses" class="input" name="uses" type="number" min="1" max="10000" step="1" value="1" required />
          </div>
          <div class="field">
            <label for="invite-life">How long</label>
            <select id="invite-life" class="input" name="days">
              ${LIVES.map(([days, words]) => html`<option value=${days} ?selected=${days === USUAL_LIFE}>${words}</option>`)}
            </select>
          </div>
          <button type="submit" class="button" ?disabled=${this.#attempt.busy}>Make an invite</button>
        </form>
        ${this.#attempt.render()}
      </section>
    `;
  }

  readonly #renderInvite = (invite: Invite) => html`
    <li>
      <span>
        ${invite.role} <span class="muted small">${invite.used} of ${invite.uses} used · ${endOf(invite)}${invite.createdBy && ` ·${byWhom(invite)}`}</span>
      </span>
      ${
        invite.role === "moderator" && !this.isOwner
          ? nothing
          : html`<button type="button" class="button compact" ?disabled=${this.#attempt.busy} @click=${() => this.#revoke(invite.id)}>
              Revoke<span class="visually-hidden"> the invite for a ${invite.role}${byWhom(invite)}</span>
            </button>`
      }
    </li>
  `;

  #create(event: SubmitEvent): void {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const days = Number(fields.get("days"));
    const wish = {
      role: fields.get("role") as MemberRole,
      uses: Number(fields.get("uses")),
      expires: days === 0 ? null : new Date(Date.now() + days * DAY).toISOString(),
    };
    void this.#attempt.run(async (key) => {
      this.made = await createInvite(key, this.#id, wish);
      this.invites = [...(this.invites ?? []), this.made];
      return "The invite is made.";
    });
  }

  #revoke(id: string): void {
    void this.#attempt.run(async (key) => {
      await revokeInvite(key, this.#id, id);
      this.invites = this.invites?.filter((invite) => invite.id !== id);
      if (this.made?.id === id) this.made = undefined;
      return "The invite is revoked. Guests who came by it are no members any more.";
    });
  }

  get #id(): string {
    return this.room?.id ?? "";
  }
}

/** The link of a new invite, which is shown this once. */
export const newInvite = ({ url, uses, expires }: NewInvite) => html`
  <div class="key-shown invite-link">
    <code>${url}</code>
    <site-copy .text=${url} what="link"></site-copy>
  </div>
  <p class="muted small">
    This link is shown only now. ${uses === 1 ? "One person may use it" : `${uses} people may use it`},
    ${expires === null ? "until you revoke it" : `until ${dateAndTime(expires)}`}. Send it to nobody else.
  </p>
`;

/** Who made it, unless they were erased. */
const byWhom = ({ createdBy }: Invite): string => (createdBy === "" ? "" : ` by ${createdBy}`);

function endOf({ expires }: Invite): string {
  if (expires === null) return "does not expire";
  return Date.parse(expires) > Date.now() ? `until ${dateAndTime(expires)}` : "has expired";
}
