/** Instead of a room that the person may not read: why, and the ways in. */

import { html, type TemplateResult } from "lit";
import type { RoomError } from "../../stay/room-error.ts";
import { takeGuestsPlace } from "./guests-place.ts";
import { membersWords } from "./members.en.ts";
import type { RoomHost } from "./room-controller.ts";
import { wayToKey } from "./way-to-key.ts";

/**
 * `undefined` where the room is closed for another reason, or not at all. It says nothing of the room. `page`: the address
 * of the room's own page.
 */
export function barred(
  element: RoomHost & { reconnect(): void },
  error: RoomError | undefined,
  page: string,
): TemplateResult | undefined {
  const { key, invite, texts: strings } = element;
  const isOver = invite !== undefined && error?.about?.type === "hello" && error.code !== "unauthorized";
  // A room that only members read says so to who has shown no key; a key that is refused is another matter.
  const isBarred = isOver || error?.code === "forbidden" || (error?.code === "unauthorized" && key === undefined);
  if (!isBarred || !error) return undefined;
  const [server = "", room = ""] = page.split("/r/");
  const settled = (isTaken?: boolean) => (isTaken ? element.reconnect() : element.requestUpdate());
  const words = membersWords(strings);
  return html`<div class="barred" role="status">${
    // Perhaps they may come in: until that is known, it is not said that they may not.
    key !== undefined && takeGuestsPlace({ server, room }, key, error, settled)
      ? strings.status.connecting
      : html`<h2>${words.barred}</h2>
    <p>${isOver ? words.inviteOver : words.hint}</p>
    <p>${wayToKey(element, page, strings)}
      <button type="button" @click=${() => element.reconnect()}>${strings.reconnect}</button></p>`
  }</div>`;
}
