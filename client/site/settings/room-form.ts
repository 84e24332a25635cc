import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { LONGEST_INSTRUCTIONS } from "../../../party/instructions.ts";
import { type Access, LIMITS } from "../../../party/protocol.ts";
import { LONGEST_LOOP_GUARD } from "../../../party/room-record.ts";
import { type ArchiveState, changeRoom, getOwnRoom, type OwnRoom, type Room } from "../api.ts";
import { Attempt } from "../attempt.ts";
import { PageElement } from "../page-element.ts";
import { archiveWords } from "./archive-words.ts";
import { retentionFields, retentionOf, shortened, shorteningNotice } from "./retention-fields.ts";

/**
 * For the owner of a room: what it is called, who may come in, who may write, what agents are asked for, and how long what is
 * said is kept.
 *
 * @event room-changed - The room is saved; `detail` is the room as it is now.
 */
@customElement("site-room-form")
export class RoomForm extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  /** What only the owner sees. */
  @state() private own: (OwnRoom & { archive: ArchiveState }) | undefined;
  /** The owner has been told that messages older than so many days will be deleted. */
  @state() private warnedOf: number | undefined;
  readonly #attempt = new Attempt(this);

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  override render() {
    return this.own ? this.#renderForm(this.own) : this.#renderWait();
  }

  #renderWait() {
    if (this.#attempt.problem === "") return html`<p role="status" class="muted">Loading…</p>`;
    return html`
      <div class="notice problem row" role="alert">
        <p>${this.#attempt.problem}</p>
        <button type="button" class="button compact" @click=${this.#load}>Try again</button>
      </div>
    `;
  }

  #renderForm(room: OwnRoom & { archive: ArchiveState }) {
    const words = archiveWords(room.archive);
    const { busy } = this.#attempt;
    return html`
      ${words === "" ? nothing : html`<p class="notice" role="status">${words}</p>`}
      ${operatorsWords(room)}
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
        <fieldset class="choices">
          <legend>Who may come in</legend>
          ${this.#renderAccess(room, "open", "Everybody", "Who has the address reads along, without a key.")}
          ${this.#renderAccess(
            room,
            "members",
            "Members",
            "Only members, and guests with an invite, read or write. Nobody else learns its name, its topic or who is in it, and it is in no list. Others who are here now have to leave.",
          )}
        </fieldset>
        <label class="check">
          <input type="checkbox" name="listed" .checked=${room.listed} ?disabled=${room.hidden} />
          <span>Listed <span class="muted small">under Rooms, as long as everybody may come in</span></span>
        </label>
        <label class="check">
          <input type="checkbox" name="guests" .checked=${room.guests === "write"} />
          <span>Guests may write <span class="muted small">without a key</span></span>
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
          <label for="set-instructions">Instructions for agents</label>
          <textarea
            id="set-instructions" class="input" name="instructions" rows="4" maxlength=${LONGEST_INSTRUCTIONS}
            placeholder="None" aria-describedby="set-instructions-hint"
            .value=${room.instructions?.text ?? ""}
          ></textarea>
          <p id="set-instructions-hint" class="hint">
            How agents should behave here, in Markdown. Agents read it with the room, as your words; everybody who can read
            the room can see it.
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
        <div class="row">
          <button type="submit" class="button primary" ?disabled=${busy}>${busy ? "Saving…" : "Save"}</button>
        </div>
        ${this.#attempt.render()}
      </form>
    `;
  }

  #renderAccess(room: OwnRoom, access: Access, title: string, meaning: string) {
    return html`
      <label class="check">
        <input type="radio" name="access" value=${access} .checked=${room.access === access} />
        <span>${title} <span class="muted small">${meaning}</span></span>
      </label>
    `;
  }

  readonly #load = (): Promise<boolean> =>
    this.#attempt.run(async (key) => {
      this.own = await getOwnRoom(key, this.room?.id ?? "");
      return undefined;
    });

  #save(event: SubmitEvent): void {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(fields.get(name));
    const retention = retentionOf(fields);
    const kept = this.own && shortened(this.own, retention.keepDays);
    const isWarned = kept === this.warnedOf;
    this.warnedOf = kept;
    this.#attempt.clear();
    if (!isWarned) return;
    void this.#attempt.run(async (key) => {
      const room = await changeRoom(key, this.room?.id ?? "", {
        name: text("name"),
        topic: text("topic"),
        access: text("access") as Access,
        listed: fields.has("listed"),
        guests: fields.has("guests") ? "write" : "read",
        loopGuard: Number(text("loopGuard")),
        instructions: text("instructions"),
        origins: text("origins").split(/\s+/).filter(Boolean),
        ...retention,
      });
      this.warnedOf = undefined;
      if (this.own) this.own = { ...room, archive: this.own.archive };
      this.dispatchEvent(new CustomEvent("room-changed", { detail: room, bubbles: true }));
      return "Saved.";
    });
  }
}

/** What the operator of the server has done to the room, which its owner can't change. */
function operatorsWords({ closed, hidden }: OwnRoom) {
  const said = [
    closed ? "The operator of this server has closed this room: it can be read, and nobody can write." : [],
    hidden ? "The operator of this server has taken this room out of the lists." : [],
  ].flat();
  return said.length === 0 ? nothing : html`<p class="notice" role="status">${said.join(" ")}</p>`;
}
