import { html, type TemplateResult } from "lit";
import type { RoomInfo } from "../../../party/protocol.ts";
import { decides, type RoomState } from "../../view/room-state.ts";
import { wanted } from "../ask/may-answer.ts";
import { enterAsk, tellWanted } from "../ask/wanted.ts";
import { askWords } from "../ask/words.en.ts";
import { loadTools } from "../message/message.ts";
import { nameText } from "../sender.ts";
import type { Strings } from "../strings/strings.ts";
import type { MeetAiRoom } from "./meet-ai-room.ts";
import { type MembersWords, membersWords } from "./members.en.ts";

const shown = new WeakMap<MeetAiRoom, RoomInfo>();

/** Says it when the room that an element shows is closed, or opened again. Not while it is being rendered. */
function tellClosed(element: MeetAiRoom, now: RoomInfo, words: MembersWords): void {
  const before = shown.get(element);
  shown.set(element, now);
  if (before?.id === now.id && before.closed !== now.closed)
    queueMicrotask(() => element.feed?.actions.say(now.closed ? words.closed : words.reopened));
}

/** What waits for the person here, answers and a moderator's decisions; else who writes just now, as far as that is all that is known. */
export function writers(state: RoomState, strings: Strings, room: MeetAiRoom): string | TemplateResult {
  const { waiting = 0 } = state.waiting ?? {};
  const asks = wanted(state);
  tellWanted(room, asks.length);
  if (state.room) tellClosed(room, state.room, membersWords(strings));
  const newest = asks.at(-1);
  const waits = [
    newest && waitingButton(askWords(strings).wanted(asks.length), () => enterAsk(room, newest.seq)),
    decides(state) && waiting > 0 && waitingButton(membersWords(strings).waiting(waiting), () => moderate(room)),
  ].filter(Boolean);
  if (waits.length > 0) return html`${waits}`;
  const names = new Set(state.drafts.filter(({ content }) => !content).map(({ sender }) => sender));
  names.delete(state.you?.sender ?? "");
  return names.size > 0 ? strings.areWriting([...names].map((sender) => nameText(sender, state.names[sender]))) : "";
}

const waitingButton = (text: string, act: () => void): TemplateResult =>
  html`<button class="waiting" type="button" @click=${act}>${text}</button> `;

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
