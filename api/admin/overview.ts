/** How the deployment is, on one page: what the operator's page shows, and `GET /api/admin/overview` answers. */

import { waitUntil } from "cloudflare:workers";
import type * as z from "zod/mini";
import { ageOf } from "../../party/clock.ts";
import { configurationOf } from "../../party/configuration.ts";
import { addErrors, errorsSince, INCIDENTS_KEPT, newestIncidents } from "../../party/errors/error-table.ts";
import { errors } from "../../party/errors/error-tally.ts";
import { FREE_PLAN } from "../../party/usage/daily-limits.ts";
import { shareOf } from "../../party/usage/fullness.ts";
import { gauge } from "../../party/usage/metered-database.ts";
import { dayOf, usageByDay } from "../../party/usage/usage-table.ts";
import { directoryFigures } from "../directory-figures.ts";
import type * as answers from "../openapi/answers/admin.ts";
import { readNotice } from "./notice.ts";
import { glanceAt } from "./room-glances.ts";

/** Days of which usage and errors are told. */
const DAYS_SHOWN = 7;
const DAY = 24 * 60 * 60_000;

/** Rooms that are looked at in D1, the newest ones. Each costs about five rows read. */
const ROOMS_LOOKED_AT = 10_000;
/** Rooms of each list. */
const ROOMS_SHOWN = 20;
/** A room in which nothing was said for so long is not asked how it is, ms. */
const ACTIVE_FOR = DAY;

/** How long the figures of the rooms count, ms: a page that is reloaded over and over reads them once. */
const FIGURES_KEPT = 15_000;
let figures: { readonly at: number; readonly read: ReturnType<typeof readRooms> } | undefined;

/** Rejects when D1 does not answer. */
export async function readOverview(env: Env): Promise<z.output<typeof answers.Overview>> {
  const now = Date.now();
  await writeErrors(env, now);
  const [rooms, estimatedByDay, counts, incidents, notice] = await Promise.all([
    roomsLately(env, now),
    usageByDay(env.DB, DAYS_SHOWN),
    errorsSince(env.DB, dayOf(now - (DAYS_SHOWN - 1) * DAY)),
    newestIncidents(env.DB, INCIDENTS_KEPT),
    readNotice(env.DB),
  ]);
  // D1's own word, by the answers that have just come.
  const { bytes } = gauge;
  const { databaseBytes: limit, roomBytes, dailyLimits } = configurationOf(env);
  return {
    at: new Date(now).toISOString(),
    notice: notice ?? null,
    storage: {
      database: { bytes, limit: limit ?? null, share: shareOf({ bytes, limit }) ?? null },
      roomLimit: roomBytes ?? null,
    },
    estimatedByDay,
    dailyLimits: dailyLimits ? FREE_PLAN : null,
    rooms,
    errors: { counts, incidents },
  };
}

/** Writes what this isolate knows of errors, so that it is in the answer. */
async function writeErrors({ DB }: Env, now: number): Promise<void> {
  const tally = errors.take(now);
  if (!tally) return;
  try {
    await addErrors(DB as never, tally, now);
  } catch (error) {
    errors.giveBack(tally);
    throw error;
  }
}

function roomsLately(env: Env, now: number): ReturnType<typeof readRooms> {
  if (!figures || ageOf(figures.at, now) >= FIGURES_KEPT) {
    const read = readRooms(env, now);
    figures = { at: now, read };
    const forget = () => {
      figures = undefined;
    };
    // The runtime may end it with the request that began it, and who loads the page again waits for it.
    waitUntil(read.catch(forget));
  }
  return figures.read;
}

async function readRooms(env: Env, now: number) {
  const { rooms, messages, isWhole, largest, busiest } = await directoryFigures(env.DB, ROOMS_LOOKED_AT, ROOMS_SHOWN);
  const glanced = await glanceAt(env, busiest, now - ACTIVE_FOR);
  return { count: rooms, messages, isWhole, largest: [...largest], busiest: glanced };
}

/** The operator has just changed a room: the figures of before are not shown any more. */
export function roomsChanged(): void {
  figures = undefined;
}
