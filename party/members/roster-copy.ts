/**
 * Brings D1's copy of the roster up to what the room has, and tries again for as long as it takes. The room is what is
 * true: nobody waits for this.
 */

import type { Database } from "../log/sql.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { archivedRoster, copyRoster } from "./d1-roster.ts";
import type { Roster } from "./roster.ts";

/** Rows of one copy. */
const AT_ONCE = 500;
/** How soon a copy that has failed is tried again, ms. */
const AGAIN_AFTER = 30_000;

export interface RosterCopyDeps {
  readonly room: { readonly id: string; readonly createdAt: string };
  readonly roster: Roster;
  readonly db: Database;
  /** Asks for `run` in `delay` ms or earlier, over sleep and restart. */
  wakeIn(delay: number): void;
}

export class RosterCopy {
  readonly #deps: RosterCopyDeps;
  #isRunning = false;
  #isClosed = false;

  constructor(deps: RosterCopyDeps) {
    this.#deps = deps;
  }

  /** Copies what D1 does not have. Never rejects. What changes while a copy is under way goes along with it. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { room, roster, db, wakeIn } = this.#deps;
    try {
      while (!this.#isClosed) {
        const changes = roster.uncopied(AT_ONCE);
        const mayHaveReturned = roster.mayHaveReturned;
        if (!mayHaveReturned && Object.values(changes).every(({ length }) => length === 0)) return;
        // Before D1 is asked: a crash in between must not leave it for ever.
        wakeIn(AGAIN_AFTER);
        if (mayHaveReturned) {
          const archived = await archivedRoster(db, room.id);
          if (!this.#isClosed) roster.lookedThrough(archived);
          continue;
        }
        await copyRoster(db, room, changes);
        if (!this.#isClosed) roster.markCopied(changes);
      }
    } catch (error) {
      logEvent("members.not_copied", { room: room.id, error });
    } finally {
      this.#isRunning = false;
    }
  }

  /** The room is gone, and its tables another room's. */
  close(): void {
    this.#isClosed = true;
  }
}
