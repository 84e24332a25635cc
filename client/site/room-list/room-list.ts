import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { listRooms, messageOf, type Room } from "../api.ts";
import { PageElement } from "../page-element.ts";
import { ago, dateAndTime } from "../times.ts";

/** How often "5 minutes ago" is brought up to date, ms. */
const CLOCK = 30_000;

/** A pause in typing after which the search is sent, ms. */
const TYPING_PAUSE = 200;

/** The rooms, most recently active first. With `brief` only the first `size`, without search and pages. */
@customElement("site-rooms")
export class RoomList extends PageElement {
  @property({ type: Boolean }) brief = false;
  @property({ type: Number }) size = 30;
  @state() private rooms: Room[] = [];
  @state() private next: string | null = null;
  @state() private phase: "loading" | "more" | "shown" | "failed" = "loading";
  @state() private problem = "";
  @state() private now = Date.now();
  #query = new URLSearchParams(location.search).get("q") ?? "";
  #request: AbortController | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #clock: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.brief) this.#query = "";
    this.#load();
    this.#clock = setInterval(() => {
      this.now = Date.now();
    }, CLOCK);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#request?.abort();
    clearTimeout(this.#pause);
    clearInterval(this.#clock);
  }

  override render() {
    return html`
      ${this.brief ? nothing : this.#renderSearch()}
      <div class="rooms" aria-busy=${this.phase === "loading"}>${this.#renderRooms()}</div>
      <p role="status" class="visually-hidden">${this.#summary()}</p>
      ${this.next && !this.brief ? this.#renderMore() : nothing}
    `;
  }

  #renderSearch() {
    return html`
      <form role="search" class="room-search" @submit=${(event: Event) => event.preventDefault()}>
        <label class="visually-hidden" for="room-search">Search rooms</label>
        <svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="11" cy="11" r="6" /><path d="m16 16 4 4" /></svg>
        <input
          id="room-search"
          class="input"
          type="search"
          placeholder="Search rooms"
          autocomplete="off"
          maxlength="80"
          .value=${this.#query}
          @input=${this.#onInput}
        />
      </form>
    `;
  }

  #renderRooms() {
    if (this.phase === "loading") return html`<ul>${Array.from({ length: this.brief ? this.size : 8 }, ghostRow)}</ul>`;
    if (this.phase === "failed") {
      return html`
        <div class="notice problem row" role="alert">
          <p>${this.problem}</p>
          <button type="button" class="button compact" @click=${() => this.#load()}>Try again</button>
        </div>
      `;
    }
    if (this.rooms.length > 0) return html`<ul>${repeat(this.rooms, ({ id }) => id, this.#renderRoom)}</ul>`;
    return html`
      <div class="rooms-empty">
        ${
          this.#query
            ? html`
              <h2>No room matches “${this.#query}”</h2>
              <p class="muted">Unlisted rooms never show here: open those by their address.</p>
            `
            : html`<h2>No rooms yet</h2><p class="muted">The first one is yours to make.</p>`
        }
      </div>
    `;
  }

  readonly #renderRoom = ({ id, name, topic, createdBy, lastSeq, lastMessageAt, createdAt, closed }: Room) => {
    const time = lastMessageAt ?? createdAt;
    return html`
      <li class="room">
        <div class="room-words">
          <a class="room-name" href="/r/${id}"><bdi>${name}</bdi></a>
          <p class="room-topic muted small">
            <bdi>${topic || (createdBy ? `Made by ${createdBy}` : "No topic")}</bdi>
          </p>
        </div>
        <p class="room-activity small muted">
          <time datetime=${time} title=${dateAndTime(time)}>
            ${lastMessageAt ? ago(time, this.now) : `made ${ago(time, this.now)}`}
          </time>
          <span>${lastSeq === 1 ? "1 message" : `${lastSeq.toLocaleString("en")} messages`}</span>
          ${closed ? html`<span title="Closed by the operator of this server: nobody can write">closed</span>` : nothing}
        </p>
      </li>
    `;
  };

  #renderMore() {
    return html`
      <div class="rooms-more">
        ${this.problem ? html`<p class="key-problem" role="alert">${this.problem}</p>` : nothing}
        <button type="button" class="button" ?disabled=${this.phase === "more"} @click=${this.#loadMore}>
          ${this.phase === "more" ? "Loading…" : "Show more rooms"}
        </button>
      </div>
    `;
  }

  #summary(): string {
    if (this.brief || this.phase !== "shown") return "";
    const count = this.rooms.length;
    return `${count}${this.next ? " or more" : ""} ${count === 1 ? "room" : "rooms"}`;
  }

  #onInput(event: Event): void {
    this.#query = (event.target as HTMLInputElement).value.trim();
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      const address = new URL(location.href);
      if (this.#query) address.searchParams.set("q", this.#query);
      else address.searchParams.delete("q");
      history.replaceState(null, "", address);
      this.#load();
    }, TYPING_PAUSE);
  }

  /** Loads the first page, in place of what is shown; only the newest search is heeded. */
  async #load(): Promise<void> {
    const signal = this.#newRequest();
    if (this.rooms.length === 0) this.phase = "loading";
    this.problem = "";
    try {
      const { rooms, next } = await listRooms({ q: this.#query, limit: this.size }, signal);
      this.rooms = rooms;
      this.next = next;
      this.now = Date.now();
      this.phase = "shown";
    } catch (error) {
      if (signal.aborted) return;
      this.rooms = [];
      this.next = null;
      this.problem = messageOf(error);
      this.phase = "failed";
    }
  }

  /** Ends the request under way, if there is one. */
  #newRequest(): AbortSignal {
    this.#request?.abort();
    this.#request = new AbortController();
    return this.#request.signal;
  }

  async #loadMore(): Promise<void> {
    if (!this.next) return;
    const signal = this.#newRequest();
    this.phase = "more";
    this.problem = "";
    try {
      const { rooms, next } = await listRooms({ q: this.#query, limit: this.size, cursor: this.next }, signal);
      const known = new Set(this.rooms.map(({ id }) => id));
      const first = rooms.find(({ id }) => !known.has(id));
      // A room that became active meanwhile may come twice.
      this.rooms = [...this.rooms, ...rooms.filter(({ id }) => !known.has(id))];
      this.next = next;
      this.phase = "shown";
      await this.updateComplete;
      if (first) this.querySelector<HTMLElement>(`a[href="/r/${first.id}"]`)?.focus();
    } catch (error) {
      if (signal.aborted) return;
      this.problem = messageOf(error);
      this.phase = "shown";
    }
  }
}

const ghostRow = () => html`
  <li class="room" aria-hidden="true">
    <div class="room-words"><span class="ghost ghost-name"></span><span class="ghost ghost-topic"></span></div>
  </li>
`;
