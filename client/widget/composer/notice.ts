import { type RoomState, waitsUntil } from "../../view/room-state.ts";
import type { Strings } from "../strings/strings.ts";

/** Why what is written can't go out `now` (ms since 1970), if it can't; or why the last message did not. */
export function notice(state: RoomState, strings: Strings, now: number): string | undefined {
  const { pending, refusal, unheard } = state;
  const wait = waitsUntil(state) - now;
  if (wait > 0) {
    const isAway = pending.some(({ error }) => error?.code === "unavailable");
    return (isAway ? strings.unavailable : strings.overQuota)(Math.ceil(wait / 1000));
  }
  if (refusal && !state.room?.closed) return refusal.code === "muted" ? strings.muted : strings.readOnlyGuests;
  // Who was muted when they wrote something may be so no more, and a room that was closed may be open.
  const failed = pending.findLast(
    ({ state, answer, error }) =>
      state === "failed" && !answer && error?.code !== "muted" && error?.code !== "read_only",
  );
  const { code, message } = failed?.error ?? {};
  if (!code) return unheard && (strings.unheard?.(unheard.agents) ?? unheard.message);
  // The server's own words say more, to those who read English.
  return strings.refusals[code] ?? (strings.language === "en" ? message : strings.notTaken);
}
