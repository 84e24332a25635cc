import { html, type TemplateResult } from "lit";
import { decides, type RoomState } from "../../view/room-state.ts";
import { loadTools } from "../message/message.ts";
import { nameText } from "../message/sender-name.ts";
import type { Strings } from "../strings/strings.ts";
import type { MeetAiRoom } from "./meet-ai-room.ts";
import { membersWords } from "./members.en.ts";

/** Who else writes just now, as far as it is known only that they do; for a moderator, that messages wait for them. */
export function writers(state: RoomState, strings: Strings, room: MeetAiRoom): string | TemplateResult {
  const { waiting = 0 } = state.waiting ?? {};
  if (decides(state) && waiting > 0) {
    return html`<button class="waiting" type="button" @click=${() => moderate(room)}>${membersWords(strings).waiting(waiting)}</button>`;
  }
  const names = new Set(state.drafts.filter(({ content }) => !content).map(({ sender }) => sender));
  names.delete(state.you?.sender ?? "");
  return names.size > 0 ? strings.areWriting([...names].map((sender) => nameText(sender, state.names[sender]))) : "";
}

/** Shows what moderators decide, and puts the focus there. */
async function moderate(room: MeetAiRoom): Promise<void> {
  room.showsPeople = true;
  await Promise.all([loadTools(), room.updateComplete]);
  const people = room.renderRoot.querySelector("meet-ai-people");
  if (!people) return;
  people.moderating = true;
  await people.updateComplete;
  people.querySelector<HTMLElement>(".moderate")?.focus({ preventScroll: true });
}
