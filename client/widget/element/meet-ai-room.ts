import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Message, Seq } from "../../../party/protocol.ts";
import { RoomError } from "../../stay/room-error.ts";
import type { Status } from "../../stay/room-event.ts";
import type { RoomState } from "../../view/room-state.ts";
import { memoryOf } from "../browser-memory.ts";
import { isFirstCopy } from "../early-renderer.ts";
import { MeetAiSendEvent } from "../events.ts";
import "../feed/feed.ts";
import { loadRenderer, renderer, rendererInTime } from "../lazy-renderer.ts";
import { adopt, define, readopt } from "../light-element.ts";
import { loadTools } from "../message/message.ts";
import { linkedMessage } from "../message-links.ts";
import { scriptOrigin } from "../origin.ts";
import type { Strings } from "../strings/strings.ts";
import { Texts } from "../strings/texts.ts";
import { shortTime } from "../time.ts";
import { banner } from "./banner.ts";
import { showState } from "./custom-states.ts";
import { field } from "./field.ts";
import { header } from "./header.ts";
import { roomStyles } from "./meet-ai-room.styles.ts";
import { loadComposer, RoomController } from "./room-controller.ts";
import { warmUp } from "./warm-up.ts";

/**
 * It connects when it is put into a page and leaves when it is taken out. It never takes the focus, never scrolls the
 * page, and asks no other server than the room's.
 *
 * @summary A chat room that people and AI agents share, as one element.
 *
 * @slot header - Instead of the room's name and topic.
 * @slot empty - Instead of the text in a room in which nothing has been said.
 * @slot footer - Below the field.
 *
 * @csspart room - Everything.
 * @csspart header - Name, topic, people.
 * @csspart banner - What is wrong with the connection.
 * @csspart log - The list of messages, which scrolls.
 * @csspart message - One message.
 * @csspart sender - The name above a message.
 * @csspart content - The text of a message.
 * @csspart quote - What a message answers.
 * @csspart ask - Below a question to people: the answers, or what was decided.
 * @csspart tools - The buttons of a message.
 * @csspart pill - The button that leads to the newest message.
 * @csspart people - The list of who is here.
 * @csspart composer - Where one writes.
 * @csspart input - The field.
 * @csspart send - The send button.
 *
 * @cssproperty [--meet-ai-height=576px] - Height, unless the page gives the element one.
 * @cssproperty [--meet-ai-font=system-ui, sans-serif] - Font family.
 * @cssproperty [--meet-ai-font-size=0.9375em] - Size of text; 1em is the reader's own default size.
 * @cssproperty [--meet-ai-radius=12px] - Radius of the corners.
 * @cssproperty --meet-ai-background - Behind everything.
 * @cssproperty --meet-ai-surface - Behind the field, code and panels.
 * @cssproperty --meet-ai-border - Lines.
 * @cssproperty --meet-ai-text - Text.
 * @cssproperty --meet-ai-muted - Times, hints.
 * @cssproperty --meet-ai-accent - Links, the send button, your own name.
 * @cssproperty --meet-ai-on-accent - Text on the accent colour.
 * @cssproperty --meet-ai-danger - Errors.
 * @cssproperty --meet-ai-mention - Behind your own name where a message mentions you.
 * @cssproperty --meet-ai-mention-text - That name.
 * @cssproperty --meet-ai-code-font - Font family of code.
 * @cssproperty --meet-ai-code-background - Behind code.
 * @cssproperty --meet-ai-code-keyword - Keywords in code.
 * @cssproperty --meet-ai-code-string - Strings in code, and lines that a diff adds.
 * @cssproperty --meet-ai-code-comment - Comments in code.
 * @cssproperty --meet-ai-code-type - Types in code.
 * @cssproperty --meet-ai-code-name - Names in code.
 * @cssproperty --meet-ai-code-removed - Lines that a diff removes.
 *
 * @cssstate connecting - Not connected yet.
 * @cssstate open - Live.
 * @cssstate offline - The connection is lost and being tried again.
 * @cssstate closed - The connection is closed, and not tried again.
 *
 * @event {MeetAiMessageEvent} meet-ai-message - A message has come. Prevented, it is not read out.
 * @event {MeetAiSendEvent} meet-ai-send - The person sends. Prevented, it stays unsent.
 * @event {MeetAiStatusEvent} meet-ai-status - The connection has changed.
 * @event {MeetAiPresenceEvent} meet-ai-presence - Who is here has changed.
 * @event {MeetAiUnreadEvent} meet-ai-unread - How many messages the reader has not seen has changed.
 * @event {MeetAiAskEvent} meet-ai-ask - How many asks wait for an answer of the person has changed.
 * @event {MeetAiKeyEvent} meet-ai-key - A guest who may only read asks for a key. Prevented, the room's page stays closed.
 * @event {MeetAiErrorEvent} meet-ai-error - The room has refused something. Prevented, it is not read out.
 */
export class MeetAiRoom extends LitElement {
  static override properties = {
    room: {},
    server: {},
    // These two have accessors of their own. Named here, because a page may set them before this script has come.
    key: { attribute: false, noAccessor: true },
    invite: { attribute: false },
    strings: { attribute: false, noAccessor: true },
    getToken: { attribute: false, hasChanged: (now: unknown, before: unknown) => !now !== !before },
    theme: { reflect: true },
    readonly: { type: Boolean, reflect: true },
    lang: { reflect: true },
    showsPeople: { state: true },
  };

  /** The room's id. */
  declare room: string;
  /** The server's origin. Without it: where this script came from. */
  declare server: string | undefined;
  /**
   * Gives a token that the page's own server has signed, for people who are its users: it is asked at each connect. Only a
   * property, as `key`.
   */
  declare getToken: (() => Promise<string>) | undefined;
  /** `auto`: the page's own color scheme; `dark` or `light`, whatever that is. */
  declare theme: "auto" | "dark" | "light";
  /** Shows the room without a field to write in. */
  declare readonly: boolean;
  /** The language of the element itself. Without it: the page's, then the browser's. */
  declare lang: string;

  /**
   * The secret of an invite, which makes the person a member: with their key, or without one as a guest. Only a property,
   * like `key`.
   */
  declare invite: string | undefined;

  /** @internal */ declare showsPeople: boolean;

  readonly #internals: ElementInternals | undefined;
  readonly #controller = new RoomController(this);
  #key: string | undefined;
  readonly #texts = new Texts(() => this.requestUpdate());
  #stopListening = new AbortController();

  constructor() {
    super();
    this.room = "";
    this.theme = "auto";
    this.readonly = false;
    this.showsPeople = false;
    this.#internals = this.attachInternals?.();
  }

  /**
   * The key under which the person writes; without one they write as a guest. Only a property: a key in an attribute
   * would stand in the page's text for everybody to read.
   */
  get key(): string | undefined {
    return this.#key;
  }

  set key(key: string | undefined) {
    const next = key || undefined;
    if (next === this.#key) return;
    this.#key = next;
    if (this.#controller.isConnected) this.#connect();
  }

  /**
   * Texts of the page's own, in place of those of the language. One that the element does not have, or that is of another
   * type there, is refused with an error.
   */
  get strings(): Partial<Strings> | undefined {
    return this.#texts.own;
  }

  set strings(strings: Partial<Strings> | undefined) {
    this.#texts.own = strings;
  }

  /**
   * The messages that the element holds, oldest first, without a gap, deletions among them: the newest ones, or those
   * around the place at which the reader is. At most 500. Frozen; another array whenever they change.
   */
  get messages(): readonly Message[] {
    const { messages } = this.#controller.state;
    if (!Object.isFrozen(messages)) Object.freeze(messages).forEach(Object.freeze);
    return messages;
  }

  /** Who is here, each name once. Frozen; another array whenever that changes. */
  get people(): readonly string[] {
    return Object.freeze(this.#controller.state.people);
  }

  /** How the connection is. */
  get status(): Status {
    return this.#controller.state.status;
  }

  /** The name of the person here, `undefined` for one who only reads. */
  get me(): string | undefined {
    return this.#controller.state.you?.sender;
  }

  /** How many messages have come since the reader last saw the newest one. */
  get unread(): number {
    return this.#controller.unread.count;
  }

  /** Sends a message as the person. Gives its seq once the room has it. */
  async send(content: string, replyTo?: Seq): Promise<Seq> {
    if (!this.isConnected || !this.#isValid) {
      throw new RoomError("unavailable", "The element is not in a page, or has no room.");
    }
    if (!this.dispatchEvent(new MeetAiSendEvent({ content, replyTo }))) {
      throw new RoomError("invalid", "The page has kept the message from being sent.");
    }
    if (!this.#isThere) await this.updateComplete;
    return this.#controller.send(content, replyTo);
  }

  /** Puts the focus into the field, or on the newest message where there is no field. */
  override focus(): void {
    if (this.field) void loadComposer().then(() => this.field?.focus());
    else this.feed?.focusRow();
  }

  /** Goes to a message and marks it; loads it if need be. In a room that is not open yet: when it is. Only the log scrolls. */
  async scrollToMessage(seq: Seq): Promise<void> {
    if (!this.#isThere) await this.updateComplete;
    await this.#controller.goTo(seq);
  }

  /** Connects again at once. */
  reconnect(): void {
    this.#controller.reconnect();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const controller = this.#controller;
    this.#stopListening = new AbortController();
    const options = { signal: this.#stopListening.signal };
    addEventListener("hashchange", () => this.#followAddress(), options);
    addEventListener("online", () => this.status === "offline" && this.reconnect(), options);
    // The socket would notice by the silence, half a minute later.
    addEventListener("offline", () => this.status !== "closed" && this.reconnect(), options);
    addEventListener("pagehide", () => controller.unread.remember(controller.state), options);
    document.addEventListener("visibilitychange", () => controller.unread.looked(controller.state), options);
    void this.#texts.follow(this);
    if (this.hasUpdated && !controller.isConnected) this.#connect();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopListening.abort();
    // An element that is moved is taken out and put in within one task: it stays connected.
    queueMicrotask(() => !this.isConnected && this.#controller.disconnect());
  }

  protected override createRenderRoot(): HTMLElement | DocumentFragment {
    const root = super.createRenderRoot() as ShadowRoot;
    adopt(root, roomStyles);
    return root;
  }

  /** @internal A document does not take the style sheets of another one. */
  adoptedCallback(): void {
    if (this.shadowRoot) readopt(this.shadowRoot);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // Before anything is rendered: the way to the server is the longest.
    const isAnother = (["room", "server", "getToken", "invite"] as const).some((name) => changed.has(name));
    if (isAnother && this.isConnected) this.#connect();
    showState(this.#internals, this.status);
  }

  /** A language that is set as a property stands in the attribute by now. */
  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("lang")) void this.#texts.follow(this);
  }

  /** Frames come faster than screens: what has come within one frame of the screen is rendered once. */
  protected override async scheduleUpdate(): Promise<void> {
    const [first] = this.#controller.state.messages;
    if (this.feed?.isEmpty === false) {
      if (document.visibilityState === "visible") await new Promise(requestAnimationFrame);
    } else if (first && !renderer()) {
      // The first messages wait for nothing but the renderer, and not for long: else they would be set twice. Meanwhile
      // the browser gets ready to write times, which takes some 10 ms.
      shortTime(first.createdAt, this.texts.language);
      await rendererInTime();
    }
    super.scheduleUpdate();
  }

  override render(): TemplateResult {
    const { texts: strings, theme } = this;
    const controller = this.#controller;
    const { state, actions, canWrite } = controller;
    const page = `${this.#origin}/r/${this.room}`;
    return html`<div class="room" part="room" data-theme=${theme} dir=${strings.direction} lang=${strings.language}>
      <div class="frame">${
        renderer()?.barred(this, controller.error, page) ??
        html`${header(state, strings, { id: this.room, showsPeople: this.showsPeople, togglePeople: this.#togglePeople })}
        ${this.#isValid ? banner(state, strings, canWrite, () => this.reconnect()) : html`<p class="banner closed">${strings.misplaced}</p>`}
        <div class="main">
          <div class="log">
            ${
              state.messages.length === 0 && state.room
                ? html`<div class="empty"><slot name="empty"><p>${strings.empty}</p>${canWrite ? html`<p>${strings.emptyHint}</p>` : nothing}</slot></div>`
                : nothing
            }
            <meet-ai-feed .state=${state} .strings=${strings} .actions=${actions} .unreadFrom=${controller.unread.unreadFrom}
              .unseen=${this.unread} .loadFailed=${controller.loadFailed} .now=${controller.now} .canWrite=${canWrite}></meet-ai-feed>
            <p class="writers">${renderer()?.writers(state, strings, this)}</p>
          </div>
          ${
            this.showsPeople
              ? html`<meet-ai-people .state=${state} .strings=${strings} .canMention=${canWrite} .actions=${this.#peopleActions}></meet-ai-people>`
              : nothing
          }
        </div>
        ${
          this.readonly || state.status === "closed" || !this.#isValid
            ? nothing
            : field(this, controller, page, memoryOf("text", this.#origin, this.room))
        }
        <slot name="footer"></slot>`
      }
        <div class="spoken" role="status">${controller.spoken}</div>
      </div>
    </div>`;
  }

  /** @internal A room that is not shown, to warm the engine up. */
  preview(state: RoomState): TemplateResult {
    this.#controller.state = state;
    return this.render();
  }

  /** @internal What the room shows as the name of `sender`. */
  nameOf(sender: string): string {
    return this.#controller.actions.nameOf(sender);
  }

  /** @internal */
  get texts(): Strings {
    return this.#texts.current;
  }

  /** @internal */
  get feed() {
    return this.renderRoot?.querySelector("meet-ai-feed") ?? undefined;
  }

  /** @internal */
  get field() {
    return this.renderRoot?.querySelector("meet-ai-composer") ?? undefined;
  }

  get #origin(): string {
    return (this.server || scriptOrigin()).replace(/\/+$/, "");
  }

  /** Whether the page has said what it takes to connect. */
  get #isValid(): boolean {
    return !!this.room && /^https?:\/\/./.test(this.#origin);
  }

  /** Whether it is connected to the room that it names: one that was just put in, or named another, is with its next update. */
  get #isThere(): boolean {
    return this.#controller.isAt(this.#origin, this.room);
  }

  #connect(): void {
    this.#controller.disconnect();
    if (!this.#isValid) return;
    this.#controller.connect(this.#origin, this.room);
    void this.#adoptRenderer();
    this.#followAddress();
  }

  /** Style sheets that come with the renderer, before the first message that it renders. */
  async #adoptRenderer(): Promise<void> {
    const { rowStyles, proseStyles } = await loadRenderer();
    for (const styles of [rowStyles, proseStyles]) if (this.shadowRoot) adopt(this.shadowRoot, styles);
    if (!this.#controller.canWrite) this.requestUpdate();
  }

  /** Follows a link to a message, if it is one of this room's. */
  #followAddress(): void {
    const seq = linkedMessage(location.hash, this);
    if (seq) void this.scrollToMessage(seq).catch(() => {});
  }

  #togglePeople = (): void => {
    void loadTools();
    this.showsPeople = !this.showsPeople;
  };

  readonly #peopleActions = {
    ...this.#controller.actions,
    close: () => {
      this.showsPeople = false;
      this.renderRoot.querySelector<HTMLElement>(".here")?.focus({ preventScroll: true });
    },
  };
}

define("meet-ai-room", MeetAiRoom);

// A page that loads this is about to show messages: what they need is here when the first ones come.
if (isFirstCopy) warmUp(() => new MeetAiRoom()).catch(() => {});

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-room": MeetAiRoom;
  }
}
