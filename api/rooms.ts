/** Rooms: made, listed, changed and deleted. The key that made a room may do so, and the operator. */

import { Hono } from "hono";
import type * as z from "zod/mini";
import { configurationOf } from "../party/configuration.ts";
import { newRoomId } from "../party/identity/sender.ts";
import { NO_INSTRUCTIONS, toldInstructions, withText } from "../party/instructions.ts";
import { rulesOf } from "../party/moderation/rules.ts";
import { repeatable } from "../party/object-call.ts";
import { logEvent } from "../party/operator-log/operator-log.ts";
import { inRoom, mayOwn } from "../party/permissions.ts";
import { fault } from "../party/protocol.ts";
import { goneBefore } from "../party/retention/keep.ts";
import { LOBBY, type RoomSettings, type SilenceEnding } from "../party/room-record.ts";
import type { RoomState } from "../party/room-rpc.ts";
import { siteDirectory } from "../party/sites/site-directory.ts";
import { siteOfRoom } from "../party/sites/site-name.ts";
import { SiteTable } from "../party/sites/site-table.ts";
import { worthTelling } from "../party/usage/daily-limits.ts";
import { shareOf, WARNED_FROM } from "../party/usage/fullness.ts";
import { gauge } from "../party/usage/metered-database.ts";
import { usageOfDay } from "../party/usage/usage-table.ts";
import { clientAddress } from "./address.ts";
import { callerOf } from "./caller.ts";
import { type DirectoryEntry, deleteRoom, insertRoom, listRooms } from "./directory.ts";
import { Refused } from "./errors.ts";
import { spendLookup, spendScan } from "./guards/costly-requests.ts";
import type * as answers from "./openapi/answers/rooms.ts";
import { changeRoom, closeToStrangers, moderatedRoom, moderatorsRoom, ownRoom, ownRoomOf, tell } from "./own-room.ts";
import { forgetQuota, takeDaily } from "./quota.ts";
import { accept, authenticate, bodyOf, type Call, NO_SUCH_ROOM, queryOf, roomIdOf } from "./request.ts";
import { requestIdOf } from "./request-log.ts";
import { existingRoom, roomChanged } from "./room-object.ts";
import { type ListCursor, listCursor, NewRoom, RoomChanges, RoomListQuery, RULES } from "./schemas/rooms.ts";

export const rooms = new Hono<{ Bindings: Env }>();

rooms.get("/", async (c) => {
  const { limit, cursor, q: search } = queryOf(c, RoomListQuery);
  await (search === "" ? spendLookup(c) : spendScan(c));
  const found = await listRooms(c.env.DB, search, cursor, limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const next = found.length > limit && last ? listCursor(placeOf(last)) : null;
  return c.json({ rooms: page.map((room) => publicRoom(c, room)), next } satisfies z.output<typeof answers.RoomList>);
});

rooms.post("/", async (c) => {
  const { owner, person } = await authenticate(c);
  const {
    name,
    topic = "",
    listed = true,
    access = "open",
    id: wished,
    keepDays = null,
    endAfterDays = null,
    instructions = "",
    slow,
    hold,
    links,
    blocked,
  } = await bodyOf(c, NewRoom);
  requireKeepable(c, keepDays);
  const settings = {
    ...present({ slow, hold, links, blocked }),
    ...(keepDays !== null && { keepDays }),
    ...(endAfterDays !== null && endingAfter(endAfterDays, null)),
    ...(instructions !== "" && { instructions: withText(NO_INSTRUCTIONS, instructions) }),
  };
  // The room is asked to look, where nobody else may ever wake it.
  const knownKeepDays = endAfterDays === null ? configurationOf(c.env).keepDays : -1;
  const id = wished ?? newRoomId();
  await refuseSitesId(c, id, owner.id);
  const { at } = await takeDaily(c, person, "rooms");
  let made: DirectoryEntry | undefined;
  try {
    made = await insertRoom(c.env.DB, {
      id,
      name,
      topic,
      listed,
      access,
      createdBy: owner.id,
      settings,
      knownKeepDays,
    });
  } finally {
    if (!made) {
      await person.giveBackDaily("rooms", at);
      forgetQuota(c);
    }
  }
  if (!made) throw new Refused(fault("conflict", `The id ${id} is taken.`));
  roomChanged(id);
  // It is made, whatever becomes of this: a room that was not told is told later.
  if (endAfterDays !== null)
    await tell(c, made).catch((error) => logEvent("room.not_told", { request: requestIdOf(c), room: id, error }));
  return c.json(ownedRoom(c, made), 201, { location: `/api/rooms/${id}` });
});

rooms.get("/:id", async (c) => {
  const id = roomIdOf(c);
  const caller = await callerOf(c);
  const address = clientAddress(c.req.raw.headers);
  const room = await existingRoom(c, id);
  const look = async () => await c.env.CHAT_ROOM.getByName(id).look(room, caller, address);
  const looked = accept(await repeatable(look));
  const known = room ?? looked.record;
  const body = { ...publicRoom(c, known), ...instructionsOf(known), ...roomNow(looked.state) };
  const isOwn = caller && "participant" in caller && mayOwn(inRoom(known, caller.participant, undefined));
  if (!isOwn) return c.json({ ...body, ...(looked.decides && moderatorsView(known)) });
  return c.json({ ...body, ...ownersView(known), archive: { ...looked.state.archive, ...(await nearLimits(c)) } });
});

/** How near D1 and the day are to the plan's limits, where it is time to tell. */
async function nearLimits({ env }: Call): Promise<{ databaseShare: number | null; dayShare: number | null }> {
  const { databaseBytes, dailyLimits } = configurationOf(env);
  const share = shareOf({ bytes: gauge.bytes, limit: databaseBytes }) ?? 0;
  // Without D1 nothing is known, and a room is shown all the same.
  const today = dailyLimits ? await usageOfDay(env.DB, Date.now()).catch(() => undefined) : undefined;
  return { databaseShare: share < WARNED_FROM ? null : share, dayShare: worthTelling(today)?.share ?? null };
}

rooms.patch("/:id", async (c) => {
  const changes = await bodyOf(c, RoomChanges).catch(async (error) => {
    // Who may change nothing here is told that, whatever they wanted.
    await moderatorsRoom(c);
    throw error;
  });
  const { name, topic, listed, access, guests, loopGuard, origins, keepDays, endAfterDays, instructions } = changes;
  const { slow, hold, links, blocked } = changes;
  const fields = Object.keys(changes);
  const isRules = fields.length > 0 && fields.every((field) => RULES.includes(field));
  const { room, by } = await (isRules ? moderatedRoom(c, undefined, "name") : ownRoomOf(c));
  requireKeepable(c, keepDays);
  if (listed && room.settings.hidden) throw new Refused(HIDDEN);
  if (room.id === LOBBY && endAfterDays) throw new Refused(fault("invalid", "The lobby does not end."));
  const change = (now: DirectoryEntry) => ({
    ...present({ name, topic, listed, access }),
    settings: {
      ...present({ guests, loopGuard, origins, keepDays, slow, hold, links, blocked }),
      ...(endAfterDays !== undefined && endingAfter(endAfterDays, now.settings.ending)),
      ...(instructions !== undefined && { instructions: withText(now.settings.instructions, instructions) }),
    },
    ...((keepDays !== undefined || endAfterDays !== undefined) && { retention: { goneBefore: goneUntilNow(c, now) } }),
  });
  const changeRow = () => changeRoom(c, room, change, { by, deed: "settings", detail: { settings: fields.sort() } });
  const closes = access === "members" && room.access === "open";
  const changed = await (closes ? closeToStrangers(c, room, changeRow) : changeRow());
  return c.json(ownedRoom(c, changed));
});

rooms.delete("/:id", async (c) => {
  const room = await ownRoom(c);
  const object = () => c.env.CHAT_ROOM.getByName(room.id);
  // Told before, so that the room finishes by itself what is cut off between here and its end.
  await repeatable(async () => await object().prepareEnd());
  const isDeleted = await deleteRoom(c.env.DB, room);
  roomChanged(room.id);
  if (!isDeleted) throw new Refused(NO_SUCH_ROOM);
  try {
    await repeatable(async () => await object().destroy(room.createdAt));
  } catch (error) {
    logEvent("room.deletion_not_told", { request: requestIdOf(c), room: room.id, error });
    throw new Refused(fault("unavailable", "The room is deleted; its live part follows by itself within two minutes."));
  }
  return c.body(null, 204);
});

/** Ids that begin with a site's name and two hyphens are that site's. */
async function refuseSitesId(c: Call, id: string, owner: string): Promise<void> {
  const name = siteOfRoom(id);
  if (name === undefined) return;
  const site = accept(
    await siteDirectory.find(name, clientAddress(c.req.raw.headers), new SiteTable(c.env.DB), requestIdOf(c)),
  );
  if (site && site.owner !== owner) throw new Refused(fault("conflict", `The id ${id} is of the site ${name}.`));
}

const HIDDEN = fault("forbidden", "This server's operator has taken the room out of the lists.");

/** Refuses to keep messages for longer than the deployment does. */
function requireKeepable(c: Call, keepDays: number | null | undefined): void {
  const most = configurationOf(c.env).keepDays;
  if (most === 0 || (keepDays ?? 0) <= most) return;
  throw new Refused(
    fault("invalid", `keepDays must be at most ${most}, because this server keeps no message for longer.`),
  );
}

/** Messages from before this time are gone by what has held until now: no later setting brings them back. */
function goneUntilNow(c: Call, room: DirectoryEntry): string | null {
  const before = goneBefore(room, configurationOf(c.env).keepDays, Date.now());
  return before === 0 ? null : new Date(before).toISOString();
}

/** The same end as before counts on; another one counts from now. */
function endingAfter(days: number | null, earlier: SilenceEnding | null): Pick<RoomSettings, "ending"> {
  if (days === null || days === earlier?.days) return { ending: days === null ? null : earlier };
  return { ending: { days, since: new Date().toISOString() } };
}

/** What its readers may see of a room. */
function publicRoom(c: Call, room: DirectoryEntry): z.output<typeof answers.Room> {
  const { id, name, topic, access, createdByHandle, createdAt, lastSeq, lastMessageAt, settings } = room;
  const { guests, loopGuard, keepDays, ending } = settings;
  const { slow, hold, links } = rulesOf(room, configurationOf(c.env).lobbyRules);
  return {
    id,
    name,
    topic,
    access,
    createdBy: createdByHandle,
    createdAt,
    lastSeq,
    lastMessageAt,
    guests,
    loopGuard,
    slow,
    hold,
    links,
    keepDays,
    keepDaysLimit: configurationOf(c.env).keepDays || null,
    endAfterDays: ending?.days ?? null,
    ...(settings.closed && { closed: true as const }),
  };
}

/** What its owner asks of agents. Not in lists: it may be long. */
const instructionsOf = ({ settings }: DirectoryEntry) => ({ instructions: toldInstructions(settings.instructions) });

function ownersView(room: DirectoryEntry) {
  const { listed, settings } = room;
  return {
    listed,
    ...(settings.hidden && { hidden: true as const }),
    origins: [...settings.origins],
    ...moderatorsView(room),
  };
}

const moderatorsView = ({ settings }: DirectoryEntry) => ({ blocked: [...settings.blocked] });

function ownedRoom(c: Call, room: DirectoryEntry): z.output<typeof answers.OwnRoom> {
  return { ...publicRoom(c, room), ...instructionsOf(room), ...ownersView(room) };
}

/** What the room itself knows better than its row, which is as far as the archive is. */
function roomNow({ head, lastMessageAt, presence, agentsPaused }: RoomState) {
  return { lastSeq: head, lastMessageAt, presence, agentsPaused };
}

/** Where the list of rooms goes on after `room`. */
function placeOf({ lastMessageAt, createdAt, id }: DirectoryEntry): ListCursor {
  return { activity: lastMessageAt ?? createdAt, id };
}

/** `fields` without those that are not there. */
function present<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };
}
