/**
 * What is read of a room over HTTP. The window somewhere else than at the newest end: it grows by pages that were read, moves
 * to a message far away, and takes along what its messages reply to. And what concerns the reader alone.
 */

import type { Message, Names, Seq } from "../../party/protocol.ts";
import type { PendingMessage } from "../stay/outbox.ts";
import { RoomError } from "../stay/room-error.ts";
import { withChanges } from "../stay/with-changes.ts";
import { isAtHead, isStart, type RoomState, TAIL, WINDOW } from "./room-state.ts";

/** What was read of the log beyond the window. */
export type LogEvent =
  /** A page: `older` and `newer` go on from the window, `around` replaces it. */
  | {
      readonly type: "page";
      readonly where: "older" | "newer" | "around";
      readonly messages: readonly Message[];
      readonly names?: Names | undefined;
    }
  /** A message that others reply to. */
  | { readonly type: "quoted"; readonly message: Message }
  /**
   * What the reader has said and a moderator has not seen. `asked`: what was known to wait when that was asked for.
   * `refusals`: those that came since then, by the id of the message.
   */
  | {
      readonly type: "held";
      readonly held: readonly HeldMessage[];
      readonly asked: readonly string[];
      readonly refusals: ReadonlyMap<string | undefined, RoomError>;
    }
  | { readonly type: "spared"; readonly spared: readonly string[] };

/** A message that waits for a moderator, as its author is told of it. */
export interface HeldMessage {
  /** The id that its author gave it. */
  readonly messageId: string;
  readonly sender: string;
  readonly content: string;
  readonly replyTo?: Seq | null;
  /** ISO 8601. */
  readonly at: string;
}

export function reduceLog(state: RoomState, event: LogEvent): RoomState {
  if (event.type === "quoted") return quote(state, event.message);
  if (event.type === "held") return { ...state, pending: withHeld(state, event) };
  if (event.type === "spared") return { ...state, spared: event.spared };
  const names = { ...state.names, ...event.names };
  return page({ ...state, names }, event.where, event.messages);
}

function page(state: RoomState, where: "older" | "newer" | "around", page: readonly Message[]): RoomState {
  // A page may be older than what is known of it: D1 hears of a deletion after the room.
  const read = withChanges(page, [...page, ...state.messages, ...state.tail]);
  if (where === "around") return around(state, read);
  const first = state.messages[0]?.seq ?? state.head + 1;
  const last = state.messages.at(-1)?.seq ?? state.head;
  if (where === "older") {
    const older = read.filter(({ seq }) => seq < first);
    if (read.length === 0) return { ...state, atStart: true };
    // A page that does not reach the window would leave a hole.
    if (older.at(-1)?.seq !== first - 1) return state;
    const messages = [...older, ...state.messages];
    const start = isStart(messages, false);
    if (messages.length <= WINDOW) return { ...state, messages, atStart: start };
    const cut = messages.slice(WINDOW);
    const tail = isAtHead(state) ? cut.slice(-TAIL) : state.tail;
    return { ...state, messages: messages.slice(0, WINDOW), tail, atStart: start, following: false };
  }
  const newer = read.filter(({ seq }) => seq > last);
  if (isAtHead(state) || newer[0]?.seq !== last + 1) return state;
  return join({ ...state, messages: [...withChanges(state.messages, newer), ...newer] });
}

/** A window somewhere else. */
function around(state: RoomState, messages: readonly Message[]): RoomState {
  if (messages.length === 0) return state;
  const newest = isAtHead(state) ? state.messages.slice(-TAIL) : state.tail;
  const moved = { ...state, messages, tail: newest, following: false };
  return join({ ...moved, atStart: isStart(messages, false) });
}

/** As many as the window has rows at most: what one of them answers is not let go of. */
function quote(state: RoomState, message: Message): RoomState {
  const read = withChanges([message], [...state.messages, ...state.tail]);
  return { ...state, quoted: [...state.quoted, ...read].slice(-WINDOW) };
}

/** Joins window and tail where they meet, and keeps the window in bounds by letting its oldest go. */
function join(state: RoomState): RoomState {
  const last = state.messages.at(-1)?.seq ?? 0;
  const rest = state.tail.filter(({ seq }) => seq > last);
  const meets = rest.length === 0 || rest[0]?.seq === last + 1;
  const messages = meets ? [...state.messages, ...rest] : state.messages;
  const tail = meets ? [] : state.tail;
  if (messages.length <= WINDOW) return { ...state, messages, tail };
  return { ...state, messages: messages.slice(-WINDOW), tail, atStart: false };
}

/**
 * Shows what waits for a moderator, also what an earlier visit has said. What waited and does not any more was refused: an
 * approved message is in the log.
 */
function withHeld(
  { pending, messages, tail, you }: RoomState,
  { held, asked, refusals }: Extract<LogEvent, { type: "held" }>,
): readonly PendingMessage[] {
  const isKept = (id: string) =>
    [...messages, ...tail].some((message) => message.id === id && message.sender === you?.sender);
  const waiting = held
    .filter(({ sender, messageId }) => sender === you?.sender && !isKept(messageId))
    .map(({ messageId: id, content, replyTo, at }): PendingMessage => {
      const error = refusals.get(id) ?? new RoomError("held", "A moderator sees it first");
      return { id, content, ...(replyTo && { replyTo }), since: Date.parse(at), state: "failed", error };
    });
  const rest = pending
    .filter(({ id }) => !waiting.some((one) => one.id === id))
    .map((message) =>
      asked.includes(message.id) && message.error?.code === "held"
        ? { ...message, error: new RoomError("forbidden", "A moderator has refused this message.") }
        : message,
    );
  return [...rest, ...waiting].sort((a, b) => a.since - b.since);
}
