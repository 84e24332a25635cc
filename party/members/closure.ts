/**
 * A room that its owner has closed to strangers, from the moment at which the room knows it: its row in D1 still says that
 * it is open, and perhaps for hours. Until D1 has followed, the room is its members' whatever a row says.
 */

import { type ArchivedRoom, THE_ROOM } from "../archive/d1-copy.ts";
import type { Follower } from "../follower.ts";
import type { Database } from "../log/sql.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import type { Closing, RecordStore } from "../record-store.ts";
import type { RoomRecord } from "../room-record.ts";

/** The Worker changes the row right after it has told the room; what it could not do, the room does after this, ms. */
const FOLLOWS_WITHIN = 10_000;
/** How soon D1 is asked again, ms. */
const AGAIN_AFTER = 30_000;

export interface ClosureDeps {
  readonly room: ArchivedRoom;
  readonly records: Pick<RecordStore, "closing" | "saveClosing">;
  readonly db: Database;
  now(): number;
  /** There is something to bring to D1. */
  changed(): void;
}

export class Closure implements Follower {
  readonly name = "closure";
  readonly #deps: ClosureDeps;
  #closing: Closing | undefined;
  /** D1 is not asked before, ms since 1970. */
  #notBefore = 0;

  constructor(deps: ClosureDeps) {
    this.#deps = deps;
    this.#closing = deps.records.closing;
  }

  /** Its owner closes the room whose row has `revision`. */
  begin(revision: number): void {
    this.#set({ since: revision });
    this.#notBefore = this.#deps.now() + FOLLOWS_WITHIN;
    this.#deps.changed();
  }

  /** Its owner has opened the room again, in the row of `revision`. */
  endBy(revision: number): void {
    if (this.#closing && revision > this.#closing.since) this.#set(undefined);
  }

  /** A row as it holds here. One that has followed ends what is kept here. */
  over(row: RoomRecord): RoomRecord {
    if (!this.#closing) return row;
    const hasFollowed =
      row.access === "members" || row.revision >= (this.#closing.followed ?? Number.POSITIVE_INFINITY);
    if (hasFollowed) this.#set(undefined);
    return hasFollowed ? row : { ...row, access: "members" };
  }

  /** When the row in D1 is to be changed, ms since 1970; `undefined`: D1 has followed. */
  get due(): number | undefined {
    const isBehind = this.#closing && this.#closing.followed === undefined;
    return isBehind ? Math.max(this.#deps.now(), this.#notBefore) : undefined;
  }

  /** Changes the row in D1, unless D1 has followed. Never rejects; may happen twice. */
  async run(): Promise<void> {
    const closing = this.#closing;
    if (!closing || closing.followed !== undefined) return;
    const { room, db, now } = this.#deps;
    const query = `UPDATE rooms SET access = 'members', revision = revision + (access <> 'members') WHERE ${THE_ROOM}
      RETURNING revision`;
    try {
      const row = await db
        .prepare(query)
        .bind(room.id, room.createdAt ?? null)
        .first<{ revision: number }>();
      // What happened meanwhile is newer. Without a row the room is about to end.
      if (row && this.#closing === closing) this.#set({ ...closing, followed: row.revision });
    } catch (error) {
      logEvent("room.closing_delayed", { room: room.id, error });
      this.#notBefore = now() + AGAIN_AFTER;
    }
  }

  #set(closing: Closing | undefined): void {
    this.#deps.records.saveClosing(closing);
    this.#closing = closing;
  }
}
