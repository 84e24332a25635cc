import { html, nothing, type TemplateResult } from "lit";
import type { Seq } from "../../../party/protocol.ts";
import { systemClock } from "../../stay/clock.ts";
import type { RoomState } from "../../view/room-state.ts";
import { isAtHead } from "../../view/room-state.ts";
import type { RoomActions } from "../actions.ts";
import { idle } from "../lazy.ts";
import { renderer } from "../lazy-renderer.ts";
import { define, LightElement } from "../light-element.ts";
import { MeetAiMessage } from "../message/message.ts";
import type { Row } from "../message/row.ts";
import type { Strings } from "../strings/strings.ts";
import { dayName } from "../time.ts";
import { feedStyles } from "./feed.styles.ts";
import { KeyedList } from "./keyed-list.ts";
import { painted } from "./painted.ts";
import type { Item } from "./rows.ts";
import { itemsOf } from "./rows.ts";
import { ScrollKeeper } from "./scroll-keeper.ts";

/** How long a message that was gone to stays marked, ms. */
const MARKED_FOR = 2500;

/** Rows that an opening log has where nothing tells how many can be in view. */
const FEW = 20;

/** @summary The log: rows in order, the reader's place kept, older and newer messages loaded as they come near. */
export class MeetAiFeed extends LightElement {
  static override styles = feedStyles;

  static override properties = {
    state: { attribute: false },
    strings: { attribute: false },
    actions: { attribute: false },
    unreadFrom: { attribute: false },
    unseen: { attribute: false },
    loadFailed: { attribute: false },
    now: { attribute: false },
    canWrite: { attribute: false },
    marked: { state: true },
    current: { state: true },
  };

  declare state: RoomState;
  declare strings: Strings;
  declare actions: RoomActions;
  /** The first seq that was not there when the reader looked last. */
  declare unreadFrom: Seq | undefined;
  /** Messages that have come below the view. */
  declare unseen: number;
  /** The ends at which loading has failed. */
  declare loadFailed: ReadonlySet<"older" | "newer"> | undefined;
  /** Another time, ms since 1970, whenever what a row counts down has changed. */
  declare now: number;
  declare canWrite: boolean;
  declare marked: Seq | undefined;
  /** The key of the row that the Tab key reaches. */
  declare current: string | undefined;

  #keeper: ScrollKeeper | undefined;
  #wanted: Seq | undefined;
  #unmark: ReturnType<typeof setTimeout> | undefined;
  /** Rows of drafts and pending messages, so that an unchanged one stays the same object. */
  #unkept = new Map<string, Row>();
  #list: KeyedList<Item> | undefined;
  /** The rows, in order. */
  #rows: readonly MeetAiMessage[] = [];
  /** Not all rows are there yet. */
  #isOpening = false;

  override connectedCallback(): void {
    super.connectedCallback();
    // A list that is moved within the page has forgotten how far it was scrolled.
    this.#keeper?.restore();
  }

  /** Whether the newest message is kept in view. */
  get following(): boolean {
    return this.#keeper?.following ?? true;
  }

  /** Whether no message is shown. */
  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** Keeps the newest message in view. */
  follow(): void {
    this.#wanted = undefined;
    this.#keeper?.follow();
  }

  /** A message comes, and is not shown yet: a reader who selects text does not follow it. */
  hold(): void {
    this.#keeper?.hold();
  }

  /** Shows and marks a message that the window holds, now or with the next render. */
  goTo(seq: Seq): void {
    this.#wanted = seq;
    this.requestUpdate();
  }

  /** Puts the focus on the newest message. */
  focusRow(): void {
    this.#focus(this.#rows.at(-1));
  }

  protected override render(): TemplateResult {
    const { state, strings } = this;
    return html`
      <div class="scroller" part="log" role="log" aria-live="off" aria-label=${strings.log(state.room?.name ?? "")}
        @keydown=${this.#onKey} @focusin=${this.#onFocus}>
        <div class="rows">
          ${this.#edge("older")}
          <div class="list"></div>
          ${isAtHead(state) ? nothing : this.#edge("newer")}
        </div>
      </div>
      ${renderer()?.pill(this)}
    `;
  }

  protected override updated(): void {
    this.#showItems();
    // When everything is laid out: what has come may not fill the view, of which no change of size would tell.
    if (this.#keeper?.isSparse) requestAnimationFrame(() => this.#keeper?.askForMore());
    const fresh = this.#rows.filter((row) => row.isUpdatePending);
    // The content of new rows comes with their own updates; every place is right only then.
    if (fresh.length === 0) this.#settle();
    else void Promise.all(fresh.map((row) => row.updateComplete)).then(() => this.#settle());
  }

  /** The rows are as they are to be: the reader is where they were, or at the message that they asked for. */
  #settle(): void {
    const wanted = this.#wanted === undefined ? null : this.#rowOf(this.#wanted);
    if (!wanted) {
      this.#keeper?.settle();
      return;
    }
    this.#keeper?.show(wanted);
    this.#mark(this.#wanted);
    this.#wanted = undefined;
  }

  protected override firstUpdated(): void {
    this.#keeper = new ScrollKeeper({
      scroller: this.querySelector(".scroller") as HTMLElement,
      content: this.querySelector(".rows") as HTMLElement,
      rows: () => this.#rows,
      reachesEnd: () => isAtHead(this.state),
      onFollow: (following) => this.actions.follow(following),
      onNear: (where) => {
        const { state } = this;
        const there = where === "older" ? !state.atStart && state.messages.length > 0 : !isAtHead(state);
        if (there && !this.#isOpening && !this.loadFailed?.has(where)) this.actions.load(where);
      },
    });
  }

  #items(): Item[] {
    const items = itemsOf(this.state, this.unreadFrom, systemClock.now(), this.canWrite);
    const kept = this.#unkept;
    this.#unkept = new Map();
    return items.map((item) => {
      if (item.kind !== "row" || item.row.message.seq > 0) return item;
      const before = kept.get(item.key);
      const row = before && sameText(before, item.row) ? { ...item.row, message: before.message } : item.row;
      this.#unkept.set(item.key, row);
      return { ...item, row };
    });
  }

  #showItems(): void {
    const list = this.querySelector(".list");
    if (!list) return;
    this.#list ??= new KeyedList<Item>(list, createElement);
    const items = this.#inReach(this.#items());
    const keys = new Set(items.map(({ key }) => key));
    const current = keys.has(this.current ?? "") ? this.current : items.findLast(({ kind }) => kind === "row")?.key;
    this.#list.show(items, (element, item) => {
      if (item.kind === "row") this.#updateRow(element as MeetAiMessage, item.row, item.key === current);
      else this.#updateLine(element.firstChild as HTMLElement, item);
    });
    this.#rows = [...this.#list.elements].filter((element) => element instanceof MeetAiMessage);
  }

  /** Of a log that opens, what can be in view; everything once that is on the screen, or when the reader moves. */
  #inReach(items: readonly Item[]): readonly Item[] {
    const opens = items.length > 0 && this.isEmpty && this.following && this.#wanted === undefined;
    const view = opens ? this.#newestInView(items) : items;
    this.#isOpening = view.length < items.length;
    if (this.#isOpening) {
      void painted()
        .then(idle)
        .then(() => this.requestUpdate());
    }
    return view;
  }

  #newestInView(items: readonly Item[]): readonly Item[] {
    // Before the first layout, which asking for the height would bring forward, a guess: what it misses comes a frame later.
    const height = this.#keeper?.view || innerHeight * 0.7;
    return renderer()?.newestInView(items, height) ?? items.slice(-FEW);
  }

  #updateRow(element: MeetAiMessage, row: Row, isCurrent: boolean): void {
    const { seq } = row.message;
    const marked = seq === this.marked;
    const classes = `row ${row.state}${row.leads ? " leads" : ""}${row.own ? " own" : ""}${marked ? " marked" : ""}`;
    if (element.className !== classes) element.className = classes;
    // As an attribute: without one, an element says that its index is -1 and yet takes no focus.
    const tabIndex = isCurrent ? "0" : "-1";
    if (element.getAttribute("tabindex") !== tabIndex) element.setAttribute("tabindex", tabIndex);
    if (seq > 0 && element.dataset.seq === undefined) element.dataset.seq = String(seq);
    const name = `meet-ai-${seq || row.message.id}`;
    if (element.id !== name) {
      element.id = name;
      // A row is called by its label, then by its text: an element that refers to itself means its own label.
      element.setAttribute("aria-labelledby", `${name} ${name}-text`);
    }
    element.strings = this.strings;
    element.me = this.state.you?.sender;
    element.actions = this.actions;
    element.row = row;
  }

  #updateLine(label: HTMLElement, item: Exclude<Item, { kind: "row" }>): void {
    const { strings } = this;
    const text = item.kind === "day" ? dayName(item.createdAt, strings.language, new Date()) : strings.unread;
    if (label.textContent !== text) label.textContent = text;
  }

  #edge(where: "older" | "newer"): TemplateResult | typeof nothing {
    const { state, strings } = this;
    if (this.loadFailed?.has(where)) {
      return html`<p class="edge">${strings.loadFailed}
        <button type="button" @click=${() => this.actions.load(where)}>${strings.reconnect}</button></p>`;
    }
    if (where === "newer") return html`<p class="edge">${strings.loading}</p>`;
    if (state.messages.length === 0) return nothing;
    return html`<p class="edge">${state.atStart ? strings.start : strings.loading}</p>`;
  }

  #rowOf(seq: Seq): MeetAiMessage | null {
    return this.querySelector<MeetAiMessage>(`meet-ai-message[data-seq="${seq}"]`);
  }

  #mark(seq: Seq | undefined): void {
    this.marked = seq;
    clearTimeout(this.#unmark);
    this.#unmark = setTimeout(() => {
      this.marked = undefined;
    }, MARKED_FOR);
  }

  #onFocus = (event: FocusEvent): void => {
    const row = (event.target as HTMLElement).closest<MeetAiMessage>("meet-ai-message");
    if (row) this.current = row.row.key;
  };

  #onKey = (event: KeyboardEvent): void => {
    const { actions } = this;
    renderer()?.onFeedKey(event, { rows: this.#rows, actions, focus: (row) => this.#focus(row) });
  };

  #focus(row: MeetAiMessage | undefined): void {
    if (!row) return;
    row.focus({ preventScroll: true, focusVisible: true });
    this.#keeper?.reveal(row);
  }
}

function createElement({ kind }: Item): HTMLElement {
  if (kind === "row") {
    const row = document.createElement("meet-ai-message");
    row.setAttribute("part", "message");
    row.role = "article";
    return row;
  }
  const line = document.createElement("div");
  line.className = kind;
  line.role = "separator";
  line.append(document.createElement("span"));
  return line;
}

function sameText(before: Row, now: Row): boolean {
  return before.message.content === now.message.content && before.state === now.state;
}

define("meet-ai-feed", MeetAiFeed);

declare global {
  interface HTMLElementTagNameMap {
    "meet-ai-feed": MeetAiFeed;
  }
}
