/**
 * Who may read the room, over what is open: sockets and streams end, or begin anew, when the people behind them are something
 * else from now on, whether the room's row, its members, an invite or a token says so.
 */

import type { Audience } from "../audience/audience.ts";
import { isGuest, type Participant, personOf } from "../identity/sender.ts";
import { mayRead, NO_SUCH_ROOM, type Reader, refuseExpired, refuseReader } from "../permissions.ts";
import { CLOSE, type Fault, fault, type Role } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { NOT_STARTED } from "../room-rpc.ts";
import type { Membership } from "./membership.ts";
import type { Roster } from "./roster.ts";

export interface ReadersDeps {
  now(): number;
  /** What the room is now. */
  record(): RoomRecord;
  readonly roster: Roster;
  readonly membership: Membership;
  readonly audience: Audience;
  /** Asks for `sweep` in `delay` ms at the latest, over hibernation and restart. */
  wakeIn(delay: number): void;
}

export class Readers {
  readonly #deps: ReadersDeps;
  /** When the next one stops being a reader by themselves, ms since 1970. After a sleep nobody knows: at once. */
  #nextEnd = 0;

  constructor(deps: ReadersDeps) {
    this.#deps = deps;
  }

  /** Who `participant` is here. */
  of(participant: Participant): Reader {
    return this.#deps.membership.reader(participant);
  }

  /** Why `participant`, or nobody in particular, may not read here. */
  refuse(participant: Participant | undefined): Fault | undefined {
    // The room has ended, and who its members were is known no more.
    if (this.#deps.roster.isClosed) return NOT_STARTED;
    const expired = participant && refuseExpired(participant, this.#deps.now());
    const record = this.#deps.record();
    // There is nothing of it yet but for those for whom its site vouches.
    if (record.unmade && participant && !participant.vouched) return NO_SUCH_ROOM;
    return expired ?? refuseReader(record, participant && this.of(participant));
  }

  /** What `participant` is told that they are here, as `you` has it. */
  standing(participant: Participant): { owner: boolean; role?: Role } {
    const { role } = this.of(participant);
    return { owner: role === "owner", ...(role !== undefined && { role }) };
  }

  /** Sees to it that `participant` is let go when they stop being a reader by themselves, also while the room sleeps. */
  watch(participant: Participant): void {
    const { roster, record, now, wakeIn } = this.#deps;
    const { vouched, sender } = participant;
    const isInvited = record().access === "members" && isGuest(sender);
    const end = vouched ? vouched.until : isInvited ? roster.endOf(sender) : undefined;
    if (end === undefined) return;
    this.#nextEnd = Math.min(this.#nextEnd, end);
    wakeIn(Math.max(0, end - now()));
  }

  /** Before anything is told: whose time is over hears nothing more, however late the alarm is. */
  endOverdue(): void {
    if (this.#deps.now() >= this.#nextEnd) this.sweep();
  }

  /** Lets go of those who have stopped being readers by themselves. In how many ms the next one does; `undefined`: none. */
  sweep(): number | undefined {
    const next = this.#letGo();
    this.#nextEnd = next === undefined ? Number.POSITIVE_INFINITY : this.#deps.now() + next;
    return next;
  }

  #letGo(): number | undefined {
    const { audience, now, record, roster } = this.#deps;
    let next: number | undefined;
    // A site's user comes back with a new token.
    audience.closeAll(CLOSE.identifyAgain, "token expired", (participant) => {
      const until = participant?.vouched?.until;
      if (until !== undefined && until > now()) next = Math.min(next ?? Number.POSITIVE_INFINITY, until - now());
      return until !== undefined && until <= now();
    });
    if (record().access !== "members") return next;
    audience.dismiss(NOT_A_MEMBER_ANY_MORE, CLOSE.forbidden, (participant) => {
      // All others stay what they are until somebody changes it, and then they hear of it.
      if (!participant || !isGuest(participant.sender)) return false;
      if (!mayRead(record(), this.of(participant).role)) return true;
      const end = roster.endOf(personOf(participant.sender));
      if (end !== undefined) next = Math.min(next ?? Number.POSITIVE_INFINITY, end - now());
      return false;
    });
    return next;
  }

  /** The room's row was `before`: those who may be somebody else by the row of now come back and say who they are. */
  rowChanged(before: RoomRecord): void {
    const { access, createdBy, settings } = this.#deps.record();
    if (before.access !== access) this.#askAgain(() => true);
    else if (before.createdBy !== createdBy) {
      const owners = [before.createdBy, createdBy];
      this.#askAgain((participant) => {
        // A site vouches only in rooms of its own owner.
        if (participant?.vouched) return true;
        return participant?.keyId !== undefined && owners.includes(participant.keyId);
      });
    }
    // Sockets from before addresses had tags come back with one when the first address is muted.
    if (settings.addressMutes.length <= before.settings.addressMutes.length) return;
    this.#askAgain((participant) => {
      return participant !== undefined && participant.behind === undefined && !participant.isOperator;
    });
  }

  /** `person` is something else here from now on: their sockets and streams, and their agents', end or begin anew. */
  standingChanged(person: string): void {
    const { audience, record } = this.#deps;
    const isMeant = (participant: Participant | undefined): participant is Participant =>
      participant !== undefined && personOf(participant.sender) === person;
    audience.dismiss(NOT_A_MEMBER_ANY_MORE, CLOSE.forbidden, (participant) => {
      return isMeant(participant) && !mayRead(record(), this.of(participant).role);
    });
    this.#askAgain(isMeant);
  }

  #askAgain(whom: (participant: Participant | undefined) => boolean): void {
    this.#deps.audience.closeAll(CLOSE.identifyAgain, "say who you are", whom);
  }
}

const NOT_A_MEMBER_ANY_MORE = fault("forbidden", "You are not a member of this room any more.");
