import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { RoomState } from "../../view/room-state.ts";
import { renderer } from "../lazy-renderer.ts";
import { define, LightElement } from "../light-element.ts";
import type { Strings } from "../strings/strings.ts";
import { shortTime } from "../time.ts";
import type { Deed, Held, Moderation, Mute } from "./moderation.ts";
import type { MuteActions } from "./mute.ts";
import { panelStyles } from "./panel.styles.ts";
import { type ModerationWords, wordsOf } from "./words.en.ts";

/** The time that is left is shown anew this often, ms. */
const TICK = 10_000;

/** @summary For who decides in a room: what waits for them, who is muted for how long yet, and who did what. */
export class MeetAiModeration extends LightElement {
  static override styles = panelStyles;

  static override properties = {
    strings: { attribute: false },
    actions: { attribute: false },
    waiting: { attribute: false },
    held: { state: true },
    mutes: { state: true },
    deeds: { state: true },
    failed: { state: true },
  };

  declare strings: Strings;
  declare actions: MuteActions;
  /** What the room has told last of what waits: whenever it does, something has changed. */
  declare waiting: RoomState["waiting"];
  declare held: readonly Held[] | undefined;
  declare mutes: readonly Mute[] | undefined;
  declare deeds: readonly Deed[] | undefined;
  declare failed: boolean;
  #next: number | null = null;
  /** How often it has looked at how things are. */
  #looks = 0;
  #ticking: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ticking = setInterval(() => this.requestUpdate(), TICK);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#ticking);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("waiting") || changed.has("actions")) void this.#do(async () => {});
  }

  protected override render(): TemplateResult {
    const words = wordsOf(this.strings);
    const { held } = this;
    return html`
      ${this.failed ? html`<p class="failed" role="alert">${words.notDone}</p>` : nothing}
      <h4>${words.waits}</h4>
      ${held?.length === 0 ? html`<p>${words.nothingWaits}</p>` : nothing}
      <ul>${held?.map((one) => this.#heldItem(one, words))}</ul>
      <h4>${words.muted}</h4>
      ${this.#muted(words)}
      <h4>${words.log}</h4>
      <ul>${this.deeds?.map((deed) => this.#deedItem(deed, words))}</ul>
      ${this.#next === null ? nothing : html`<button type="button" @click=${this.#more}>${words.more}</button>`}
    `;
  }

  #heldItem({ id, sender, content }: Held, words: ModerationWords): TemplateResult {
    const name = this.actions.nameOf(sender);
    const button = (verdict: "approve" | "refuse") =>
      html`<button type="button" aria-label="${words[verdict]}: ${name}" @click=${() =>
        this.#decide(id, verdict)}>${words[verdict]}</button>`;
    return html`<li><bdi>${name}</bdi> <span class="text" dir="auto">${content}</span> ${button("approve")} ${button("refuse")}</li>`;
  }

  #muted(words: ModerationWords): TemplateResult {
    const now = Date.now();
    const mutes = this.mutes?.filter(({ until }) => until === null || Date.parse(until) > now);
    return html`${mutes?.length === 0 ? html`<p>${words.nobodyMuted}</p>` : nothing}
      <ul>
        ${mutes?.map(
          ({ sender, until, address }) => html`<li>
            <bdi>${this.actions.nameOf(sender)}</bdi>
            <span>${until === null ? words.forever : words.left(renderer()?.duration(Date.parse(until) - now, this.strings.language) ?? "")}${
              address ? ` · ${words.addressToo}` : nothing
            }</span>
            <button type="button" aria-label="${words.unmute}: ${this.actions.nameOf(sender)}" @click=${() =>
              this.#act((moderation) => moderation.unmute(sender))}>${words.unmute}</button>
          </li>`,
        )}
      </ul>`;
  }

  #deedItem({ at, by, deed, target, role }: Deed, words: ModerationWords): TemplateResult {
    const { nameOf } = this.actions;
    return html`<li><bdi>${nameOf(by)}</bdi> <span>${words.deeds[deed] ?? deed} ${target ? html`<bdi>${nameOf(target)}</bdi>` : nothing}
      ${role} · ${shortTime(at, this.strings.language)}</span></li>`;
  }

  /** It leaves the list at once: until there is an answer, its buttons would be there for the next press. */
  #decide(id: string, verdict: "approve" | "refuse"): Promise<void> {
    this.held = this.held?.filter((one) => one.id !== id);
    // What is being looked at was before.
    this.#looks++;
    return this.#act((moderation) => moderation.decide(id, verdict));
  }

  /** Does something by a button, which may be gone then, or another one's: the focus goes to the head of the list. */
  #act(deed: (moderation: Moderation) => Promise<void>): Promise<void> {
    this.closest<HTMLElement>(".people")?.querySelector("button")?.focus({ preventScroll: true });
    return this.#do(deed);
  }

  /** Does something, and shows how things are then, also where it was not done: another moderator may have decided. */
  async #do(deed: (moderation: Moderation) => Promise<void>): Promise<void> {
    try {
      const moderation = await this.actions.moderation();
      let failed = false;
      await deed(moderation).catch(() => {
        failed = true;
      });
      const look = ++this.#looks;
      const [held, mutes, page] = await Promise.all([moderation.held(), moderation.mutes(), moderation.deeds()]);
      // An answer that was overtaken would show what is no longer so.
      if (look !== this.#looks) return;
      this.#next = page.next;
      Object.assign(this, { held, mutes, deeds: page.entries, failed });
    } catch {
      this.failed = true;
    }
  }

  readonly #more = async (): Promise<void> => {
    const before = this.#next;
    const page = await (await this.actions.moderation()).deeds(before).catch(() => undefined);
    this.failed = !page;
    // Pressed twice, or overtaken by a look at how things are: the page is there already, or follows another one.
    if (!page || before !== this.#next) return;
    this.#next = page.next;
    this.deeds = [...(this.deeds ?? []), ...page.entries];
  };
}

define("meet-ai-moderation", MeetAiModeration);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-moderation": MeetAiModeration;
  }
}
