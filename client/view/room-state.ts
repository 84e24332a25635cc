/**
 * What a room looks like to a reader: a pure function from events to a state, without a connection and
 * without a screen.
 *
 * The log can be longer than memory should hold, so the state holds a window: a run of messages without a hole. At
 * the newest end it follows the room. A reader further up keeps their place; what comes in the meantime goes
 * to `tail`, and the two are joined when they meet.
 */

import type { DraftChange, Message, Names, Presence, RoomInfo, Seq, Unheard, YouFrame } from "../../party/protocol.ts";
import type { PendingMessage } from "../stay/outbox.ts";
import { withChange } from "../stay/presence.ts";
import type { RoomError } from "../stay/room-error.ts";
import type { RoomEvent, Status } from "../stay/room-event.ts";
import { withChanges } from "../stay/with-changes.ts";

/** A message that is being written. */
export interface ShownDraft {
  readonly id: string;
  readonly sender: string;
  /** The text so far; empty when only "is writing" is known. */
  readonly content: string;
  /** The seq of the message that it answers. */
  readonly replyTo?: Seq | undefined;
}

export interface RoomState {
  readonly status: Status;
  /** Why the connection was closed or lost last. */
  readonly closeCode: number | undefined;
  readonly room: RoomInfo | undefined;
  readonly you: YouFrame | undefined;
  /** The history that the log belongs to: a seq names a message only together with it. */
  readonly epoch: string | undefined;
  /** The newest seq that is known of. */
  readonly head: Seq;
  /** The window: consecutive messages, oldest first, deletions among them. */
  readonly messages: readonly Message[];
  /** There is nothing before the window. */
  readonly atStart: boolean;
  /** When the window does not reach the newest message: the newest ones, consecutive. Else empty. */
  readonly tail: readonly Message[];
  /** Messages beyond the window that some in it answer, as far as they were read. */
  readonly quoted: readonly Message[];
  /** The reader is at the newest end, so that the window moves along. */
  readonly following: boolean;
  readonly drafts: readonly ShownDraft[];
  readonly people: readonly string[];
  readonly spectators: number;
  /** How agents hear; one that is in `people` and not in here is `live`. */
  readonly agents?: Presence["agents"] | undefined;
  /** Whom one's last message mentions in vain. */
  readonly unheard?: Unheard | undefined;
  /** What sites call their users, by sender. */
  readonly names: Names;
  /** What the reader has sent and the room does not have: on its way, oldest first, and what was refused. */
  readonly pending: readonly PendingMessage[];
  /** Until when what is pending waits for a refusal to pass, ms since 1970. */
  readonly heldUntil: number;
  /** Until when the room takes nothing more because of its slow mode, ms since 1970. */
  readonly slowUntil: number;
  /** How many messages of others wait for the reader, who moderates. Another object each time that the room tells it. */
  readonly waiting: { readonly waiting: number } | undefined;
  /** Against them the reader, who moderates, can do nothing: the owner, and who else moderates. */
  readonly spared: readonly string[];
  /** Why nothing that you write is taken, until something is, or its time is over. */
  readonly refusal: RoomError | undefined;
}

/** What a reader does that changes the state and asks for nothing. */
export type ReaderEvent =
  /** They are at the newest end, or have left it. */
  | { readonly type: "following"; readonly following: boolean }
  /** They have said something, and may say more only from `until` on, ms since 1970. */
  | { readonly type: "slow"; readonly until: number }
  /** The time is over for which they were refused. */
  | { readonly type: "passed"; readonly refusal: RoomError }
  /** They jump to the newest end. */
  | { readonly type: "latest" };

/** Messages in the window. One row each, so it bounds what a screen has to hold. */
export const WINDOW = 500;
/** A window that is full while the reader follows lets go of this many at once: each time, everything moves. */
const PRUNE = 100;
/** Refused messages that are kept for their author. */
const REFUSED = 50;
/** Newest messages that are kept while the window is elsewhere. */
export const TAIL = 100;

export const EMPTY_ROOM: RoomState = {
  status: "connecting",
  closeCode: undefined,
  room: undefined,
  you: undefined,
  epoch: undefined,
  head: 0,
  messages: [],
  atStart: false,
  tail: [],
  quoted: [],
  following: true,
  drafts: [],
  people: [],
  spectators: 0,
  names: {},
  pending: [],
  heldUntil: 0,
  slowUntil: 0,
  waiting: undefined,
  spared: [],
  refusal: undefined,
};

/** The state after what a room tells, or what its reader does. With pages of the log: `reduce`. */
export function reduceRoom(state: RoomState, event: RoomEvent | ReaderEvent): RoomState {
  switch (event.type) {
    case "status": {
      // Who may not read a room any more is shown nothing of it.
      const isBarred = event.error?.code === "forbidden" || event.error?.code === "conflict";
      return { ...(isBarred ? EMPTY_ROOM : state), status: event.status, closeCode: event.code };
    }
    case "welcome":
      return welcome(state, event.welcome, event.resumed);
    case "messages":
      return append(state, event.messages);
    case "presence":
      return { ...state, ...withChange(state, event.change) };
    case "drafts":
      return { ...state, drafts: withDrafts(state.drafts, event.drafts) };
    case "snapshot":
      return {
        ...state,
        ...(event.snapshot.presence && { agents: undefined, ...event.snapshot.presence }),
        drafts: event.snapshot.drafts ? withDrafts([], event.snapshot.drafts) : state.drafts,
      };
    case "names":
      return { ...state, names: { ...state.names, ...event.names } };
    case "room":
      return { ...state, room: event.room, refusal: lasting(state) };
    case "you":
      return { ...state, you: event.you, spared: [] };
    case "pending":
      return { ...state, pending: withPending(state.pending, event.pending), heldUntil: event.heldUntil };
    case "refused":
      return { ...state, pending: [...without(state.pending, event.message.id), event.message].slice(-REFUSED) };
    case "discarded":
      return { ...state, pending: without(state.pending, event.id) };
    case "answer":
      return event.answer.type === "ack" ? { ...state, pending: without(state.pending, event.answer.id) } : state;
    case "ready":
    case "delayed":
      return state;
    case "unheard":
      return { ...state, unheard: event };
    case "waiting":
      return { ...state, waiting: event };
    case "slow":
      return { ...state, slowUntil: event.until };
    case "error":
      return refused(state, event.error);
    case "passed":
      return event.refusal === state.refusal ? { ...state, refusal: undefined } : state;
    case "following":
      return event.following === state.following ? state : { ...state, following: event.following && isAtHead(state) };
    case "latest":
      return latest(state);
  }
}

/** Whether the window reaches the newest message. */
export const isAtHead = (state: RoomState): boolean => state.tail.length === 0;

/** Until when what the reader writes has to wait, ms since 1970. */
export const waitsUntil = ({ heldUntil, slowUntil }: RoomState): number => Math.max(heldUntil, slowUntil);

/** Whether the reader decides over others here. */
export const decides = ({ you }: RoomState): boolean => you?.owner === true || you?.role === "moderator";

/** The message `seq`, if the window holds it. */
export function messageAt({ messages }: RoomState, seq: Seq): Message | undefined {
  return messages[seq - (messages[0]?.seq ?? 0)];
}

/** The message `seq`, if it is in the window or was read because one in it answers it. */
export function quotedAt(state: RoomState, seq: Seq): Message | undefined {
  return messageAt(state, seq) ?? state.quoted.find((message) => message.seq === seq);
}

interface Welcome {
  readonly room: RoomInfo;
  readonly epoch: string;
  readonly head: Seq;
  readonly messages: readonly Message[];
  readonly presence: Presence;
  readonly drafts: readonly DraftChange[];
}

function welcome(state: RoomState, told: Welcome, resumed: boolean): RoomState {
  const { room, epoch, head, presence, drafts } = told;
  const common = {
    ...state,
    room,
    epoch,
    head,
    agents: undefined,
    ...presence,
    drafts: withDrafts([], drafts),
    refusal: lasting(state),
  };
  return resumed
    ? common
    : { ...common, messages: [], tail: [], quoted: [], atStart: !told.messages[0], following: true };
}

/** Live messages: into the window if the reader follows or there is room, else into the tail. A page may have been ahead. */
function append(state: RoomState, told: readonly Message[]): RoomState {
  const newest = (state.tail.at(-1) ?? state.messages.at(-1))?.seq ?? 0;
  const fresh = withChanges(
    told.filter(({ seq }) => seq > newest),
    told,
  );
  const ended = new Set(told.map(draftKey));
  const hasOwn = told.some(({ sender }) => sender === state.you?.sender);
  const common: RoomState = {
    ...state,
    head: Math.max(state.head, told.at(-1)?.seq ?? 0),
    drafts: state.drafts.some((draft) => ended.has(draftKey(draft)))
      ? state.drafts.filter((draft) => !ended.has(draftKey(draft)))
      : state.drafts,
    ...(hasOwn && { refusal: undefined, unheard: undefined }),
    // One that was refused, and has arrived after all.
    pending: state.pending.filter(({ id }) => !ended.has(`${state.you?.sender} ${id}`)),
    messages: withChanges(state.messages, told),
    tail: withChanges(state.tail, told),
    quoted: withChanges(state.quoted, told),
  };
  if (!isAtHead(state)) return { ...common, tail: [...common.tail, ...fresh].slice(-TAIL) };
  const messages = [...common.messages, ...fresh];
  if (messages.length <= WINDOW) return { ...common, messages, atStart: isStart(messages, common.atStart) };
  if (state.following) return { ...common, messages: messages.slice(PRUNE - WINDOW), atStart: false };
  return { ...common, messages: messages.slice(0, WINDOW), tail: messages.slice(WINDOW).slice(-TAIL) };
}

/** A message that waited for a moderator, who has refused it, stands there with that reason. */
function refused(state: RoomState, error: RoomError): RoomState {
  const { code, about } = error;
  const refusal = code === "muted" || code === "read_only" ? error : state.refusal;
  const id = about && "id" in about ? about.id : undefined;
  const pending = state.pending.map((message) =>
    message.id === id && message.error ? { ...message, error } : message,
  );
  return { ...state, refusal, pending };
}

/** What a room that is told of anew goes on refusing: it may have been closed, and open again; a mute is the reader's own. */
const lasting = ({ refusal }: RoomState): RoomError | undefined => (refusal?.code === "muted" ? refusal : undefined);

function latest(state: RoomState): RoomState {
  if (isAtHead(state)) return { ...state, following: true };
  return { ...state, messages: state.tail, tail: [], atStart: isStart(state.tail, false), following: true };
}

export const isStart = (messages: readonly Message[], otherwise: boolean): boolean =>
  messages[0] ? messages[0].seq === 1 : otherwise;

const without = (pending: readonly PendingMessage[], id: string): readonly PendingMessage[] =>
  pending.filter((message) => message.id !== id);

/** What is on its way, between what was refused and was not sent again. */
function withPending(before: readonly PendingMessage[], now: readonly PendingMessage[]): readonly PendingMessage[] {
  const refused = before.filter(({ state, id }) => state === "failed" && !now.some((message) => message.id === id));
  return refused.length === 0 ? now : [...refused, ...now].sort((a, b) => a.since - b.since);
}

const draftKey = ({ sender, id }: { sender: string; id: string }): string => `${sender} ${id}`;

function withDrafts(drafts: readonly ShownDraft[], changes: readonly DraftChange[]): readonly ShownDraft[] {
  const byKey = new Map(drafts.map((draft) => [draftKey(draft), draft]));
  for (const change of changes) {
    const key = draftKey(change);
    const before = byKey.get(key);
    if ("end" in change) byKey.delete(key);
    else {
      const { id, sender, append, replyTo = before?.replyTo } = change;
      byKey.set(key, { id, sender, content: (before?.content ?? "") + append, replyTo });
    }
  }
  return [...byKey.values()];
}
