import { html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { HoldRule, LinkRule } from "../../../party/protocol.ts";
import { changeRoom, getOwnRoom, type OwnRoom, type Room } from "../api.ts";
import { Attempt } from "../attempt.ts";
import { PageElement } from "../page-element.ts";

/** How much time a room may want between two messages, in seconds. */
const SLOW = [
  [0, "no wait"],
  [5, "5 seconds"],
  [30, "30 seconds"],
  [60, "1 minute"],
  [300, "5 minutes"],
  [3600, "1 hour"],
] as const;

const HOLD: readonly (readonly [HoldRule, string])[] = [
  ["nobody", "nobody's messages"],
  ["guests", "messages of guests"],
  ["newcomers", "messages of people who have none here yet"],
];

const LINKS: readonly (readonly [LinkRule, string])[] = [
  ["anyone", "shown at once"],
  ["members", "shown at once by members, others wait"],
];

/** For the owner of a room: how fast people may write, whose messages a moderator sees first, and what nobody may say. */
@customElement("site-rules")
export class Rules extends PageElement {
  @property({ attribute: false }) room: Room | undefined;
  @state() private own: OwnRoom | undefined;
  readonly #attempt = new Attempt(this);

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#attempt.run(async (key) => {
      this.own = await getOwnRoom(key, this.room?.id ?? "");
      return undefined;
    });
  }

  override render() {
    const { own } = this;
    return html`
      <form class="settings-part" @submit=${this.#save}>
        <h3>Rules</h3>
        ${own ? this.#renderFields(own) : nothing}
        ${this.#attempt.render()}
      </form>
    `;
  }

  #renderFields({ slow, hold, links, blocked }: OwnRoom) {
    const known = SLOW.some(([seconds]) => seconds === slow);
    const speeds = known ? SLOW : [...SLOW, [slow, `${slow} seconds`] as const];
    const field = (
      name: string,
      label: string,
      options: readonly (readonly [string | number, string])[],
      now: string | number,
    ) => html`
      <div class="field">
        <label for="rule-${name}">${label}</label>
        <select id="rule-${name}" class="input" name=${name}>
          ${options.map(([value, words]) => html`<option value=${value} ?selected=${value === now}>${words}</option>`)}
        </select>
      </div>
    `;
    return html`
      ${field("slow", "Between two messages of one sender", speeds, slow)}
      ${field("hold", "A moderator sees first", HOLD, hold)}
      ${field("links", "Messages with links", LINKS, links)}
      <div class="field">
        <label for="rule-blocked">Blocked words</label>
        <textarea
          id="rule-blocked" class="input" name="blocked" rows="2" aria-describedby="rule-blocked-hint"
          .value=${blocked.join("\n")}
        ></textarea>
        <p id="rule-blocked-hint" class="hint">One on each line. A message with one of them is refused.</p>
      </div>
      <p class="muted small">The owner and the moderators are bound by none of them.</p>
      <div><button type="submit" class="button primary" ?disabled=${this.#attempt.busy}>Save rules</button></div>
    `;
  }

  #save(event: SubmitEvent): void {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(fields.get(name));
    void this.#attempt.run(async (key) => {
      const changed = await changeRoom(key, this.room?.id ?? "", {
        slow: Number(text("slow")),
        hold: text("hold") as HoldRule,
        links: text("links") as LinkRule,
        blocked: text("blocked")
          .split("\n")
          .map((word) => word.trim())
          .filter(Boolean),
      });
      this.own = { ...this.own, ...changed };
      return "Saved.";
    });
  }
}
