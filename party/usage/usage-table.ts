/** The table `usage` in D1: the only SQL for it. */

import type { Database } from "../log/sql.ts";
import { type Amounts, type Measure, STEPS } from "./usage-sampler.ts";

/** A day of UTC, and what was used on it: estimates. */
export interface UsageOfDay extends Record<Measure, number> {
  /** `2026-11-24`. */
  readonly day: string;
}

const MEASURES = Object.keys(STEPS) as Measure[];
const columnOf = (measure: Measure): string => measure.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const COLUMNS = MEASURES.map(columnOf);

/** The day of `now`, ms since 1970. */
export const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);

const ADD = `INSERT INTO usage (day, ${COLUMNS}) VALUES (?, ${COLUMNS.map(() => "?")})
  ON CONFLICT (day) DO UPDATE SET ${COLUMNS.map((column) => `${column} = ${column} + excluded.${column}`)}`;

/** Adds to the day of `now`. One row written. Rejects when D1 does. */
export async function addUsage(db: Database, amounts: Amounts, now: number): Promise<void> {
  const values = MEASURES.map((measure) => amounts[measure] ?? 0);
  await db
    .prepare(ADD)
    .bind(dayOf(now), ...values)
    .all();
}

/** The newest `limit` days, newest first. Rejects when D1 does. */
export async function usageByDay(db: Database, limit: number): Promise<UsageOfDay[]> {
  const columns = MEASURES.map((measure) => `${columnOf(measure)} AS ${measure}`);
  const query = `SELECT day, ${columns} FROM usage ORDER BY day DESC LIMIT ?`;
  return (await db.prepare(query).bind(limit).all<UsageOfDay>()).results;
}

/** Whether nobody has claimed before to warn on the day of `now`. Rejects when D1 does. */
export async function claimWarning(db: Database, now: number): Promise<boolean> {
  const query = `INSERT INTO usage (day, warned) VALUES (?, 1)
    ON CONFLICT (day) DO UPDATE SET warned = 1 WHERE warned = 0 RETURNING day`;
  return (await db.prepare(query).bind(dayOf(now)).all()).results.length > 0;
}
