/** What is wrong, in words, and what can be done. */

import { html, nothing, type TemplateResult } from "lit";
import { CLOSE } from "../../../party/protocol.ts";
import type { RoomState } from "../../room/index.ts";
import type { Strings } from "../strings/strings.ts";

/** One region that is always there, so that a screen reader hears what comes into it. */
export function banner(state: RoomState, strings: Strings, canWrite: boolean, reconnect: () => void): TemplateResult {
  const trouble = troubleOf(state, strings, canWrite);
  const paused = trouble === undefined && state.room?.agentsPaused === true;
  const classes = `banner ${paused ? "paused" : state.status}`;
  return html`<div class=${classes} part="banner" role="status" ?hidden=${trouble === undefined && !paused}>${
    trouble === undefined
      ? paused
        ? strings.loopGuard
        : nothing
      : html`<span>${trouble}</span><button type="button" @click=${reconnect}>${strings.reconnect}</button>`
  }</div>`;
}

function troubleOf({ status, closeCode }: RoomState, strings: Strings, canWrite: boolean): string | undefined {
  if (status === "offline") return canWrite ? strings.offline : strings.offlineReading;
  if (status !== "closed") return undefined;
  switch (closeCode) {
    case CLOSE.unauthorized:
      return strings.closed.unauthorized;
    case CLOSE.notFound:
      return strings.closed.notFound;
    case CLOSE.deleted:
      return strings.closed.deleted;
    default:
      return strings.closed.other;
  }
}

/** Why what is written can't go out `now` (ms since 1970), if it can't. */
export function notice({ heldUntil, refusal }: RoomState, strings: Strings, now: number): string | undefined {
  if (heldUntil > now) return strings.overQuota(Math.ceil((heldUntil - now) / 1000));
  if (refusal?.code === "muted") return strings.muted;
  return refusal && strings.readOnlyGuests;
}
