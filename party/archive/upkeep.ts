/**
 * What is done to messages that D1 has already: erasures are carried out, rows of the older form are packed, and who wrote them
 * is found out. None of it keeps a message from being copied: what fails is tried again later.
 */

import type { Journal } from "../log/journal.ts";
import type { Database } from "../log/sql.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import type { Copy } from "./copy.ts";
import type { ArchivedRoom, Mark } from "./d1-messages.ts";
import { Eraser } from "./eraser.ts";
import { moveRows } from "./mover.ts";
import { retryDelay } from "./retry-delay.ts";
import { SenderIndex } from "./sender-index.ts";

/** Steps in one run: each asks D1 twice, and an invocation on the free plan may 50 times. */
const STEPS = 15;
/** Further erasing comes after this, ms. */
const ERASING_PAUSE = 100;

export interface UpkeepDeps {
  readonly room: ArchivedRoom;
  readonly journal: Journal;
  readonly db: Database;
  /** Asks for another run of the archive in `delay` ms. */
  wakeIn(delay: number): void;
}

export class Upkeep {
  readonly #deps: UpkeepDeps;
  readonly #eraser: Eraser;
  readonly #index: SenderIndex;
  #failures = 0;
  #isClosed = false;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
    this.#eraser = new Eraser(deps);
    this.#index = new SenderIndex(deps);
  }

  /** Stops at the next step: `erase` rejects. */
  close(): void {
    this.#isClosed = true;
  }

  /** Carries out some of what is erased and D1 has. Rejects when it is closed, and with nothing else. */
  async erase(): Promise<void> {
    try {
      for (let step = 0; step < STEPS && this.#eraser.isDue; step++) await this.#eraser.step();
      this.#failures = 0;
    } catch (error) {
      if (this.#isClosed) throw error;
      this.#failures++;
      logEvent("archive.erasure_delayed", { room: this.#deps.room.id, failures: this.#failures, error });
      this.#deps.wakeIn(retryDelay(this.#failures));
    }
  }

  /** Asks for another run where more is to be erased. */
  goOn(): void {
    if (this.#eraser.isDue && this.#failures === 0) this.#deps.wakeIn(ERASING_PAUSE);
  }

  /** Finds out of older messages who wrote them, until that is known of all or the run has done enough. Whether it is known. */
  async index(): Promise<boolean> {
    for (let step = 0; step < STEPS; step++) if (!(await this.#index.step())) return true;
    return false;
  }

  /** A copy has filled a pack: some of what is in D1 of before is looked after. */
  async afterPack(): Promise<void> {
    await this.#move();
    await this.#indexSome();
  }

  /** Those of `senders` of whom D1 may not know that they wrote here. */
  newcomers(senders: readonly string[]): readonly string[] {
    return this.#index.newcomers(senders);
  }

  /** D1 has taken a copy, before which it was as `before` says. So many erasures were under way here. */
  took(copy: Copy, before: Mark, underWay: number): void {
    this.#index.learn(copy, before);
    // It was set back to a time at which it had all these messages and had not carried out an erasure.
    if (before.erasing > underWay) this.#eraser.startOver();
  }

  /** D1 was set back to an earlier time: what was done to it may be undone. */
  startOver(): void {
    this.#eraser.startOver();
    this.#index.startOver();
  }

  /**
   * Moves some of what D1 has in its older form. One pack whenever a new one is full, so that a message costs about one row
   * written in D1, as it did in the older form: where a day's rows were enough, they still are.
   */
  async #move(): Promise<void> {
    const { db, journal, room } = this.#deps;
    if (!journal.unpacked) return;
    let isLeft: boolean;
    try {
      await this.#eraser.lookAgain();
      // A move that is on its way for long would bring back rows from before an erasure has emptied them.
      if (this.#eraser.isDue) return;
      isLeft = await moveRows(db, room);
    } catch (error) {
      // They are as good where they are. The next time comes with the next full pack.
      logEvent("archive.packing_delayed", { room: room.id, error });
      return;
    }
    if (!isLeft) journal.setUnpacked(false);
  }

  /** Finds out who wrote some of the messages of which D1 does not say it. */
  async #indexSome(): Promise<void> {
    try {
      await this.#index.step();
    } catch (error) {
      logEvent("archive.senders_delayed", { room: this.#deps.room.id, error });
    }
  }
}
