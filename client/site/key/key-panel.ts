import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { isKey } from "../../../party/protocol.ts";
import { isRefusal, messageOf } from "../api.ts";
import { PageElement } from "../page-element.ts";
import { type Keeping, type KeyInUse, SessionController, session } from "../session.ts";
import { dateAndTime, dateOf } from "../times.ts";
import "../copy/copy-button.ts";
import "./choose-handle.ts";

/** Where a key can be kept, in words. */
const KEEPING: readonly (readonly [Keeping, where: string, how: string])[] = [
  ["page", "On this page only", "so the next page does not know you"],
  ["tab", "In this tab", "until you close it"],
  ["device", "On this device", "until you choose “Use another key”, if only you use it"],
];

/**
 * Makes a key by one click or takes one that somebody has, and shows what is in use.
 *
 * With `compact` it is a step on the way to something else, as in a dialog: no rotating, no revoking.
 */
@customElement("site-key")
export class KeyPanel extends PageElement {
  @property({ type: Boolean }) compact = false;
  @state() private busy: "create" | "use" | "rotate" | "revoke" | undefined;
  @state() private problem = "";
  @state() private asking: "rotate" | "revoke" | undefined;
  @state() private said = "";
  readonly #session = new SessionController(this);

  override render() {
    const inUse = this.#session.current;
    return html`
      ${inUse ? this.#renderKey(inUse) : this.#renderChoice()}
      <p role="status" class="visually-hidden">${this.said}</p>
    `;
  }

  #renderChoice() {
    return html`
      <div class="key-choice">
        <div class="stack">
          ${this.compact ? nothing : html`<h2>New here</h2>`}
          <p class="muted">
            One click. No mail, no password: you get a key and a handle that goes with it.
          </p>
          <div class="row">
            <button
              type="button"
              class="button ${this.compact ? "" : "primary"}"
              ?disabled=${this.busy !== undefined}
              @click=${() => this.#attempt("create", () => session.create(), "Your key is made.")}
            >
              ${this.busy === "create" ? "Creating…" : "Create a key"}
            </button>
            <site-choose-handle .make=${this.#createAs}></site-choose-handle>
          </div>
        </div>
        <form class="stack" @submit=${this.#use}>
          ${this.compact ? nothing : html`<h2>Back again</h2>`}
          <div class="field">
            <label for="key-input">Your key</label>
            <div class="key-entry">
              <input type="text" autocomplete="username" value="meet-ai" hidden />
              <input
                id="key-input"
                class="input mono"
                type="password"
                name="key"
                autocomplete="current-password"
                autocapitalize="none"
                spellcheck="false"
                placeholder="mai_…"
                aria-describedby="key-problem"
                aria-invalid=${this.problem !== "" && this.busy === undefined ? "true" : nothing}
              />
              <button type="submit" class="button" ?disabled=${this.busy !== undefined}>
                ${this.busy === "use" ? "Checking…" : "Use it"}
              </button>
            </div>
          </div>
        </form>
      </div>
      <p id="key-problem" class="key-problem" role="alert">${this.problem}</p>
    `;
  }

  #renderKey(inUse: KeyInUse) {
    const { identity, fresh } = inUse;
    return html`
      <div class="stack">
        ${
          fresh
            ? this.#renderFresh(inUse)
            : html`
              <div class="row">
                <p class="key-owner">You are <strong class="handle">${identity.handle}</strong></p>
                <site-copy .text=${inUse.key} what="key"></site-copy>
                <button type="button" class="button compact quiet" @click=${this.#forget}>Use another key</button>
              </div>
            `
        }
        ${this.#renderKeeping()}
        ${this.compact ? nothing : this.#renderManagement(inUse)}
      </div>
    `;
  }

  #renderKeeping() {
    return html`
      <fieldset class="keeping">
        <legend>Keep the key</legend>
        ${KEEPING.map(
          ([kept, where, how]) => html`
            <label class="check">
              <input
                type="radio"
                name="kept"
                value=${kept}
                .checked=${live(session.kept === kept)}
                @change=${() => {
                  session.kept = kept;
                }}
              />
              <span>${where} <span class="muted small">${how}</span></span>
            </label>
          `,
        )}
      </fieldset>
    `;
  }

  #renderFresh({ key, identity }: KeyInUse) {
    return html`
      <h2 tabindex="-1" class="fresh">You are <span class="handle">${identity.handle}</span></h2>
      <p>
        This is your key. <strong>It is shown this once and can't be recovered:</strong> copy it to where you keep
        passwords.
      </p>
      <div class="key-shown">
        <code aria-label="Your key">${key}</code>
        <site-copy .text=${key} what="key" primary @copied=${() => session.markSaved()}></site-copy>
      </div>
    `;
  }

  #renderManagement({ identity, fresh }: KeyInUse) {
    return html`
      <dl class="key-facts">
        <div><dt>Made</dt><dd>${dateOf(identity.createdAt)}</dd></div>
        ${
          fresh
            ? nothing
            : html`<div><dt>Last used</dt><dd>${identity.lastUsed ? dateAndTime(identity.lastUsed) : "never"}</dd></div>`
        }
      </dl>
      ${this.asking ? this.#renderQuestion(this.asking) : this.#renderActions(fresh)}
      <p id="key-problem" class="key-problem" role="alert">${this.problem}</p>
    `;
  }

  #renderActions(fresh: boolean) {
    return html`
      <div class="row">
        <button type="button" class="button compact" @click=${() => this.#ask("rotate")}>Replace the key…</button>
        <button type="button" class="button compact danger" @click=${() => this.#ask("revoke")}>Revoke it…</button>
        ${
          fresh
            ? html`<button type="button" class="button compact quiet" @click=${this.#forget}>Done</button>`
            : nothing
        }
      </div>
    `;
  }

  #renderQuestion(question: "rotate" | "revoke") {
    const rotate = question === "rotate";
    return html`
      <div class="notice stack ${rotate ? "" : "problem"}" role="group" aria-labelledby="key-question">
        <p id="key-question">
          ${
            rotate
              ? "You get a new key with the same handle. The old one stops working at once, for your agents too."
              : "The key stops working forever, for your agents too. Your rooms and messages stay, and nobody owns them any more."
          }
        </p>
        <div class="row">
          <button
            type="button"
            class="button compact ${rotate ? "primary" : "danger"}"
            ?disabled=${this.busy !== undefined}
            @click=${
              rotate
                ? () => this.#attempt("rotate", () => session.rotate(), "Your new key is made.")
                : () => this.#attempt("revoke", () => session.revoke(), "The key is revoked.")
            }
          >
            ${rotate ? "Replace it" : "Revoke forever"}
          </button>
          <button type="button" class="button compact quiet" data-cancel @click=${this.#keep}>Keep it</button>
        </div>
      </div>
    `;
  }

  async #ask(question: "rotate" | "revoke"): Promise<void> {
    this.problem = "";
    this.asking = question;
    await this.updateComplete;
    this.querySelector<HTMLElement>("[data-cancel]")?.focus();
  }

  async #keep(): Promise<void> {
    this.asking = undefined;
    await this.updateComplete;
    this.querySelector<HTMLElement>("button.danger")?.focus();
  }

  async #forget(): Promise<void> {
    session.forget();
    this.said = "The key is forgotten here.";
    await this.updateComplete;
    this.querySelector<HTMLElement>("button")?.focus();
  }

  #use(event: SubmitEvent): void {
    event.preventDefault();
    const key = String(new FormData(event.target as HTMLFormElement).get("key")).trim();
    if (!isKey(key)) {
      this.problem = "A key is mai_ and 24 more characters.";
      this.querySelector<HTMLElement>("#key-input")?.focus();
      return;
    }
    this.#attempt("use", () => session.use(key), "The key is in use.");
  }

  readonly #createAs = async (handle: string): Promise<void> => {
    await session.create(handle);
    await this.#show("Your key is made.");
  };

  /** Shows the key that is in use now, and says why. */
  async #show(said: string): Promise<void> {
    this.asking = undefined;
    this.said = said;
    await this.updateComplete;
    this.querySelector<HTMLElement>(".fresh")?.focus();
  }

  async #attempt(what: NonNullable<KeyPanel["busy"]>, action: () => Promise<void>, done: string): Promise<void> {
    this.busy = what;
    this.problem = "";
    try {
      await action();
      await this.#show(done);
    } catch (error) {
      this.problem = isRefusal(error, "unauthorized") ? "No such key, or it has been revoked." : messageOf(error);
    } finally {
      this.busy = undefined;
    }
  }
}
