/**
 * What a room is besides its messages: its row in D1, and what its owner has settled.
 *
 * The Worker reads the row and hands it along; the room keeps a copy, with which it answers while D1 does not.
 */

import { type Instructions, NO_INSTRUCTIONS } from "./instructions.ts";
import type { Access, HoldRule, LinkRule, RoomInfo, Seq } from "./protocol.ts";

/** What an owner may settle, and the operator. All of it has a default, so that a row needs no settings. */
export interface RoomSettings {
  guests: "write" | "read";
  /** How many messages by agents may follow each other; 0: any number. */
  loopGuard: number;
  /** Origins whose pages may post here beside the server's own; empty: any. */
  origins: readonly string[];
  /** Muted senders, with the time (ISO 8601) until when; `null`: for good. A person's mute holds for their agents. */
  mutes: Readonly<Record<string, string | null>>;
  /** Addresses of muted senders. They are muted for whoever writes from there, but for those who decide in the room. */
  addressMutes: readonly AddressMute[];
  /** The rules of `moderation/rules.ts`; `null`: the default, which is the deployment's in the lobby. */
  slow: number | null;
  hold: HoldRule | null;
  links: LinkRule | null;
  /** Words that are refused (`moderation/blocked-words.ts`). */
  blocked: readonly string[];
  /** How many days messages are kept, at most as many as the deployment keeps them; `null`: as many. */
  keepDays: number | null;
  /** The room ends when nothing was said in it for so many days; `null`: it does not end by itself. */
  ending: SilenceEnding | null;
  /** What the owner asks of agents. */
  instructions: Instructions;
  /** The operator's: nobody writes. */
  closed: boolean;
  /** The operator's: its owner can't list it. */
  hidden: boolean;
}

/** The addresses of a muted sender. */
export interface AddressMute {
  readonly sender: string;
  /** Their tags (`identity/address-tag.ts`). No answer shows them. */
  readonly tags: readonly string[];
  /** Until when, ISO 8601. Other people have the address some day, so it always ends. */
  readonly until: string;
}

/** An end after silence. */
export interface SilenceEnding {
  readonly days: number;
  /** When the owner asked for it, ISO 8601: silence before that does not count. */
  readonly since: string;
}

export const DEFAULT_SETTINGS: RoomSettings = {
  guests: "write",
  loopGuard: 30,
  origins: [],
  mutes: {},
  addressMutes: [],
  slow: null,
  hold: null,
  links: null,
  blocked: [],
  keepDays: null,
  ending: null,
  instructions: NO_INSTRUCTIONS,
  closed: false,
  hidden: false,
};

/** The largest loop guard that an owner may choose. */
export const LONGEST_LOOP_GUARD = 1_000;

/** The room that every deployment has. */
export const LOBBY = "lobby";

/** The most days for which an owner, or a deployment, may choose to keep messages: a hundred years. */
export const LONGEST_KEEP_DAYS = 36_500;

/** A room's row in D1, as the Worker hands it to the room. */
export interface RoomRecord {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly listed: boolean;
  readonly access: Access;
  /** The id of its owner's key; `null`: nobody's. */
  readonly createdBy: string | null;
  /** The handle of that key; `null` also in a row that was kept before handles were. */
  readonly createdByHandle: string | null;
  /** ISO 8601. A room whose id is made again has another one. */
  readonly createdAt: string;
  readonly settings: RoomSettings;
  /** Grows with each change of what stands above. */
  readonly revision: number;
  /** As far as the archive is. */
  readonly lastSeq: number;
  readonly epoch: string | null;
  readonly lastMessageAt: string | null;
  /** Messages with a lower seq are gone for good. There may be more that are gone: see `goneBefore`. */
  readonly firstSeq: Seq;
  /** Messages from before this time, ISO 8601, are gone for good; `null`: none for their age. */
  readonly goneBefore: string | null;
  /**
   * The deployment's `KEEP_DAYS` that the room goes by; until it has taken up another one, both hold. -1: the row has
   * changed, and the room has yet to look at it.
   */
  readonly knownKeepDays: number;
  /** What makes guests' handles this deployment's own. */
  readonly guestPepper: string;
  /** A site's room before its first message: D1 has nothing of it. */
  readonly unmade?: true;
}

/** What all readers of a room may know of it. */
export function roomInfo(
  { id, name, topic, access, settings }: RoomRecord,
  agentsPaused: boolean,
  rules: Pick<RoomInfo, "slow" | "hold" | "links"> = {},
): RoomInfo {
  const { guests, loopGuard, instructions, closed } = settings;
  return {
    ...{ id, name, topic, access, guests, loopGuard, ...rules, agentsPaused },
    ...(instructions.text !== "" && { instructions: instructions.version }),
    ...(closed && { closed }),
  };
}
