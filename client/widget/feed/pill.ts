/** The button that leads to the newest message, with the number of those that have come meanwhile. */

import { html, nothing, svg, type TemplateResult } from "lit";
import { isAtHead } from "../../view/room-state.ts";
import { icon } from "../icons.ts";
import type { MeetAiFeed } from "./feed.ts";

const downIcon = icon(svg`<path d="M8 3v10M3.5 8.5 8 13l4.5-4.5" />`);

export function pill({ state, strings, unseen, actions }: MeetAiFeed): TemplateResult | typeof nothing {
  if (state.following && isAtHead(state)) return nothing;
  const count = unseen > 0 ? strings.newMessages(unseen) : undefined;
  return html`<button class="pill ${count ? "counting" : ""}" part="pill" type="button" title=${strings.toLatest}
    aria-label=${count ? `${count}. ${strings.toLatest}` : strings.toLatest}
    @click=${() => actions.latest()}>${count ?? nothing} ${downIcon}</button>`;
}
