/** Who may answer an ask, as far as a reader's page can tell. The room decides. */

import type { Message } from "../../../party/protocol.ts";
import type { RoomState } from "../../view/room-state.ts";
import { senderKind } from "../sender.ts";

/** Whether `me` may answer it. Who has no name yet gets one as a guest, by writing. */
export function mayAnswer({ ask, sender }: Message, me: string | undefined): boolean {
  if (!ask || ask.closed || sender === me) return false;
  if (ask.from !== "people") return ask.from.includes(me ?? "");
  const kind = me === undefined ? "guest" : senderKind(me);
  return kind === "guest" ? ask.guests === true : kind !== "agent";
}

/** The open asks in view that are addressed to the person here and that they have not answered, oldest first. */
export function wanted({ messages, pending, you, room }: RoomState): Message[] {
  if (!you || room?.closed) return [];
  const pressed = new Set(pending.map(({ state, answer }) => (state === "failed" ? undefined : answer?.target)));
  return messages.filter((message) => mayAnswer(message, you.sender) && !pressed.has(message.seq));
}
