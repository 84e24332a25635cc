/**
 * What a room does by itself, when its alarm rings: asks and leases end, old messages go, erasures are carried out, and D1
 * is brought up to what the room has. Each duty may be done at any time, and goes on where it was cut off.
 */

import type { Archive } from "./archive/archive.ts";
import type { Asks } from "./asks/asks.ts";
import type { Updates } from "./audience/updates.ts";
import type { Journal } from "./log/journal.ts";
import type { Members } from "./members/members.ts";
import type { Moderation } from "./moderation/moderation.ts";
import { logEvent } from "./operator-log/operator-log.ts";
import type { Reachability } from "./reachability/reachability.ts";
import type { Retention } from "./retention/retention.ts";
import { silentUntil } from "./retention/silence.ts";
import type { RoomRecord } from "./room-record.ts";
import type { SiteUsers } from "./sites/site-users.ts";
import type { Erasures } from "./writes/erasures.ts";

/** What is due already is done in so many ms when the room is told to look. */
const AT_ONCE = 1_000;
/** What is due already when a room wakes is done within so many ms: rooms that wake together do not all ask D1 at once. */
const SOON = 20_000;
/** What a look could not bring to its end is gone on with after this, ms. */
const LATER = 60_000;

export interface RoomDutiesDeps {
  now(): number;
  /** What the room is now. */
  record(): RoomRecord;
  readonly journal: Pick<Journal, "lastAt">;
  readonly asks: Pick<Asks, "expire" | "watch">;
  readonly reachability: Pick<Reachability, "duties">;
  readonly retention: Pick<Retention, "due" | "goneBefore" | "lookAgain" | "removeHere">;
  readonly erasures: Pick<Erasures, "carryOut">;
  readonly archive: Pick<Archive, "run" | "start">;
  readonly siteUsers: Pick<SiteUsers, "forgetBefore">;
  readonly updates: Pick<Updates, "expireDrafts">;
  readonly members: Pick<Members, "copy">;
  readonly moderation: Pick<Moderation, "duties">;
  /** Asks for `carryOut` in `delay` ms at the latest, over hibernation and restart. */
  wakeIn(delay: number): void;
}

export class RoomDuties {
  readonly #deps: RoomDutiesDeps;
  #isClosed = false;

  constructor(deps: RoomDutiesDeps) {
    this.#deps = deps;
  }

  /**
   * Begins what goes on by itself: the archive asks to be woken when messages wait from before a restart, and the retention
   * when messages will be too old.
   */
  begin(): void {
    const { archive, asks } = this.#deps;
    archive.start();
    asks.expire();
    this.#wakeForRetention(SOON * Math.random());
  }

  /** What is due when the alarm rings. */
  async carryOut(): Promise<void> {
    const { now, asks, reachability, retention, erasures, archive, siteUsers, updates } = this.#deps;
    // Before D1 is asked, which may be away for long.
    asks.expire();
    reachability.duties();
    this.#removeHere();
    await erasures.carryOut();
    if (this.#isClosed) return;
    await archive.run();
    if (this.#isClosed) return;
    const { goneBefore } = retention;
    if (goneBefore > 0) siteUsers.forgetBefore(goneBefore, now());
    updates.expireDrafts();
    asks.watch();
    this.#wakeForRetention(LATER);
    await this.#deps.members.copy();
    if (!this.#isClosed) await this.#deps.moderation.duties();
  }

  /** How long messages are kept, or when the room ends, may be another by its row: looks soon. */
  rowChanged(): void {
    this.#wakeForRetention(AT_ONCE);
  }

  /** Looks at once whether old messages are to be removed. */
  lookAgain(): void {
    this.#deps.retention.lookAgain();
    this.#wakeForRetention(AT_ONCE);
  }

  /** Whether nothing was said for so long that the room is to end. */
  get isSilent(): boolean {
    const end = this.#silentUntil;
    return end !== undefined && end <= this.#deps.now();
  }

  /** The room is gone: what is under way stops at its next step. */
  close(): void {
    this.#isClosed = true;
  }

  get #silentUntil(): number | undefined {
    return silentUntil(this.#deps.record(), this.#deps.journal.lastAt);
  }

  /** What can't be removed now, perhaps because the disk is full, is removed by a later alarm. */
  #removeHere(): void {
    const { retention, record } = this.#deps;
    try {
      retention.removeHere();
    } catch (error) {
      logEvent("retention.delayed_here", { room: record().id, error });
    }
  }

  /** Asks to be woken when messages are to be removed, or the room is to end, but not within `least` ms. */
  #wakeForRetention(least: number): void {
    const { retention, wakeIn, now } = this.#deps;
    const times = [retention.due, this.#silentUntil];
    const next = Math.min(...times.map((at) => at ?? Number.POSITIVE_INFINITY));
    if (next < Number.POSITIVE_INFINITY) wakeIn(Math.max(least, next - now()));
  }
}
