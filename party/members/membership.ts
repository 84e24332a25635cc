/**
 * What is done to a room's members: each deed asks the gate (`permissions.ts`), changes the roster in one step, and tells
 * the room whose standing has changed, so that their sockets and streams follow at once.
 */

import { isAgent, isGuest, type Participant, personOf } from "../identity/sender.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { inRoom, mayOwn, type Named, type Reader, rankOf, refuseModerator, refuseOwner } from "../permissions.ts";
import { type Fault, fault, type MemberRole, type Role } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { type Deed, type Member, type MemberPage, NOT_STARTED } from "../room-rpc.ts";
import type { Roster } from "./roster.ts";
import type { MemberRow } from "./roster-tables.ts";

/** Members that a room may have. */
export const MOST_MEMBERS = 10_000;

export interface MembershipDeps {
  now(): number;
  /** What the room is now. */
  record(): RoomRecord;
  readonly roster: Roster;
  /** The role that a site has given its user `sender`, as long as it lasts. */
  siteRoleOf?(sender: string): MemberRole | undefined;
  /** Whether there is a person of this handle with a valid key. Rejects when D1 does not answer. */
  personExists(handle: string): Promise<boolean>;
  /** `sender`, a person or a guest, is something else in the room now. */
  changed(sender: string): void;
  /** The roster has changed, and nobody's standing with it yet. */
  noted(): void;
  /** Somebody has done this to another. */
  did(deed: Deed): void;
}

export class Membership {
  readonly #deps: MembershipDeps;

  constructor(deps: MembershipDeps) {
    this.#deps = deps;
  }

  /** Who `participant` is here. */
  reader(participant: Participant): Reader {
    const { record, roster, now } = this.#deps;
    return inRoom(record(), participant, roster.roleOf(personOf(participant.sender), now()));
  }

  /** What the person of `sender` is here. */
  named(sender: string): Named {
    return { sender, role: this.#roleOf(personOf(sender)) };
  }

  /** A page of the members, for those who moderate. */
  list(reader: Reader | undefined, after: string, limit: number): MemberPage | Fault {
    const refusal = refuseModerator(this.#deps.record(), reader);
    if (refusal) return refusal;
    const found = this.#deps.roster.members(after, limit + 1);
    const page = found.slice(0, limit);
    const { createdByHandle } = this.#deps.record();
    // Neither who was a member before they were given the room, nor guests whose invite is over.
    const isOne = ({ sender, role }: MemberRow) =>
      sender !== createdByHandle && (!isGuest(sender) || this.#roleOf(sender) === role);
    const members = page.filter(isOne).map(shown);
    return { members, next: found.length > limit ? (page.at(-1)?.sender ?? null) : null };
  }

  /** One member, for those who moderate, and for oneself. */
  find(reader: Reader | undefined, sender: string): Member | Fault {
    const isSelf = reader?.sender === sender && reader.role !== undefined;
    const refusal = isSelf ? undefined : refuseModerator(this.#deps.record(), reader);
    if (refusal) return refusal;
    const row = this.#deps.roster.member(sender);
    const role = this.#roleOf(sender);
    if (role === undefined) return NO_SUCH_MEMBER;
    return { sender, role, since: row?.role ? iso(row.since) : this.#deps.record().createdAt };
  }

  /** Makes `sender` a member, or another one than they are. Repeated it has happened once. */
  async put(reader: Reader | undefined, sender: string, role: MemberRole): Promise<Member | Fault> {
    const refusal = this.#refuseRole(reader, sender, role);
    if (refusal) return refusal;
    const isMember = this.#deps.roster.roleOf(sender, this.#deps.now()) !== undefined;
    if (!isMember) {
      const unknown = await this.#refuseUnknown(sender);
      if (this.#deps.roster.isClosed) return NOT_STARTED;
      // Somebody may have acted meanwhile: what holds now is asked again.
      const late = unknown ?? this.#refuseRole(reader && this.reader(reader), sender, role);
      if (late) return late;
    }
    const before = this.#deps.roster.member(sender);
    if (before?.role === role && isMember) return shown({ ...before, role });
    if (!isMember && !before?.role && !this.#deps.roster.hasPlace(MOST_MEMBERS, this.#deps.now()))
      return TOO_MANY_MEMBERS;
    const since = isMember && before ? before.since : this.#deps.now();
    const isKept = isMember && before?.role && rankOf(role) >= rankOf(before.role);
    const member = {
      sender,
      role,
      since,
      invite: before?.invite ?? null,
      uses: before?.uses ?? [],
      // Who leaves and comes back by an invite of before would have its role again.
      removed: before !== undefined && (before.removed || !isKept),
    };
    this.#deps.roster.put(member);
    this.#deps.changed(sender);
    this.#deps.did({ by: (reader as Reader).sender, deed: "role", target: sender, detail: { role } });
    return shown(member);
  }

  /** Lets `sender` go: a moderator removes them, or they leave. Free to happen twice. */
  remove(reader: Reader | undefined, sender: string): Fault | undefined {
    const { record, roster, changed } = this.#deps;
    const leaves = reader !== undefined && reader.sender === sender && reader.role !== undefined;
    if (leaves && mayOwn(reader)) return fault("conflict", "The room is yours: hand it to a member first.");
    const refusal = leaves ? undefined : refuseModerator(record(), reader, this.named(sender));
    if (refusal) return refusal;
    const row = roster.member(sender);
    if (!row || (row.role === null && row.removed)) return undefined;
    // Also of those who have just left by themselves: they would come back by the invite that they have used.
    roster.put({ ...row, role: null, removed: row.removed || !leaves });
    changed(sender);
    if (!leaves) this.#deps.did({ by: (reader as Reader).sender, deed: "remove", target: sender });
    return undefined;
  }

  /**
   * Everything by `sender` was erased: that they made invites is forgotten, and that they were a member, unless they are one.
   * May happen twice.
   */
  erased(sender: string): void {
    const { roster, now, noted } = this.#deps;
    // Of an agent alone, its person is not meant.
    if (roster.isClosed || isAgent(sender)) return;
    const [wasMember, invited] = [roster.forgetFormer(sender, now()), roster.forgetInviter(sender)];
    if (wasMember || invited) noted();
  }

  /**
   * What has to be so before the room is handed to `handle`: they are a member, and the owner of before stays one, who
   * moderates. Free to happen twice, and to have happened although the room was not handed over in the end.
   */
  prepareHandover(reader: Reader | undefined, handle: string): Fault | undefined {
    const { record, roster, now } = this.#deps;
    const { createdByHandle } = record();
    const refusal = refuseOwner(record(), reader);
    if (refusal) return refusal;
    if (handle === createdByHandle) return undefined;
    if (roster.roleOf(handle, now()) === undefined || isGuest(handle)) {
      return fault("conflict", "Only a member can be given the room: make them one first.");
    }
    if (createdByHandle === null) return undefined;
    const before = roster.member(createdByHandle);
    if (before?.role === "moderator") return undefined;
    const { since = now(), invite = null, uses = [] } = before ?? {};
    roster.put({ sender: createdByHandle, role: "moderator", since, invite, uses, removed: false });
    this.#deps.noted();
    return undefined;
  }

  /** Why `reader` may not give `sender` this role. */
  #refuseRole(reader: Reader | undefined, sender: string, role: MemberRole): Fault | undefined {
    const { record, roster, now } = this.#deps;
    const refusal = refuseModerator(record(), reader, this.named(sender));
    if (refusal) return refusal;
    if (isAgent(sender)) return fault("invalid", "An agent has its person's role: name the person.");
    if (sender.includes("@")) return fault("invalid", "A site's user has the role that the site gives them.");
    if (this.#roleOf(sender) === "owner") return fault("conflict", "The room's owner has every right already.");
    if (role === "moderator" && !(reader && mayOwn(reader))) {
      return fault("forbidden", "Only the room's owner makes moderators.");
    }
    if (!isGuest(sender)) return undefined;
    if (role === "moderator") return fault("invalid", "A guest is at most a member.");
    if (roster.roleOf(sender, now()) === undefined) return fault("conflict", "A guest becomes a member by an invite.");
    return undefined;
  }

  async #refuseUnknown(handle: string): Promise<Fault | undefined> {
    try {
      if (await this.#deps.personExists(handle)) return undefined;
      return fault("not_found", "There is nobody with a key of this name.");
    } catch (error) {
      logEvent("room.person_unknown", { room: this.#deps.record().id, error });
      return fault("unavailable", "Names can't be looked up at the moment.", 5);
    }
  }

  #roleOf(person: string): Role | undefined {
    const { record, roster, now } = this.#deps;
    if (person === record().createdByHandle) return "owner";
    return roster.roleOf(person, now()) ?? this.#deps.siteRoleOf?.(person);
  }
}

const NO_SUCH_MEMBER = fault("not_found", "This is not a member of the room.");
export const TOO_MANY_MEMBERS = fault("conflict", `A room has at most ${MOST_MEMBERS} members; remove one first.`);

const iso = (at: number): string => new Date(at).toISOString();

/** A member as they are shown. */
function shown({ sender, role, since }: Pick<MemberRow, "sender" | "role" | "since">): Member {
  return { sender, role: role as MemberRole, since: iso(since) };
}
