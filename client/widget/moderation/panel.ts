import { html, nothing, type TemplateResult } from "lit";
import { define, LightElement } from "../light-element.ts";
import type { Strings } from "../strings/strings.ts";
import type { Moderation, Mute } from "./moderation.ts";
import type { MuteActions } from "./mute.ts";
import { panelStyles } from "./panel.styles.ts";
import { wordsOf } from "./words.en.ts";

/** The time that is left is shown anew this often, ms. */
const TICK = 10_000;

/** @summary For who decides in a room: who is muted, for how long yet, and how to unmute them. */
export class MeetAiModeration extends LightElement {
  static override styles = panelStyles;

  static override properties = {
    strings: { attribute: false },
    actions: { attribute: false },
    mutes: { state: true },
    failed: { state: true },
  };

  declare strings: Strings;
  declare actions: MuteActions;
  declare mutes: readonly Mute[] | undefined;
  declare failed: boolean;
  #ticking: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ticking = setInterval(() => this.requestUpdate(), TICK);
    void this.#do(async () => {});
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#ticking);
  }

  protected override render(): TemplateResult {
    const words = wordsOf(this.strings);
    const now = Date.now();
    const mutes = this.mutes?.filter(({ until }) => until === null || Date.parse(until) > now);
    return html`
      ${this.failed ? html`<p class="failed" role="alert">${words.notDone}</p>` : nothing}
      <h4>${words.muted}</h4>
      ${mutes?.length === 0 ? html`<p>${words.nobodyMuted}</p>` : nothing}
      <ul>
        ${mutes?.map(
          ({ sender, until }) => html`<li>
            <bdi>${sender}</bdi>
            <span>${until === null ? words.forever : words.left(duration(Date.parse(until) - now, this.strings.language))}</span>
            <button type="button" aria-label="${words.unmute}: ${sender}" @click=${() => this.#unmute(sender)}>${words.unmute}</button>
          </li>`,
        )}
      </ul>
    `;
  }

  async #unmute(sender: string): Promise<void> {
    await this.#do((moderation) => moderation.unmute(sender));
    // The button that had it is gone.
    this.closest<HTMLElement>(".people")?.querySelector("button")?.focus({ preventScroll: true });
  }

  /** Does something, and shows how things are then. */
  async #do(deed: (moderation: Moderation) => Promise<void>): Promise<void> {
    try {
      const moderation = await this.actions.moderation();
      await deed(moderation);
      this.mutes = await moderation.mutes();
      this.failed = false;
    } catch {
      this.failed = true;
    }
  }
}

/** A length of time as the language writes it: "49 minutes". */
function duration(length: number, language: string): string {
  const minutes = Math.max(1, Math.round(length / 60_000));
  const [unit, size] =
    minutes < 120 ? (["minute", 1] as const) : minutes < 2880 ? (["hour", 60] as const) : (["day", 1440] as const);
  const format = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" });
  return format.format(Math.round(minutes / size));
}

define("meet-ai-moderation", MeetAiModeration);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-moderation": MeetAiModeration;
  }
}
