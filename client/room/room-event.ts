/** What a connection to a room tells whoever listens. */

import type {
  DraftChange,
  Message,
  PresenceChange,
  RoomInfo,
  Snapshot,
  WelcomeFrame,
  YouFrame,
} from "../../party/protocol.ts";
import type { PendingMessage, RoomError } from "./outbox.ts";

/**
 * `connecting`: not yet welcomed. `open`: live. `offline`: lost, and being tried again. `closed`: for good, by
 * `close()` or by the server with one of `FINAL_CLOSE_CODES`.
 */
export type Status = "connecting" | "open" | "offline" | "closed";

export type RoomEvent =
  | { readonly type: "status"; readonly status: Status; readonly code?: number }
  /** A connection has begun. Unless `resumed`, what was known of the log is void, and `messages` follow from anew. */
  | { readonly type: "welcome"; readonly welcome: WelcomeFrame; readonly resumed: boolean }
  /** New messages, in order, none twice and none left out. `history`: what stood there when the log began. */
  | { readonly type: "messages"; readonly messages: readonly Message[]; readonly history: boolean }
  | { readonly type: "presence"; readonly change: PresenceChange }
  /** Presence, drafts or both as they are now: changes of them were missed. */
  | { readonly type: "snapshot"; readonly snapshot: Snapshot }
  | { readonly type: "drafts"; readonly drafts: readonly DraftChange[] }
  | { readonly type: "room"; readonly room: RoomInfo }
  | { readonly type: "you"; readonly you: YouFrame }
  /** Everything that is sent and not yet acknowledged; until `heldUntil` (ms since 1970) it waits for a refusal to pass. */
  | { readonly type: "pending"; readonly pending: readonly PendingMessage[]; readonly heldUntil: number }
  /** A refusal. `id` is that of the message or draft. */
  | { readonly type: "error"; readonly error: RoomError; readonly id?: string };
