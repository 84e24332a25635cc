/** When a room ends because nothing is said in it any more: where its owner wants that, and never the lobby. */

import { LOBBY, type RoomRecord } from "../room-record.ts";
import { DAY } from "./keep.ts";

/**
 * When `room` ends, ms since 1970, unless something is said before; `undefined` when it does not end by itself. `lastAt` is
 * when the newest message was written, 0 when there is none. Silence from before the owner asked for it does not count.
 */
export function silentUntil({ id, createdAt, settings }: RoomRecord, lastAt: number): number | undefined {
  const { ending } = settings;
  if (!ending || id === LOBBY) return undefined;
  return Math.max(lastAt, Date.parse(createdAt), Date.parse(ending.since)) + ending.days * DAY;
}
