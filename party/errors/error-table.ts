/** The tables `error_counts` and `incidents` in D1: the only SQL for them. */

import type { Database } from "../log/sql.ts";
import type { ErrorCode } from "../protocol.ts";
import { dayOf } from "../usage/usage-table.ts";
import type { Incident, Tally } from "./error-tally.ts";

/** Incidents that D1 keeps. */
export const INCIDENTS_KEPT = 100;
/** Days whose counts D1 keeps. */
const DAYS_KEPT = 30;
const DAY = 24 * 60 * 60_000;

/** How often a code was answered on a day. */
export interface ErrorCount {
  /** `2026-11-24`. */
  readonly day: string;
  readonly code: ErrorCode;
  readonly count: number;
}

/** Adds what an isolate has noted up to `now`, and forgets what is old. Rejects when D1 does. */
export async function addErrors(db: Database, { counts, incidents }: Tally, now: number): Promise<void> {
  const add = `INSERT INTO error_counts (day, code, count)
    SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2) WHERE true
    ON CONFLICT (day, code) DO UPDATE SET count = count + excluded.count`;
  const note = `INSERT INTO incidents (id, at, code, what, place)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?1)`;
  const rows = incidents.map(({ id, at, code, what, place }) => [id, new Date(at).toISOString(), code, what, place]);
  await db.batch([
    db.prepare(add).bind(dayOf(now), JSON.stringify([...counts])) as never,
    db.prepare("DELETE FROM error_counts WHERE day < ?").bind(dayOf(now - DAYS_KEPT * DAY)) as never,
    ...(rows.length === 0
      ? []
      : [
          db.prepare(note).bind(JSON.stringify(rows)) as never,
          db
            .prepare("DELETE FROM incidents WHERE number <= (SELECT MAX(number) FROM incidents) - ?")
            .bind(INCIDENTS_KEPT) as never,
        ]),
  ]);
}

/** The counts from `since` on, which is a day, newest day first. Rejects when D1 does. */
export async function errorsSince(db: Database, since: string): Promise<ErrorCount[]> {
  const query = "SELECT day, code, count FROM error_counts WHERE day >= ? ORDER BY day DESC, count DESC, code";
  return (await db.prepare(query).bind(since).all<ErrorCount>()).results;
}

/** The newest `limit` incidents, newest first, with `at` in ISO 8601. Rejects when D1 does. */
export async function newestIncidents(
  db: Database,
  limit: number,
): Promise<(Omit<Incident, "at"> & { readonly at: string })[]> {
  const query = "SELECT id, at, code, what, place FROM incidents ORDER BY number DESC LIMIT ?";
  return (await db.prepare(query).bind(limit).all<Omit<Incident, "at"> & { at: string }>()).results;
}
