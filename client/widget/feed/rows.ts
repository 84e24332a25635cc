/** From a room's state to the rows of the log: who leads a run, what is quoted, where a day begins. */

import { personOf } from "../../../party/mentions.ts";
import type { Message, Seq } from "../../../party/protocol.ts";
import type { RoomState } from "../../view/room-state.ts";
import { decides, isAtHead, quotedAt } from "../../view/room-state.ts";
import type { Row } from "../message/row.ts";
import { dayOf } from "../time.ts";

/** What stands in the log: a message, the name of a day, or the line above the first message that is new. */
export type Item =
  | { readonly kind: "row"; readonly key: string; readonly row: Row }
  | { readonly kind: "day"; readonly key: string; readonly createdAt: string }
  | { readonly kind: "unread"; readonly key: string };

/** A run ends when its sender has been silent for this long, ms. */
const RUN = 5 * 60_000;

export function itemsOf(state: RoomState, unreadFrom: Seq | undefined, now: number, canWrite: boolean): Item[] {
  const items: Item[] = [];
  const me = state.you?.sender;
  const mayDecide = decides(state);
  let before: Message | undefined;

  const push = (message: Message, rowState: Row["state"], heldFor = 0, mayWrite = canWrite) => {
    const sameDay = before !== undefined && dayOf(before) === dayOf(message);
    if (!sameDay) items.push({ kind: "day", key: `day ${dayOf(message)}`, createdAt: message.createdAt });
    // The first of them in the window is the first there is only if the window begins before it.
    const isUnread =
      unreadFrom !== undefined &&
      rowState === "kept" &&
      message.seq >= unreadFrom &&
      (before ?? state.messages[0] ?? message).seq < unreadFrom;
    if (isUnread) items.push({ kind: "unread", key: "unread" });
    const leads =
      !sameDay ||
      isUnread ||
      before?.sender !== message.sender ||
      message.replyTo !== undefined ||
      Date.parse(message.createdAt) - Date.parse(before.createdAt) > RUN;
    const isBelow = mayDecide && !state.spared.includes(message.sender);
    const key = `${message.sender} ${message.id}`;
    const own = message.sender === me || (rowState !== "kept" && rowState !== "draft");
    const answers = message.replyTo === undefined ? undefined : (quotedAt(state, message.replyTo) ?? "earlier");
    const deletable =
      rowState === "kept" && state.status === "open" && (isBelow || own || personOf(message.sender) === me);
    const row: Row = {
      key,
      message,
      state: rowState,
      leads,
      answers,
      heldFor,
      own,
      name: state.names[message.sender],
      answeredName: typeof answers === "object" ? state.names[answers.sender] : undefined,
      deletable,
      mutable: isBelow && !own,
      canWrite: mayWrite,
    };
    items.push({ kind: "row", key, row });
    before = message;
  };

  for (const message of state.messages) if (message.kind === "text") push(message, "kept");
  // What is not in the log yet stands at its end, and only there.
  if (!isAtHead(state)) return items;
  for (const draft of state.drafts) {
    const { id, sender, content, replyTo } = draft;
    if (content !== "" && sender !== me) push(unkept(id, sender, content, now, replyTo), "draft");
  }
  for (const { id, content, replyTo, answer, since, state: pendingState, error } of state.pending) {
    // The card of its ask shows it.
    if (answer) continue;
    const rowState = error?.code === "held" ? "waiting" : pendingState;
    const heldFor = rowState === "held" ? Math.max(0, Math.ceil((state.heldUntil - now) / 1000)) : 0;
    // What was forbidden once would be again, under this id. Who was muted may be so no more: nobody tells them.
    const mayAgain = canWrite && error?.code !== "forbidden";
    push(unkept(id, me ?? "", content, since, replyTo), rowState, heldFor, mayAgain);
  }
  return items;
}

/** A message that the room does not have yet. */
function unkept(id: string, sender: string, content: string, since: number, replyTo: Seq | undefined): Message {
  const createdAt = new Date(since).toISOString();
  return { seq: 0, id, kind: "text", sender, content, createdAt, ...(replyTo !== undefined && { replyTo }) };
}
