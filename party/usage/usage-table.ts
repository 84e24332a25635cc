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
const SELECTED = ["day", ...MEASURES.map((measure) => `${columnOf(measure)} AS ${measure}`)].join(", ");

/** The day of `now`, ms since 1970. */
export const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10);

const ADD = `INSERT INTO usage (day, ${COLUMNS}) VALUES (?, ${COLUMNS.map(() => "?")})
  ON CONFLICT (day) DO UPDATE SET ${COLUMNS.map((column) => `${column} = ${column} + excluded.${column}`)}
  RETURNING ${SELECTED}`;

/** Adds to the day of `now`, and gives what that day has by now. One row written. Rejects when D1 does. */
export async function addUsage(db: Database, amounts: Amounts, now: number): Promise<UsageOfDay | undefined> {
  const values = MEASURES.map((measure) => amounts[measure] ?? 0);
  const statement = db.prepare(ADD).bind(dayOf(now), ...values);
  return (await statement.all<UsageOfDay>()).results[0];
}

/** The newest `limit` days, newest first. Rejects when D1 does. */
export async function usageByDay(db: Database, limit: number): Promise<UsageOfDay[]> {
  const query = `SELECT ${SELECTED} FROM usage ORDER BY day DESC LIMIT ?`;
  return (await db.prepare(query).bind(limit).all<UsageOfDay>()).results;
}

/** The usage of the day of `now`, where there is any yet. Reads one row. Rejects when D1 does. */
export async function usageOfDay(db: Database, now: number): Promise<UsageOfDay | undefined> {
  const [newest] = await usageByDay(db, 1);
  return newest?.day === dayOf(now) ? newest : undefined;
}

/** What the log is told of once a day. */
export type Warning = "warned_of_size" | "warned_of_day";

/** Whether nobody has claimed before to give this warning on the day of `now`. Rejects when D1 does. */
export async function claimWarning(db: Database, warning: Warning, now: number): Promise<boolean> {
  const query = `INSERT INTO usage (day, ${warning}) VALUES (?, 1)
    ON CONFLICT (day) DO UPDATE SET ${warning} = 1 WHERE ${warning} = 0 RETURNING day`;
  return (await db.prepare(query).bind(dayOf(now)).all()).results.length > 0;
}
