/** That an answer of the person here is wanted: the page hears how many, and the way there. */

import type { Seq } from "../../../party/protocol.ts";
import type { MeetAiRoom } from "../element/meet-ai-room.ts";
import { MeetAiAskEvent } from "../events.ts";
import type { MeetAiMessage } from "../message/message.ts";
import type { MeetAiAsk } from "./ask.ts";
import { loadAsk } from "./below.ts";
import { wanted } from "./may-answer.ts";

const told = new WeakMap<MeetAiRoom, number>();

/** Tells the page when the number has changed. Not while the room is being rendered: a listener may change it. */
export function tellWanted(room: MeetAiRoom, count: number): void {
  if ((told.get(room) ?? 0) === count) return;
  told.set(room, count);
  queueMicrotask(() => room.dispatchEvent(new MeetAiAskEvent({ wanted: count })));
}

/** Goes to an ask, and puts the focus on its first answer. */
export async function enterAsk(room: MeetAiRoom, seq: Seq): Promise<void> {
  await Promise.all([room.scrollToMessage(seq), loadAsk()]);
  const card = room.feed?.querySelector<MeetAiAsk>(`meet-ai-message[data-seq="${seq}"] meet-ai-ask`);
  await card?.updateComplete;
  card?.enter();
}

/** From a message of the log to the newest ask that waits, if one does. */
export function enterNewestAsk(row: MeetAiMessage): void {
  const state = row.closest("meet-ai-feed")?.state;
  const newest = state && wanted(state).at(-1);
  if (newest) void enterAsk((row.getRootNode() as ShadowRoot).host as MeetAiRoom, newest.seq);
}
