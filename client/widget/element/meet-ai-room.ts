import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Message, Seq } from "../../../party/protocol.ts";
import { systemClock } from "../../stay/clock.ts";
import { Connection } from "../../stay/connection.ts";
import { knownGuest } from "../../stay/credentials.ts";
import type { PageRequest } from "../../stay/page.ts";
import { RoomError } from "../../stay/room-error.ts";
import type { RoomEvent } from "../../stay/room-event.ts";
import type { LogPages } from "../../view/log-pages.ts";
import type { Quotes } from "../../view/quotes.ts";
import { EMPTY_ROOM, messageAt, quotedAt, type ReaderEvent, type RoomState, reduce } from "../../view/room-state.ts";
import { Unread } from "../../view/unread.ts";
import type { RoomActions } from "../actions.ts";
import { deviceMemory, memoryOf } from "../browser-memory.ts";
import type { Author, ComposerActions } from "../composer/composer.ts";
import {
  MeetAiErrorEvent,
  MeetAiMessageEvent,
  MeetAiPresenceEvent,
  MeetAiSendEvent,
  MeetAiStatusEvent,
} from "../events.ts";
import type { Announcer } from "../feed/announcer.ts";
import "../feed/feed.ts";
import { painted } from "../feed/opening.ts";
import { idle, lazily } from "../lazy.ts";
import { loadRenderer, renderer } from "../lazy-renderer.ts";
import { adopt, define } from "../light-element.ts";
import { loadTools } from "../message/message.ts";
import { scriptOrigin } from "../origin.ts";
import type { Strings } from "../strings/strings.ts";
import { en, loadStrings } from "../strings/strings.ts";
import { shortTime } from "../time.ts";
import { banner } from "./banner.ts";
import { header } from "./header.ts";
import { languageAround } from "./language.ts";
import { roomStyles } from "./meet-ai-room.styles.ts";
import { linkedMessage } from "./message-links.ts";
import { endWarmUp, warmUp } from "./warm-up.ts";

/** How long the first messages may wait for the renderer, ms. It was asked for before they were. */
const GRACE = 100;

interface BeyondWindow {
  readonly pages: LogPages;
  readonly quotes: Quotes;
}

/**
 * @summary A chat room that people and AI agents share, as one element.
 *
 * It connects when it is put into a page and leaves when it is taken out. It never takes the focus, never scrolls the
 * page, and asks no other server than the room's.
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
 * @cssproperty --meet-ai-mention - Behind your own name where somebody mentions you.
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
 * @cssstate closed - The connection is closed for good.
 *
 * @event {MeetAiMessageEvent} meet-ai-message - A message has come. Prevented, it is not read out.
 * @event {MeetAiSendEvent} meet-ai-send - The person sends. Prevented, it stays unsent.
 * @event {MeetAiStatusEvent} meet-ai-status - The connection is another.
 * @event {MeetAiPresenceEvent} meet-ai-presence - Who is here has changed.
 * @event {MeetAiErrorEvent} meet-ai-error - The room has refused something. Prevented, it is not read out.
 * @event {MeetAiKeyEvent} meet-ai-key - A guest who may only read asks for a key. Prevented, the room's page stays closed.
 */
export class MeetAiRoom extends LitElement {
  static override styles = roomStyles;

  static override properties = {
    room: {},
    server: {},
    // Has an accessor of its own. Named here, because a page may set it before this script has come.
    key: { attribute: false, noAccessor: true },
    theme: { reflect: true },
    readonly: { type: Boolean, reflect: true },
    lang: { reflect: true },
    state: { state: true },
    strings: { state: true },
    showsPeople: { state: true },
    replyTo: { state: true },
    spoken: { state: true },
    now: { state: true },
  };

  /** The room's id. */
  declare room: string;
  /** The server's origin. Without it: where this script came from. */
  declare server: string | undefined;
  /** `dark`, `light`, or `auto`: the page's own color scheme. */
  declare theme: "dark" | "light" | "auto";
  /** Shows the room without a field to write in. */
  declare readonly: boolean;
  /** The language of the element itself. Without it: the page's, then the browser's. */
  declare lang: string;

  /** @internal */ declare state: RoomState;
  /** @internal */ declare strings: Strings;
  /** @internal */ declare showsPeople: boolean;
  /** @internal */ declare replyTo: Message | undefined;
  /** @internal */ declare spoken: string;
  /** @internal */ declare now: number;

  readonly #internals: ElementInternals | undefined;
  #announcer: Announcer | undefined;
  #connection: Connection | undefined;
  #key: string | undefined;
  #beyond: BeyondWindow | undefined;
  #wanted: Seq | undefined;
  #stopListening = new AbortController();
  #ticking: ReturnType<typeof setInterval> | undefined;
  #unread = new Unread({ storage: deviceMemory, name: "", isVisible });
  #author: Author | undefined;
  /** The language that was asked for last. */
  #loading: Promise<Strings> | undefined;
  /** The connection has credentials. Without them, whoever begins to write becomes a guest. */
  #isKnown = false;

  constructor() {
    super();
    this.room = "";
    this.theme = "dark";
    this.readonly = false;
    this.state = EMPTY_ROOM;
    this.strings = en;
    this.showsPeople = false;
    this.spoken = "";
    this.now = systemClock.now();
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
    if (this.#connection) this.#connect();
  }

  /** Sends a message as the person. Gives its seq once the room has it. */
  send(content: string, replyTo?: Seq): Promise<Seq> {
    if (!this.isConnected || !this.#isValid) {
      return Promise.reject(new RoomError("unavailable", "The element is not in a page, or has no room."));
    }
    if (!this.dispatchEvent(new MeetAiSendEvent(content, replyTo))) {
      return Promise.reject(new RoomError("invalid", "The page has kept the message from being sent."));
    }
    return this.#send(content, replyTo);
  }

  /** Puts the focus into the field, or on the newest message where there is no field. */
  override focus(): void {
    if (this.#composer) void loadComposer().then(() => this.#composer?.focus());
    else this.#feed?.focusRow();
  }

  /** Goes to a message and marks it; loads it if need be. In a room that is not open yet: when it is. Only the log scrolls. */
  async scrollToMessage(seq: Seq): Promise<void> {
    if (!this.#isThere) await this.updateComplete;
    if (!this.state.room) {
      this.#wanted = seq;
      return;
    }
    await (await this.#readBeyond())?.pages.loadAround(seq);
    if (messageAt(this.state, seq)?.kind !== "text") return;
    this.#dispatch({ type: "following", following: false });
    await this.updateComplete;
    this.#feed?.goTo(seq);
  }

  /** Connects again at once. */
  reconnect(): void {
    this.#connection?.reconnect();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopListening = new AbortController();
    const options = { signal: this.#stopListening.signal };
    addEventListener("hashchange", () => this.#followAddress(), options);
    addEventListener("online", () => this.state.status === "offline" && this.reconnect(), options);
    // The socket would notice by the silence, half a minute later.
    addEventListener("offline", () => this.state.status !== "closed" && this.reconnect(), options);
    addEventListener("pagehide", () => this.#unread.remember(this.state), options);
    document.addEventListener("visibilitychange", () => this.#unread.looked(this.state), options);
    void this.#loadStrings();
    if (this.hasUpdated && !this.#connection) this.#connect();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopListening.abort();
    this.#unread.remember(this.state);
    // An element that is moved is taken out and put in within one task: it stays connected.
    queueMicrotask(() => !this.isConnected && this.#disconnect());
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // Before anything is rendered: the way to the server is the longest.
    if ((changed.has("room") || changed.has("server")) && this.isConnected) this.#connect();
    if (changed.has("state")) this.#showStates();
  }

  /** A language that is set as a property stands in the attribute by now. */
  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("lang")) void this.#loadStrings();
  }

  /** Frames come faster than screens: what has come within one frame of the screen is rendered once. */
  protected override async scheduleUpdate(): Promise<void> {
    const [first] = this.state.messages;
    if (this.#feed?.isEmpty === false) {
      if (document.visibilityState === "visible") await new Promise(requestAnimationFrame);
    } else if (first && !renderer()) {
      // The first messages wait for nothing but the renderer, and not for long: else they would be set twice. Meanwhile
      // the browser gets ready to write times, which takes some 10 ms.
      shortTime(first.createdAt, this.strings.language);
      await Promise.race([loadRenderer(), new Promise((resolve) => setTimeout(resolve, GRACE))]);
    }
    super.scheduleUpdate();
  }

  override render(): TemplateResult {
    const { state, strings, theme } = this;
    return html`<div class="room" part="room" data-theme=${theme} dir=${strings.direction} lang=${strings.language}>
      <div class="frame">
        ${header(state, strings, { id: this.room, showsPeople: this.showsPeople, togglePeople: this.#togglePeople })}
        ${this.#isValid ? banner(state, strings, this.#canWrite, () => this.reconnect()) : html`<p class="banner closed">${strings.misplaced}</p>`}
        <div class="main">
          <div class="log">
            ${
              state.messages.length === 0 && state.room
                ? html`<div class="empty"><slot name="empty"><p>${strings.empty}</p>${this.#canWrite ? html`<p>${strings.emptyHint}</p>` : nothing}</slot></div>`
                : nothing
            }
            <meet-ai-feed .state=${state} .strings=${strings} .actions=${this.#actions} .unreadFrom=${this.#unread.unreadFrom}
              .unseen=${this.#unread.unseen} .loadFailed=${this.#beyond?.pages.failed} .now=${this.now} .canWrite=${this.#canWrite}></meet-ai-feed>
            <p class="writers">${this.#whoWrites()}</p>
          </div>
          ${
            this.showsPeople
              ? html`<meet-ai-people .people=${state.people} .spectators=${state.spectators} .me=${state.you?.sender}
                  .strings=${strings} .canMention=${this.#canWrite} .canMute=${state.you?.owner} .actions=${this.#peopleActions}></meet-ai-people>`
              : nothing
          }
        </div>
        ${this.#write()}
        <slot name="footer"></slot>
        <div class="spoken" role="status">${this.spoken}</div>
      </div>
    </div>`;
  }

  get #feed() {
    return this.renderRoot?.querySelector("meet-ai-feed") ?? undefined;
  }

  get #composer() {
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
    return this.#connection?.room === this.room && this.#connection.server === this.#origin;
  }

  get #canWrite(): boolean {
    const { state } = this;
    if (this.readonly || state.status === "closed") return false;
    return state.room?.guests !== "read" || this.#key !== undefined;
  }

  #whoWrites(): string {
    const { state, strings } = this;
    const names = state.drafts
      .filter(({ sender, content }) => !content && sender !== state.you?.sender)
      .map(({ sender }) => sender);
    return names.length > 0 ? strings.areWriting([...new Set(names)]) : "";
  }

  /** Those of the language that was asked for last, whichever comes first. */
  async #loadStrings(): Promise<void> {
    const loading = loadStrings(languageAround(this) || navigator.language);
    this.#loading = loading;
    const strings = await loading;
    if (loading === this.#loading) this.strings = strings;
  }

  #connect(): void {
    this.#disconnect();
    this.state = EMPTY_ROOM;
    this.replyTo = undefined;
    if (!this.#isValid) return;
    const [server, room] = [this.#origin, this.room];
    this.#unread = new Unread({ storage: deviceMemory, name: memoryOf("read", server, room), isVisible });
    const known = this.#key === undefined ? knownGuest(deviceMemory, server) : { key: this.#key };
    const credentials = this.readonly ? undefined : known;
    this.#isKnown = credentials !== undefined;
    const connection = new Connection({ server, room, credentials });
    this.#connection = connection;
    connection.subscribe((event) => connection === this.#connection && this.#onEvent(event));
    void this.#adoptRenderer();
    this.#followAddress();
  }

  /** Style sheets that come with the renderer, before the first message that it renders. */
  async #adoptRenderer(): Promise<void> {
    const { rowStyles, proseStyles } = await loadRenderer();
    for (const { styleSheet } of [rowStyles, proseStyles]) if (this.shadowRoot) adopt(this.shadowRoot, styleSheet);
    if (!this.#canWrite) this.requestUpdate();
  }

  #disconnect(): void {
    const connection = this.#connection;
    // What was wanted was of that room.
    if (connection) this.#wanted = undefined;
    // First what is kept for the next visit: it would be refused otherwise.
    this.#author?.close();
    this.#author = undefined;
    this.#connection = undefined;
    connection?.close();
    this.#announcer?.stop();
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    this.#beyond = undefined;
  }

  #onEvent(event: RoomEvent): void {
    this.#dispatch(event);
    switch (event.type) {
      case "status":
        this.dispatchEvent(new MeetAiStatusEvent(event.status, event.code));
        if (event.error) this.#onError(event.error);
        break;
      case "welcome":
        this.#onWelcome(event.resumed);
        break;
      case "messages":
        this.#onMessages(event.messages, event.history);
        break;
      case "presence":
      case "snapshot":
        this.dispatchEvent(new MeetAiPresenceEvent(this.state.people, this.state.spectators));
        break;
      case "pending":
        this.#tick();
        break;
      case "error":
        this.#onError(event.error);
        break;
    }
  }

  #onError(error: RoomError): void {
    this.now = systemClock.now();
    const { about } = error;
    const isShown = this.dispatchEvent(new MeetAiErrorEvent(error, about && "id" in about ? about.id : undefined));
    if (isShown) this.#say(composer?.notice(this.state, this.strings, this.now) ?? "");
  }

  /** Says something to a screen reader. Emptied first, so that the same words again are news again. */
  #say(text: string): void {
    this.spoken = "";
    void this.updateComplete.then(() => {
      this.spoken = text;
    });
  }

  #dispatch(event: RoomEvent | ReaderEvent): void {
    this.state = reduce(this.state, event);
  }

  #onWelcome(resumed: boolean): void {
    this.dispatchEvent(new MeetAiPresenceEvent(this.state.people, this.state.spectators));
    if (resumed) return;
    this.#feed?.follow();
    if (this.#wanted !== undefined) {
      const wanted = this.#wanted;
      this.#wanted = undefined;
      // With the event that follows at once come the messages: it may be among them.
      void this.updateComplete.then(() => this.scrollToMessage(wanted)).catch(() => {});
    }
  }

  #onMessages(messages: readonly Message[], history: boolean): void {
    if (history) this.#unread.begin(messages);
    endWarmUp();
    const me = this.state.you?.sender;
    for (const message of messages) {
      if (message.kind !== "text") continue;
      const isNews = this.dispatchEvent(new MeetAiMessageEvent(message, history));
      if (history || message.sender === me) continue;
      if (isNews) this.#announce(message);
      this.#feed?.hold();
      this.#unread.add(message, this.state.following);
    }
  }

  /** Reads a message out, by what comes with the renderer: it says what a message says, without the marks. */
  #announce(message: Message): void {
    void loadRenderer().then(({ Announcer }) => {
      this.#announcer ??= new Announcer({ say: (text) => this.#say(text), strings: () => this.strings });
      if (this.#connection) this.#announcer.add(message);
    });
  }

  /** Counts down while a quota holds something. */
  #tick(): void {
    this.now = systemClock.now();
    if (this.state.heldUntil > this.now) {
      this.#ticking ??= setInterval(() => this.#tick(), 1000);
    } else {
      clearInterval(this.#ticking);
      this.#ticking = undefined;
    }
  }

  /** Follows a link to a message, if it is one of this room's. */
  #followAddress(): void {
    const seq = linkedMessage(location.hash, this);
    if (seq) void this.scrollToMessage(seq).catch(() => {});
  }

  #showStates(): void {
    const states = this.#internals?.states;
    try {
      states?.clear();
      states?.add(this.state.status);
    } catch {
      // Chromium before 125 takes only names that begin with dashes.
    }
  }

  #latest(): void {
    this.#dispatch({ type: "latest" });
    this.#unread.caughtUp();
    this.#feed?.follow();
  }

  #togglePeople = (): void => {
    void loadPeople();
    this.showsPeople = !this.showsPeople;
  };

  readonly #actions: RoomActions = {
    load: (where) => void this.#readBeyond().then((beyond) => beyond?.pages.load(where)),
    quote: (seq) => void this.#readBeyond().then((beyond) => beyond?.quotes.ask(seq)),
    follow: (following) => {
      this.#dispatch({ type: "following", following });
      if (following) this.#unread.caughtUp();
    },
    latest: () => this.#latest(),
    goTo: (seq) => void this.scrollToMessage(seq).catch(() => {}),
    reply: (message) => {
      if (!this.#canWrite) return;
      this.replyTo = message;
      this.#composer?.focus();
    },
    say: (text) => this.#say(text),
    delete: (seq) => this.#beginWriting()?.delete(seq),
    mute: async (sender, until) =>
      (await loadTools()).muteSender(this.#connection as Connection, this.#key, sender, until),
    retry: (id) => {
      const message = this.state.pending.find((pending) => pending.id === id);
      if (message) this.#beginWriting()?.retry(message);
    },
    discard: (id) => this.#beginWriting()?.discard(id),
    mention: (sender) => this.#mention(sender),
    compose: () => this.focus(),
  };

  readonly #peopleActions = {
    ...this.#actions,
    close: () => {
      this.showsPeople = false;
      this.renderRoot.querySelector<HTMLElement>(".here")?.focus({ preventScroll: true });
    },
  };

  /** What reads the log beyond the window. It comes with the renderer: there is no beyond before there are messages. */
  async #readBeyond(): Promise<BeyondWindow | undefined> {
    const connection = this.#connection;
    const { LogPages, Quotes, readPage } = await loadRenderer();
    if (!connection || connection !== this.#connection) return undefined;
    const page = (request: PageRequest) => readPage(connection, request);
    const dispatch = (event: ReaderEvent) => connection === this.#connection && this.#dispatch(event);
    this.#beyond ??= {
      pages: new LogPages({ page, state: () => this.state, dispatch, changed: () => this.requestUpdate() }),
      quotes: new Quotes({
        page,
        isKnown: (seq) => quotedAt(this.state, seq) !== undefined,
        found: (message) => dispatch({ type: "quoted", message }),
      }),
    };
    return this.#beyond;
  }

  #mention(sender: string): void {
    this.#composer?.insert(`@${sender} `);
  }

  #write(): TemplateResult | typeof nothing {
    const { state, strings } = this;
    if (this.readonly || state.status === "closed" || !this.#isValid) return nothing;
    if (!this.#canWrite)
      return html`<p class="watching" role="status">${strings.readOnlyGuests} ${renderer()?.wayToKey(this, `${this.#origin}/r/${this.room}`, strings)}</p>`;
    if (state.room && !this.#author) void this.#openComposer();
    return html`<meet-ai-composer title=${composer ? nothing : strings.loading} .strings=${strings} .me=${state.you?.sender} .replyTo=${this.replyTo}
      .notice=${composer?.notice(state, strings, this.now)} .actions=${this.#composerActions} .memory=${memoryOf("text", this.#origin, this.room)}></meet-ai-composer>`;
  }

  /** After the first messages are on the screen: they are what a page is waiting for. */
  async #openComposer(): Promise<void> {
    await this.updateComplete;
    await painted();
    await idle();
    await loadComposer();
    // Not of an element that was taken out meanwhile: its next render would only come here again.
    if (this.#beginWriting()) this.requestUpdate();
    await idle();
    // They are here when the connection is not, and when the server has newer files than this page knows of.
    void loadTools();
    void loadPeople();
  }

  /** What the person here says goes through this, once the field has come. What an earlier visit has left goes out. */
  #beginWriting(): Author | undefined {
    const connection = this.#connection;
    if (!composer || !connection) return undefined;
    this.#author ??= new composer.Author(connection, {
      key: this.#key,
      isKnown: this.#isKnown,
      hear: (event) => connection === this.#connection && this.#onEvent(event),
    });
    return this.#author;
  }

  readonly #composerActions: ComposerActions = {
    submit: (text) => {
      // Over quota the text stays where it is, and the person sees for how long.
      const author = this.#beginWriting();
      if (this.state.heldUntil > systemClock.now() || !author) return false;
      if (!this.dispatchEvent(new MeetAiSendEvent(text, this.replyTo?.seq))) return false;
      author.submit(text, this.replyTo);
      this.replyTo = undefined;
      this.#unread.answered();
      this.#latest();
      return true;
    },
    edited: (text) => this.#beginWriting()?.edited(text),
    entered: () => this.#beginWriting()?.enter(),
    room: () => this.state,
    cancelReply: () => {
      this.replyTo = undefined;
      this.#composer?.focus();
    },
    toMessages: () => this.#feed?.focusRow(),
  };

  async #send(content: string, replyTo: Seq | undefined): Promise<Seq> {
    if (!this.#isThere) await this.updateComplete;
    const connection = this.#connection;
    await loadComposer();
    const author = connection === this.#connection && this.#beginWriting();
    if (!author) throw new RoomError("unavailable", "The room was left before it had the message.");
    return author.send(content, { replyTo });
  }
}

/** The field is a part of its own: who only watches does without, and the log is there sooner for everybody else. */
let composer: typeof import("../composer/composer.ts") | undefined;
const loadComposer = lazily(
  () => import("../composer/composer.ts"),
  (part) => {
    composer = part;
  },
);
const loadPeople = lazily(() => import("../people/people.ts"));

const isVisible = (): boolean => document.visibilityState === "visible";

define("meet-ai-room", MeetAiRoom);

// Whoever loads this is about to show messages: what they need is here when the first ones come.
// Not by a second copy of the script, whose element is not the one that the page knows.
if (globalThis.document && customElements.get("meet-ai-room") === MeetAiRoom) {
  warmUp(() => new MeetAiRoom()).catch(() => {});
}

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-room": MeetAiRoom;
  }
}
