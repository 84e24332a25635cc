/** Below a message that the room does not have: whether it is on its way, and what can be done with a refused one. */

import { html, nothing, svg, type TemplateResult } from "lit";
import type { RoomActions } from "../actions.ts";
import { icon } from "../icons.ts";
import type { Strings } from "../strings/strings.ts";
import type { Row } from "./row.ts";

const alertIcon = icon(svg`<path d="M8 2 14.5 13.5h-13ZM8 6.5v3M8 11.5h.01" />`);

export function delivery(
  { message, state, heldFor, canWrite }: Row,
  strings: Strings,
  actions: RoomActions,
): TemplateResult {
  if (state !== "failed") {
    const text =
      state === "held"
        ? strings.held(heldFor)
        : state === "waiting"
          ? (strings.refusals.held ?? "A moderator sees it first")
          : state === "sent"
            ? strings.sending
            : strings.queued;
    return html`<p class="delivery">${text}</p>`;
  }
  return html`<p class="delivery failed">${alertIcon} ${strings.failed}
    ${canWrite ? html`<button type="button" @click=${async () => (await actions.author())?.retry(message.id)}>${strings.retry}</button>` : nothing}
    <button type="button" @click=${async () => (await actions.author())?.discard(message.id)}>${strings.discard}</button>
  </p>`;
}
