import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { exportRoom, messageOf, type Room } from "../api.ts";
import { PageElement } from "../page-element.ts";
import { SessionController } from "../session.ts";

/** For the owner of a room: downloads of its log. The key goes in a header, so the page fetches the file and then saves it. */
@customElement("site-export")
export class RoomExport extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  @state() private busy = false;
  @state() private said = "";
  @state() private problem = "";
  readonly #session = new SessionController(this);

  override render() {
    return html`
      <div class="stack">
        <p class="muted small">Every message of this room, as text to read or as data (lines of JSON).</p>
        <div class="row">
          <button type="button" class="button" ?disabled=${this.busy} @click=${() => this.#download("md")}>
            Download text
          </button>
          <button type="button" class="button" ?disabled=${this.busy} @click=${() => this.#download("ndjson")}>
            Download data
          </button>
          <span class="muted small" role="status">${this.said}</span>
        </div>
        ${this.problem ? html`<p class="notice problem" role="alert">${this.problem}</p>` : nothing}
      </div>
    `;
  }

  async #download(format: "md" | "ndjson"): Promise<void> {
    const key = this.#session.current?.key;
    const { room } = this;
    if (key === undefined || !room) return;
    this.busy = true;
    this.problem = "";
    this.said = "Downloading…";
    try {
      save(await exportRoom(key, room.id, format), `${room.id}.${format}`);
      this.said = "Downloaded.";
    } catch (error) {
      this.said = "";
      this.problem = messageOf(error);
    } finally {
      this.busy = false;
    }
  }
}

/** How long a browser may take until it reads what it is to save, ms: some ask the person first. */
const SAVED_WITHIN = 60_000;

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), SAVED_WITHIN);
}
