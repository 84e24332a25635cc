import { html, nothing, type TemplateResult } from "lit";
import type { Ask, AskOption, Message, Names } from "../../../party/protocol.ts";
import type { PendingMessage } from "../../stay/outbox.ts";
import { quotedAt, type RoomState } from "../../view/room-state.ts";
import type { RoomActions } from "../actions.ts";
import type { RoomHost } from "../element/room-controller.ts";
import type { MeetAiFeed } from "../feed/feed.ts";
import { type Renderer, renderer } from "../lazy-renderer.ts";
import { define, LightElement } from "../light-element.ts";
import { type Row, sameParts } from "../message/row.ts";
import { scriptOrigin } from "../origin.ts";
import { senderKind } from "../sender.ts";
import type { Strings } from "../strings/strings.ts";
import { fullTime, shortTime } from "../time.ts";
import { askStyles } from "./ask.styles.ts";
import { type CardWords, cardWords } from "./card-words.en.ts";

/** What a card is made of, beside its row. */
interface Shown {
  readonly ask: Ask | undefined;
  readonly press: PendingMessage | undefined;
  readonly answer: Message | undefined;
  readonly names: Names | undefined;
}

/** The time that is left is shown anew this often, ms. */
const TICK = 10_000;

/**
 * Beneath a question to people: the answers as buttons for those who may give one, who that is, and for how long; afterwards
 * who has decided what.
 *
 * A press shows at once, as what the person has chosen. The room decides who was first: it is as the log says then.
 *
 * @summary The card of an ask.
 */
export class MeetAiAsk extends LightElement {
  static override styles = askStyles;

  static override properties = {
    row: { attribute: false },
    strings: { attribute: false },
    actions: { attribute: false },
    me: { attribute: false },
  };

  declare row: Row;
  declare strings: Strings;
  declare actions: RoomActions;
  declare me: string | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #hadFocus = false;
  /** What it has shown last. */
  #shown: Shown | undefined;
  /** The log around it, which knows what is pressed and answered, and who is called how. */
  #feed: MeetAiFeed | null = null;
  /** The log updates with each piece of what an agent streams, too, and a card has none of that. */
  readonly #whenFeedUpdates = {
    hostUpdated: () => {
      if (!sameParts(this.#toShow, this.#shown)) this.requestUpdate();
    },
  };

  override connectedCallback(): void {
    super.connectedCallback();
    this.#feed = this.closest("meet-ai-feed");
    this.#feed?.addController(this.#whenFeedUpdates);
    this.#ticking = setInterval(() => !this.#ask?.closed && this.requestUpdate(), TICK);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#feed?.removeController(this.#whenFeedUpdates);
    clearInterval(this.#ticking);
  }

  protected override willUpdate(): void {
    this.#hadFocus = this.#hasFocus;
  }

  protected override updated(): void {
    const before = this.#shown;
    this.#shown = this.#toShow;
    if (before) this.#sayWhatBecame(before);
    // Buttons that are gone take the focus with them. To give it on lays the list out, so not before the answer is in it: a
    // list that is shorter for a moment scrolls.
    if (this.#hadFocus && !this.#hasFocus) requestAnimationFrame(() => this.#passFocusOn());
  }

  protected override render(): TemplateResult | typeof nothing {
    const ask = this.#ask;
    const shared = renderer();
    if (!ask || !shared) return nothing;
    const words = cardWords(this.strings);
    if (ask.closed) return html`<div class="ask" part="ask">${this.#outcome(ask, ask.closed, words)}</div>`;
    const { canWrite, message } = this.row;
    const press = this.#press;
    const isPressed = press !== undefined && press.state !== "failed";
    const mayAnswer = canWrite && shared.mayAnswer(message, this.me);
    return html`<div class="ask" part="ask"><div class="options" role="group" aria-label=${words.options}>
        ${ask.options.map((option) => {
          if (!mayAnswer) return html`<span dir="auto">${option.label}</span>`;
          const chosen = isPressed && press.answer?.option === option.id;
          return html`<button type="button" dir="auto" aria-disabled=${isPressed} aria-pressed=${chosen ? "true" : nothing}
            @click=${() => isPressed || this.#choose(option)}>${option.label}</button>`;
        })}
      </div>
      <p class="terms">
        ${press?.state === "failed" ? html`<span class="failed">${this.#reason()}</span> · ` : nothing}
        ${isPressed ? html`${this.#progress()} · ` : nothing}
        ${this.#whoMay(ask, words)} · <time datetime=${ask.until} title=${fullTime(ask.until, this.strings.language)}>${words.left(
          shared.duration(Date.parse(ask.until) - Date.now(), this.strings.language),
        )}</time>
        ${mayAnswer ? nothing : this.#wayToKey(ask, shared)}
      </p></div>`;
  }

  /** Puts the focus on the first answer. Whether there is one to give. */
  enter(): boolean {
    const button = this.querySelector<HTMLElement>('button:not([aria-disabled="true"])');
    button?.focus({ preventScroll: true, focusVisible: true });
    return button !== null;
  }

  get #hasFocus(): boolean {
    return this.contains((this.getRootNode() as Partial<ShadowRoot>).activeElement ?? null);
  }

  /** To the message, unless something of the page has it by now. */
  #passFocusOn(): void {
    const { activeElement, body } = this.ownerDocument;
    if (activeElement === body) this.closest<HTMLElement>("meet-ai-message")?.focus({ preventScroll: true });
  }

  get #toShow(): Shown {
    return { ask: this.#ask, press: this.#press, answer: this.#answer, names: this.#room?.names };
  }

  get #ask(): Ask | undefined {
    return this.row.message.ask;
  }

  /** The room, as the log around this shows it. */
  get #room(): RoomState | undefined {
    return this.#feed?.state;
  }

  /** What the person has pressed last, as long as the room has not taken it. */
  get #press(): PendingMessage | undefined {
    return this.#room?.pending.findLast(({ answer }) => answer?.target === this.row.message.seq);
  }

  /** What has closed it, as far as it was read. */
  get #answer(): Message | undefined {
    const { closed } = this.#ask ?? {};
    return closed && this.#room && quotedAt(this.#room, closed.seq);
  }

  async #choose(option: AskOption): Promise<void> {
    (await this.actions.author())?.answer(this.row.message.seq, option);
  }

  #outcome(ask: Ask, closed: NonNullable<Ask["closed"]>, words: CardWords): TemplateResult {
    if (!("by" in closed)) return html`<p class="decided">${words.nobody}</p>`;
    const label = labelOf(ask, closed.option);
    const answer = this.#answer;
    const who = closed.by === "" ? words.somebody : this.#name(closed.by);
    return html`${this.#wasBeaten(closed.by, this.#press) ? html`<p class="decided">${words.faster(this.#nameText(closed.by), label)}</p>` : nothing}
      <p class="decided">${words.decided} <strong dir="auto">${label}</strong> ·
        <button type="button" title=${this.strings.jumpTo(this.#nameText(closed.by))}
          @click=${() => this.actions.goTo(closed.seq)}><bdi>${who}</bdi></button>
        ${answer ? this.#time(answer) : nothing}</p>`;
  }

  /** Whether the room has decided before it had what the person has pressed. */
  #wasBeaten(by: string, press: PendingMessage | undefined): boolean {
    if (!press || by === this.me) return false;
    return press.state !== "failed" || press.error?.code === "conflict";
  }

  #time({ createdAt }: Message): TemplateResult {
    const { language } = this.strings;
    return html` · <time datetime=${createdAt} title=${fullTime(createdAt, language)}>${shortTime(createdAt, language)}</time>`;
  }

  #name(sender: string): unknown {
    return renderer()?.nameOf(sender, this.#room?.names[sender], this.strings);
  }

  #nameText(sender: string): string {
    return sender === "" ? cardWords(this.strings).somebody : this.actions.nameOf(sender);
  }

  #whoMay({ from, guests }: Ask, words: CardWords): string {
    if (from === "people") return guests ? words.anyone : words.people;
    const list = new Intl.ListFormat(this.strings.language, { type: "disjunction" });
    return words.only(list.format(from.map((sender) => `\u2068${this.#nameText(sender)}\u2069`)));
  }

  /** Where a key would help: who has none is a guest, or nobody yet. */
  #wayToKey({ from, guests }: Ask, shared: Renderer): unknown {
    const host = (this.getRootNode() as ShadowRoot).host as RoomHost & { server?: string; room: string };
    const isGuest = this.me === undefined || senderKind(this.me) === "guest";
    if (this.#room?.room?.closed || from !== "people" || guests || !isGuest || host.key !== undefined || host.getToken)
      return nothing;
    const server = (host.server || scriptOrigin()).replace(/\/+$/, "");
    return html` ${shared.wayToKey(host, `${server}/r/${host.room}`, this.strings)}`;
  }

  #progress(): string {
    const { sending, queued } = this.strings;
    return this.#press?.state === "sent" ? sending : queued;
  }

  /** Why the room has not taken the answer. The server's own words say more, to those who read English. */
  #reason(): string {
    const { strings } = this;
    const { code, message } = this.#press?.error ?? {};
    if (code === "muted") return strings.muted;
    return (code && strings.refusals[code]) || (strings.language === "en" && message) || strings.notTaken;
  }

  /** What has become of one's own press, and of a question that one could have answered, once. An answer is read out as a message. */
  #sayWhatBecame({ ask: before, press: pressed }: Shown): void {
    const ask = this.#ask;
    const shared = renderer();
    if (!ask || !before || before.closed || !shared) return;
    const words = cardWords(this.strings);
    const { closed } = ask;
    if (closed && !("by" in closed)) {
      const wasWanted = this.row.canWrite && shared.mayAnswer({ ...this.row.message, ask: before }, this.me);
      if (wasWanted) this.actions.say(words.nobody);
    } else if (closed && this.#wasBeaten(closed.by, pressed)) {
      this.actions.say(words.faster(this.#nameText(closed.by), labelOf(ask, closed.option)));
    } else if (!closed && pressed?.state !== "failed" && this.#press?.state === "failed") {
      this.actions.say(this.#reason());
    }
  }
}

const labelOf = ({ options }: Ask, chosen: string): string => options.find(({ id }) => id === chosen)?.label ?? chosen;

define("meet-ai-ask", MeetAiAsk);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-ask": MeetAiAsk;
  }
}
