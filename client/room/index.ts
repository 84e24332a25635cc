/** A room without a screen: the connection (`RoomClient`) and what it adds up to (`reduce`). */

export type { ErrorCode, Message, RoomInfo, Seq, WelcomeFrame, YouFrame } from "../../party/protocol.ts";
export type { Clock } from "./clock.ts";
export type { PendingMessage } from "./outbox.ts";
export { RoomError } from "./outbox.ts";
export type { Page, PageRange } from "./page.ts";
export type {
  Credentials,
  RoomClientDeps,
  RoomClientOptions,
  SendOptions,
} from "./room-client.ts";
export { RoomClient, randomId } from "./room-client.ts";
export type { RoomEvent, Status } from "./room-event.ts";
export type { RoomSocket, RoomSocketOptions } from "./room-socket.ts";
export type { Draft, ReaderEvent, RoomState } from "./store.ts";
export { EMPTY_ROOM, isAtHead, messageAt, quotedAt, reduce, WINDOW } from "./store.ts";
