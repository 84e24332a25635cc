/**
 * Lets a room's old messages go, by their age (docs/guarantees.md, retention).
 *
 * First they are hidden: each reader asks `hide` before it reads, so a message is seen by nobody from the moment on at
 * which it is too old. Then, at most once a day, they are removed: here (`removeHere`), and in D1 (`run`). Both go on where
 * they were cut off, and may happen twice.
 */

import type { ArchivedRoom } from "../archive/d1-messages.ts";
import { Closed } from "../log/closed.ts";
import type { Journal } from "../log/journal.ts";
import type { Database } from "../log/sql.ts";
import type { StoredMessage } from "../log/stored-message.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import type { Seq } from "../protocol.ts";
import type { RoomRecord } from "../room-record.ts";
import { archivedSince, removeGone } from "./d1-retention.ts";
import { DAY, goneBefore, isGone, keptDays } from "./keep.ts";

/** When D1 does not answer, or when one run did not remove all, the next one comes after this, ms. */
const AGAIN_AFTER = 60_000;
/** The same after several failures in a row: doubled each time, up to this. */
const AGAIN_AFTER_AT_MOST = 3_600_000;

export interface RetentionDeps {
  now(): number;
  readonly room: ArchivedRoom;
  readonly journal: Journal;
  readonly db: Database;
  /** The room's row as it is known now. */
  record(): RoomRecord;
  /** The deployment's `KEEP_DAYS`; 0: for ever. */
  readonly deployment: number;
  /** D1 has noted this in the room's row, of the revision that the room has. */
  noted(change: Pick<RoomRecord, "firstSeq" | "goneBefore" | "knownKeepDays">): void;
}

export class Retention {
  readonly #deps: RetentionDeps;
  /** The time of the oldest message here, ms since 1970; `undefined`: not known. */
  #oldestAt: number | undefined;
  /** No run before this, ms since 1970. */
  #notBefore = 0;
  #failures = 0;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** Messages from before this time, ms since 1970, are gone; 0: none is. */
  get goneBefore(): number {
    const { record, deployment, now } = this.#deps;
    return goneBefore(record(), deployment, now());
  }

  /** Hides what is too old by now, as far as it is here. Nearly always this compares two numbers. */
  hide(): void {
    const before = this.goneBefore;
    if (before === 0) return;
    this.#oldestAt ??= this.#deps.journal.oldestMessage?.at;
    if (this.#oldestAt === undefined || this.#oldestAt >= before) return;
    this.#deps.journal.hideBefore(before);
    this.#oldestAt = this.#deps.journal.oldestMessage?.at;
  }

  /** Whether a message, as D1 gives it, is gone. */
  isGone(message: StoredMessage): boolean {
    return message.seq < this.#deps.journal.first || isGone(message, this.goneBefore);
  }

  /**
   * The oldest seq that is not gone; `head + 1` when all are. Asks D1 where only it can tell, and rejects when it does not
   * answer.
   */
  async findFirst(): Promise<Seq> {
    this.hide();
    await this.#oldest();
    return this.#deps.journal.first;
  }

  /** When something is to be removed, ms since 1970; `undefined` when nothing ever is, as things stand. */
  get due(): number | undefined {
    const at = this.#wanted;
    return at === undefined ? undefined : Math.max(at, this.#notBefore);
  }

  /** Whether something is to be removed by now. */
  get isDue(): boolean {
    const { due } = this;
    return due !== undefined && due <= this.#deps.now();
  }

  /** Looks again whether something is to be removed, at once. */
  lookAgain(): void {
    this.#notBefore = 0;
    this.#deps.journal.setRetentionDue(this.#deps.now());
  }

  /** Removes here what is hidden, when that is due. `run` has to follow: until then it stays due. */
  removeHere(): void {
    if (!this.isDue) return;
    const { journal, now } = this.#deps;
    this.hide();
    journal.removeGone();
    // What is left here says nothing of what D1 has yet to remove.
    if (journal.retentionDue === 0) journal.setRetentionDue(now());
  }

  /** Removes in D1, and here, what is gone, as much of it as one run may. Rejects with `Closed` at most. */
  async run(): Promise<void> {
    const { now, room, journal, db, record, deployment, noted } = this.#deps;
    this.#notBefore = now() + Math.min(AGAIN_AFTER_AT_MOST, AGAIN_AFTER * 2 ** this.#failures);
    const { revision } = record();
    const before = this.goneBefore;
    try {
      this.hide();
      const oldest = await this.#oldest();
      const isLeftHere = journal.removeGone();
      const { first } = journal;
      const isLeft = await removeGone(db, room, { first, before, revision, knownKeepDays: deployment });
      this.#failures = 0;
      if (record().revision === revision) {
        const time = before > 0 ? new Date(before).toISOString() : null;
        noted({ firstSeq: first, goneBefore: time, knownKeepDays: deployment });
      }
      if (isLeft || isLeftHere) return;
      this.#notBefore = 0;
      journal.setRetentionDue(this.#nextDue(oldest));
    } catch (error) {
      if (error instanceof Closed) throw error;
      this.#failures++;
      logEvent("retention.delayed", { room: room.id, failures: this.#failures, error });
    }
  }

  /** The same as `due`, as if nothing had failed. */
  get #wanted(): number | undefined {
    const { journal, record, deployment, now } = this.#deps;
    if (record().knownKeepDays !== deployment) return now();
    if (journal.retentionDue > 0) return journal.retentionDue;
    const days = keptDays(record(), deployment);
    if (days === undefined) return undefined;
    // Of what D1 has, the oldest is not known.
    if (journal.first < journal.oldest) return now();
    this.#oldestAt ??= journal.oldestMessage?.at;
    return this.#oldestAt === undefined ? undefined : this.#oldestAt + days * DAY;
  }

  /** When the next message will be too old, but not within a day of this run; 0: that follows from the oldest one here. */
  #nextDue(oldest: StoredMessage | undefined): number {
    const { record, deployment, now } = this.#deps;
    const days = keptDays(record(), deployment);
    if (days === undefined || !oldest) return 0;
    return Math.max(oldest.at + days * DAY, now() + DAY);
  }

  /** The oldest message that is not gone. What is gone in D1 is hidden with it. */
  async #oldest(): Promise<StoredMessage | undefined> {
    const { journal, db, room } = this.#deps;
    const { first, oldest: end, oldestMessage } = journal;
    if (first >= end) return oldestMessage;
    const found = await archivedSince(db, room.id, { from: first, end, time: this.goneBefore });
    journal.hideBelow(found?.seq ?? end);
    return found ?? journal.oldestMessage;
  }
}
