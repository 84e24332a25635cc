/**
 * Who did what to whom in a room: the newest thousand deeds of those who decide in it, for some months. It never has the
 * text of a message, nor an address.
 */

import { isTaken, takenNames } from "../log/erasure.ts";
import type { Deed, DeedPage } from "../room-rpc.ts";
import type { ModerationTables } from "./moderation-tables.ts";

/** Deeds that are kept. */
export const MOST_DEEDS = 1_000;
/** They are let go in steps of so many. */
const STEP = 100;
/** A deed is forgotten after this time, ms: 90 days. */
export const KEPT_FOR = 90 * 86_400_000;
/** Among so many of the newest a deed is looked for that may be told again. */
const LOOKED_AT = 20;

type Row = { n: number; at: number; who: string; deed: Deed["deed"]; target: string | null; detail: string };

export class DeedLog {
  readonly #tables: ModerationTables;

  constructor(tables: ModerationTables) {
    this.#tables = tables;
  }

  /** Writes a deed down. One that stands under a revision of the room's row is written down once, however often it is told. */
  add({ by, deed, target: whom, detail = {} }: Deed, now: number, revision?: number): void {
    const tables = this.#tables;
    const target = whom ?? null;
    const written = JSON.stringify({ ...detail, ...(revision !== undefined && { revision }) });
    if (revision !== undefined && tables.isThere && this.#isKnown(deed, target, written)) return;
    tables.change("deeds", () => {
      const query = "INSERT INTO deeds (at, who, deed, target, detail) VALUES (?, ?, ?, ?, ?) RETURNING n";
      const [row] = tables.sql.exec<{ n: number }>(query, now, by, deed, target, written).toArray();
      const n = row?.n as number;
      if (n % STEP === 0) this.#remove("n <= ?", n - MOST_DEEDS);
    });
  }

  /** Up to `limit` deeds, newest first, from before the deed `before`. */
  page(before: number | undefined, limit: number, now: number): DeedPage {
    if (!this.#tables.isThere) return { entries: [], next: null };
    const query = `SELECT n, at, who, deed, target, detail FROM deeds WHERE n < ? AND at > ? AND n > ?
      ORDER BY n DESC LIMIT ?`;
    const values = [before ?? Number.MAX_SAFE_INTEGER, now - KEPT_FOR, this.#newest - MOST_DEEDS, limit + 1];
    const rows = this.#tables.sql.exec<Row>(query, ...values).toArray();
    const shown = rows.slice(0, limit);
    return { entries: shown.map(shownOf), next: rows.length > limit ? (shown.at(-1)?.n ?? null) : null };
  }

  /** Removes what is too old. In how many ms there is more to remove; `undefined`: nothing is written down. */
  sweep(now: number): number | undefined {
    if (!this.#tables.isThere) return undefined;
    if (this.#oldestAt <= now - KEPT_FOR) this.#tables.change("deeds", () => this.#remove("at <= ?", now - KEPT_FOR));
    const oldest = this.#oldestAt;
    return oldest === Number.POSITIVE_INFINITY ? undefined : Math.max(0, oldest + KEPT_FOR - now);
  }

  /** Takes the names of `sender` and their agents out, as those who did something, too: they have been erased. */
  forget(sender: string): void {
    if (!this.#tables.isThere) return;
    this.#tables.change("deeds", () => {
      const [who, target] = ["who", "target"].map((column) => isTaken(1, column));
      const query = `UPDATE deeds SET who = iif(${who}, '', who), target = iif(${target}, NULL, target)
        WHERE ${who} OR ${target}`;
      this.#tables.sql.exec(query, ...takenNames(sender));
    });
  }

  get #newest(): number {
    return this.#tables.sql.exec<{ n: number | null }>("SELECT MAX(n) AS n FROM deeds").toArray()[0]?.n ?? 0;
  }

  get #oldestAt(): number {
    const query = "SELECT at FROM deeds ORDER BY n LIMIT 1";
    return this.#tables.sql.exec<{ at: number }>(query).toArray()[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  #isKnown(deed: string, target: string | null, detail: string): boolean {
    const query = `SELECT n FROM (SELECT n, deed, target, detail FROM deeds ORDER BY n DESC LIMIT ${LOOKED_AT})
      WHERE deed = ? AND target IS ? AND detail = ?`;
    return this.#tables.sql.exec<{ n: number }>(query, deed, target, detail).toArray().length > 0;
  }

  #remove(where: string, value: number): void {
    this.#tables.sql.exec(`DELETE FROM deeds WHERE ${where}`, value);
  }
}

/** A deed as moderators are shown it. */
function shownOf({ n, at, who, deed, target, detail }: Row): DeedPage["entries"][number] {
  const { revision: _, ...shown } = JSON.parse(detail) as NonNullable<Deed["detail"]> & { revision?: number };
  return { id: n, at: new Date(at).toISOString(), by: who, deed, ...(target !== null && { target }), ...shown };
}
