/**
 * The gate: who may read, write, moderate and own a room. The one place that is asked, by every way in. Quotas are not
 * asked here.
 *
 * Each rule takes the room's row and a `Reader`: who comes, with what they are in this room. `role` is worked out here, too
 * (`inRoom`), so that no caller can give an agent or a guest more than they may have.
 */

import { isAgent, isGuest, type Participant, personOf } from "./identity/sender.ts";
import { type Fault, fault, type MemberRole, type Role } from "./protocol.ts";
import type { RoomRecord, RoomSettings } from "./room-record.ts";
import { EXPIRED } from "./sites/expired.ts";

/** Somebody who comes to a room, with what they are in it. */
export interface Reader extends Participant {
  /** Absent for those who are nothing here: visitors of an open room, strangers to a members' room. */
  readonly role?: Role | undefined;
  /** What their person is here: more than `role` for the agents of those who decide. */
  readonly personRole?: Role | undefined;
}

/** A name under which something was said, with what its person is in the room. */
export interface Named {
  readonly sender: string;
  readonly role: Role | undefined;
}

const RANKS: readonly Role[] = ["reader", "member", "moderator", "owner"];

/** The higher a role is, the more it may: a number to compare. */
export const rankOf = (role: Role): number => RANKS.indexOf(role);

/** Whether the room's key is this participant's, or an agent's of theirs. */
export const isOwner = (room: RoomRecord, participant: Pick<Participant, "keyId">): boolean =>
  room.createdBy !== null && participant.keyId === room.createdBy;

/**
 * Who `participant` is in the room, whose members have given their person `membership`. A site's user has the role that the
 * site gives them. An agent has its person's role, and like a guest at most that of a member: what decides over others is a
 * person.
 */
export function inRoom(room: RoomRecord, participant: Participant, membership: MemberRole | undefined): Reader {
  const given = participant.vouched ? participant.vouched.role : membership;
  const role = participant.isOperator || isOwner(room, participant) ? "owner" : given;
  const isBounded = isAgent(participant.sender) || isGuest(participant.sender);
  return {
    ...participant,
    role: decides(role) && isBounded ? "member" : role,
    personRole: isGuest(participant.sender) ? undefined : role,
  };
}

/** Whether this is the role of somebody who decides over others. */
const decides = (role: Role | undefined): boolean => role === "owner" || role === "moderator";

/** Whether somebody with this role, or without one, may learn anything of the room at all. */
export const mayRead = ({ access }: RoomRecord, role: Role | undefined): boolean =>
  access === "open" || role !== undefined;

/** Why `reader` may not read; `undefined` when they may. It says nothing of the room but that there is one. */
export function refuseReader(room: RoomRecord, reader: Reader | undefined): Fault | undefined {
  if (mayRead(room, reader?.role)) return undefined;
  return reader ? NOT_A_MEMBER : FOR_MEMBERS;
}

/**
 * Why `writer` may not write here now; `undefined` when they may. `origin` is that of the foreign page from which they
 * write, where there is one, and `now` in ms since 1970.
 */
export function refuseWriter(
  room: RoomRecord,
  writer: Reader,
  origin: string | undefined,
  now: number,
): Fault | undefined {
  const refusal = refuseExpired(writer, now) ?? refuseReader(room, writer);
  if (refusal) return refusal;
  // In an open room a reader is one whose site wants that.
  if (writer.role === "reader" && (room.access === "members" || writer.vouched)) {
    return fault("read_only", "You are a reader here: a member writes.");
  }
  return refuseBySettings(room, writer, origin, now);
}

/** Why what a site has said of `participant` does not count any more at `now`, ms since 1970. */
export const refuseExpired = ({ vouched }: Participant, now: number): Fault | undefined =>
  vouched && now >= vouched.until ? EXPIRED : undefined;

const CLOSED = fault("read_only", "This server's operator has closed the room: it can be read, and nobody can write.");

/** Why nobody writes in the room, whoever they are and whatever a moderator has approved. */
export const refuseClosed = ({ closed }: Pick<RoomSettings, "closed">): Fault | undefined =>
  closed ? CLOSED : undefined;

/** Why the room's settings keep `writer` from writing now, whatever they may read. */
export function refuseBySettings(
  { settings }: RoomRecord,
  writer: Reader,
  origin: string | undefined,
  now: number,
): Fault | undefined {
  const closed = refuseClosed(settings);
  if (closed) return closed;
  const { sender } = writer;
  const until = mutedUntil(settings, writer, now);
  if (until !== undefined) {
    const seconds = until === null ? undefined : Math.ceil((Date.parse(until) - now) / 1000);
    const when = until === null ? "" : ` until ${until}`;
    return fault("muted", `You are muted here${when}.`, seconds);
  }
  if (settings.guests === "read" && isGuest(sender)) {
    return fault("read_only", "In this room guests read; a key writes.");
  }
  if (settings.origins.length > 0 && origin !== undefined && !settings.origins.includes(origin)) {
    return fault("forbidden", `Pages of ${origin} may not post in this room.`);
  }
  return undefined;
}

/** Whether `reader` may delete a message of `author`: their own, their agents', or any where they decide. */
export function mayDelete(reader: Reader, author: Named): boolean {
  if (reader.sender === author.sender) return true;
  if (isAgent(author.sender) && personOf(author.sender) === reader.sender) return true;
  return mayActAgainst(reader, author);
}

/** Whether `reader` may own the room: change it, delete it, hand it over. */
export const mayOwn = ({ role }: Reader): boolean => role === "owner";

/** Why `reader` may not do what is the owner's. */
export function refuseOwner(room: RoomRecord, reader: Reader | undefined): Fault | undefined {
  if (reader && mayOwn(reader)) return undefined;
  return refuseReader(room, reader) ?? NOT_THE_OWNER;
}

/** Whether `reader` may moderate the room at all. */
export const mayModerate = ({ role }: Reader): boolean => decides(role);

/** Why `reader` may not do what is the owner's and the moderators', against `target` where it has one. */
export function refuseModerator(room: RoomRecord, reader: Reader | undefined, target?: Named): Fault | undefined {
  const refusal = refuseReader(room, reader);
  if (refusal) return refusal;
  if (!reader || !mayModerate(reader)) return NOT_A_MODERATOR;
  if (!target || mayActAgainst(reader, target)) return undefined;
  if (personOf(target.sender) === reader.sender) return fault("forbidden", "You may not do that to yourself.");
  return fault("forbidden", "Only the room's owner may do that to a moderator, and nobody to the owner.");
}

/** Moderators act against those below them, the owner against all but themselves: also an agent of theirs may run wild. */
function mayActAgainst(reader: Reader, target: Named): boolean {
  if (reader.isOperator) return true;
  if (target.sender === reader.sender) return false;
  if (reader.role === "owner") return true;
  if (personOf(target.sender) === reader.sender) return false;
  return reader.role === "moderator" && target.role !== "moderator" && target.role !== "owner";
}

/** The same words as the Worker has where D1 knows of none. */
export const NO_SUCH_ROOM = fault("not_found", "There is no such room.");

const FOR_MEMBERS = fault("unauthorized", "This room is its members': say who you are.");
const NOT_A_MEMBER = fault("forbidden", "You are not a member of this room.");
const NOT_THE_OWNER = fault("forbidden", "Only the room's owner may do that.");
const NOT_A_MODERATOR = fault("forbidden", "Only the room's owner and its moderators may do that.");

/**
 * Until when `writer` is muted at `now`: by a mute of their own, by their person's, or by one of the address that they write
 * from, whichever ends latest. `null`: for good; `undefined`: not muted. A mute that has ended must not hide another, which
 * has not. Who shares an address with a troll and decides here is not muted by it, and neither are their agents.
 */
function mutedUntil({ mutes, addressMutes }: RoomSettings, writer: Reader, now: number): string | null | undefined {
  const { sender, behind } = writer;
  const named = [sender, personOf(sender)]
    .filter((name) => Object.hasOwn(mutes, name))
    .map((name) => mutes[name] as string | null);
  const isSpared = behind === undefined || writer.isOperator || decides(writer.personRole);
  const byAddress = isSpared ? [] : addressMutes.filter(({ tags }) => tags.includes(behind)).map(({ until }) => until);
  const standing = [...named, ...byAddress].filter((until) => until === null || Date.parse(until) > now);
  if (standing.includes(null)) return null;
  return standing.reduce<string | undefined>(
    (latest, until) =>
      latest !== undefined && Date.parse(latest) >= Date.parse(until as string) ? latest : (until as string),
    undefined,
  );
}
