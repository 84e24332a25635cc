import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { MemberRole } from "../../../party/protocol.ts";
import type { Room } from "../api.ts";
import { Attempt } from "../attempt.ts";
import { PageElement } from "../page-element.ts";
import { dateOf } from "../times.ts";
import { listMembers, type Member, putMember, removeMember } from "./members-api.ts";
import { roleOptions } from "./roles.ts";

/** For the owner and moderators of a room: who its members are, and what each may do. */
@customElement("site-members")
export class Members extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  /** The person here owns the room, and so makes and unmakes moderators. */
  @property({ attribute: false }) isOwner = false;
  @state() private members: readonly Member[] | undefined;
  @state() private next: string | null = null;
  readonly #attempt = new Attempt(this);

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  override render() {
    const { busy } = this.#attempt;
    return html`
      <section class="settings-part" aria-labelledby="members-title">
        <h3 id="members-title">Members</h3>
        ${this.#renderList()}
        ${
          this.next === null
            ? nothing
            : html`<div><button type="button" class="button compact" ?disabled=${busy} @click=${() => this.#load(this.next ?? "")}>
                Show more members
              </button></div>`
        }
        <form class="pair-form" @submit=${this.#add}>
          <div class="field">
            <label for="member-name">Add a person with a key</label>
            <input
              id="member-name" class="input mono" name="sender" required autocomplete="off" autocapitalize="none"
              spellcheck="false" placeholder="swift-otter"
            />
          </div>
          <div class="field">
            <label for="member-role">As</label>
            <select id="member-role" class="input" name="role">${roleOptions(this.isOwner)}</select>
          </div>
          <button type="submit" class="button" ?disabled=${busy}>Add</button>
        </form>
        ${this.#attempt.render()}
      </section>
    `;
  }

  #renderList() {
    const { members } = this;
    if (!members) return nothing;
    if (members.length === 0) return html`<p class="muted small">Nobody yet, but for the owner.</p>`;
    return html`<ul class="entries">${repeat(members, ({ sender }) => sender, this.#renderMember)}</ul>`;
  }

  readonly #renderMember = (member: Member) => {
    const { sender, role, since } = member;
    const { busy } = this.#attempt;
    // Moderators decide over those below them.
    const isAbove = role === "moderator" && !this.isOwner;
    return html`
      <li>
        <span><span class="handle">${sender}</span> <span class="muted small">since ${dateOf(since)}</span></span>
        ${
          isAbove
            ? html`<span class="muted small">${role}</span>`
            : html`<span class="row">
                <select
                  class="input compact" aria-label="What ${sender} is here" ?disabled=${busy}
                  @change=${(event: Event) => this.#change(member, event.target as HTMLSelectElement)}
                >${roleOptions(this.isOwner && !sender.startsWith("~"), role)}</select>
                <button type="button" class="button compact" ?disabled=${busy} @click=${() => this.#remove(sender)}>
                  Remove<span class="visually-hidden"> ${sender}</span>
                </button>
              </span>`
        }
      </li>
    `;
  };

  async #add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    const sender = String(fields.get("sender")).trim();
    const role = fields.get("role") as MemberRole;
    const isAdded = await this.#attempt.run(async (key) => {
      this.#put(await putMember(key, this.#id, sender, role));
      return `${sender} is a ${role} now.`;
    });
    if (isAdded) form.reset();
  }

  async #change({ sender, role: before }: Member, field: HTMLSelectElement): Promise<void> {
    const role = field.value as MemberRole;
    const isChanged = await this.#attempt.run(async (key) => {
      this.#put(await putMember(key, this.#id, sender, role));
      return `${sender} is a ${role} now.`;
    });
    // The field shows a role that was not given.
    if (!isChanged) field.value = before;
  }

  #remove(sender: string): void {
    void this.#attempt.run(async (key) => {
      await removeMember(key, this.#id, sender);
      this.members = this.members?.filter((member) => member.sender !== sender);
      return `${sender} is no member any more.`;
    });
  }

  /** In the order of the names, as the server lists them. */
  #put(member: Member): void {
    const others = (this.members ?? []).filter(({ sender }) => sender !== member.sender);
    this.members = [...others, member].sort((a, b) => (a.sender < b.sender ? -1 : 1));
  }

  #load(cursor = ""): Promise<boolean> {
    return this.#attempt.run(async (key) => {
      const { members, next } = await listMembers(key, this.#id, cursor);
      this.members = cursor === "" ? members : [...(this.members ?? []), ...members];
      this.next = next;
      return undefined;
    });
  }

  get #id(): string {
    return this.room?.id ?? "";
  }
}
