/**
 * What a room is besides its messages: its row in D1, what its owner has settled, and who may write in it.
 *
 * The Worker reads the row and hands it along; the room keeps a copy, with which it answers while D1 does not.
 */

import { isAgent, isGuest, type Participant, personOf } from "./identity/sender.ts";
import type { Fault, RoomInfo } from "./protocol.ts";
import { fault } from "./protocol.ts";

/** What an owner may settle. All of it has a default, so that a row needs no settings. */
export interface RoomSettings {
  guests: "write" | "read";
  /** How many messages by agents may follow each other; 0: any number. */
  loopGuard: number;
  /** Origins whose pages may post here; empty: any. */
  origins: readonly string[];
  /** Muted senders, with the time (ISO 8601) until when; `null`: for good. A person's mute holds for their agents. */
  mutes: Readonly<Record<string, string | null>>;
}

export const DEFAULT_SETTINGS: RoomSettings = { guests: "write", loopGuard: 30, origins: [], mutes: {} };

/** The largest loop guard that an owner may choose. */
export const LONGEST_LOOP_GUARD = 1_000;

/** A room's row in D1, as the Worker hands it to the room. */
export interface RoomRecord {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly listed: boolean;
  /** The id of the key that made it; `null`: nobody's. */
  readonly createdBy: string | null;
  /** ISO 8601. A room whose id is made again has another one. */
  readonly createdAt: string;
  readonly settings: RoomSettings;
  /** Grows with each change of what stands above. */
  readonly revision: number;
  /** As far as the archive is. */
  readonly lastSeq: number;
  readonly epoch: string | null;
  readonly lastMessageAt: string | null;
  /** What makes guests' handles this deployment's own. */
  readonly guestPepper: string;
}

/** What everybody may know of a room. */
export function roomInfo({ id, name, topic, settings }: RoomRecord, agentsPaused: boolean): RoomInfo {
  return { id, name, topic, guests: settings.guests, loopGuard: settings.loopGuard, agentsPaused };
}

export const isOwner = (room: RoomRecord, participant: Pick<Participant, "keyId">): boolean =>
  room.createdBy !== null && participant.keyId === room.createdBy;

/**
 * Why `participant` may not write here now; `undefined` when they may. `origin` is the page's, where there is one, and
 * `now` in ms since 1970.
 */
export function refuseWriter(
  room: RoomRecord,
  participant: Participant,
  origin: string | undefined,
  now: number,
): Fault | undefined {
  const { settings } = room;
  const until = mutedUntil(settings, participant.sender, now);
  if (until !== undefined) {
    const seconds = until === null ? undefined : Math.ceil((Date.parse(until) - now) / 1000);
    const when = until === null ? "" : ` until ${until}`;
    return fault("muted", `The room's owner has muted you${when}.`, seconds);
  }
  if (settings.guests === "read" && isGuest(participant.sender)) {
    return fault("read_only", "In this room guests read; a key writes.");
  }
  if (settings.origins.length > 0 && origin !== undefined && !settings.origins.includes(origin)) {
    return fault("forbidden", `Pages of ${origin} may not post in this room.`);
  }
  return undefined;
}

/** Whether `participant` may delete a message of `author`: their own, their agents', or any in a room of theirs. */
export function mayDelete(room: RoomRecord, participant: Participant, author: string): boolean {
  if (isOwner(room, participant) || participant.sender === author) return true;
  return isAgent(author) && personOf(author) === participant.sender;
}

/**
 * Until when `sender` is muted at `now`: by a mute of their own, or by their person's, whichever ends later. `null`: for
 * good; `undefined`: not muted. An agent's mute that has ended must not hide its person's, which has not.
 */
function mutedUntil({ mutes }: RoomSettings, sender: string, now: number): string | null | undefined {
  const standing = [sender, personOf(sender)]
    .filter((name) => Object.hasOwn(mutes, name))
    .map((name) => mutes[name] as string | null)
    .filter((until) => until === null || Date.parse(until) > now);
  if (standing.includes(null)) return null;
  return standing.reduce<string | undefined>(
    (latest, until) =>
      latest !== undefined && Date.parse(latest) >= Date.parse(until as string) ? latest : (until as string),
    undefined,
  );
}
