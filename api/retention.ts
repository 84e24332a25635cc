/**
 * Tells rooms that nobody visits of what has changed in how long they keep messages: the deployment's `KEEP_DAYS`, or their
 * own row where the call to them has failed. Each then sets its own alarm.
 */

import { configurationOf } from "../party/configuration.ts";
import { repeatable } from "../party/object-call.ts";
import { logEvent } from "../party/operator-log/operator-log.ts";
import { roomsToTell } from "./directory.ts";

/** Rooms that one run tells: an invocation on the free plan may call 1,000 objects, and each asks D1. */
const TOLD_AT_ONCE = 200;
/** Rooms that are called at the same time. */
const CALLED_AT_ONCE = 10;

/** Tells some rooms. What can't be told now is told by a later run. */
export async function tellRooms(env: Env): Promise<void> {
  const rooms = await roomsToTell(env.DB, configurationOf(env).keepDays, TOLD_AT_ONCE);
  for (let at = 0; at < rooms.length; at += CALLED_AT_ONCE) {
    const some = rooms.slice(at, at + CALLED_AT_ONCE);
    const told = await Promise.allSettled(
      some.map((room) => repeatable(async () => await env.CHAT_ROOM.getByName(room.id).lookAgain(room))),
    );
    for (const [index, outcome] of told.entries()) {
      if (outcome.status === "fulfilled") continue;
      logEvent("room.keep_days_not_told", { room: some[index]?.id, error: outcome.reason });
    }
  }
}
