/** What a stay tells those who listen. */

import type {
  AckFrame,
  DraftChange,
  ErrorFrame,
  Message,
  Names,
  PresenceChange,
  RoomInfo,
  Snapshot,
  UnheardFrame,
  WelcomeFrame,
  YouFrame,
} from "../../party/protocol.ts";
import type { PendingMessage } from "./outbox.ts";
import type { RoomError } from "./room-error.ts";

/**
 * `connecting`: not yet welcomed. `open`: live. `offline`: lost, and being tried again. `closed`: for good, by `close()` or
 * by the room, which has given a reason.
 */
export type Status = "connecting" | "open" | "offline" | "closed";

/** What comes from the room. */
export type ConnectionEvent =
  /** `code`: the close code, where there was one. `error`: of `closed`, why the room has closed it. */
  | {
      readonly type: "status";
      readonly status: Status;
      readonly code: number | undefined;
      readonly error: RoomError | undefined;
    }
  /** A connection has begun. Unless `resumed`, what was known of the log is void, and `messages` follow from anew. */
  | { readonly type: "welcome"; readonly welcome: WelcomeFrame; readonly resumed: boolean }
  /** New messages, in order, none twice and none left out. `history`: what stood there when the log began. */
  | { readonly type: "messages"; readonly messages: readonly Message[]; readonly history: boolean }
  | { readonly type: "presence"; readonly change: PresenceChange }
  | { readonly type: "drafts"; readonly drafts: readonly DraftChange[] }
  /** Presence, drafts or both as they are now, in place of all that was told of them before: changes were missed. */
  | { readonly type: "snapshot"; readonly snapshot: Snapshot }
  | { readonly type: "room"; readonly room: RoomInfo }
  /** The agents that a message of one's own mentions and that do not hear it, and that in words. */
  | UnheardFrame
  /** So many messages wait for a moderator, who one is. */
  | { readonly type: "waiting"; readonly waiting: number }
  /** What sites call their users, by sender: of those whom the next events are about. */
  | { readonly type: "names"; readonly names: Names }
  | { readonly type: "you"; readonly you: YouFrame }
  /** The room does not yet say who one is; `error` says why, and when it is asked again. */
  | { readonly type: "delayed"; readonly error: RoomError }
  /** The room takes messages from now on: it has welcomed this connection and said who it is. */
  | { readonly type: "ready" }
  /** An answer to what was said over this connection, as it came. */
  | { readonly type: "answer"; readonly answer: AckFrame | ErrorFrame };

/** What comes of writing. */
export type WriterEvent =
  /** Everything that is sent and not yet answered; until `heldUntil` (ms since 1970) it waits for a refusal to pass. */
  | { readonly type: "pending"; readonly pending: readonly PendingMessage[]; readonly heldUntil: number }
  /** A message was refused, and does not go out again by itself. */
  | { readonly type: "refused"; readonly message: PendingMessage }
  /** A refused message was taken back. */
  | { readonly type: "discarded"; readonly id: string }
  /** The room has refused something: `error.about` says what. */
  | { readonly type: "error"; readonly error: RoomError };

export type RoomEvent = ConnectionEvent | WriterEvent;
