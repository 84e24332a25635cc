/**
 * What a room keeps of itself besides its log, as key-value pairs: its row, as last seen, whether its end was begun, a
 * limit of D1's that its archive has met, and which agents hear without being connected.
 */

import type { Hold } from "./archive/hold.ts";
import type { AgentLease } from "./reachability/agent-leases.ts";
import { DEFAULT_SETTINGS, type RoomRecord } from "./room-record.ts";

/** Of `ctx.storage.kv`. */
export interface KeyValueStore {
  get<Value>(key: string): Value | undefined;
  put<Value>(key: string, value: Value): void;
  delete(key: string): boolean;
}

/** The form in which the row is kept. */
interface StoredRecord {
  readonly version: 3;
  readonly record: RoomRecord;
}

/** A row of before rooms could be their members': all were open, and nobody's handle was kept. */
type EarlierRecord = Omit<RoomRecord, "access" | "createdByHandle">;

/** The forms of before. The first one was the row alone, without a version. */
type EarlierForm = { readonly version: 2; readonly record: EarlierRecord } | EarlierRecord;

/** An end that was begun. The first form was `since` alone. */
export interface Ending {
  /** When, ms since 1970. */
  readonly since: number;
  /** The room takes no message until D1 has said whether its row is gone: it ends by itself. */
  readonly isSuspended: boolean;
}

/** A room that is closed to strangers before its row in D1 says so. */
export interface Closing {
  /** The revision that the row had. */
  readonly since: number;
  /** The revision with which D1 has followed: from that on the row is right. */
  readonly followed?: number;
}

interface StoredHold {
  readonly version: 1;
  readonly hold: Hold;
}

interface StoredAgents {
  readonly version: 1;
  readonly leases: readonly AgentLease[];
}

export class RecordStore {
  readonly #kv: KeyValueStore;

  constructor(kv: KeyValueStore) {
    this.#kv = kv;
  }

  /** The room's row as last seen; `undefined` when this object has never been a room. */
  load(): RoomRecord | undefined {
    const stored = this.#kv.get<StoredRecord | EarlierForm>("room");
    if (!stored) return undefined;
    const record = "version" in stored ? stored.record : stored;
    return complete({ access: "open", createdByHandle: null, ...record });
  }

  /** Keeps the row. One row written. */
  save(record: RoomRecord): void {
    this.#kv.put<StoredRecord>("room", { version: 3, record });
  }

  /** An end of this room that was begun; `undefined` when none is under way. */
  get ending(): Ending | undefined {
    const stored = this.#kv.get<number | Ending>("ending");
    return typeof stored === "number" ? { since: stored, isSuspended: false } : stored;
  }

  /** Notes that the room's row is about to go from D1. */
  beginEnding(ending: Ending): void {
    this.#kv.put("ending", ending);
  }

  /** The deletion did not happen after all. */
  abandonEnding(): void {
    this.#kv.delete("ending");
  }

  /** That its owner has closed the room to strangers, and D1's row does not say so for certain; `undefined`: it does. */
  get closing(): Closing | undefined {
    return this.#kv.get<Closing>("closing");
  }

  /** Keeps that, or forgets it. One row written. */
  saveClosing(closing: Closing | undefined): void {
    if (closing) this.#kv.put("closing", closing);
    else this.#kv.delete("closing");
  }

  /** Agents that hear without being connected, or did. */
  get agents(): readonly AgentLease[] {
    return this.#kv.get<StoredAgents>("agents")?.leases ?? [];
  }

  /** Keeps them. One row written. They hold for hours at most, so no backup has them. */
  saveAgents(leases: readonly AgentLease[]): void {
    this.#kv.put<StoredAgents>("agents", { version: 1, leases });
  }

  /** A limit of D1's that holds up the archive; `undefined`: none. */
  get hold(): Hold | undefined {
    return this.#kv.get<StoredHold>("hold")?.hold;
  }

  /** Keeps such a limit, or forgets it. One row written. */
  saveHold(hold: Hold | undefined): void {
    if (hold) this.#kv.put<StoredHold>("hold", { version: 1, hold });
    else this.#kv.delete("hold");
  }
}

/** A row that was kept before rooms let old messages go has nothing of it. */
const complete = (record: RoomRecord): RoomRecord => ({
  ...{ firstSeq: 1, goneBefore: null, knownKeepDays: 0 },
  ...record,
  settings: { ...DEFAULT_SETTINGS, ...record.settings },
});
