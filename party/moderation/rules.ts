/** The rules of a room about what is written in it, beyond who may write: what its moderators have settled, or the default. */

import type { HoldRule, LinkRule, RoomInfo } from "../protocol.ts";
import { LOBBY, type RoomRecord } from "../room-record.ts";

/** The default comes first. */
export const HOLD_RULES = ["nobody", "guests", "newcomers"] as const satisfies readonly HoldRule[];
export const LINK_RULES = ["anyone", "members"] as const satisfies readonly LinkRule[];

export interface Rules {
  /** Seconds between two messages of one sender; 0: none. */
  readonly slow: number;
  /** Whose messages a moderator approves before others see them. */
  readonly hold: HoldRule;
  /** Whose links are shown at once. */
  readonly links: LinkRule;
  /** Words that are refused. */
  readonly blocked: readonly string[];
}

/** What the deployment wants for the lobby, unless its moderators settle something else. */
export type LobbyRules = Pick<Rules, "slow" | "hold" | "links">;

export const NO_RULES: LobbyRules = { slow: 0, hold: "nobody", links: "anyone" };

/** The rules of a room. */
export function rulesOf({ id, settings }: Pick<RoomRecord, "id" | "settings">, lobby: LobbyRules): Rules {
  const otherwise = id === LOBBY ? lobby : NO_RULES;
  return {
    slow: settings.slow ?? otherwise.slow,
    hold: settings.hold ?? otherwise.hold,
    links: settings.links ?? otherwise.links,
    blocked: settings.blocked,
  };
}

/** Of the rules what every reader is told: only what is not as in most rooms. */
export function toldRules({ slow, hold, links }: Rules): Pick<RoomInfo, "slow" | "hold" | "links"> {
  return {
    ...(slow > 0 && { slow }),
    ...(hold !== "nobody" && { hold }),
    ...(links !== "anyone" && { links }),
  };
}
