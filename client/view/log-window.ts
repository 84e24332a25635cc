/**
 * The window somewhere else than at the newest end: it grows by pages that were read, moves to a message far away, and
 * takes along what its messages reply to.
 */

import type { Message, Names } from "../../party/protocol.ts";
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
  | { readonly type: "quoted"; readonly message: Message };

export function reduceLog(state: RoomState, event: LogEvent): RoomState {
  if (event.type === "quoted") return quote(state, event.message);
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
