/**
 * Invites: made and revoked by those who moderate, and used by whoever has the secret. A use is counted once for each
 * person, however often they try: what they have used stands in their own row, written in one step with the count.
 */

import { isGuest, type Participant, personOf } from "../identity/sender.ts";
import { mayOwn, type Reader, rankOf, refuseModerator } from "../permissions.ts";
import { type Fault, fault, type MemberRole, type Role } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { type Invite, type Member, NOT_STARTED } from "../room-rpc.ts";
import type { PresentedInvite } from "./invite-secret.ts";
import { MOST_MEMBERS, TOO_MANY_MEMBERS } from "./membership.ts";
import type { Roster } from "./roster.ts";
import type { InviteRow, MemberRow } from "./roster-tables.ts";

/** Invites that a room may have, beside those that were revoked or have expired. */
export const MOST_INVITES = 1_000;

/** The invites that somebody has used are remembered, so many of them. */
const USES_REMEMBERED = 100;

export interface InvitationsDeps {
  now(): number;
  /** What the room is now. */
  record(): RoomRecord;
  readonly roster: Roster;
  /** `sender`, a person or a guest, is something else in the room now. */
  changed(sender: string): void;
  /** The roster has changed, and perhaps what guests are who are here by an invite alone. */
  noted(): void;
}

/** What an invite is to be. The Worker makes its id and its secret, so that a call that is repeated makes one invite. */
export interface InviteWish {
  readonly id: string;
  /** SHA-256 of the secret, in hex. */
  readonly secretHash: string;
  readonly role: MemberRole;
  /** How many people may use it. */
  readonly uses: number;
  /** ms since 1970; `null`: it does not expire. */
  readonly expiresAt: number | null;
}

export class Invitations {
  readonly #deps: InvitationsDeps;

  constructor(deps: InvitationsDeps) {
    this.#deps = deps;
  }

  /** Makes an invite. Free to happen twice. */
  create(reader: Reader | undefined, wish: InviteWish): Invite | Fault {
    const refusal = this.#refuse(reader, wish.role);
    if (refusal) return refusal;
    const { roster, now } = this.#deps;
    const made = roster.invite(wish.id);
    if (made) return shown(made);
    if (wish.expiresAt !== null && wish.expiresAt <= now()) return fault("invalid", "expires must be in the future.");
    if (roster.counts.invites >= MOST_INVITES) roster.revokeExpired(now());
    if (roster.counts.invites >= MOST_INVITES) {
      return fault("conflict", `A room has at most ${MOST_INVITES} invites; revoke one first.`);
    }
    const { sender: createdBy } = reader as Reader;
    const invite = { ...wish, used: 0, createdBy, createdAt: now(), revoked: false };
    roster.putInvite(invite);
    this.#deps.noted();
    return shown(invite);
  }

  /** All invites that were not revoked, oldest first. */
  list(reader: Reader | undefined): Invite[] | Fault {
    return refuseModerator(this.#deps.record(), reader) ?? this.#deps.roster.invites().map(shown);
  }

  /** Revokes an invite: nobody uses it any more, and guests who came by it are no members any more. Free to repeat. */
  revoke(reader: Reader | undefined, id: string): Fault | undefined {
    const { record, roster, noted } = this.#deps;
    const refusal = refuseModerator(record(), reader);
    if (refusal) return refusal;
    const invite = roster.invite(id);
    if (!invite) return fault("not_found", "There is no such invite.");
    const late = this.#refuse(reader, invite.role);
    if (late) return late;
    if (!invite.revoked) roster.putInvite({ ...invite, revoked: true });
    noted();
    return undefined;
  }

  /**
   * Makes `participant` (for an agent: its person) a member by an invite; why it does not. Who has used it as
   * the guest `before`, and has a key now, takes the guest's place: it is counted no second time.
   */
  join(participant: Participant, { id, secretHash }: PresentedInvite, before?: string): Member | Fault {
    if (participant.isOperator) return fault("invalid", "The operator needs no invite.");
    if (participant.vouched) return fault("invalid", "A site's user has the role that the site gives them.");
    const { roster, now } = this.#deps;
    if (roster.isClosed) return NOT_STARTED;
    const person = personOf(participant.sender);
    const invite = id === undefined ? undefined : roster.invite(id);
    if (!invite || invite.secretHash !== secretHash) return NOT_VALID;
    const row = roster.member(person);
    const current = this.#current(person);
    const hasUsed = row?.uses.includes(invite.id) ?? false;
    // A retry, perhaps after the invite's end.
    if (hasUsed && current !== undefined) return this.#member(person, current, row);
    if (hasUsed && row?.removed) return REMOVED;
    if (invite.revoked) return NOT_VALID;
    if (invite.expiresAt !== null && invite.expiresAt <= now()) return EXPIRED;
    const role = isGuest(person) && invite.role === "moderator" ? "member" : invite.role;
    if (current !== undefined && rankOf(current) >= rankOf(role)) return this.#member(person, current, row);
    const guest = hasUsed || isGuest(person) ? undefined : this.#guestBy(invite, before);
    if (!guest && !hasUsed && invite.used >= invite.uses) return USED_UP;
    if (!guest && !row?.role && !roster.hasPlace(MOST_MEMBERS, now())) return TOO_MANY_MEMBERS;
    const member = {
      sender: person,
      role,
      since: current !== undefined && row ? row.since : now(),
      invite: invite.id,
      uses: [...(row?.uses ?? []).filter((used) => used !== invite.id), invite.id].slice(-USES_REMEMBERED),
      removed: false,
    };
    if (guest) roster.replace(guest, member);
    else roster.putBoth(member, { ...invite, used: invite.used + (hasUsed ? 0 : 1) });
    this.#deps.changed(person);
    if (guest) this.#deps.changed(guest.sender);
    return this.#member(person, role, member);
  }

  /** The guest `name`, if they are here by this invite. */
  #guestBy({ id }: InviteRow, name: string | undefined): MemberRow | undefined {
    const { roster, now } = this.#deps;
    const guest = name === undefined ? undefined : roster.member(name);
    return guest?.uses.includes(id) && roster.roleOf(guest.sender, now()) !== undefined ? guest : undefined;
  }

  /** Why `reader` may not make or revoke an invite that gives this role. */
  #refuse(reader: Reader | undefined, role: MemberRole): Fault | undefined {
    const refusal = refuseModerator(this.#deps.record(), reader);
    if (refusal || role !== "moderator" || (reader && mayOwn(reader))) return refusal;
    return fault("forbidden", "Only the room's owner invites moderators.");
  }

  #current(person: string): Role | undefined {
    const { record, roster, now } = this.#deps;
    return person === record().createdByHandle ? "owner" : roster.roleOf(person, now());
  }

  #member(sender: string, role: Role, row: Pick<MemberRow, "since"> | undefined): Member {
    return { sender, role, since: row ? iso(row.since) : this.#deps.record().createdAt };
  }
}

const NOT_VALID = fault("forbidden", "This invite is not valid here: it is another room's, or was revoked.");
const EXPIRED = fault("forbidden", "This invite has expired.");
const USED_UP = fault("conflict", "This invite is used up.");
const REMOVED = fault(
  "forbidden",
  "This invite lets you in no more: somebody has decided otherwise. You need another one.",
);

const iso = (at: number): string => new Date(at).toISOString();

/** An invite as it is shown. */
function shown({ id, role, uses, used, createdBy, createdAt, expiresAt }: Omit<InviteRow, "change">): Invite {
  const expires = expiresAt === null ? null : iso(expiresAt);
  return { id, role, uses, used, createdBy, createdAt: iso(createdAt), expires };
}
