/**
 * Brings a room back from its copy in D1: the beginning of a log in a room that is new or has lost its own storage, and then
 * all older messages, newest first and in steps. The same brings back, once, the older messages of rooms of earlier
 * versions, which kept only the newest ones here.
 */

import type { Follower } from "../follower.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { Database } from "../log/sql.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { goneBefore } from "../retention/keep.ts";
import type { RoomRecord } from "../room-record.ts";
import type { RoomStorage } from "../storage/room-storage.ts";
import { archivedBefore } from "./d1-packs.ts";
import { firstOf } from "./pack.ts";
import { beginParts, type StoredPart } from "./parts.ts";
import { retryDelay } from "./retry-delay.ts";

/** One run brings messages back for so long, ms: the room does other things in between. */
const RUN_FOR = 5_000;

export interface BeginLogDeps {
  now(): number;
  readonly db: Database;
  readonly log: RoomLog;
  readonly storage: RoomStorage;
  /** For how many days messages are kept at most; 0: for ever. */
  readonly keepDays: number;
  /** Whether the room is still to begin: it may be deleted while D1 is asked. */
  isWanted(): boolean;
}

/** Begins a log behind what D1 has of the room. Rejects when D1 does not answer, or storage refuses: then nothing is begun. */
export async function beginLog(
  record: RoomRecord,
  { now, db, log, storage, keepDays, isWanted }: BeginLogDeps,
): Promise<void> {
  const isNew = record.lastSeq === 0 && record.epoch === null;
  const [found, newest] = await Promise.all([
    db.batch<unknown>([
      db.prepare("SELECT part, body FROM room_state WHERE room_id = ?").bind(record.id),
      db.prepare("SELECT copied_at FROM rooms WHERE id = ?").bind(record.id),
    ]),
    isNew ? { messages: [], from: 1, rows: [] } : archivedBefore(db, record.id, record.lastSeq + 1),
  ]);
  if (!isWanted()) return;
  const head = Math.max(record.lastSeq, record.firstSeq - 1, newest.messages.at(-1)?.seq ?? 0);
  const before = goneBefore(record, keepDays, now());
  const kept = newest.messages.filter(({ seq, at }) => seq >= record.firstSeq && at >= before);
  // Where some of the newest are gone, so is all that is older.
  const isEnd = kept.length < newest.messages.length;
  const first = isEnd ? (kept[0]?.seq ?? head + 1) : record.firstSeq;
  const lastAt = newest.messages.at(-1)?.at ?? (record.lastMessageAt === null ? 0 : Date.parse(record.lastMessageAt));
  const [parts, rows] = found;
  const [row] = (rows?.results ?? []) as { copied_at: number }[];
  // Before the log: a room that has its log is taken to know its members.
  const { asks, pairs } = beginParts(storage, (parts?.results ?? []) as StoredPart[]);
  log.start({
    ...{ messages: kept, first, head, lastAt, asks, pairs },
    oldest: Math.max(first, Math.min(newest.from, head + 1)),
    // Below 0 D1 wants all of it anew, which the first copy then sees.
    revision: Math.max(0, row?.copied_at ?? 0),
  });
  // D1 is told that the room goes on under another epoch.
  if (isNew) return;
  log.transaction(() => {
    log.dirty.markPart("room");
    // D1 has some of its pack that are gone.
    if (isEnd) log.dirty.markPack(first);
    for (const first of new Set(newest.rows.map(firstOf))) log.dirty.markPack(first);
  });
}

export interface RebuildDeps {
  readonly room: string;
  readonly log: RoomLog;
  readonly db: Database;
  now(): number;
  /** Calls `run` once, `delay` ms from now. */
  schedule(delay: number, run: () => void): void;
  /** Something of it has to be copied anew. */
  changed(): void;
}

export class Rebuild implements Follower {
  readonly name = "rebuild";
  readonly #deps: RebuildDeps;
  #failures = 0;
  #notBefore = 0;

  constructor(deps: RebuildDeps) {
    this.#deps = deps;
  }

  /** When it goes on, ms since 1970; `undefined`: all that there is is here. */
  get due(): number | undefined {
    const { log, now } = this.#deps;
    return log.isWhole ? undefined : Math.max(now(), this.#notBefore);
  }

  /** Brings some of the older messages back. */
  async run(): Promise<void> {
    const { room, log, db, now, schedule, changed } = this.#deps;
    const end = now() + RUN_FOR;
    try {
      while (!log.isWhole && now() < end) {
        const { messages, from, rows } = await archivedBefore(db, room, log.oldest);
        log.fill(messages, Math.max(from, log.first));
        log.transaction(() => {
          for (const first of new Set(rows.map(firstOf))) log.dirty.markPack(first);
        });
        // A D1 in the same process answers at once: without a turn of their own, all requests would wait for the end.
        await new Promise<void>((resolve) => schedule(0, resolve));
      }
      this.#failures = 0;
      if (log.isWhole) changed();
    } catch (error) {
      this.#failures++;
      this.#notBefore = now() + retryDelay(this.#failures);
      logEvent("archive.not_brought_back", { room, failures: this.#failures, error });
    }
  }
}
