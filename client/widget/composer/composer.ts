import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { cleanText, parseContent, utf8Length } from "../../../party/message-parser.ts";
import type { Message, Names } from "../../../party/protocol.ts";
import { isFault, LIMITS } from "../../../party/protocol.ts";
import { deviceMemory } from "../browser-memory.ts";
import { closeIcon } from "../icons.ts";
import { renderer } from "../lazy-renderer.ts";
import { define, LightElement } from "../light-element.ts";
import { avatar, nameText } from "../sender.ts";
import type { Strings } from "../strings/strings.ts";
import type { Author } from "./author.ts";
import { complete, mentionAt, mentionable, suggestionsFor } from "./completion.ts";
import { keyboardIcon, sendIcon } from "./composer.icons.ts";
import { composerStyles } from "./composer.styles.ts";
import { keys as english, hint, touchHint } from "./keys.en.ts";
import { avoidKeyboard } from "./on-screen-keyboard.ts";
import { keepFromPage } from "./shortcut-guard.ts";

export { Author } from "./author.ts";
export { notice } from "./notice.ts";

/**
 * Whether the main pointer is a finger: then the keyboard is on the screen, and has no Shift key that could break a line.
 */
const isTouched = (): boolean => matchMedia("(pointer: coarse)").matches;

/** The keyboard shortcuts; with an on-screen keyboard Enter breaks the line. */
function keysIn({ keys: translated, control }: Strings): Strings["keys"] {
  const keys = translated[0] ? translated : english;
  if (!isTouched()) return keys;
  const [[enter = "", send = ""] = [], [, newLine = ""] = [], ...rest] = keys;
  return [[`${control} ${enter}`, send], [enter, newLine], ...rest];
}

/** The count is shown from here on, bytes left. */
const COUNT_FROM = 1000;

/** @summary Where one writes: grows with the text, completes names, counts near the limit, says why it can't be sent. */
export class MeetAiComposer extends LightElement {
  static override styles = composerStyles;

  static override properties = {
    strings: { attribute: false },
    author: { attribute: false },
    me: { attribute: false },
    names: { attribute: false },
    replyTo: { attribute: false },
    notice: { attribute: false },
    memory: { attribute: false },
    text: { state: true },
    suggestions: { state: true },
    chosen: { state: true },
    helping: { state: true },
  };

  declare strings: Strings;
  /** Writes as the person here, once the element is connected. */
  declare author: Author | undefined;
  declare me: string | undefined;
  /** What sites call their users, by sender. */
  declare names: Names;
  declare replyTo: Message | undefined;
  /** Why sending has to wait, if it has to. */
  declare notice: string | undefined;
  /** The name under which the browser keeps what stands in the field. */
  declare memory: string;
  declare text: string;
  declare suggestions: readonly string[];
  declare chosen: number;
  declare helping: boolean;

  #stopAvoiding = () => {};

  constructor() {
    super();
    this.text = "";
    this.suggestions = [];
    this.chosen = 0;
    this.helping = false;
    for (const type of ["keydown", "keypress", "keyup"] as const) this.addEventListener(type, keepFromPage);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopAvoiding();
  }

  /** Puts the focus into the field. */
  override focus(): void {
    this.#field?.focus({ preventScroll: true });
  }

  /** Puts text in at the caret. */
  insert(piece: string): void {
    const caret = this.#field?.selectionStart ?? this.text.length;
    const gap = caret > 0 && !/\s/.test(this.text[caret - 1] ?? "") ? " " : "";
    this.#edit(this.text.slice(0, caret) + gap + piece + this.text.slice(caret), caret + gap.length + piece.length);
    this.focus();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("memory")) this.text = deviceMemory.get(this.memory) ?? "";
  }

  protected override updated(changed: PropertyValues<this>): void {
    // The field's own value is what the person has typed: it is touched only where it has to be another.
    if (changed.has("text") && this.#field && this.#field.value !== this.text) this.#field.value = this.text;
    if (changed.has("text")) this.#grow();
  }

  protected override render(): TemplateResult {
    const { me, notice, strings } = this;
    const left = LIMITS.contentBytes - utf8Length(cleanText(this.text));
    const open = this.suggestions.length > 0;
    const purpose = me === undefined ? strings.compose : strings.composeAs(this.#nameOf(me));
    return html`
      ${this.replyTo ? this.#reply(this.replyTo) : nothing}
      ${open ? this.#list() : nothing}
      ${this.helping ? this.#help() : nothing}
      <form class="composer" part="composer" @submit=${this.#onSubmit}>
        <div class="field">
          ${me === undefined ? nothing : avatar(me)}
          <textarea part="input" rows="1" dir="auto" enterkeyhint=${isTouched() ? "enter" : "send"} autocomplete="off"
            placeholder=${purpose} aria-label=${purpose}
            aria-describedby="meet-ai-hint" aria-autocomplete="list"
            aria-controls=${open ? "meet-ai-names" : nothing}
            aria-activedescendant=${open ? `meet-ai-name-${this.chosen}` : nothing}
            @input=${this.#onInput} @keydown=${this.#onKey} @focus=${this.#onFocus}
            @blur=${this.#onBlur} @select=${this.#onCaret}></textarea>
          <button class="send" part="send" type="submit" title=${strings.send} aria-label=${strings.send}
            aria-disabled=${!this.#canSend}>${sendIcon}</button>
        </div>
        <div class="below">
          <span class="notice">${notice ?? nothing}</span>
          ${
            left < COUNT_FROM
              ? html`<span class="count ${left < 0 ? "over" : ""}">${strings.bytesLeft(left)}</span>`
              : html`<span class="hint" id="meet-ai-hint">${notice !== undefined ? nothing : isTouched() ? strings.composeTouchHint || touchHint : strings.composeHint || hint}</span>`
          }
          <button class="help" type="button" title=${strings.shortcuts} aria-label=${strings.shortcuts}
            aria-expanded=${this.helping} @click=${this.#toggleHelp}>${keyboardIcon}</button>
        </div>
      </form>
    `;
  }

  get #field(): HTMLTextAreaElement | null {
    return this.querySelector("textarea");
  }

  #nameOf(sender: string): string {
    return nameText(sender, this.names[sender]);
  }

  #reply(message: Message): TemplateResult {
    const { strings } = this;
    return html`<div class="replying">
      <span>${strings.replyingTo(this.#nameOf(message.sender))}</span>
      <span class="excerpt" dir="auto">${renderer()?.firstLine(message)}</span>
      <button type="button" title=${strings.cancelReply} aria-label=${strings.cancelReply}
        @click=${() => this.author?.cancelReply()}>${closeIcon}</button>
    </div>`;
  }

  #list(): TemplateResult {
    return html`<ul class="names" id="meet-ai-names" role="listbox" aria-label=${this.strings.peopleTitle}>
      ${this.suggestions.map(
        (sender, index) => html`<li id="meet-ai-name-${index}" role="option" aria-selected=${index === this.chosen}
          @pointerdown=${(event: Event) => {
            // The field keeps the focus.
            event.preventDefault();
            this.#choose(sender);
          }}>${avatar(sender)} <bdi>${sender}</bdi></li>`,
      )}
    </ul>`;
  }

  #help(): TemplateResult {
    return html`<section class="shortcuts" tabindex="0" aria-label=${this.strings.shortcuts}>
      <dl>${keysIn(this.strings).map(([keys, what]) => html`<div><dt>${keys}</dt><dd>${what}</dd></div>`)}</dl>
    </section>`;
  }

  get #canSend(): boolean {
    return !isFault(parseContent(this.text)) && this.author?.mustWait === false;
  }

  #onFocus = (): void => {
    this.author?.enter();
    const room = this.closest<HTMLElement>(".room");
    if (room) this.#stopAvoiding = avoidKeyboard(room, visualViewport);
  };

  #onBlur = (): void => {
    this.#suggest([]);
    this.#stopAvoiding();
  };

  #onSubmit = (event: Event): void => {
    event.preventDefault();
    this.#submit();
  };

  #submit(): void {
    const text = parseContent(this.text);
    if (isFault(text) || !this.author?.submit(text)) return;
    this.#edit("", 0);
    this.focus();
  }

  #onInput = (event: Event): void => {
    const field = event.target as HTMLTextAreaElement;
    this.#keep(field.value);
    this.#grow();
    this.#onCaret();
  };

  /** Offers names while the caret is in a mention. */
  #onCaret = (): void => {
    const field = this.#field;
    if (!field) return;
    const mention = mentionAt(this.text, field.selectionStart);
    this.#suggest(mention && this.author ? suggestionsFor(mention.prefix, mentionable(this.author.room)) : []);
  };

  #suggest(suggestions: readonly string[]): void {
    if (suggestions.length === 0 && this.suggestions.length === 0) return;
    this.suggestions = suggestions;
    this.chosen = 0;
  }

  #choose(sender: string | undefined): void {
    const caret = this.#field?.selectionStart ?? 0;
    const mention = mentionAt(this.text, caret);
    if (!mention || sender === undefined) return;
    const completed = complete(this.text, caret, mention, sender);
    this.#edit(completed.text, completed.caret);
    this.#suggest([]);
  }

  #onKey = (event: KeyboardEvent): void => {
    // While an input method composes, Enter and the arrows are its own. Safari says so only by the key code.
    if (event.isComposing || event.keyCode === 229) return;
    if (this.suggestions.length > 0 && this.#onListKey(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (event.key === "Enter" && !event.altKey && (isTouched() ? event.ctrlKey || event.metaKey : !event.shiftKey)) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" && this.text === "") {
      event.preventDefault();
      this.author?.toMessages();
    } else if (event.key === "Escape" && (this.helping || this.replyTo)) {
      event.preventDefault();
      if (this.helping) this.helping = false;
      else this.author?.cancelReply();
    }
  };

  /** Whether the list of names has used the key. */
  #onListKey(event: KeyboardEvent): boolean {
    const count = this.suggestions.length;
    switch (event.key) {
      case "ArrowDown":
        this.chosen = (this.chosen + 1) % count;
        return true;
      case "ArrowUp":
        this.chosen = (this.chosen + count - 1) % count;
        return true;
      case "Enter":
      case "Tab":
        this.#choose(this.suggestions[this.chosen]);
        return true;
      case "Escape":
        this.#suggest([]);
        return true;
      default:
        return false;
    }
  }

  #toggleHelp = (): void => {
    this.helping = !this.helping;
  };

  /** The text is another. Kept over reloads; an empty field takes nothing from another one of the same room. */
  #keep(text: string): void {
    if (text || deviceMemory.get(this.memory) === this.text) deviceMemory.set(this.memory, text);
    this.text = text;
    this.author?.edited(text);
  }

  #edit(text: string, caret: number): void {
    this.#keep(text);
    void this.updateComplete.then(() => {
      this.#field?.setSelectionRange(caret, caret);
      this.#grow();
    });
  }

  /**
   * Grows with the text, where the style sheet alone can't do it. While the field is as low as one line to be measured,
   * its place is as high as before: a log that gets that much more of the room moves.
   */
  #grow(): void {
    const field = this.#field;
    if (!field || CSS.supports("field-sizing", "content")) return;
    this.style.height = getComputedStyle(this).height;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
    this.style.height = "";
  }
}

define("meet-ai-composer", MeetAiComposer);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-composer": MeetAiComposer;
  }
}
