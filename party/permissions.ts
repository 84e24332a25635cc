/** Who may do what in a room: the one place that is asked, by every way in. Quotas are not asked here. */

import { isAgent, isGuest, type Participant, personOf } from "./identity/sender.ts";
import { type Fault, fault } from "./protocol.ts";
import type { RoomRecord, RoomSettings } from "./room-record.ts";

/** Whether the room's key is this participant's. */
export const isOwner = (room: RoomRecord, participant: Pick<Participant, "keyId">): boolean =>
  room.createdBy !== null && participant.keyId === room.createdBy;

/**
 * Why `participant` may not write here now; `undefined` when they may. `origin` is that of the foreign page from which they
 * write, where there is one, and `now` in ms since 1970.
 */
export function refuseWriter(
  room: RoomRecord,
  participant: Pick<Participant, "sender">,
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

/** Whether `participant` may delete a message of `author`: their own, their agents', or any where they decide. */
export function mayDelete(room: RoomRecord, participant: Participant, author: string): boolean {
  if (participant.isOperator || isOwner(room, participant) || participant.sender === author) return true;
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
