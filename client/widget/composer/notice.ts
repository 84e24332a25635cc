import type { RoomState } from "../../view/room-state.ts";
import type { Strings } from "../strings/strings.ts";

/** Why what is written can't go out `now` (ms since 1970), if it can't; or why the last message did not. */
export function notice(state: RoomState, strings: Strings, now: number): string | undefined {
  const { pending, refusal, unheard } = state;
  const { overQuota, unavailable, muted, notTaken, refusals } = strings;
  const heldUntil = Math.max(state.heldUntil, state.slowUntil);
  if (heldUntil > now) {
    const isAway = pending.some(({ error }) => error?.code === "unavailable");
    return (isAway ? unavailable : overQuota)(Math.ceil((heldUntil - now) / 1000));
  }
  if (refusal?.code === "muted") return muted;
  if (refusal) return strings.readOnlyGuests;
  const failed = pending.findLast(({ state, answer }) => state === "failed" && !answer);
  // The server's own words say more, to those who read English.
  if (!failed?.error) return unheard && (strings.unheard?.(unheard.agents) ?? unheard.message);
  const { code, message } = failed.error;
  return refusals[code] ?? (strings.language === "en" ? message : notTaken);
}
