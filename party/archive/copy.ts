/**
 * One copy of the archive: which messages it brings to D1, which packs it writes for them, and what is in these.
 *
 * A copy writes whole packs: those of its messages, from their first message on, and those whose messages it deletes.
 * Nearly always the journal has all of them. Of an old one it has not, D1's own is read and emptied where it must be.
 */

import { askChanges } from "../asks/room-asks.ts";
import { type Erasure, erasuresIn, sendersOf, withErasures } from "../log/erasure.ts";
import type { Database, Statement } from "../log/sql.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import type { Seq } from "../protocol.ts";
import { noteAsks } from "./d1-asks.ts";
import {
  type ArchivedRoom,
  advanceRoom,
  archivedMark,
  blankRows,
  type Mark,
  packsAt,
  packsOlderThan,
  savePack,
  tellTime,
} from "./d1-messages.ts";
import { archivedBefore } from "./d1-reader.ts";
import { beginErasure, forgetSenders, noteSenders, type Order, ordersFor, savePairs } from "./d1-senders.ts";
import { firstOf, PACK, type PackRow, pack, unpack } from "./pack.ts";

/** Messages of one copy; as soon as this many wait, they are copied without waiting for the alarm. */
export const ARCHIVE_BATCH = 1_000;
/** Characters of content of one copy's messages: they are all in memory together. */
const ARCHIVE_BATCH_LENGTH = 250_000;
/** Packs that one copy rewrites for its deletions: an invocation on the free plan may ask D1 50 times. */
const REWRITTEN_AT_ONCE = 10;

/** So many messages behind an erasure are looked at for whether the sender goes on writing; who does later is noted then. */
const STAYING_LOOKED_AT = 5_000;

/** Where the messages of a copy come from: the room's journal, or a part of a log without a room. */
export interface CopySource {
  readonly epoch: string;
  /** D1 has everything up to here. */
  readonly archived: Seq;
  /** Messages with a lower seq are gone. */
  readonly first: Seq;
  /** Everything from here on is here; older messages are in D1. */
  readonly oldest: Seq;
  /** Messages that D1 has refused. */
  parked(): readonly { readonly seq: Seq }[];
  /** Up to `limit` messages with a seq above `seq`, oldest first. What has been deleted is empty already. */
  after(seq: Seq, limit: number): readonly StoredMessage[];
  /** The messages from `first` to `last` that were deleted by a deletion that is here. */
  deletedBetween(first: Seq, last: Seq): readonly Seq[];
  /** The erasures that D1 may not have carried out. */
  readonly erasures: readonly Erasure[];
  /** A dump of the (sender, id) pairs up to `seq`; `undefined` where nobody can send anything again. */
  pairsUpTo(seq: Seq): ArrayBuffer | undefined;
}

/** What D1 has answered to a copy. */
export interface Sent {
  /** What it had before. When that is below what was expected, D1 has taken nothing. */
  readonly before: Mark;
  /** The operator's orders that may be about messages of the copy. */
  readonly orders: readonly Order[];
}

/** A pack that a copy writes. */
interface Planned {
  readonly first: Seq;
  /** Whether it has messages of the copy; others are there for a deletion. */
  readonly isNew: boolean;
  /** What the source has of it, up to the end of the copy. */
  readonly here: readonly StoredMessage[];
  /** Where that begins; what is before it is in D1. */
  readonly hereFrom: Seq;
  /** Its messages that have been deleted, as far as the source knows. */
  readonly deleted: ReadonlySet<Seq>;
}

export class Copy {
  readonly #messages: readonly StoredMessage[];
  readonly #plan: readonly Planned[];
  readonly #epoch: string;
  /** Messages with a lower seq are gone, and brought to no pack. */
  readonly #first: Seq;
  /** The erasures that D1 takes up with it, and all that it may not have carried out. */
  readonly #begun: readonly Erasure[];
  readonly #erasures: readonly Erasure[];
  /** Who is erased by one of them, and has said something since. */
  readonly #stay: readonly string[];
  readonly #pairs: ArrayBuffer | undefined;

  /** A copy of the oldest messages that D1 does not have, of at most `limit`; `undefined` when it has all. */
  static next(source: CopySource, limit: number): Copy | undefined {
    const waiting = source.after(source.archived, limit);
    let length = 0;
    const rewritten = new Set<Seq>();
    const end = waiting.findIndex(({ kind, ref, content }, index) => {
      length += content.length;
      if (kind === "deletion" && ref !== null) rewritten.add(firstOf(ref));
      return index > 0 && (length > ARCHIVE_BATCH_LENGTH || rewritten.size > REWRITTEN_AT_ONCE);
    });
    const messages = end === -1 ? waiting : waiting.slice(0, end);
    return messages.length === 0 ? undefined : new Copy(source, messages);
  }

  /** Takes all that it needs of the source, which may go on while the copy is under way. */
  private constructor(source: CopySource, messages: readonly StoredMessage[]) {
    this.#messages = messages;
    this.#epoch = source.epoch;
    this.#first = source.first;
    this.#erasures = source.erasures;
    this.#begun = erasuresIn(messages).filter(({ seq }) => source.erasures.some((erasure) => erasure.seq === seq));
    const since = Math.min(...this.#begun.map(({ upTo }) => upTo), this.last);
    // The newest messages are most likely those of others, so that nearly always these few are all.
    this.#stay = this.#begun.length === 0 ? [] : sendersOf(source.after(since, STAYING_LOOKED_AT));
    this.#pairs = this.#begun.length === 0 ? undefined : source.pairsUpTo(this.last);
    const parked = new Set(source.parked().map(({ seq }) => seq));
    const isNew = new Set(messages.map(({ seq }) => firstOf(seq)));
    const firsts = new Set([...isNew, ...this.#deleted.map(firstOf)]);
    this.#plan = [...firsts].map((first) => {
      const last = Math.min(first + PACK - 1, this.last);
      const hereFrom = Math.max(first, source.oldest);
      const here = hereFrom > last ? [] : source.after(hereFrom - 1, last - hereFrom + 1);
      return {
        first,
        isNew: isNew.has(first),
        here: here.filter(({ seq }) => seq <= last && !parked.has(seq)),
        hereFrom,
        deleted: new Set(source.deletedBetween(first, last)),
      };
    });
  }

  /** The erasures that D1 takes up with it. */
  get erasures(): readonly Erasure[] {
    return this.#begun;
  }

  /** Who has written its messages. */
  get senders(): readonly string[] {
    return sendersOf(this.#messages);
  }

  get size(): number {
    return this.#messages.length;
  }

  get first(): Seq {
    return (this.#messages[0] as StoredMessage).seq;
  }

  get last(): Seq {
    return (this.#messages.at(-1) as StoredMessage).seq;
  }

  /** Whether a pack is full with it. */
  get fillsPack(): boolean {
    return firstOf(this.first) !== firstOf(this.last + 1);
  }

  /**
   * Brings D1 from `expected`, which it must have, to the last message of the copy, in one transaction. `newcomers`: those of
   * its senders of whom D1 may not know that they wrote here. Rejects when D1 has not, or perhaps not, taken it whole.
   */
  async send(
    db: Database,
    room: ArchivedRoom,
    expected: Seq,
    newcomers: readonly string[] = this.senders,
  ): Promise<Sent> {
    const deleted = this.#deleted;
    const orders = newcomers.length > 0 ? [await ordersFor(db, newcomers)] : [];
    const begun = this.#begun.flatMap((erasure) => [
      beginErasure(db, room, erasure, expected),
      forgetSenders(db, room, erasure, expected),
    ]);
    const asks = askChanges(this.#messages, "unknown");
    const known = [...newcomers, ...this.#stay];
    const firsts = this.#plan.map(({ first }) => first);
    const statements = [
      archivedMark(db, room),
      ...orders,
      ...(asks || begun.length > 0
        ? noteAsks(db, room, { asks, erasures: this.#begun }, { from: expected, to: this.last })
        : []),
      ...begun,
      ...(known.length > 0 ? [noteSenders(db, room, known)] : []),
      ...(this.#pairs ? [savePairs(db, room, this.#pairs, expected)] : []),
      ...(await this.#packs(db, room, expected)),
      ...(deleted.length > 0 ? [blankRows(db, room, deleted)] : []),
      advanceRoom(db, room, { from: expected, to: this.last, epoch: this.#epoch }),
      tellTime(db, room, (this.#messages.at(-1) as StoredMessage).at),
      ...(deleted.length > 0 ? [packsOlderThan(db, room, firsts, this.last)] : []),
    ];
    const answers = await db.batch<unknown>(statements);
    const mark = answers[0]?.results[0] as Mark | undefined;
    if (!mark) throw new Error("D1 has no such room.");
    // Since it was asked, D1 has taken something that had been on its way for long: a pack that was not there yet.
    const isBehind = deleted.length > 0 && answers.at(-1)?.results.length !== 0;
    if (mark.last_seq >= expected && isBehind) throw new Error("A pack has changed in D1 while it was rewritten.");
    return { before: mark, orders: orders.length > 0 ? (answers[1]?.results as Order[]) : [] };
  }

  /** The messages that it deletes. */
  get #deleted(): Seq[] {
    return this.#messages.flatMap(({ kind, ref }) =>
      kind === "deletion" && ref !== null && ref >= this.#first ? [ref] : [],
    );
  }

  async #packs(db: Database, room: ArchivedRoom, from: Seq): Promise<Statement[]> {
    const rewritten = await this.#readRewritten(db, room);
    const statements: Statement[] = [];
    for (const planned of this.#plan) {
      const { first, here, hereFrom, deleted } = planned;
      const older = await this.#older(db, room, planned, rewritten);
      // Rows of the older form, which are emptied where they are.
      if (!older) continue;
      const before = older
        .filter(({ seq }) => seq >= Math.max(first, this.#first) && seq < hereFrom)
        .map((message) => (deleted.has(message.seq) ? { ...message, content: "" } : message))
        .map((message) => withErasures(message, this.#erasures));
      const messages = [...before, ...here];
      if (messages.length === 0) continue;
      statements.push(savePack(db, room, { first, revision: this.last, from, body: await pack(messages) }));
    }
    return statements;
  }

  /** What D1 has of a pack, where the journal does not have all of it; `undefined` when D1 has it, but not as a pack. */
  async #older(
    db: Database,
    room: ArchivedRoom,
    { first, isNew, hereFrom }: Planned,
    rewritten: ReadonlyMap<Seq, PackRow>,
  ): Promise<StoredMessage[] | undefined> {
    if (hereFrom <= Math.max(first, this.#first)) return [];
    if (isNew) return archivedBefore(db, room.id, hereFrom, hereFrom - first);
    const row = rewritten.get(first);
    return row && unpack(row);
  }

  /** D1's own of the packs that are written for a deletion alone, and that the journal does not have whole any more. */
  async #readRewritten(db: Database, room: ArchivedRoom): Promise<ReadonlyMap<Seq, PackRow>> {
    const firsts = this.#plan
      .filter(({ first, isNew, hereFrom }) => !isNew && hereFrom > Math.max(first, this.#first))
      .map(({ first }) => first);
    if (firsts.length === 0) return new Map();
    const { results } = await packsAt(db, room.id, firsts).all<PackRow>();
    return new Map(results.map((row) => [row.first, row]));
  }
}
