/**
 * Lets a room's old messages go, by their age (docs/guarantees.md, retention).
 *
 * First they are hidden: each reader asks `hide` before it reads, so a message is seen by nobody from the moment at which it
 * is too old. Then, at most once a day, they are removed, some at a time; D1's copy follows like any change.
 */

import type { Follower } from "../follower.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { RoomRecord } from "../room-record.ts";
import { DAY, goneBefore, keptDays } from "./keep.ts";

/** When one run did not remove all, the next one comes after this, ms. */
const AGAIN_AFTER = 1_000;

export interface RetentionDeps {
  now(): number;
  readonly log: RoomLog;
  /** The room's row as it is known now. */
  record(): RoomRecord;
  /** The deployment's `KEEP_DAYS`; 0: for ever. */
  readonly deployment: number;
  /** Something is gone, which D1 has to follow. */
  changed(): void;
}

export class Retention implements Follower {
  readonly name = "retention";
  readonly #deps: RetentionDeps;
  /** The time of the oldest message here, ms since 1970, and what the log was when it was looked at. */
  #oldest: { readonly at: number | undefined; readonly first: number; readonly oldest: number } | undefined;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** Messages from before this time, ms since 1970, are gone; 0: none is. */
  get goneBefore(): number {
    const { record, deployment, now } = this.#deps;
    return goneBefore(record(), deployment, now());
  }

  /** Hides what is too old by now. Nearly always this compares two numbers. */
  hide(): void {
    const before = this.goneBefore;
    if (before === 0) return;
    const at = this.#oldestAt;
    if (at !== undefined && at < before) this.#deps.log.hideBefore(before);
  }

  /** When something is to be removed, ms since 1970; `undefined` when nothing ever is, as things stand. */
  get due(): number | undefined {
    const { log, record, deployment, now } = this.#deps;
    if (this.#isRowBehind) return now();
    if (log.retentionDue > 0) return log.retentionDue;
    if (log.isHiding) return now();
    const days = keptDays(record(), deployment);
    const at = this.#oldestAt;
    return days === undefined || at === undefined ? undefined : at + days * DAY;
  }

  /** Looks again whether something is to be removed, at once. */
  lookAgain(): void {
    this.#deps.log.setRetentionDue(this.#deps.now());
  }

  /** Removes what is gone, as much of it as one run may. */
  async run(): Promise<void> {
    const { now, log, changed } = this.#deps;
    this.hide();
    const isLeft = log.removeGone();
    if (this.#isRowBehind) log.transaction(() => log.dirty.markPart("room"));
    log.setRetentionDue(isLeft ? now() + AGAIN_AFTER : this.#nextDue);
    changed();
  }

  /** Whether D1 has yet to be told by which `KEEP_DAYS` the room goes. */
  get #isRowBehind(): boolean {
    const { log, record, deployment } = this.#deps;
    return record().knownKeepDays !== deployment && !log.dirty.parts().includes("room");
  }

  /** When the next message will be too old, but not within a day of this run; 0: that follows from the oldest one. */
  get #nextDue(): number {
    const { record, deployment, now } = this.#deps;
    const days = keptDays(record(), deployment);
    const at = this.#oldestAt;
    return days === undefined || at === undefined ? 0 : Math.max(at + days * DAY, now() + DAY);
  }

  get #oldestAt(): number | undefined {
    const { log } = this.#deps;
    const { first, oldest } = log;
    if (this.#oldest?.first !== first || this.#oldest.oldest !== oldest || this.#oldest.at === undefined) {
      this.#oldest = { at: log.after(Math.max(first, oldest) - 1, 1)[0]?.at, first, oldest };
    }
    return this.#oldest.at;
  }
}
