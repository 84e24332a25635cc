import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { personOf } from "../../stay/mentions.ts";
import { closeIcon } from "../icons.ts";
import { define, LightElement } from "../light-element.ts";
import type { Strings } from "../strings/strings.ts";
import { muteStyles } from "./mute.styles.ts";
import type { MutedUntil } from "./mutes.ts";

const HOUR = 3_600_000;

export interface MuteActions {
  mute(sender: string, until: MutedUntil): Promise<void>;
  muted(): Promise<readonly string[]>;
  say(text: string): void;
}

/**
 * @summary For a room's owner: asks for how long a sender is to be muted, and mutes. Whoever is muted can be unmuted.
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
    state: { state: true },
  };

  declare sender: string;
  declare strings: Strings;
  declare actions: MuteActions;
  /** The question is settled, one way or the other. */
  declare close: () => void;
  /** `looking`: the server has not said yet whether they are muted. `done`: they are, since just now. */
  declare state: "looking" | "asking" | "failed" | "muted" | "done";
  /** The name under which they are muted: an agent may be by its person's. */
  #name = "";

  /** Puts the focus on the first button. */
  override focus(): void {
    this.querySelector("button")?.focus({ preventScroll: true, focusVisible: true });
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("sender")) return;
    this.state = "looking";
    void this.#look();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("sender")) this.focus();
  }

  protected override render(): TemplateResult {
    const { state, sender, strings } = this;
    const button = (text: string, act: () => unknown) => html`<button type="button" @click=${act}>${text}</button>`;
    const isMuted = state === "muted" || state === "done";
    const said = isMuted ? strings.isMuted(this.#name) : state === "failed" ? strings.notDone : strings.mute(sender);
    const asks = state === "asking" || state === "failed";
    // The first button stays the same one: it keeps the focus, without which a message takes its buttons away.
    return html`<span>${said}</span>
      ${
        isMuted
          ? button(state === "done" ? strings.undo : strings.unmute, () => this.#unmute())
          : asks
            ? button(strings.forAnHour, () => this.#attempt(new Date(Date.now() + HOUR).toISOString()))
            : nothing
      }
      ${asks ? button(strings.forever, () => this.#attempt(null)) : nothing}
      <button type="button" title=${strings.close} aria-label=${strings.close} @click=${() => this.close()}>${closeIcon}</button>`;
  }

  /** Whether they are muted already: by an owner elsewhere, or before. Where the server does not say, it is asked to mute. */
  async #look(): Promise<void> {
    const { sender } = this;
    const muted = await this.actions.muted().catch((): readonly string[] => []);
    if (sender !== this.sender) return;
    const name = [sender, personOf(sender)].find((one) => muted.includes(one));
    this.#name = name ?? sender;
    // Also while the person looks at another window.
    const hadFocus = this.contains((this.getRootNode() as ShadowRoot).activeElement);
    this.state = name === undefined ? "asking" : "muted";
    await this.updateComplete;
    if (hadFocus) this.focus();
  }

  async #unmute(): Promise<void> {
    if (await this.#attempt(undefined)) this.close();
  }

  /** Whether the server has done it. */
  async #attempt(until: MutedUntil): Promise<boolean> {
    const { isMuted, notDone } = this.strings;
    const done = await this.actions.mute(this.#name, until).then(
      () => true,
      () => false,
    );
    if (!done) this.actions.say(notDone);
    else if (until !== undefined) this.actions.say(isMuted(this.#name));
    this.focus();
    this.state = done ? "done" : "failed";
    return done;
  }
}

define("meet-ai-mute", MeetAiMute);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-mute": MeetAiMute;
  }
}
