/**
 * Which room this object is, if it is one: unknown, opening, open, ended, and perhaps open again as another room of the
 * same id. Nothing outlives its room: what was begun for a room that has ended changes nothing afterwards.
 */

import { OpenRoom, type OpenRoomDeps } from "./open-room.ts";
import { type Fault, fault, isFault } from "./protocol.ts";
import type { RoomRecord } from "./room-record.ts";
import { NEEDS_RECORD } from "./room-rpc.ts";

export interface RoomLifecycleDeps {
  /** What an open room is made of. */
  readonly room: OpenRoomDeps;
  /** Removes everything that this object has stored, its alarm too. */
  wipe(): Promise<void>;
  /** The room has ended: everybody is told. */
  ended(): void;
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

  /** Takes up the room that this object's storage knows. Synchronous, and writes nothing. */
  constructor(deps: RoomLifecycleDeps) {
    this.#deps = deps;
    this.#room = OpenRoom.recall(deps.room);
  }

  /** The open room; `undefined` when there is none. */
  get room(): OpenRoom | undefined {
    return this.#room;
  }

  /**
   * The open room, opened if need be. `record` is its row in D1, or `undefined` when the Worker has not asked D1. A row of
   * a room that has ended here is refused with `not_found`, and one of a later room ends the earlier one.
   */
  async open(record: RoomRecord | undefined): Promise<OpenRoom | Fault> {
    await this.#wiping;
    if (!record) return this.#room ?? NEEDS_RECORD;
    if (record.createdAt <= this.#endedRoom) return WAS_DELETED;
    const known = this.#room?.record.createdAt ?? record.createdAt;
    if (record.createdAt < known) return WAS_DELETED;
    // The id was deleted and made again, and the deletion did not reach this object.
    if (record.createdAt > known) await this.end();
    this.#room?.adopt(record);
    return this.#room ?? this.#begin(record);
  }

  /** Ends the room: closes all of it, and removes what is stored. */
  async end(): Promise<void> {
    this.#room?.close();
    this.#endedRoom = this.#room?.record.createdAt ?? this.#endedRoom;
    this.#room = undefined;
    this.#opening = undefined;
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
