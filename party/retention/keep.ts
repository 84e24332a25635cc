/**
 * How long a room keeps messages: the rule by which the room, and the Worker where it reads D1 alone, hide what is older.
 * What is hidden is removed later, by `retention.ts`.
 */

import type { StoredMessage } from "../log/stored-message.ts";
import type { RoomRecord } from "../room-record.ts";

/** In ms. */
export const DAY = 86_400_000;

/** What a room's row says about it. */
export type Keeping = Pick<RoomRecord, "goneBefore" | "knownKeepDays"> & {
  readonly settings: Pick<RoomRecord["settings"], "keepDays">;
};

/**
 * For how many days messages are kept; `undefined`: for ever. `deployment` is its `KEEP_DAYS`. When that has grown, the
 * earlier one holds until the room has noted what was gone by it: what was hidden once must not come back.
 */
export function keptDays({ settings, knownKeepDays }: Keeping, deployment: number): number | undefined {
  const bounds = [settings.keepDays ?? 0, deployment, knownKeepDays].filter((days) => days > 0);
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

/** Messages from before this time, ms since 1970, are gone at `now`; 0: none is. */
export function goneBefore(room: Keeping, deployment: number, now: number): number {
  const days = keptDays(room, deployment);
  const noted = room.goneBefore === null ? 0 : Date.parse(room.goneBefore);
  return Math.max(noted, days === undefined ? 0 : now - days * DAY);
}

/** Whether a message is gone where everything from before `before` is. */
export const isGone = ({ at }: StoredMessage, before: number): boolean => at < before;
