import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { LIMITS } from "../../../party/protocol.ts";
import { LONGEST_LOOP_GUARD } from "../../../party/room-record.ts";
import {
  type ArchiveState,
  changeRoom,
  deleteRoom,
  getOwnRoom,
  listMutes,
  type Mute,
  messageOf,
  mute,
  type OwnRoom,
  type Room,
  unmute,
} from "../api.ts";
import { PageElement } from "../page-element.ts";
import "../erase/erase-sender.ts";
import "../export/room-export.ts";
import { SessionController } from "../session.ts";
import { dateAndTime } from "../times.ts";
import { archiveWords } from "./archive-words.ts";
import { retentionFields, retentionOf, shortened, shorteningNotice } from "./retention-fields.ts";

/** The lengths of a mute that the page offers, in minutes; 0: forever. */
const MUTE_LENGTHS = [
  [10, "10 minutes"],
  [60, "1 hour"],
  [24 * 60, "1 day"],
  [0, "forever"],
] as const;

/**
 * For the owner of a room alone: a button, and behind it what they decide: its name and topic, who may write, who is muted,
 * whose messages are erased, its end. And its download.
 *
 * @event room-changed - The room is saved; `detail` is the room as it is now.
 * @event room-deleted - The room is gone.
 */
@customElement("site-settings")
export class RoomSettings extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  /** What only the owner sees. */
  @state() private own: { room: OwnRoom; mutes: Mute[]; archive: ArchiveState } | undefined;
  @state() private busy = false;
  @state() private problem = "";
  @state() private muteProblem = "";
  @state() private said = "";
  @state() private typedId = "";
  /** The owner has been told that messages older than so many days will be deleted. */
  @state() private warnedOf: number | undefined;
  readonly #session = new SessionController(this);

  override render() {
    if (!this.room || !this.#session.owns(this.room)) return nothing;
    return html`
      <button type="button" class="button compact" aria-haspopup="dialog" title="Settings" @click=${this.#open}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M4 7h9m5 0h2M4 17h2m5 0h9" /><circle cx="15.5" cy="7" r="2.5" /><circle cx="8.5" cy="17" r="2.5" />
        </svg>
        <span class="tool-words">Settings</span>
      </button>
      <dialog closedby="any" class="drawer" aria-labelledby="settings-title">
        <div class="dialog-head">
          <h2 id="settings-title" tabindex="-1" autofocus>Settings</h2>
          <button type="button" class="icon-button" aria-label="Close" @click=${() => this.#dialog.close()}>
            <svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18" /></svg>
          </button>
        </div>
        <div class="dialog-body">
          ${this.own ? this.#renderSettings(this.own) : this.#renderWait()}
          <p role="status" class="visually-hidden">${this.said}</p>
        </div>
      </dialog>
    `;
  }

  get #dialog(): HTMLDialogElement {
    return this.querySelector("dialog") as HTMLDialogElement;
  }

  #renderSettings({ room, mutes, archive }: { room: OwnRoom; mutes: Mute[]; archive: ArchiveState }) {
    return html`${this.#renderArchive(archive)} ${this.#renderRoom(room)} ${this.#renderMutes(mutes)}
      ${this.#renderErase(room)} ${this.#renderExport(room)} ${this.#renderEnd(room)}`;
  }

  #renderArchive(archive: ArchiveState) {
    const words = archiveWords(archive);
    return words === "" ? nothing : html`<p class="notice" role="status">${words}</p>`;
  }

  #renderWait() {
    if (this.problem === "") return html`<p role="status" class="muted">Loading…</p>`;
    return html`
      <div class="notice problem row" role="alert">
        <p>${this.problem}</p>
        <button type="button" class="button compact" @click=${this.#load}>Try again</button>
      </div>
    `;
  }

  #renderRoom(room: OwnRoom) {
    return html`
      <form class="settings-part" @submit=${this.#save}>
        <h3>The room</h3>
        <div class="field">
          <label for="set-name">Name</label>
          <input
            id="set-name" class="input" name="name" required maxlength=${LIMITS.roomName} autocomplete="off"
            .value=${room.name}
          />
        </div>
        <div class="field">
          <label for="set-topic">Topic</label>
          <textarea
            id="set-topic" class="input" name="topic" maxlength=${LIMITS.roomTopic} rows="2"
            .value=${room.topic}
          ></textarea>
        </div>
        <label class="check">
          <input type="checkbox" name="listed" .checked=${room.listed} />
          <span>Listed <span class="muted small">under Rooms</span></span>
        </label>
        <label class="check">
          <input type="checkbox" name="guests" .checked=${room.guests === "write"} />
          <span>Guests may write <span class="muted small">without a key; everybody may always read</span></span>
        </label>
        <div class="field">
          <label for="set-guard">Agent message limit</label>
          <input
            id="set-guard" class="input" name="loopGuard" type="number" min="0" max=${LONGEST_LOOP_GUARD} step="1" required
            aria-describedby="set-guard-hint"
            .value=${String(room.loopGuard)}
          />
          <p id="set-guard-hint" class="hint">
            After this many messages by agents in a row, they wait for a person. 0 means no limit.
          </p>
        </div>
        <div class="field">
          <label for="set-origins">Pages that may write here</label>
          <textarea
            id="set-origins" class="input mono" name="origins" rows="2" spellcheck="false"
            placeholder="Any page" aria-describedby="set-origins-hint"
            .value=${room.origins.join("\n")}
          ></textarea>
          <p id="set-origins-hint" class="hint">
            One origin per line, such as https://example.com. Empty means any page. This page can always write.
          </p>
        </div>
        ${retentionFields(room)}
        ${
          this.warnedOf === undefined
            ? nothing
            : html`<p class="notice problem" role="alert">${shorteningNotice(this.warnedOf)}</p>`
        }
        ${this.problem ? html`<p class="notice problem" role="alert">${this.problem}</p>` : nothing}
        <div class="row">
          <button type="submit" class="button primary" ?disabled=${this.busy}>${this.busy ? "Saving…" : "Save"}</button>
          <span class="muted small">${this.said}</span>
        </div>
      </form>
    `;
  }

  #renderMutes(mutes: Mute[]) {
    return html`
      <section class="settings-part" aria-labelledby="mutes-title">
        <h3 id="mutes-title">Muted</h3>
        ${
          mutes.length === 0
            ? html`<p class="muted small">Nobody. Who is muted reads on, and can't write.</p>`
            : html`<ul class="mutes">${mutes.map(this.#renderMute)}</ul>`
        }
        <form class="mute-form" @submit=${this.#mute}>
          <div class="field">
            <label for="mute-sender">Name</label>
            <input
              id="mute-sender" class="input mono" name="sender" required autocomplete="off" autocapitalize="none"
              spellcheck="false" placeholder="~brisk-lynx-4f2a9c"
            />
          </div>
          <div class="field">
            <label for="mute-length">How long</label>
            <select id="mute-length" class="input" name="minutes">
              ${MUTE_LENGTHS.map(([minutes, words]) => html`<option value=${minutes}>${words}</option>`)}
            </select>
          </div>
          <button type="submit" class="button" ?disabled=${this.busy}>Mute</button>
        </form>
        <p class="key-problem" role="alert">${this.muteProblem}</p>
      </section>
    `;
  }

  readonly #renderMute = ({ sender, until }: Mute) => html`
    <li>
      <span>
        <span class="handle">${sender}</span>
        <span class="muted small">${until ? `until ${dateAndTime(until)}` : "forever"}</span>
      </span>
      <button
        type="button"
        class="button compact"
        ?disabled=${this.busy}
        @click=${() => this.#changeMutes((key, id) => unmute(key, id, sender), `${sender} may write again.`)}
      >
        Unmute<span class="visually-hidden"> ${sender}</span>
      </button>
    </li>
  `;

  #renderErase(room: Room) {
    return html`
      <section class="settings-part" aria-labelledby="erase-title">
        <h3 id="erase-title">Erase messages</h3>
        <site-erase .room=${room}></site-erase>
      </section>
    `;
  }

  #renderExport(room: Room) {
    return html`
      <section class="settings-part" aria-labelledby="export-title">
        <h3 id="export-title">Download</h3>
        <site-export .room=${room}></site-export>
      </section>
    `;
  }

  #renderEnd(room: Room) {
    return html`
      <form class="settings-part" @submit=${this.#delete}>
        <h3>Delete room</h3>
        <p class="muted small">Deletes the room and every message in it, for everybody and forever.</p>
        <div class="field">
          <label for="end-id">Type <span class="mono">${room.id}</span> to delete it</label>
          <input
            id="end-id" class="input mono" autocomplete="off" autocapitalize="none" spellcheck="false"
            .value=${this.typedId}
            @input=${(event: Event) => {
              this.typedId = (event.target as HTMLInputElement).value;
            }}
          />
        </div>
        <div>
          <button type="submit" class="button danger" ?disabled=${this.busy || this.typedId !== room.id}>
            Delete room
          </button>
        </div>
      </form>
    `;
  }

  #open(): void {
    this.problem = "";
    this.said = "";
    this.typedId = "";
    this.warnedOf = undefined;
    this.own = undefined;
    this.muteProblem = "";
    this.#dialog.showModal();
    this.#load();
  }

  #save(event: SubmitEvent): void {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(fields.get(name));
    const retention = retentionOf(fields);
    const kept = this.own && shortened(this.own.room, retention.keepDays);
    const isWarned = kept === this.warnedOf;
    this.warnedOf = kept;
    if (!isWarned) {
      this.said = "";
      return;
    }
    this.#attempt(async (key, id) => {
      const room = await changeRoom(key, id, {
        name: text("name"),
        topic: text("topic"),
        listed: fields.has("listed"),
        guests: fields.has("guests") ? "write" : "read",
        loopGuard: Number(text("loopGuard")),
        origins: text("origins").split(/\s+/).filter(Boolean),
        ...retention,
      });
      this.warnedOf = undefined;
      if (this.own) this.own = { ...this.own, room };
      this.said = "Saved.";
      this.dispatchEvent(new CustomEvent("room-changed", { detail: room }));
    });
  }

  #delete(event: SubmitEvent): void {
    event.preventDefault();
    if (this.typedId !== this.room?.id) return;
    this.#attempt(async (key, id) => {
      await deleteRoom(key, id);
      this.dispatchEvent(new Event("room-deleted"));
    });
  }

  #mute(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const fields = new FormData(form);
    const sender = String(fields.get("sender")).trim();
    const minutes = Number(fields.get("minutes"));
    const until = minutes > 0 ? new Date(Date.now() + minutes * 60_000) : undefined;
    this.#changeMutes(async (key, id) => {
      await mute(key, id, sender, until);
      form.reset();
    }, `${sender} is muted.`);
  }

  #load(): Promise<void> {
    return this.#attempt(async (key, id) => {
      const [room, mutes] = await Promise.all([getOwnRoom(key, id), listMutes(key, id)]);
      this.own = { room, mutes, archive: room.archive };
    });
  }

  async #changeMutes(action: (key: string, id: string) => Promise<void>, done: string): Promise<void> {
    this.muteProblem = "";
    await this.#attempt(
      async (key, id) => {
        await action(key, id);
        const mutes = await listMutes(key, id);
        if (this.own) this.own = { ...this.own, mutes };
        this.said = done;
      },
      (problem) => {
        this.muteProblem = problem;
      },
    );
  }

  async #attempt(
    action: (key: string, id: string) => Promise<void>,
    refuse = (problem: string) => {
      this.problem = problem;
    },
  ): Promise<void> {
    const key = this.#session.current?.key;
    if (key === undefined || this.room === undefined) return;
    this.busy = true;
    this.problem = "";
    this.said = "";
    try {
      await action(key, this.room.id);
    } catch (error) {
      refuse(messageOf(error));
    } finally {
      this.busy = false;
    }
  }
}
