/**
 * What Cloudflare's free plan carries: from what something uses, how many of it fit into a day, and what ends first.
 *
 * The limits are those of the platform's pricing pages, read in November 2026.
 */

import type { Usage } from "./usage.ts";

/** Incoming frames that are billed as one request to an object. */
const FRAMES_A_REQUEST = 20;
/** GB that an object is billed with for as long as it is awake: 128 MB. */
const OBJECT_GIGABYTES = 0.128;
/** GB-s of awake objects a day. */
const GIGABYTE_SECONDS = 13_000;

/** Seconds of a day. */
export const DAY = 86_400;

/** The daily limits, in the order in which they are told. */
export const DAILY_LIMITS = {
  "Worker requests": 100_000,
  "object requests": 100_000,
  "rows written in objects": 100_000,
  "rows read in objects": 5_000_000,
  "rows written in D1": 100_000,
  "rows read in D1": 5_000_000,
  "awake seconds": GIGABYTE_SECONDS / OBJECT_GIGABYTES,
} as const;

/** The bytes of a database, in all and not a day. */
export const DATABASE_BYTES = 500_000_000;

/** What is limited by the day. */
export type Limited = keyof typeof DAILY_LIMITS;

/** How much of each limit something takes. */
export type Demand = Readonly<Record<Limited, number>>;

/** What `usage` takes of the daily limits. */
export function demandOf({ workerRequests, room, limiter, d1 }: Usage): Demand {
  const both = (name: "calls" | "alarms" | "frames" | "rowsRead" | "rowsWritten" | "awake"): number =>
    room[name] + limiter[name];
  return {
    "Worker requests": workerRequests,
    "object requests": both("calls") + both("alarms") + both("frames") / FRAMES_A_REQUEST,
    "rows written in objects": both("rowsWritten"),
    "rows read in objects": both("rowsRead"),
    "rows written in D1": d1.rowsWritten,
    "rows read in D1": d1.rowsRead,
    "awake seconds": both("awake"),
  };
}

/** A multiple of a demand. */
export function times(demand: Demand, factor: number): Demand {
  return byLimit((name) => demand[name] * factor);
}

/** Two demands together. */
export function plus(one: Demand, other: Demand): Demand {
  return byLimit((name) => one[name] + other[name]);
}

/** How many of `demand` a day carries, and which limit ends first. Infinity when it takes nothing of any. */
export function carried(demand: Demand): { readonly count: number; readonly endsFirst: Limited } {
  const [first, ...others] = (Object.keys(DAILY_LIMITS) as Limited[]).map((name) => ({
    count: DAILY_LIMITS[name] / demand[name],
    endsFirst: name,
  }));
  return others.reduce((least, each) => (each.count < least.count ? each : least), first as NonNullable<typeof first>);
}

/** How many messages of `bytesEach` fill the database. */
export function messagesInDatabase(bytesEach: number): number {
  return DATABASE_BYTES / bytesEach;
}

function byLimit(value: (name: Limited) => number): Demand {
  const names = Object.keys(DAILY_LIMITS) as Limited[];
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Limited, number>;
}
