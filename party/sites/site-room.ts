/**
 * Rooms that a site's users make by writing in them: `acme--first-post` is one of the site `acme`. Until its first message
 * there is nothing of such a room but what the Worker makes up from its id, and only those for whom the site vouches in it
 * are let in.
 */

import { siteName } from "../identity/principal.ts";
import type { DailyGrant } from "../limits/daily-quotas.ts";
import { withDeadline } from "../limits/deadline.ts";
import type { Database } from "../log/sql.ts";
import { repeatable } from "../object-call.ts";
import { logEvent } from "../operator-log/operator-log.ts";
import { type Fault, fault, isFault } from "../protocol.ts";
import { DEFAULT_SETTINGS, type RoomRecord } from "../room-record.ts";
import { siteOfRoom } from "./site-name.ts";
import type { Site } from "./site-table.ts";

/** D1 that does not answer within this time counts as away, ms. */
const PATIENCE = 5_000;

/** The room `id` of `site`, of which there is nothing yet at `now`, ms since 1970. */
export function unmadeRoom(id: string, site: Site, now: number, keepDays: number): RoomRecord {
  return {
    id,
    name: id.slice(site.name.length + 2),
    topic: "",
    listed: false,
    // Nobody learns of it without a token.
    access: "members",
    createdBy: site.owner,
    createdByHandle: site.ownerHandle,
    createdAt: new Date(now).toISOString(),
    settings: DEFAULT_SETTINGS,
    revision: 0,
    lastSeq: 0,
    epoch: null,
    lastMessageAt: null,
    firstSeq: 1,
    goneBefore: null,
    knownKeepDays: keepDays,
    guestPepper: site.guestPepper,
    unmade: true,
  };
}

/**
 * Makes the room in D1: unlisted, open, and its site's owner's. Takes one of the site's new rooms of the day. Free to
 * happen twice. `conflict` when another room of this id was made meanwhile.
 */
export async function makeSiteRoom(
  { QUOTA, DB }: Pick<Env, "QUOTA"> & { readonly DB: Database },
  room: RoomRecord,
): Promise<RoomRecord | Fault> {
  const quota = QUOTA.getByName(siteName(siteOfRoom(room.id) ?? ""));
  const taken: DailyGrant | Fault = await repeatable(async () => await quota.takeDaily("siteRooms"));
  if (isFault(taken)) return taken;
  const { id, name, createdBy, createdAt, knownKeepDays } = room;
  try {
    const insert = `INSERT INTO rooms (id, name, listed, created_by, created_at, known_keep_days)
      VALUES (?, ?, 0, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;
    await withDeadline(DB.prepare(insert).bind(id, name, createdBy, createdAt, knownKeepDays).all(), PATIENCE, "D1");
    const made = DB.prepare("SELECT created_at, revision FROM rooms WHERE id = ?").bind(id);
    const row = await withDeadline(made.first<{ created_at: string; revision: number }>(), PATIENCE, "D1");
    if (row?.created_at !== createdAt) {
      await quota.giveBackDaily("siteRooms", taken.at);
      return MADE_BY_OTHERS;
    }
    const { unmade: _, ...known } = room;
    return { ...known, access: "open", revision: row.revision };
  } catch (error) {
    logEvent("site.room_not_made", { room: id, error });
    await quota.giveBackDaily("siteRooms", taken.at).catch(() => undefined);
    return fault("unavailable", "The room can't be made at the moment; nothing was kept.", 5);
  }
}

const MADE_BY_OTHERS = fault("conflict", "The room was made by its owner meanwhile: come again.");
