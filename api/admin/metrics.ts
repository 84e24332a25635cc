/**
 * What a monitor reads every few seconds, so it costs little: some rows of D1, and few rooms' own word, asked once in five
 * minutes. Each is a gauge: what is counted of a day begins again at 00:00 UTC.
 */

import { ageOf } from "../../party/clock.ts";
import { configurationOf } from "../../party/configuration.ts";
import { errorsSince } from "../../party/errors/error-table.ts";
import { ERROR_STATUS } from "../../party/protocol.ts";
import { FREE_PLAN } from "../../party/usage/daily-limits.ts";
import { gauge } from "../../party/usage/metered-database.ts";
import { STEPS } from "../../party/usage/usage-sampler.ts";
import { dayOf, usageOfDay } from "../../party/usage/usage-table.ts";
import { busiestRooms } from "../directory-figures.ts";
import { type Gauge, openMetrics, type Sample } from "./open-metrics.ts";
import { type GlancedRoom, glanceAt } from "./room-glances.ts";

/** Rooms that are asked, of those that anybody may read: the ones that were active last, if within the last hour. */
const ROOMS_ASKED = 5;
const ACTIVE_FOR = 60 * 60_000;
/** How long their answers count, ms. */
const ANSWERS_KEPT = 5 * 60_000;
let asked: { readonly at: number; readonly rooms: readonly GlancedRoom[] } | undefined;

/** The metrics in OpenMetrics. While D1 does not answer, the one that says so, and what is known without it. */
export async function readMetrics(env: Env): Promise<string> {
  const now = Date.now();
  let gauges: Gauge[] = [];
  let isUp = true;
  try {
    gauges = await ofDatabase(env, now);
  } catch {
    isUp = false;
  }
  const up = { name: "meet_ai_database_up", help: "1: D1 has answered.", samples: [{ value: isUp ? 1 : 0 }] };
  return openMetrics([up, ...sizes(env), ...gauges]);
}

function sizes(env: Env): Gauge[] {
  const { databaseBytes: limit } = configurationOf(env);
  const bytes = (name: string, help: string, value: number | undefined): Gauge => ({
    ...{ name, unit: "bytes", help },
    samples: value ? [{ value }] : [],
  });
  return [
    bytes("meet_ai_database_bytes", "What D1 holds, by its own word.", gauge.bytes),
    bytes("meet_ai_database_limit_bytes", "DATABASE_LIMIT_MB; absent: no limit but the disk.", limit),
  ];
}

async function ofDatabase(env: Env, now: number): Promise<Gauge[]> {
  const [today, counts, rooms] = await Promise.all([
    usageOfDay(env.DB, now),
    errorsSince(env.DB, dayOf(now)),
    roomsLately(env, now),
  ]);
  const used = Object.keys(STEPS).map((measure) => ({
    value: today?.[measure as keyof typeof STEPS] ?? 0,
    labels: { measure: snakeCase(measure) },
  }));
  const limits = configurationOf(env).dailyLimits ? Object.entries(FREE_PLAN) : [];
  const byCode = new Map(counts.map(({ code, count }) => [code as string, count]));
  const codes = Object.keys(ERROR_STATUS).filter((code) => code !== "held");
  const ofRooms = (samples: (room: GlancedRoom, now: NonNullable<GlancedRoom["now"]>) => Sample[]) =>
    rooms.flatMap((room) => (room.now ? samples(room, room.now) : []));
  return [
    {
      name: "meet_ai_day_used",
      help: "What was used today (UTC): the deployment's own estimates.",
      samples: used,
    },
    {
      name: "meet_ai_day_limit",
      help: "What Cloudflare's free plan has a day; absent where DAILY_LIMITS is false.",
      samples: limits.map(([measure, value]) => ({ value, labels: { measure: snakeCase(measure) } })),
    },
    {
      name: "meet_ai_day_errors",
      help: "Answers with this error code today (UTC), as far as they were written down: minutes behind.",
      samples: codes.map((code) => ({ value: byCode.get(code) ?? 0, labels: { code } })),
    },
    {
      name: "meet_ai_archive_lag_messages",
      help: "Messages of a busy room that D1 does not have yet.",
      samples: ofRooms(({ id }, { archive }) => [{ value: archive.lag, labels: { room: id } }]),
    },
    {
      name: "meet_ai_room_connections",
      help: "Who is in a busy room.",
      samples: ofRooms(({ id }, { connections }) =>
        Object.entries(connections).map(([kind, value]) => ({ value, labels: { room: id, kind } })),
      ),
    },
  ];
}

async function roomsLately(env: Env, now: number): Promise<readonly GlancedRoom[]> {
  if (asked && ageOf(asked.at, now) < ANSWERS_KEPT) return asked.rooms;
  const rooms = await glanceAt(env, await busiestRooms(env.DB, ROOMS_ASKED), now - ACTIVE_FOR);
  asked = { at: now, rooms };
  return rooms;
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
