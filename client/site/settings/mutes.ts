import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { listMutes, type Mute, mute, type Room, unmute } from "../api.ts";
import { Attempt } from "../attempt.ts";
import { PageElement } from "../page-element.ts";
import { dateAndTime, timeLeft } from "../times.ts";
import { shownName } from "./shown-name.ts";

/** The lengths of a mute that the page offers, in minutes; 0: forever. */
const LENGTHS = [
  [10, "10 minutes"],
  [60, "1 hour"],
  [24 * 60, "1 day"],
  [0, "forever"],
] as const;

/** For the owner and moderators of a room: who may not write, and for how long yet. */
@customElement("site-mutes")
export class Mutes extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  @state() private mutes: readonly Mute[] | undefined;
  readonly #attempt = new Attempt(this);

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#change(async () => undefined);
  }

  override render() {
    return html`
      <section class="settings-part" aria-labelledby="mutes-title">
        <h3 id="mutes-title">Muted</h3>
        ${this.#renderList()}
        <form class="pair-form" @submit=${this.#mute}>
          <div class="field">
            <label for="mute-sender">Mute a person, guest or agent</label>
            <input
              id="mute-sender" class="input mono" name="sender" required autocomplete="off" autocapitalize="none"
              spellcheck="false" placeholder="~brisk-lynx-4f2a9c"
            />
          </div>
          <div class="field">
            <label for="mute-length">How long</label>
            <select id="mute-length" class="input" name="minutes">
              ${LENGTHS.map(([minutes, words]) => html`<option value=${minutes}>${words}</option>`)}
            </select>
          </div>
          <button type="submit" class="button" ?disabled=${this.#attempt.busy}>Mute</button>
          <label class="check">
            <input type="checkbox" name="address" />
            <span>Their address, too <span class="muted small">for 30 days at most: whoever else writes from there is muted</span></span>
          </label>
        </form>
        ${this.#attempt.render()}
      </section>
    `;
  }

  #renderList() {
    const now = Date.now();
    const mutes = this.mutes?.filter(({ until }) => until === null || Date.parse(until) > now);
    if (!mutes) return nothing;
    if (mutes.length === 0) return html`<p class="muted small">Nobody. Who is muted reads on, and can't write.</p>`;
    return html`<ul class="entries">${mutes.map((one) => this.#renderMute(one, now))}</ul>`;
  }

  #renderMute({ sender, until, address }: Mute, now: number) {
    return html`
      <li>
        <span>
          <span class="handle" title=${sender}>${shownName(sender)}</span>
          <span class="muted small" title=${until === null ? nothing : `until ${dateAndTime(until)}`}>
            ${until === null ? "forever" : timeLeft(until, now)}${address ? ", with the address" : nothing}
          </span>
        </span>
        <button
          type="button" class="button compact" ?disabled=${this.#attempt.busy}
          @click=${() =>
            this.#change(async (key, id) => {
              await unmute(key, id, sender);
              return `${shownName(sender)} may write again.`;
            })}
        >
          Unmute<span class="visually-hidden"> ${shownName(sender)}</span>
        </button>
      </li>
    `;
  }

  async #mute(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    const sender = String(fields.get("sender")).trim();
    const minutes = Number(fields.get("minutes"));
    const until = minutes > 0 ? { until: new Date(Date.now() + minutes * 60_000) } : {};
    const address = fields.has("address");
    const isMuted = await this.#change(async (key, id) => {
      await mute(key, id, sender, { ...until, address });
      return `${shownName(sender)} is muted.`;
    });
    if (isMuted) form.reset();
  }

  /** Does something to the mutes, and shows those that there are then. */
  #change(action: (key: string, id: string) => Promise<string | undefined>): Promise<boolean> {
    return this.#attempt.run(async (key) => {
      const id = this.room?.id ?? "";
      const done = await action(key, id);
      this.mutes = await listMutes(key, id);
      return done;
    });
  }
}
