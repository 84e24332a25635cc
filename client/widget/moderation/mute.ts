import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { personOf } from "../../../party/mentions.ts";
import type { RoomActions } from "../actions.ts";
import { closeIcon } from "../icons.ts";
import { define, LightElement } from "../light-element.ts";
import type { Strings } from "../strings/strings.ts";
import type { Moderation, MutedUntil } from "./moderation.ts";
import { muteStyles } from "./mute.styles.ts";
import { type ModerationWords, wordsOf } from "./words.en.ts";

const MINUTE = 60_000;

export type MuteActions = Pick<RoomActions, "moderation" | "nameOf" | "say">;

/**
 * @summary For who decides in a room: asks for how long a sender is to be muted, and mutes; or deletes all that they said.
 *
 * It asks, because neither must happen by a slip of the finger. Whoever is muted can be unmuted.
 */
export class MeetAiMute extends LightElement {
  static override styles = muteStyles;

  static override properties = {
    sender: { attribute: false },
    strings: { attribute: false },
    actions: { attribute: false },
    close: { attribute: false },
    state: { state: true },
    withAddress: { state: true },
  };

  declare sender: string;
  declare strings: Strings;
  declare actions: MuteActions;
  /** The question is settled, one way or the other. */
  declare close: () => void;
  /**
   * `looking`: the server has not said yet whether they are muted. `done`: they are, since just now. `erasing`: it is asked
   * whether all that they said is to be deleted.
   */
  declare state: "looking" | "asking" | "failed" | "muted" | "done" | "erasing" | "erased";
  /** Whoever else writes from where they do is to be muted, too. */
  declare withAddress: boolean;
  /** The sender as whom they are muted: an agent may be as its person. */
  #target = "";

  /** Puts the focus on the first button. */
  override focus(): void {
    this.querySelector("button")?.focus({ preventScroll: true, focusVisible: true });
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("sender")) return;
    this.state = "looking";
    this.withAddress = false;
    void this.#look();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("sender")) this.focus();
  }

  protected override render(): TemplateResult {
    const { strings } = this;
    const words = wordsOf(strings);
    // The first button stays the same one: it keeps the focus, without which a message takes its buttons away.
    return html`<span>${this.#said(words)}</span>
      ${
        this.state === "asking" || this.state === "failed"
          ? html`<label><input type="checkbox" .checked=${this.withAddress} @change=${this.#onAddress} /> ${words.addressToo}</label>`
          : nothing
      }
      ${this.#choices(words).map(([text, act, kind]) => html`<button type="button" class=${kind} @click=${act}>${text}</button>`)}
      <button type="button" class="close" title=${strings.close} aria-label=${strings.close} @click=${() => this.close()}>${closeIcon}</button>`;
  }

  #said(words: ModerationWords): string {
    switch (this.state) {
      case "muted":
      case "done":
        return words.isMuted(this.actions.nameOf(this.#target));
      case "failed":
        return words.notDone;
      case "erasing":
        return words.eraseSure(this.actions.nameOf(this.sender));
      case "erased":
        return words.erased(this.actions.nameOf(this.sender));
      default:
        return this.strings.mute(this.actions.nameOf(this.sender));
    }
  }

  /** What can be done now: words, deed, and how it looks. */
  #choices(words: ModerationWords): (readonly [string, () => unknown, string])[] {
    const erase = [words.erase, () => this.#ask("erasing"), "danger"] as const;
    const mute = (text: string, minutes: number) => {
      return [text, () => this.#mute(minutes === 0 ? null : inMinutes(minutes)), ""] as const;
    };
    switch (this.state) {
      case "looking":
      case "erased":
        return [];
      case "muted":
        return [[words.unmute, this.#unmute, ""], erase];
      case "done":
        return [[words.undo, this.#unmute, ""], erase];
      case "erasing":
        return [
          [this.strings.cancel, () => this.#ask("asking"), ""],
          [words.eraseAll, this.#erase, "danger"],
        ];
      default:
        return [mute(words.forTenMinutes, 10), mute(words.forAnHour, 60), mute(words.forever, 0), erase];
    }
  }

  /** Whether they are muted already: by somebody elsewhere, or before. Where the server does not say, it is asked to mute. */
  async #look(): Promise<void> {
    const { sender } = this;
    const muted = await this.actions
      .moderation()
      .then((moderation) => moderation.mutes())
      .catch(() => []);
    if (sender !== this.sender) return;
    const names = muted.map((mute) => mute.sender);
    const name = [sender, personOf(sender)].find((one) => names.includes(one));
    this.#target = name ?? sender;
    await this.#ask(name === undefined ? "asking" : "muted");
  }

  /** Asks something else. The focus stays here, also while the person looks at another window. */
  async #ask(state: MeetAiMute["state"]): Promise<void> {
    const hadFocus = this.contains((this.getRootNode() as ShadowRoot).activeElement);
    this.state = state;
    await this.updateComplete;
    if (hadFocus) this.focus();
  }

  async #mute(until: MutedUntil): Promise<void> {
    const { isMuted } = wordsOf(this.strings);
    if (
      await this.#attempt((moderation) => moderation.mute(this.#target, { until, address: this.withAddress }), "done")
    ) {
      this.actions.say(isMuted(this.actions.nameOf(this.#target)));
    }
  }

  readonly #onAddress = (event: Event): void => {
    this.withAddress = (event.target as HTMLInputElement).checked;
  };

  readonly #unmute = async (): Promise<void> => {
    if (await this.#attempt((moderation) => moderation.unmute(this.#target), "asking")) this.close();
  };

  readonly #erase = async (): Promise<void> => {
    const { erased } = wordsOf(this.strings);
    const root = this.getRootNode() as ShadowRoot;
    if (!(await this.#attempt((moderation) => moderation.erase(this.sender), "erased"))) return;
    this.actions.say(erased(this.actions.nameOf(this.sender)));
    // Their messages have gone blank, and with one of them these buttons and the focus.
    if (!root.activeElement) root.querySelector("meet-ai-feed")?.focusRow();
  };

  /** Whether the server has done it. */
  async #attempt(deed: (moderation: Moderation) => Promise<void>, then: MeetAiMute["state"]): Promise<boolean> {
    const done = await this.actions
      .moderation()
      .then(deed)
      .then(
        () => true,
        () => false,
      );
    if (!done) this.actions.say(wordsOf(this.strings).notDone);
    await this.#ask(done ? then : "failed");
    return done;
  }
}

const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * MINUTE).toISOString();

define("meet-ai-mute", MeetAiMute);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-mute": MeetAiMute;
  }
}
