/**
 * Which room this object is, if it is one: unknown, opening, open, ended, and perhaps open again as another room of the
 * same id. Nothing outlives its room: what was begun for a room that has ended changes nothing afterwards.
 */

import { BoundedDatabase } from "./archive/bounded-database.ts";
import { isRoomGone } from "./archive/d1-copy.ts";
import { removeRoom } from "./archive/d1-removal.ts";
import type { LogView } from "./audience/flow/backlog.ts";
import type { ToldState } from "./audience/flow/welcomes.ts";
import { ageOf } from "./clock.ts";
import { OpenRoom } from "./open-room.ts";
import type { OpenRoomDeps } from "./open-room-deps.ts";
import { logEvent } from "./operator-log/operator-log.ts";
import { NO_SUCH_ROOM } from "./permissions.ts";
import { type Fault, fault, isFault } from "./protocol.ts";
import type { RoomRecord } from "./room-record.ts";
import { NEEDS_RECORD } from "./room-rpc.ts";

/** How often a room looks whether a deletion was cut off on its way to it, and for how long, ms. */
const END_CHECKED_AFTER = 60_000;
const END_TAKES_AT_MOST = 3_600_000;

/** A site's room that was never made is kept so long without anybody in it, ms. */
export const UNMADE_KEPT = 60_000;

export interface RoomLifecycleDeps {
  /** The room's id. */
  readonly id: string;
  /** What an open room is made of. */
  readonly room: OpenRoomDeps;
  /** Removes everything that this object has stored, its alarm too. */
  wipe(): Promise<void>;
  /** The room has ended: everybody is told. */
  ended(): void;
  /** Another room of the same id stands in its place: everybody comes again. */
  replaced(): void;
}

const WAS_DELETED = fault("not_found", "The room was deleted.");

export class RoomLifecycle {
  readonly #deps: RoomLifecycleDeps;
  #room: OpenRoom | undefined;
  #opening: Promise<OpenRoom | Fault> | undefined;
  #wiping: Promise<void> | undefined;
  /** How many rooms have ended here while this object is awake. */
  #life = 0;
  /** When the last room that ended here was made, ISO 8601: a call that comes late may still speak of it. */
  #endedRoom = "";
  /** Lets the room take messages again; `undefined` while it does. */
  #resume: (() => void) | undefined;

  /** Takes up the room that this object's storage knows. Synchronous, and writes nothing. */
  constructor(deps: RoomLifecycleDeps) {
    this.#deps = { ...deps, room: { ...deps.room, db: new BoundedDatabase(deps.room.db) } };
    this.#room = OpenRoom.recall(this.#deps.room);
    // It was ending when the object died, and D1 may have no such room any more.
    if (deps.room.records.ending?.isSuspended) this.#resume = this.#room?.suspend();
  }

  /** The open room; `undefined` when there is none. */
  get room(): OpenRoom | undefined {
    return this.#room;
  }

  /**
   * The open room, opened if need be. `given` is its row in D1, or `undefined` when the Worker has not asked D1. A row of
   * a room that has ended here is refused with `not_found`, and one of a later room ends the earlier one.
   */
  async open(given: RoomRecord | undefined): Promise<OpenRoom | Fault> {
    await this.#wiping;
    if (!given) return this.#room ?? NEEDS_RECORD;
    // What the Worker has made up is worth nothing beside what is known here.
    if (given.unmade) return this.#room ?? NO_SUCH_ROOM;
    if (this.#givesWayTo(given)) {
      this.#deps.replaced();
      await this.end();
    }
    // While a deploy is under way, a Worker of before may hand on a row without what it does not know of.
    const { access = "open", createdByHandle = null } = this.#room?.record ?? {};
    const record = Object.assign({ access, createdByHandle }, given);
    if (record.createdAt <= this.#endedRoom) return WAS_DELETED;
    const known = this.#room?.record.createdAt ?? record.createdAt;
    if (record.createdAt < known) return WAS_DELETED;
    // The id was deleted and made again, and the deletion did not reach this object.
    if (record.createdAt > known) await this.end();
    this.#room?.adopt(record);
    return this.#room ?? this.#begin(record);
  }

  /** The room of a site that has not been made yet, opened for somebody for whom the site vouches in it. */
  async openUnmade(given: RoomRecord): Promise<OpenRoom | Fault> {
    await this.#wiping;
    // Should nobody stay in it, nothing is left of it.
    this.#deps.room.wakeIn(UNMADE_KEPT);
    return this.#room ?? this.#begin(given);
  }

  /** Lets go of a room that was never made, when nobody is in it. */
  async endIfUnmade(): Promise<boolean> {
    if (!this.#room?.record.unmade) return false;
    await this.end();
    return true;
  }

  /** A room that is not made yet gives way to one that is, unless that is itself. */
  #givesWayTo({ createdAt }: RoomRecord): boolean {
    const record = this.#room?.record;
    return record?.unmade !== undefined && record.createdAt !== createdAt;
  }

  /** The room's row is about to go from D1. Should the deletion be cut off, the room looks by itself. */
  prepareEnd(): void {
    const { now, records, wakeIn } = this.#deps.room;
    // An end for its silence that is under way has to be known to its end.
    if (!records.ending?.isSuspended) records.beginEnding({ since: now(), isSuspended: false });
    wakeIn(END_CHECKED_AFTER);
  }

  /** Ends the room if its row has gone from D1 and what removed it was cut off. Returns whether it did. */
  async endIfGone(): Promise<boolean> {
    const { now, records, wakeIn } = this.#deps.room;
    const { ending } = records;
    if (!ending) return false;
    const age = ageOf(ending.since, now());
    // A removal that D1 did not answer may be under way still; D1 ends it by itself before this is over.
    if (ending.isSuspended && age < END_CHECKED_AFTER) {
      wakeIn(END_CHECKED_AFTER - age);
      return false;
    }
    // Of another removal the row may be there still because it has not got that far yet.
    if (!ending.isSuspended) return this.#endOrGoOn(age > END_TAKES_AT_MOST ? "for good" : "later");
    return this.#endOrGoOn("watched");
  }

  /**
   * Ends the room where its owner wants that and nothing was said for long enough. Returns whether it did. It takes no
   * message until D1 has said whether the room's row is gone, so nothing is lost that was acknowledged.
   */
  async endIfSilent(): Promise<boolean> {
    const room = this.#room;
    const { now, records, db, wakeIn } = this.#deps.room;
    // Where D1 could not remove it, it is tried again when that is over.
    if (!room?.isSilent || records.ending) return false;
    // Should this be cut off when D1 has no such room any more, the rest follows by itself.
    records.beginEnding({ since: now(), isSuspended: true });
    wakeIn(END_CHECKED_AFTER);
    const { id, createdAt, revision } = room.record;
    this.#resume = room.suspend();
    try {
      await removeRoom(db, { id, createdAt, unlessChanged: { revision } });
    } catch (error) {
      logEvent("room.end_delayed", { room: id, error });
      if (this.#room === room) records.beginEnding({ since: now(), isSuspended: true });
      return this.#room !== room;
    }
    // Where the row is there, its owner has changed it, and will tell.
    return this.#endOrGoOn("for good");
  }

  /**
   * Ends the room where D1 has no row of it. Where D1 has one, it goes on: "for good", or "watched" for some time, or that
   * is decided "later".
   */
  async #endOrGoOn(how: "for good" | "watched" | "later"): Promise<boolean> {
    const room = this.#room;
    const { now, records, db, wakeIn } = this.#deps.room;
    const isGone = await isRoomGone(db, { id: this.#deps.id, createdAt: room?.record.createdAt });
    // Another way was quicker.
    if (this.#room !== room) return true;
    if (isGone) {
      await this.end();
      return true;
    }
    if (isGone === undefined || how !== "for good") wakeIn(END_CHECKED_AFTER);
    if (isGone === undefined || how === "later") return false;
    if (how === "watched") records.beginEnding({ since: now(), isSuspended: false });
    else records.abandonEnding();
    this.#resume?.();
    this.#resume = undefined;
    return false;
  }

  /** Ends the room: closes all of it, and removes what is stored. */
  async end(): Promise<void> {
    this.#room?.close();
    // One that was never made has no time at which it was.
    if (!this.#room?.record.unmade) this.#endedRoom = this.#room?.record.createdAt ?? this.#endedRoom;
    this.#room = undefined;
    this.#opening = undefined;
    this.#resume = undefined;
    this.#life++;
    this.#deps.ended();
    const wiping = this.#deps.wipe();
    this.#wiping = wiping;
    await wiping;
    if (this.#wiping === wiping) this.#wiping = undefined;
  }

  /**
   * Ends the room that was made at `createdAt` (ISO 8601), as `end` does. Free to happen twice: a room of the same id that
   * was made later stays as it is.
   */
  async endRoomOf(createdAt: string): Promise<void> {
    await this.#wiping;
    if (this.#room && this.#room.record.createdAt > createdAt) return;
    await this.end();
  }

  #begin(record: RoomRecord): Promise<OpenRoom | Fault> {
    const life = this.#life;
    this.#opening ??= OpenRoom.begin(record, this.#deps.room, () => life === this.#life).then((room) => {
      if (life !== this.#life) {
        if (!isFault(room)) room.close();
        return NEEDS_RECORD;
      }
      this.#opening = undefined;
      if (!isFault(room)) this.#room = room;
      return room;
    });
    return this.#opening;
  }
}

/** What the audience is told of the room that `room` gives, whichever that is at the time; nothing while there is none. */
export function whatIsTold(room: () => OpenRoom | undefined): {
  log: LogView;
  told: Omit<ToldState, "presence" | "presenceVersion">;
} {
  return {
    log: {
      get epoch() {
        return room()?.log.epoch ?? "";
      },
      get head() {
        return room()?.log.head ?? 0;
      },
      get oldest() {
        return room()?.log.oldest ?? 1;
      },
      get newestErasure() {
        return room()?.log.newestErasure ?? 0;
      },
      get newestErased() {
        return room()?.log.newestErased ?? 0;
      },
      jsonAfter: (seq, limit) => room()?.log.jsonAfter(seq, limit) ?? [],
      jsonBefore: (seq, limit) => room()?.log.jsonBefore(seq, limit) ?? [],
    },
    told: {
      room: () => (room() as OpenRoom).told.room(),
      drafts: () => room()?.told.drafts() ?? [],
      draftsVersion: () => room()?.told.draftsVersion() ?? 0,
      names: () => room()?.told.names?.(),
      agents: () => room()?.told.agents?.(),
      agentsVersion: () => room()?.told.agentsVersion?.() ?? 0,
    },
  };
}
