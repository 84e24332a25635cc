import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Names } from "../../../party/protocol.ts";
import type { RoomState } from "../../view/room-state.ts";
import { closeIcon, muteIcon } from "../icons.ts";
import { renderer } from "../lazy-renderer.ts";
import { define, LightElement } from "../light-element.ts";
import type { MuteActions } from "../moderation/mute.ts";
import { avatar, type SenderKind, senderKind } from "../sender.ts";
import type { Strings } from "../strings/strings.ts";
import { shieldIcon } from "./people.icons.ts";
import { peopleStyles } from "./people.styles.ts";

export interface PeopleActions extends MuteActions {
  mention(sender: string): void;
  close(): void;
}

/** @summary Who is here: people, agents under their own heading, guests, and how many only watch. */
export class MeetAiPeople extends LightElement {
  static override styles = peopleStyles;

  static override properties = {
    people: { attribute: false },
    spectators: { attribute: false },
    names: { attribute: false },
    me: { attribute: false },
    strings: { attribute: false },
    actions: { attribute: false },
    canMention: { attribute: false },
    canMute: { attribute: false },
    spared: { attribute: false },
    waiting: { attribute: false },
    muting: { state: true },
    moderating: { state: true },
  };

  declare people: readonly string[];
  declare spectators: number;
  /** What sites call their users. */
  declare names: Names;
  declare me: string | undefined;
  declare strings: Strings;
  declare actions: PeopleActions;
  declare canMention: boolean;
  declare canMute: boolean;
  /** Whom not even who may mute can mute. */
  declare spared: readonly string[];
  /** What the room has told last of what waits for a moderator. */
  declare waiting: RoomState["waiting"];
  /** Who is to be muted, once it is said for how long. */
  declare muting: string | undefined;
  /** Shows what moderators decide, in place of who is here. */
  declare moderating: boolean;

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("moderating") && this.moderating) void this.actions.moderation();
    if (changed.has("people") && this.muting && !this.people.includes(this.muting)) this.muting = undefined;
  }

  protected override render(): TemplateResult {
    const { strings } = this;
    const moderating = this.moderating && this.canMute;
    const title = moderating ? strings.moderate : strings.peopleTitle;
    return html`<section class="people" part="people" aria-label=${title} @keydown=${this.#onKey}>
      <header>
        <h3>${title}</h3>
        ${
          this.canMute
            ? html`<button class="quiet moderate" type="button" title=${strings.moderate} aria-label=${strings.moderate}
                aria-pressed=${moderating ? "true" : "false"} @click=${this.#toggleModeration}>${shieldIcon}</button>`
            : nothing
        }
        <button class="quiet" type="button" title=${strings.close} aria-label=${strings.close}
          @click=${() => this.actions.close()}>${closeIcon}</button>
      </header>
      ${
        moderating
          ? html`<meet-ai-moderation .strings=${strings} .actions=${this.actions} .waiting=${this.waiting}></meet-ai-moderation>`
          : this.#list()
      }
    </section>`;
  }

  #list(): TemplateResult {
    const { people, spectators, strings } = this;
    return html`${this.#question()}
      ${people.length === 0 ? html`<p class="nobody">${strings.nobody}</p>` : nothing}
      ${this.#group("person", strings.persons)} ${this.#group("agent", strings.agents)} ${this.#group("guest", strings.guests)}
      ${spectators > 0 ? html`<p class="spectators">${strings.spectators(spectators)}</p>` : nothing}`;
  }

  #group(kind: SenderKind, title: string): TemplateResult | typeof nothing {
    const senders = this.people.filter((sender) => senderKind(sender).replace("user", "person") === kind);
    if (senders.length === 0) return nothing;
    return html`<h4>${title} <span class="number">${senders.length}</span></h4>
      <ul>
        ${senders.map((sender) => html`<li>${this.#person(sender)} ${this.#muteButton(sender)}</li>`)}
      </ul>`;
  }

  #person(sender: string): TemplateResult {
    const { me, strings } = this;
    const name = html`${avatar(sender)} <bdi>${renderer()?.nameOf(sender, this.names[sender], strings) ?? sender}</bdi>
      ${sender === me ? html`<span class="badge own">${strings.you}</span>` : nothing}`;
    if (!this.canMention || sender === me) return html`<span class="who">${name}</span>`;
    return html`<button class="who" type="button" title=${strings.mention(sender)} @click=${() => this.actions.mention(sender)}
      >${name}</button>`;
  }

  #muteButton(sender: string): TemplateResult | typeof nothing {
    if (!this.canMute || sender === this.me || this.spared.includes(sender)) return nothing;
    const name = this.strings.mute(sender);
    return html`<button class="quiet mute" type="button" title=${name} aria-label=${name} @click=${() => {
      // The question comes with what mutes.
      void this.actions.moderation();
      this.muting = sender;
    }}>${muteIcon}</button>`;
  }

  /** Above the list: there it stays where it is, whoever comes or goes. */
  #question(): TemplateResult | typeof nothing {
    const { muting } = this;
    if (muting === undefined || !this.canMute) return nothing;
    return html`<meet-ai-mute .sender=${muting} .strings=${this.strings} .actions=${this.actions} .close=${() => this.#settle()}></meet-ai-mute>`;
  }

  /** The question is settled; the focus goes back to where it came from. */
  async #settle(): Promise<void> {
    const name = this.strings.mute(this.muting as string);
    this.muting = undefined;
    await this.updateComplete;
    const buttons = [...this.querySelectorAll<HTMLElement>(".mute")];
    buttons.find(({ title }) => title === name)?.focus({ preventScroll: true });
  }

  readonly #toggleModeration = (): void => {
    this.moderating = !this.moderating;
  };

  #onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    // Neither the log's nor that of a dialog around the room.
    event.preventDefault();
    event.stopPropagation();
    if (this.moderating) this.#toggleModeration();
    else if (this.muting) void this.#settle();
    else this.actions.close();
  };
}

define("meet-ai-people", MeetAiPeople);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-people": MeetAiPeople;
  }
}
