/** What is wrong with the connection, in words, and what can be done. */

import { html, nothing, type TemplateResult } from "lit";
import { FINAL_CLOSE } from "../../../party/protocol.ts";
import type { RoomState } from "../../view/room-state.ts";
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
      : html`<span>${trouble}</span>${
          state.closeCode === FINAL_CLOSE.deleted
            ? nothing
            : html`<button type="button" @click=${reconnect}>${strings.reconnect}</button>`
        }`
  }</div>`;
}

function troubleOf({ status, closeCode, room }: RoomState, strings: Strings, canWrite: boolean): string | undefined {
  // Who has not been in the room yet has no field either.
  if (status === "offline") return canWrite && room ? strings.offline : strings.offlineReading;
  if (status !== "closed") return undefined;
  switch (closeCode) {
    case FINAL_CLOSE.unauthorized:
      return strings.closed.unauthorized;
    case FINAL_CLOSE.notFound:
      return strings.closed.notFound;
    case FINAL_CLOSE.deleted:
      return strings.closed.deleted;
    default:
      return strings.closed.other;
  }
}
