/** The agent's entry, `meet-ai/client`: a stay in a room, without a screen. */

export { isAgent, mentions, personOf } from "../../party/mentions.ts";
export type {
  Answer,
  Ask,
  AskOption,
  AskRequest,
  ErrorCode,
  Message,
  Names,
  Quota,
  RoomInfo,
  Seq,
  YouFrame,
} from "../../party/protocol.ts";
export type { Answered, AskOptions } from "./ask.ts";
export type { Token } from "./credentials.ts";
export type { Cursor, CursorStore } from "./cursor.ts";
export { fileCursor } from "./cursor.ts";
export type { Draft, WaitOptions } from "./draft.ts";
export { type JoinOptions, join } from "./join.ts";
export type { PendingMessage, SentMessage } from "./outbox.ts";
export type { Page, PageRange } from "./page.ts";
export { randomId } from "./random-id.ts";
export type { Reply, SentReply } from "./reply.ts";
export { RoomError, type RoomErrorCode, type RoomErrorDetails, type Subject } from "./room-error.ts";
export type { RoomEvent, Status } from "./room-event.ts";
export type { MessageFilter, Stay } from "./stay.ts";
export type { DraftOptions, SendOptions } from "./writer.ts";
