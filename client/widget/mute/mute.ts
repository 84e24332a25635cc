import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { closeIcon } from "../icons.ts";
import { define, LightElement } from "../light-element.ts";
import type { Strings } from "../strings/strings.ts";
import { muteStyles } from "./mute.styles.ts";
import type { MutedUntil } from "./mute-sender.ts";

const HOUR = 3_600_000;

export interface MuteActions {
  mute(sender: string, until: MutedUntil): Promise<void>;
  say(text: string): void;
}

/**
 * @summary For a room's owner: asks for how long a sender is to be muted, mutes, and offers to take it back.
 *
 * It asks, because a mute keeps a person from writing, which a slip of the finger must not do.
 */
export class MeetAiMute extends LightElement {
  static override styles = muteStyles;

  static override properties = {
    sender: { attribute: false },
    strings: { attribute: false },
    actions: { attribute: false },
    close: { attribute: false },
    outcome: { state: true },
  };

  declare sender: string;
  declare strings: Strings;
  declare actions: MuteActions;
  /** The question is settled, one way or the other. */
  declare close: () => void;
  declare outcome: "muted" | "failed" | undefined;

  /** Puts the focus on the first button. */
  override focus(): void {
    this.querySelector("button")?.focus({ preventScroll: true, focusVisible: true });
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("sender")) this.outcome = undefined;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("sender")) this.focus();
  }

  protected override render(): TemplateResult {
    const { outcome, sender, strings } = this;
    const button = (text: string, act: () => unknown) => html`<button type="button" @click=${act}>${text}</button>`;
    const isMuted = outcome === "muted";
    const said = isMuted ? strings.isMuted(sender) : outcome === "failed" ? strings.notDone : strings.mute(sender);
    // The first button stays the same one: it keeps the focus, without which a message takes its buttons away.
    return html`<span>${said}</span>
      ${
        isMuted
          ? button(strings.undo, () => this.#unmute())
          : button(strings.forAnHour, () => this.#attempt(new Date(Date.now() + HOUR).toISOString()))
      }
      ${isMuted ? nothing : button(strings.forever, () => this.#attempt(null))}
      <button type="button" title=${strings.close} aria-label=${strings.close} @click=${() => this.close()}>${closeIcon}</button>`;
  }

  async #unmute(): Promise<void> {
    if (await this.#attempt(undefined)) this.close();
  }

  /** Whether the server has done it. */
  async #attempt(until: MutedUntil): Promise<boolean> {
    const { isMuted, notDone } = this.strings;
    const done = await this.actions.mute(this.sender, until).then(
      () => true,
      () => false,
    );
    if (!done) this.actions.say(notDone);
    else if (until !== undefined) this.actions.say(isMuted(this.sender));
    this.focus();
    this.outcome = done ? "muted" : "failed";
    return done;
  }
}

define("meet-ai-mute", MeetAiMute);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-mute": MeetAiMute;
  }
}
