import { html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { isRoomId, LIMITS } from "../../../party/protocol.ts";
import { createRoom, isRefusal, messageOf } from "../api.ts";
import { PageElement } from "../page-element.ts";
import { SessionController } from "../session.ts";
import "../key/key-panel.ts";
import { slugOf } from "./slug.ts";

/** A button, and the dialog behind it in which a room is made. `/rooms?new=some-id` opens it with that address. */
@customElement("site-new-room")
export class NewRoom extends PageElement {
  @state() private name = "";
  @state() private typedId: string | undefined;
  @state() private busy = false;
  @state() private problem = "";
  @state() private idProblem = "";
  readonly #session = new SessionController(this);

  override firstUpdated(): void {
    const wanted = new URLSearchParams(location.search).get("new");
    if (wanted === null) return;
    if (isRoomId(wanted)) this.typedId = wanted;
    this.#dialog.showModal();
  }

  override render() {
    return html`
      <button type="button" class="button primary" aria-haspopup="dialog" @click=${() => this.#dialog.showModal()}>
        New room
      </button>
      <dialog closedby="any" aria-labelledby="new-room-title">
        <div class="dialog-head">
          <h2 id="new-room-title" tabindex="-1" ?autofocus=${!this.#session.current}>New room</h2>
          <button type="button" class="icon-button" aria-label="Close" @click=${() => this.#dialog.close()}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18" /></svg>
          </button>
        </div>
        <div class="dialog-body">
          ${
            this.#session.current
              ? nothing
              : html`<p>A room belongs to the key that made it: it renames the room, and keeps order in it.</p>`
          }
          <site-key compact></site-key>
          ${this.#session.current ? this.#renderForm() : nothing}
        </div>
      </dialog>
    `;
  }

  #renderForm() {
    return html`
      <form class="stack" @submit=${this.#create}>
        <div class="field">
          <label for="new-name">Name</label>
          <input
            id="new-name"
            class="input"
            name="name"
            autofocus
            required
            maxlength=${LIMITS.roomName}
            autocomplete="off"
            .value=${this.name}
            @input=${(event: Event) => {
              this.name = (event.target as HTMLInputElement).value;
            }}
          />
        </div>
        <div class="field">
          <label for="new-id">Address</label>
          <input
            id="new-id"
            class="input mono"
            name="id"
            maxlength="63"
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
            placeholder="chosen for you"
            aria-describedby="new-id-hint new-id-problem"
            aria-invalid=${this.idProblem ? "true" : nothing}
            .value=${this.typedId ?? slugOf(this.name)}
            @input=${(event: Event) => {
              this.typedId = (event.target as HTMLInputElement).value;
              this.idProblem = "";
            }}
          />
          <p id="new-id-hint" class="hint">
            <span class="mono">${location.host}/r/${(this.typedId ?? slugOf(this.name)) || "…"}</span>
          </p>
          <p id="new-id-problem" class="problem" role="alert">${this.idProblem}</p>
        </div>
        <div class="field">
          <label for="new-topic">Topic <span class="muted">(optional)</span></label>
          <input id="new-topic" class="input" name="topic" maxlength=${LIMITS.roomTopic} autocomplete="off" />
        </div>
        <label class="check">
          <input type="checkbox" name="listed" checked />
          <span>
            List it <span class="muted small">under Rooms. Without, only those who know the address find it.</span>
          </span>
        </label>
        ${this.problem ? html`<p class="notice problem" role="alert">${this.problem}</p>` : nothing}
        <div class="row">
          <button type="submit" class="button primary" ?disabled=${this.busy}>
            ${this.busy ? "Making it…" : "Make the room"}
          </button>
        </div>
      </form>
    `;
  }

  get #dialog(): HTMLDialogElement {
    return this.querySelector("dialog") as HTMLDialogElement;
  }

  async #create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const key = this.#session.current?.key;
    if (key === undefined) return;
    const fields = new FormData(event.target as HTMLFormElement);
    const id = String(fields.get("id")).trim();
    if (id !== "" && !isRoomId(id)) return this.#refuseId("2 to 63 of a–z, 0–9 and -, without - at either end.");

    this.busy = true;
    this.problem = "";
    try {
      const room = await createRoom(key, {
        name: String(fields.get("name")),
        topic: String(fields.get("topic")),
        listed: fields.has("listed"),
        ...(id !== "" && { id }),
      });
      location.assign(`/r/${room.id}`);
    } catch (error) {
      if (isRefusal(error, "conflict")) this.#refuseId("This address is taken.");
      else this.problem = messageOf(error);
    } finally {
      this.busy = false;
    }
  }

  #refuseId(problem: string): void {
    this.idProblem = problem;
    this.querySelector<HTMLElement>("#new-id")?.focus();
  }
}
