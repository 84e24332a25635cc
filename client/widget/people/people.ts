import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Hearing } from "../../../party/protocol.ts";
import { decides, type RoomState } from "../../view/room-state.ts";
import { closeIcon, muteIcon } from "../icons.ts";
import { renderer } from "../lazy-renderer.ts";
import { define, LightElement } from "../light-element.ts";
import type { MuteActions } from "../moderation/mute.ts";
import { avatar, type SenderKind, senderKind } from "../sender.ts";
import type { Strings } from "../strings/strings.ts";
import { hearingWords } from "./hearing.en.ts";
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
    state: { attribute: false, hasChanged: isSeen },
    strings: { attribute: false },
    actions: { attribute: false },
    canMention: { attribute: false },
    muting: { state: true },
    moderating: { state: true },
  };

  declare state: RoomState;
  declare strings: Strings;
  declare actions: PeopleActions;
  declare canMention: boolean;
  /** Who is to be muted, once it is said for how long. */
  declare muting: string | undefined;
  /** Shows what moderators decide, in place of who is here. */
  declare moderating: boolean;

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("moderating") && this.moderating) void this.actions.moderation();
    if (changed.has("state") && this.muting && !this.#here.includes(this.muting)) this.muting = undefined;
  }

  get #me(): string | undefined {
    return this.state.you?.sender;
  }

  get #canMute(): boolean {
    return decides(this.state);
  }

  /** Who is connected, and agents that hear without it. */
  get #here(): readonly string[] {
    const { people, agents = {} } = this.state;
    return [...new Set([...people, ...Object.keys(agents)])].sort();
  }

  protected override render(): TemplateResult {
    const { strings } = this;
    const moderating = this.moderating && this.#canMute;
    const title = moderating ? strings.moderate : strings.peopleTitle;
    return html`<section class="people" part="people" aria-label=${title} @keydown=${this.#onKey}>
      <header>
        <h3>${title}</h3>
        ${
          this.#canMute
            ? html`<button class="quiet moderate" type="button" title=${strings.moderate} aria-label=${strings.moderate}
                aria-pressed=${moderating} @click=${this.#toggleModeration}>${shieldIcon}</button>`
            : nothing
        }
        <button class="quiet" type="button" title=${strings.close} aria-label=${strings.close}
          @click=${() => this.actions.close()}>${closeIcon}</button>
      </header>
      ${
        moderating
          ? html`<meet-ai-moderation .strings=${strings} .actions=${this.actions} .waiting=${this.state.waiting}></meet-ai-moderation>`
          : this.#list()
      }
    </section>`;
  }

  #list(): TemplateResult {
    const { strings } = this;
    const { people, spectators } = this.state;
    return html`${this.#question()}
      ${people.length === 0 ? html`<p class="nobody">${strings.nobody}</p>` : nothing}
      ${this.#group("person", strings.persons)} ${this.#group("agent", strings.agents)} ${this.#group("guest", strings.guests)}
      ${spectators > 0 ? html`<p class="spectators">${strings.spectators(spectators)}</p>` : nothing}`;
  }

  #group(kind: SenderKind, title: string): TemplateResult | typeof nothing {
    const senders = this.#here.filter((sender) => senderKind(sender).replace("user", "person") === kind);
    if (senders.length === 0) return nothing;
    return html`<h4>${title} <span class="number">${senders.length}</span></h4>
      <ul>
        ${senders.map((sender) => html`<li>${this.#person(sender)} ${this.#muteButton(sender)}</li>`)}
      </ul>`;
  }

  #person(sender: string): TemplateResult {
    const { strings } = this;
    const me = this.#me;
    const hearing = hearingOf(sender, this.state);
    const name = html`${avatar(sender)} <span class="name"><bdi>${renderer()?.nameOf(sender, this.state.names[sender], strings) ?? sender}</bdi>
      ${hearing ? html`<small>${(strings.hearing ?? hearingWords)[hearing]}</small>` : nothing}</span>
      ${sender === me ? html`<span class="badge own">${strings.you}</span>` : nothing}`;
    if (!this.canMention || sender === me) return html`<span class="who">${name}</span>`;
    return html`<button class="who" type="button" title=${strings.mention(sender)} @click=${() => this.actions.mention(sender)}
      >${name}</button>`;
  }

  #muteButton(sender: string): TemplateResult | typeof nothing {
    if (!this.#canMute || sender === this.#me || this.state.spared.includes(sender)) return nothing;
    const name = this.strings.mute(this.actions.nameOf(sender));
    return html`<button class="quiet mute" type="button" title=${name} aria-label=${name} @click=${() => {
      // The question comes with what mutes.
      void this.actions.moderation();
      this.muting = sender;
    }}>${muteIcon}</button>`;
  }

  /** Above the list: there it stays where it is, whoever comes or goes. */
  #question(): TemplateResult | typeof nothing {
    const { muting } = this;
    if (muting === undefined || !this.#canMute) return nothing;
    return html`<meet-ai-mute .sender=${muting} .strings=${this.strings} .actions=${this.actions} .close=${() => this.#settle()}></meet-ai-mute>`;
  }

  /** The question is settled; the focus goes back to where it came from. */
  async #settle(): Promise<void> {
    const name = this.strings.mute(this.actions.nameOf(this.muting as string));
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

/** How an agent hears; `undefined` for anybody else. */
const hearingOf = (sender: string, { agents }: RoomState): Hearing | undefined =>
  senderKind(sender) === "agent" ? (agents?.[sender] ?? "live") : undefined;

/** What of a room is shown here: a message more is nothing to render it for. */
const SEEN = ["people", "spectators", "agents", "names", "you", "spared", "waiting"] as const;

/** Whether what is shown of a room is another. */
function isSeen(now: RoomState, before: RoomState | undefined): boolean {
  return SEEN.some((field) => now[field] !== before?.[field]);
}

define("meet-ai-people", MeetAiPeople);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-people": MeetAiPeople;
  }
}
