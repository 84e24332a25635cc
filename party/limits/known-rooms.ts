/**
 * The rooms that are to hear when something of a principal ends: those that they came to last. Coming again moves a room to
 * the end, but is written at most once an hour for each room.
 */

import { ageOf } from "../clock.ts";
import { repeatable } from "../object-call.ts";
import { withDeadline } from "./deadline.ts";
import type { KeyValues } from "./key-values.ts";

/** Rooms that can be reached. */
const MOST = 1_000;

/** When a room was last come to is known to within this, ms. */
const MOVED_EVERY = 60 * 60_000;

/** How long a room may take to close what has ended, ms. */
const TOLD_WITHIN = 2_000;

/** [room, when it was last come to in ms since 1970]; up to version 0.2 the room alone. */
type StoredRoom = string | [room: string, at: number];

export class KnownRooms {
  readonly #storage: KeyValues;
  #rooms: Map<string, number> | undefined;

  constructor(storage: KeyValues) {
    this.#storage = storage;
  }

  /** Oldest first. */
  get all(): string[] {
    return [...this.#known.keys()];
  }

  /** Has each of them do something. One that can't be reached now refuses what has ended at its next write all the same. */
  async tell(deed: (room: string) => Promise<void>): Promise<void> {
    const told = (room: string) =>
      withDeadline(
        repeatable(async () => await deed(room)),
        TOLD_WITHIN,
        "A room that closes sockets",
      );
    await Promise.allSettled(this.all.map(told));
  }

  /** `room` is come to at `now`, ms since 1970. */
  add(room: string, now: number): void {
    const rooms = this.#known;
    if (ageOf(rooms.get(room) ?? Number.NEGATIVE_INFINITY, now) < MOVED_EVERY) return;
    rooms.delete(room);
    rooms.set(room, now);
    const [oldest] = rooms.keys();
    if (rooms.size > MOST) rooms.delete(oldest as string);
    this.#write();
  }

  /** Takes over what was known before. */
  inherit(earlier: readonly string[]): void {
    this.#rooms = new Map([...earlier.map((room): [string, number] => [room, 0]), ...this.#known]);
    this.#write();
  }

  get #known(): Map<string, number> {
    const stored = () => this.#storage.get<StoredRoom[]>("rooms") ?? [];
    this.#rooms ??= new Map(stored().map((room) => (typeof room === "string" ? [room, 0] : room)));
    return this.#rooms;
  }

  #write(): void {
    this.#storage.put<StoredRoom[]>("rooms", [...this.#known]);
  }
}
