/** The keys of the log: from message to message, and what each does with the message that has the focus. */

import type { RoomActions } from "../actions.ts";
import { enterNewestAsk } from "../ask/wanted.ts";
import type { MeetAiMessage } from "../message/message.ts";
import { askDelete, copyLink, enterTools } from "../message/open-tools.ts";

export interface FeedKeysContext {
  /** The rows, in order. */
  readonly rows: readonly MeetAiMessage[];
  readonly actions: RoomActions;
  focus(row: MeetAiMessage | undefined): void;
}

/** Does what a key asks for. On a focused message; in a button or a code block inside it keys keep their meaning. */
export function onFeedKey(event: KeyboardEvent, { rows, actions, focus }: FeedKeysContext): void {
  const row = event.target as MeetAiMessage;
  if (event.key === "Escape") {
    // A dialog around the room stays open.
    event.preventDefault();
    actions.compose();
    return;
  }
  if (row.localName !== "meet-ai-message" || event.ctrlKey || event.metaKey || event.altKey) return;
  const { message, state } = row.row;
  const step = (by: 1 | -1) => {
    const next = rows[rows.indexOf(row) + by];
    if (next) focus(next);
    else if (by === 1) actions.compose();
  };
  const act = {
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
    // Towards the buttons, on whichever side they are.
    ArrowRight: () => enterTools(row),
    ArrowLeft: () => enterTools(row),
    Home: () => focus(rows[0]),
    End: () => focus(rows.at(-1)),
    r: () => state === "kept" && !message.deleted && actions.reply(message),
    c: () => copyLink(row),
    a: () => enterNewestAsk(row),
    Delete: () => askDelete(row),
    Enter: () => message.replyTo !== undefined && actions.goTo(message.replyTo),
  }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}
