/** What the platform bills: what a deployment has used since its meter began, and how two readings differ. */

/** What the objects of one class have used. */
export interface ObjectUsage {
  /** Calls of a method by RPC, and fetches: each upgrade to a socket is one. */
  readonly calls: number;
  readonly alarms: number;
  /** Frames that came over sockets. What the runtime answers by itself is none. */
  readonly frames: number;
  /** Objects that were made, anew or after a sleep. */
  readonly wakes: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Of `rowsWritten`, those that removed something. */
  readonly rowsRemoved: number;
  /**
   * Seconds in which an object was handling an event, waiting for a timer of its own, or waiting for D1, summed over the
   * objects. An object with none of these may hibernate and is not billed, although it stays in memory for 10 s more.
   */
  readonly awake: number;
}

/** What the database has used. */
export interface DatabaseUsage {
  /** Batches, and statements that came alone. */
  readonly transactions: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Its size, bytes, as its last answer said. */
  readonly bytes: number;
}

/** Everything that is billed, since the meter began. */
export interface Usage {
  readonly workerRequests: number;
  readonly room: ObjectUsage;
  readonly limiter: ObjectUsage;
  readonly d1: DatabaseUsage;
  /** Calls that the meter can't count; with any of these in it, a reading is too low. */
  readonly unmetered: readonly string[];
}

/** The classes of objects. */
export type ObjectClass = "room" | "limiter";

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The sums while they grow. */
export interface Tally {
  workerRequests: number;
  readonly room: Writable<ObjectUsage>;
  readonly limiter: Writable<ObjectUsage>;
  readonly d1: Writable<DatabaseUsage>;
  readonly unmetered: Set<string>;
}

/** A meter that has counted nothing. */
export function emptyTally(): Tally {
  return {
    workerRequests: 0,
    room: unused(),
    limiter: unused(),
    d1: { transactions: 0, rowsRead: 0, rowsWritten: 0, bytes: 0 },
    unmetered: new Set(),
  };
}

/** What was used between two readings. */
export function between(before: Usage, after: Usage): Usage {
  return {
    workerRequests: after.workerRequests - before.workerRequests,
    room: difference(before.room, after.room),
    limiter: difference(before.limiter, after.limiter),
    d1: difference(before.d1, after.d1),
    unmetered: after.unmetered,
  };
}

function unused(): Writable<ObjectUsage> {
  return { calls: 0, alarms: 0, frames: 0, wakes: 0, rowsRead: 0, rowsWritten: 0, rowsRemoved: 0, awake: 0 };
}

function difference<Sums extends { readonly [Name in keyof Sums]: number }>(before: Sums, after: Sums): Sums {
  const names = Object.keys(after) as (keyof Sums)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as Sums;
}
