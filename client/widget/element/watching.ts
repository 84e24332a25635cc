/** In place of the field: why one only reads, and the way to a key where that helps. */

import { html, type TemplateResult } from "lit";
import { membersWords } from "./members.en.ts";
import type { RoomController, RoomHost } from "./room-controller.ts";
import { wayToKey } from "./way-to-key.ts";

/** `page`: the address of the room's own page. */
export function watching(element: RoomHost, { state }: RoomController, page: string): TemplateResult {
  const { texts: strings } = element;
  const words = membersWords(strings);
  if (state.room?.closed) return html`${words.closed}`;
  if (state.you?.role === "reader") return html`${words.readOnly}`;
  return html`${strings.readOnlyGuests} ${wayToKey(element, page, strings)}`;
}
