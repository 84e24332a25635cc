/**
 * Every event that the operator's log may have: how grave it is, and what has happened, in a sentence. docs/operations.md
 * says of each what to do. A name never changes: operators search and alert by it.
 */

/** `info`: all is well. `warn`: it mends itself, or is the operator's to mend. `error`: a person was refused, or a bug. */
export type LogLevel = "info" | "warn" | "error";

export const LOG_EVENTS = {
  "archive.batch_failed": ["warn", "Messages were not copied to D1"],
  "archive.database_full": ["warn", "D1 is full"],
  "archive.day_used_up": ["warn", "D1 has used up its rows of the day"],
  "archive.resumed": ["info", "D1 takes messages again"],
  "archive.set_back": ["warn", "D1 was set back to an earlier time: what it has lost is copied again"],

  "archive.pack_refused": ["error", "D1 refuses a pack of messages"],
  "archive.not_brought_back": ["warn", "A room's older messages can't be brought back from D1 yet"],

  "storage.batch_refused": ["error", "The room's storage refused a batch"],
  "storage.unreadable": ["error", "The room's storage can't be read"],
  "storage.message_not_held": ["error", "The room's storage can't hold a message for a moderator"],
  "room.deadline_missed": ["error", "What has its time in a room could not be done"],
  "room.follower_failed": ["error", "Work that follows a room has failed"],
  "room.flush_failed": ["error", "A flush of a room has failed"],
  "room.update_not_told": ["error", "An update could not be told"],
  "room.alarm_not_set": ["warn", "A room's alarm can't be set"],
  "room.not_rebuilt": ["error", "A room can't be rebuilt from D1"],
  "room.person_unknown": ["error", "D1 can't say whether there is such a person"],
  "room.not_told": ["warn", "A new room was not told of itself"],
  "room.keep_days_not_told": ["warn", "A room could not be told how long to keep messages"],
  "room.deletion_not_told": ["error", "A room that is gone from D1 could not be told"],
  "room.closing_delayed": ["warn", "D1 was not told that a room is closed to strangers"],
  "room.end_delayed": ["warn", "A silent room can't be ended yet"],

  "erasure.delayed_here": ["error", "Erased messages are still in the room's storage"],
  "erasure.rooms_unknown": ["error", "D1 can't say where a sender wrote"],
  "erasure.room_not_asked": ["error", "A room could not be asked to erase a sender"],

  "moderation.deed_not_noted": ["error", "A moderator's deed was not written down"],
  "moderation.approval_not_noted": ["error", "An approval was not written down"],
  "moderation.address_not_noted": ["error", "It was not noted from where a message came"],

  "quota.limiter_unreachable": ["error", "A Limiter can't be reached"],
  "quota.lease_not_moved": ["warn", "A lease can't be moved"],
  "quota.lease_not_recalled": ["warn", "A lease can't be taken back; it counts as used"],
  "quota.rate_limit_silent": ["warn", "The platform's rate limit does not answer"],

  "key.pointer_asked": ["warn", "D1 can't say whose a key is; the key's pointer is asked"],
  "key.pointer_unreachable": ["error", "A key's pointer can't be reached"],
  "key.pointer_not_written": ["warn", "A key's pointer was not written"],
  "key.use_not_noted": ["warn", "When a key was last used was not written down"],
  "key.unavailable": ["error", "The keys of a person can't be looked up or changed"],
  "site.keys_unknown": ["warn", "D1 can't say which keys a site has"],
  "site.rooms_not_told": ["warn", "A site's rooms were not told of its keys"],
  "site.room_not_made": ["error", "A site's room can't be made"],
  "agents.unheard_unknown": ["warn", "It can't be said who does not hear a message"],
  "agents.hearing_not_kept": ["warn", "How agents hear can't be kept"],

  "request.answered": ["info", "A request was answered"],
  "request.unavailable": ["error", "A request was answered that this is not possible at the moment"],
  "request.failed": ["error", "A request failed"],
  "frame.failed": ["error", "A frame failed"],
  "export.broke_off": ["error", "An export broke off"],
  "proxy.removes_upgrade": ["warn", "A proxy in front removes the Upgrade header: no room can be entered through it"],
  "operator.deed_not_noted": ["error", "What the operator has done was not noted"],
  "database.away": ["warn", "D1 does not answer; the room is asked itself"],
  "database.not_ready": ["warn", "D1 does not answer, so this server is not ready"],
  "database.nearly_full": ["warn", "D1 is nearly full"],
  "database.day_nearly_used": ["warn", "By this deployment's own estimate a limit of the day is nearly reached"],
  "configuration.invalid": ["error", "This deployment's configuration is not valid"],

  "runtime.said": ["info", "The Workers runtime has said something itself"],
  "runtime.crashed": ["error", "The Workers runtime has ended; it is started again"],
  "clock.set_back": ["warn", "The clock was set back: the Workers runtime is started anew"],
  "runtime.started_again": ["info", "The Workers runtime runs again"],
  "server.given_up": ["error", "The Workers runtime can't be kept running: this server ends"],
  "server.address_not_noted": ["warn", "The server's address can't be noted in its folder"],
  "server.runtime_not_noted": ["warn", "The runtime can't be noted in the server's folder"],
} as const satisfies Readonly<Record<string, readonly [LogLevel, string]>>;

export type LogEventName = keyof typeof LOG_EVENTS;
