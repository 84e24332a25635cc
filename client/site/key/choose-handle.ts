import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { HANDLE_LENGTH, parseHandle } from "../../../party/identity/handle.ts";
import { isFault } from "../../../party/protocol.ts";
import { isRefusal, messageOf } from "../api.ts";
import { PageElement } from "../page-element.ts";

/** For those who want a name of their own choice: a button that opens a field for it. */
@customElement("site-choose-handle")
export class ChooseHandle extends PageElement {
  /** Makes a key with this handle. Rejects with an `ApiError`. */
  @property({ attribute: false }) make: (handle: string) => Promise<void> = () => Promise.resolve();
  @state() private open = false;
  @state() private busy = false;
  @state() private problem = "";

  override render() {
    return this.open
      ? this.#renderForm()
      : html`<button type="button" class="button compact quiet" @click=${this.#show}>Choose a name…</button>`;
  }

  #renderForm() {
    return html`
      <form class="field" @submit=${this.#submit}>
        <label for="handle-input">Your name</label>
        <div class="key-entry">
          <input
            id="handle-input"
            class="input mono"
            name="handle"
            maxlength=${HANDLE_LENGTH.longest}
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
            placeholder="ada-lovelace"
            aria-describedby="handle-hint handle-problem"
            aria-invalid=${this.problem === "" ? nothing : "true"}
            @input=${() => {
              this.problem = "";
            }}
          />
          <button type="submit" class="button" ?disabled=${this.busy}>${this.busy ? "Creating…" : "Create it"}</button>
        </div>
        <p id="handle-hint" class="hint">
          ${HANDLE_LENGTH.shortest} to ${HANDLE_LENGTH.longest} of a–z, 0–9 and -. It can't be changed later.
        </p>
        <p id="handle-problem" class="problem" role="alert">${this.problem}</p>
      </form>
    `;
  }

  get #input(): HTMLInputElement | null {
    return this.querySelector("input");
  }

  async #show(): Promise<void> {
    this.open = true;
    await this.updateComplete;
    this.#input?.focus();
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    // As people write names; what is left to mend, they mend.
    const handle = parseHandle(this.#input?.value.trim().toLowerCase().replace(/\s+/g, "-"));
    if (isFault(handle)) return this.#refuse(sentence(handle.message));
    this.busy = true;
    try {
      await this.make(handle);
    } catch (error) {
      this.#refuse(isRefusal(error, "conflict") ? "Somebody has this name already." : sentence(messageOf(error)));
    } finally {
      this.busy = false;
    }
  }

  #refuse(problem: string): void {
    this.problem = problem;
    this.#input?.focus();
  }
}

/** A refusal by the API, which names the field, for a person in front of that field. */
const sentence = (message: string): string => message.replace(/^handle /, "The name ");
