/** Begins the log of a room that is new, or that has lost its own storage, behind what D1 has of it. */

import type { Journal, JournalDeps, StoredMessage } from "../log/journal.ts";
import type { Database } from "../log/sql.ts";
import { archivedRoster } from "../members/d1-roster.ts";
import { Roster } from "../members/roster.ts";
import { archivedModeration } from "../moderation/d1-moderation.ts";
import { beginModeration } from "../moderation/moderation-copy.ts";
import { ModerationTables } from "../moderation/moderation-tables.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { goneBefore } from "../retention/keep.ts";
import type { RoomRecord } from "../room-record.ts";
import { archivedAsks } from "./d1-asks.ts";
import { announceEpoch } from "./d1-messages.ts";
import { archivedHistory } from "./d1-reader.ts";

export interface BeginLogDeps {
  now(): number;
  readonly db: Database;
  readonly journal: Journal;
  /** The room's own. */
  readonly storage: JournalDeps;
  /** For how many days messages are kept at most; 0: for ever. */
  readonly keepDays: number;
  /** Whether the room is still to begin: it may be deleted while D1 is asked. */
  isWanted(): boolean;
}

/** Begins it; writes nothing when it is not wanted any more. Rejects when D1 does not answer, or storage refuses. */
export async function beginLog(record: RoomRecord, deps: BeginLogDeps): Promise<void> {
  const { db, journal, storage, isWanted } = deps;
  const [{ messages, pairs, erasures }, roster, moderation] = await Promise.all([
    archivedHistory(db, record.id, record.lastSeq),
    archivedRoster(db, record.id),
    archivedModeration(db, record.id),
  ]);
  const kept = keptOf(record, messages, deps);
  const asks = await archivedAsks(db, record.id, kept.messages[0]?.seq ?? kept.first);
  if (!isWanted()) return;
  // Before the log: a room that has its log is taken to know its members.
  new Roster(storage).begin(roster);
  beginModeration(new ModerationTables(storage), moderation);
  journal.start({
    ...kept,
    asks: { ...asks, open: asks.open.filter(({ seq }) => seq >= kept.first) },
    pairs,
    head: record.lastSeq,
    erasures,
  });
  if (messages.length > 0) await announce(record, journal.epoch, db);
}

/** What D1 has of a room, without what is gone because of its age. */
function keptOf(record: RoomRecord, messages: readonly StoredMessage[], { keepDays, now }: BeginLogDeps) {
  const before = goneBefore(record, keepDays, now());
  const kept = messages.filter(({ seq, at }) => seq >= record.firstSeq && at >= before);
  // Where some of the newest are gone, so is all that is older.
  const isEnd = kept.length < messages.length;
  const first = isEnd ? (kept[0]?.seq ?? Math.max(record.lastSeq, messages.at(-1)?.seq ?? 0) + 1) : record.firstSeq;
  const lastAt = messages.at(-1)?.at ?? (record.lastMessageAt === null ? 0 : Date.parse(record.lastMessageAt));
  return { messages: kept, first, lastAt };
}

/** Tells D1 that the room goes on under another epoch. */
async function announce({ id, createdAt }: RoomRecord, epoch: string, db: Database): Promise<void> {
  try {
    await announceEpoch(db, { id, createdAt }, epoch);
  } catch (error) {
    // D1 reads and does not write. That is no reason to keep anybody out: the next copy says the same.
    logEvent("archive.epoch_not_told", { room: id, error });
  }
}
