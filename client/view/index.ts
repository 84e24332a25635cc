/** What a view of a room is made of, `meet-ai/view`: a connection, what is written over it, and the state they add up to. */

export type { Message, RoomInfo, Seq, WelcomeFrame, YouFrame } from "../../party/protocol.ts";
export { Connection, type ConnectionOptions } from "../stay/connection.ts";
export { type Credentials, keepGuest, knownGuest } from "../stay/credentials.ts";
export type { Draft } from "../stay/draft.ts";
export { KeptMessages } from "../stay/kept-messages.ts";
export type { PendingMessage, SentMessage } from "../stay/outbox.ts";
export { type Page, type PageRange, readPage } from "../stay/page.ts";
export { randomId } from "../stay/random-id.ts";
export { RoomError } from "../stay/room-error.ts";
export type { RoomEvent, Status } from "../stay/room-event.ts";
export { browserStorage, type KeyValueStorage, memoryStorage } from "../stay/storage.ts";
export { type SendOptions, Writer } from "../stay/writer.ts";
export { LogPages, type LogPagesDeps } from "./log-pages.ts";
export { Quotes, type QuotesDeps } from "./quotes.ts";
export { reduce, type ViewEvent } from "./reduce.ts";
export type { RoomState, ShownDraft } from "./room-state.ts";
export { EMPTY_ROOM, isAtHead, messageAt, quotedAt, WINDOW } from "./room-state.ts";
export { storageCursor } from "./storage-cursor.ts";
export { Unread } from "./unread.ts";
