/**
 * Whose the room is: its roster, with all that is done to it and all that follows. When the roster has changed, who may not
 * read any more is let go at once, and D1's copy follows.
 */

import type { Audience } from "../audience/audience.ts";
import type { RoomRecord } from "../room-record.ts";
import { Invitations } from "./invitations.ts";
import { Membership, type MembershipDeps } from "./membership.ts";
import { Readers } from "./readers.ts";
import { Roster } from "./roster.ts";

export interface MembersDeps extends Required<Pick<MembershipDeps, "siteRoleOf" | "personExists" | "did">> {
  now(): number;
  /** What the room is now. */
  record(): RoomRecord;
  readonly storage: ConstructorParameters<typeof Roster>[0];
  readonly audience: Audience;
  /** Somebody is something else here from now on, and what they have open was told. */
  changed(): void;
  /** Something has changed that D1 keeps a copy of. */
  copyLater(): void;
  /** Asks for a sweep of the readers, in `delay` ms at the latest. */
  wakeIn(delay: number): void;
}

export class Members {
  readonly #deps: MembersDeps;
  readonly #roster: Roster;
  /** What is done to the members. */
  readonly membership: Membership;
  /** Who may read here, over what is open. */
  readonly readers: Readers;
  /** The invites into the room. */
  readonly invitations: Invitations;

  constructor(deps: MembersDeps) {
    this.#deps = deps;
    const { now, record, storage, audience, wakeIn } = deps;
    this.#roster = new Roster(storage);
    const changes = {
      ...{ now, record, roster: this.#roster },
      changed: (person: string) => this.#standingChanged(person),
      noted: () => this.#rosterNoted(),
    };
    const { siteRoleOf, personExists, did } = deps;
    this.membership = new Membership({ ...changes, siteRoleOf, personExists, did });
    this.invitations = new Invitations(changes);
    this.readers = new Readers({
      ...{ now, record, audience, wakeIn },
      roster: this.#roster,
      membership: this.membership,
    });
  }

  /** The room is gone, and its tables another room's. */
  close(): void {
    this.#roster.close();
  }

  /** `person` is something else here from now on. */
  #standingChanged(person: string): void {
    this.readers.standingChanged(person);
    this.#deps.changed();
    this.#deps.copyLater();
  }

  /** The roster has changed: D1 follows, and guests who were here by an invite alone may have to go. */
  #rosterNoted(): void {
    this.readers.sweep();
    this.#deps.copyLater();
  }
}
