/** Where one writes: the field, or why there is none. */

import { html, nothing, type TemplateResult } from "lit";
import { renderer } from "../lazy-renderer.ts";
import type { RoomController, RoomHost } from "./room-controller.ts";

/** `page`: the address of the room's own page. `memory`: the name under which the browser keeps an unfinished text. */
export function field(element: RoomHost, controller: RoomController, page: string, memory: string): TemplateResult {
  const { texts: strings } = element;
  const { state, canWrite, author, replyTo, notice } = controller;
  if (!canWrite) return html`<p class="watching" role="status">${renderer()?.watching(element, controller, page)}</p>`;
  if (state.room && !author) void controller.openComposer();
  return html`<meet-ai-composer title=${author ? nothing : strings.loading} .strings=${strings} .me=${state.you?.sender} .names=${state.names}
    .replyTo=${replyTo} .notice=${notice} .author=${author} .memory=${memory}></meet-ai-composer>`;
}
