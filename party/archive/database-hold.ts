/**
 * The limit of D1's that a room's archive has met and that, as far as is known, still holds: until its time is over D1 is left
 * alone. It is kept over sleep and restart. How long it lasts, and what is told of it, is in `hold.ts`.
 */

import { logEvent } from "../operator-log/operator-log.ts";
import type { DatabaseLimit } from "./database-limit.ts";
import { type Hold, type HoldReport, type HoldStore, holdLeft, holdReport, retryAt, type Stored } from "./hold.ts";

/** What the log says of a limit. */
const MET = { full: "archive.database_full", day: "archive.day_used_up" } as const satisfies Record<
  DatabaseLimit,
  string
>;

export interface DatabaseHoldDeps {
  readonly room: string;
  /** ms since 1970. */
  now(): number;
  readonly holds: HoldStore;
  /** How full the room's own storage is. */
  stored(): Stored;
}

export class DatabaseHold {
  readonly #deps: DatabaseHoldDeps;
  #hold: Hold | undefined;

  constructor(deps: DatabaseHoldDeps) {
    this.#deps = deps;
    this.#hold = deps.holds.load();
  }

  /** Whether a limit was met since D1 took something last, also when it may be asked again by now. */
  get isThere(): boolean {
    return this.#hold !== undefined;
  }

  /** For how long D1 is left alone, ms; 0: it may be asked. */
  get left(): number {
    return this.#hold ? holdLeft(this.#hold, this.#deps.now()) : 0;
  }

  /** What is told of it in a room that keeps so many messages of its own; `null` while there is none. */
  report(messages: number): HoldReport | null {
    const { stored, now } = this.#deps;
    return this.#hold ? holdReport(this.#hold, stored(), messages, now()) : null;
  }

  /** D1 has met `limit`, as it says in `detail`. The log has it when it begins, and not each time. */
  begin(limit: DatabaseLimit, lag: number, detail: string): void {
    const { room, now, stored, holds } = this.#deps;
    const { since, bytes } = this.#hold?.limit === limit ? this.#hold : { since: now(), bytes: stored().bytes };
    if (this.#hold?.limit !== limit) logEvent(MET[limit], { room, lag, error: detail });
    this.#hold = { limit, since, bytes, retryAt: retryAt(limit, now(), Math.random()) };
    holds.save(this.#hold);
  }

  /** D1 has taken something. */
  end(lag: number): void {
    if (!this.#hold) return;
    this.#hold = undefined;
    this.#deps.holds.save(undefined);
    logEvent("archive.resumed", { room: this.#deps.room, lag });
  }
}
