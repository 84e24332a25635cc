/** What Cloudflare's free plan has a day (UTC), as its pricing pages say in November 2026, and how near a day is to it. */

import { WARNED_FROM } from "./fullness.ts";
import type { Measure } from "./usage-sampler.ts";
import type { UsageOfDay } from "./usage-table.ts";

/** 13,000 GB-s of objects that are billed with 128 MB. */
const OBJECT_MS = (13_000 / 0.128) * 1_000;

/** What the free plan limits by the day. */
export type Limited = Exclude<Measure, "socketsOpened">;

export const FREE_PLAN: Readonly<Record<Limited, number>> = {
  workerRequests: 100_000,
  objectRequests: 100_000,
  objectMs: OBJECT_MS,
  objectRowsWritten: 100_000,
  databaseRowsRead: 5_000_000,
  databaseRowsWritten: 100_000,
};

/** What the log and an error call each. */
const WORDS: Readonly<Record<Limited, string>> = {
  workerRequests: "requests to the Worker",
  objectRequests: "requests to objects",
  objectMs: "seconds of awake objects",
  objectRowsWritten: "rows written in objects",
  databaseRowsRead: "rows read in D1",
  databaseRowsWritten: "rows written in D1",
};

/** The limit of the day that is nearest, as an estimate. */
export interface Nearest {
  readonly words: string;
  /** From 0 on; 1: all of it. */
  readonly share: number;
}

/** Which limit of the free plan the usage of a day is nearest to. */
export function nearestLimit(usage: UsageOfDay): Nearest {
  const shares = (Object.keys(FREE_PLAN) as Limited[]).map((measure) => ({
    words: WORDS[measure],
    share: usage[measure] / FREE_PLAN[measure],
  }));
  return shares.reduce((nearest, next) => (next.share > nearest.share ? next : nearest));
}

/** The part of the nearest limit, where it is time to tell; `undefined` before. */
export function worthTelling(usage: UsageOfDay | undefined): Nearest | undefined {
  const nearest = usage && nearestLimit(usage);
  return nearest && nearest.share >= WARNED_FROM ? nearest : undefined;
}
