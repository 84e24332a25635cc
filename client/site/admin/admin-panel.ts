import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { ApiError, isRefusal, messageOf } from "../api.ts";
import { PageElement } from "../page-element.ts";
import { dateAndTime } from "../times.ts";
import {
  addModerator,
  holdRoom,
  lobbyModerators,
  type Member,
  type OperatorDeed,
  type Overview,
  readAudit,
  readOverview,
  removeModerator,
  removeNotice,
  revokeKeyOf,
  setNotice,
} from "./admin-api.ts";
import { dayView, errorsView, storageView } from "./figures.ts";
import { roomsView } from "./rooms-view.ts";

/** Where the secret is kept, for as long as the tab lives. It is in no address and on no disk. */
const STORED = "meet-ai-operator-secret";

/** For who has the operator's secret: how the deployment is, and what the operator may do. */
@customElement("site-admin")
export class AdminPanel extends PageElement {
  @state() private overview: Overview | undefined;
  @state() private moderators: readonly Member[] = [];
  @state() private deeds: readonly OperatorDeed[] = [];
  @state() private moreDeeds: string | null = null;
  /** Whose key is about to be revoked. */
  @state() private doomed = "";
  @state() private busy = false;
  @state() private said = "";
  @state() private problem = "";
  #secret = sessionStorage.getItem(STORED) ?? "";

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.#secret) void this.#act(async () => "");
  }

  override render() {
    const { overview } = this;
    return html`
      ${overview ? this.#tools() : this.#door()}
      <p class="muted small" role="status">${this.busy ? "One moment…" : this.said}</p>
      ${this.problem ? html`<p class="notice problem" role="alert">${this.problem}</p>` : nothing}
      ${
        overview
          ? html`${storageView(overview)} ${dayView(overview)}
            ${roomsView(overview, this.busy, (room, change) => this.#do("Done.", (secret) => holdRoom(secret, room, change)))}
            ${this.#people()} ${this.#notice(overview)} ${errorsView(overview)} ${this.#audit()}`
          : nothing
      }
    `;
  }

  #door() {
    return html`<form class="card pair-form" @submit=${this.#enter}>
      <div class="field">
        <label for="secret">The operator's secret</label>
        <input class="input" id="secret" name="secret" type="password" autocomplete="off" required spellcheck="false" />
        <span class="hint muted small">It stays in this tab, and goes with it.</span>
      </div>
      <button class="button primary" ?disabled=${this.busy}>Enter</button>
    </form>`;
  }

  #tools() {
    return html`<div class="row">
      <button type="button" class="button compact" ?disabled=${this.busy} @click=${() => this.#act(async () => "Up to date.")}>
        Refresh
      </button>
      <button type="button" class="button compact quiet" @click=${this.#leave}>Leave</button>
    </div>`;
  }

  #people() {
    return html`<section class="section" aria-labelledby="people">
      <h2 id="people">People</h2>
      <h3>Moderators of the lobby</h3>
      ${this.moderators.length === 0 ? html`<p class="muted small">Nobody yet.</p>` : nothing}
      <ul class="entries">
        ${this.moderators.map(
          ({ sender }) => html`<li>
            <span class="handle">${sender}</span>
            <button type="button" class="button compact" ?disabled=${this.busy} aria-label=${`Remove ${sender}`}
              @click=${() => this.#do(`${sender} is no moderator any more.`, (secret) => removeModerator(secret, sender))}>Remove</button>
          </li>`,
        )}
      </ul>
      <form class="pair-form" @submit=${(event: SubmitEvent) =>
        this.#send(event, (handle) =>
          this.#do(`${handle} moderates the lobby.`, (secret) => addModerator(secret, handle)),
        )}>
        <div class="field">
          <label for="moderator">Handle of a new moderator</label>
          <input class="input" id="moderator" name="value" required autocomplete="off" autocapitalize="none" spellcheck="false" />
        </div>
        <button class="button" ?disabled=${this.busy}>Make a moderator</button>
      </form>
      <h3>Revoke a key</h3>
      ${
        this.doomed === ""
          ? html`<form class="pair-form" @submit=${(event: SubmitEvent) =>
              this.#send(event, (handle) => {
                this.doomed = handle;
                return Promise.resolve(true);
              })}>
            <div class="field">
              <label for="handle">Handle of its holder</label>
              <input class="input" id="handle" name="value" required autocomplete="off" autocapitalize="none" spellcheck="false" />
            </div>
            <button class="button" ?disabled=${this.busy}>Revoke…</button>
          </form>`
          : html`<div class="notice problem">
            <p>The key of <span class="handle">${this.doomed}</span> ends at once and for good.</p>
            <div class="row">
              <button type="button" class="button danger" ?disabled=${this.busy} @click=${this.#revoke}>Revoke it</button>
              <button type="button" class="button quiet" @click=${() => {
                this.doomed = "";
              }}>Keep it</button>
            </div>
          </div>`
      }
    </section>`;
  }

  #notice({ notice }: Overview) {
    return html`<section class="section" aria-labelledby="notice">
      <h2 id="notice">A line on every page</h2>
      <form class="pair-form" @submit=${(event: SubmitEvent) =>
        this.#send(event, (text) => this.#do("It is said.", (secret) => setNotice(secret, text)))}>
        <div class="field">
          <label for="notice-text">What it says</label>
          <input class="input" id="notice-text" name="value" required maxlength="280" autocomplete="off" .value=${notice?.text ?? ""} />
        </div>
        <button class="button" ?disabled=${this.busy}>Say it</button>
      </form>
      ${
        notice
          ? html`<div class="row">
            <span class="muted small">Since ${dateAndTime(notice.since)}</span>
            <button type="button" class="button compact" ?disabled=${this.busy}
              @click=${() => this.#do("It is taken back.", removeNotice)}>Take it back</button>
          </div>`
          : nothing
      }
    </section>`;
  }

  #audit() {
    return html`<section class="section" aria-labelledby="audit">
      <h2 id="audit">What the operator did</h2>
      ${this.deeds.length === 0 ? html`<p class="muted small">Nothing yet.</p>` : nothing}
      <ul class="entries">
        ${this.deeds.map(
          ({ at, method, path, target, detail, status }) => html`<li>
            <span>
              <code>${method} ${path}</code>
              ${target ? html`<span class="handle">${target}</span>` : nothing}
              ${detail ? html`<span class="muted small">${detail}</span>` : nothing}
              ${status >= 400 ? html`<span class="muted small">answered with ${status}</span>` : nothing}
            </span>
            <time class="muted small" datetime=${at}>${dateAndTime(at)}</time>
          </li>`,
        )}
      </ul>
      ${
        this.moreDeeds === null
          ? nothing
          : html`<div><button type="button" class="button compact" ?disabled=${this.busy} @click=${this.#loadMore}>Show more</button></div>`
      }
    </section>`;
  }

  readonly #enter = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem("secret") as HTMLInputElement;
    this.#secret = field.value.trim();
    field.value = "";
    void this.#act(async () => "");
  };

  readonly #leave = (): void => {
    this.#forget();
    this.said = this.problem = "";
  };

  #forget(): void {
    sessionStorage.removeItem(STORED);
    this.#secret = "";
    this.overview = undefined;
    this.moderators = this.deeds = [];
    this.moreDeeds = null;
    this.doomed = "";
  }

  readonly #revoke = async (): Promise<void> => {
    const handle = this.doomed;
    this.doomed = "";
    await this.#do(`The key of ${handle} is revoked.`, (secret) => revokeKeyOf(secret, handle));
  };

  readonly #loadMore = (): void => {
    void this.#run(async (secret) => {
      const { entries, next } = await readAudit(secret, this.moreDeeds);
      this.deeds = [...this.deeds, ...entries];
      this.moreDeeds = next;
      return "";
    });
  };

  /** Does what a form with one field asks for; the field is emptied when it was done. */
  async #send(event: SubmitEvent, act: (value: string) => Promise<boolean>): Promise<void> {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem("value") as HTMLInputElement;
    const value = field.value.trim();
    if (value !== "" && (await act(value)) && field.id !== "notice-text") field.value = "";
  }

  #do(done: string, deed: (secret: string) => Promise<void>): Promise<boolean> {
    return this.#act(async (secret) => {
      await deed(secret);
      return done;
    });
  }

  /** Does something, and shows how everything is then. */
  #act(deed: (secret: string) => Promise<string>): Promise<boolean> {
    return this.#run(async (secret) => {
      const said = await deed(secret);
      const [overview, audit, moderators] = await Promise.all([
        readOverview(secret),
        readAudit(secret),
        lobbyModerators(secret),
      ]);
      sessionStorage.setItem(STORED, secret);
      this.overview = overview;
      this.deeds = audit.entries;
      this.moreDeeds = audit.next;
      this.moderators = moderators;
      return said;
    });
  }

  async #run(work: (secret: string) => Promise<string>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.said = this.problem = "";
    try {
      this.said = await work(this.#secret);
      return true;
    } catch (error) {
      if (isRefusal(error, "unauthorized")) this.#forget();
      this.problem = error instanceof ApiError ? messageOf(error) : "Something went wrong on this page. Reload it.";
      return false;
    } finally {
      this.busy = false;
    }
  }
}
