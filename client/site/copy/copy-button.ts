import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement } from "../page-element.ts";

/** How long the button says that it has copied, ms. */
const SAID_FOR = 2_000;

/**
 * Copies `text` to the clipboard and says so, to the eye and to a screen reader.
 *
 * @event copied - The text is in the clipboard.
 */
@customElement("site-copy")
export class CopyButton extends PageElement {
  @property() text = "";
  /** What is copied: "key", "snippet". */
  @property() what = "";
  @property({ type: Boolean }) primary = false;
  @state() private outcome: "copied" | "refused" | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.outcome = undefined;
  }

  override render() {
    return html`
      <button type="button" class="button ${this.primary ? "primary" : "compact"}" @click=${this.#copy}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path
            d=${
              this.outcome === "copied"
                ? "m5 13 4 4L19 7"
                : "M9 9V6a2 2 0 0 1 2-2h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-3M6 9h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2Z"
            }
          />
        </svg>
        <span class="copy-words">
          <span data-shown=${!this.outcome}>Copy ${this.what}</span>
          <span data-shown=${this.outcome === "copied"} aria-hidden="true">Copied</span>
          <span data-shown=${this.outcome === "refused"} aria-hidden="true">Failed</span>
        </span>
      </button>
      <span role="status" class="visually-hidden">
        ${this.outcome === "copied" ? "Copied." : this.outcome === "refused" ? "The browser did not allow copying: select the text instead." : nothing}
      </span>
    `;
  }

  async #copy(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      await navigator.clipboard.writeText(this.text);
      this.outcome = "copied";
      this.dispatchEvent(new Event("copied"));
    } catch {
      this.outcome = "refused";
    }
    this.#timer = setTimeout(() => {
      this.outcome = undefined;
    }, SAID_FOR);
  }
}
