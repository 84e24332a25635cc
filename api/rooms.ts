/** Rooms: made, listed, changed and deleted. The key that made a room may do so, and the operator. */

import { Hono } from "hono";
import type * as z from "zod/mini";
import { newRoomId } from "../party/identity/sender.ts";
import { repeatable } from "../party/object-call.ts";
import { type Fault, fault } from "../party/protocol.ts";
import type { RoomSettings } from "../party/room-record.ts";
import type { RoomState } from "../party/room-rpc.ts";
import { type DirectoryEntry, deleteRoom, insertRoom, listRooms, type RoomChange, updateRoom } from "./directory.ts";
import { Refused } from "./errors.ts";
import { spendScan } from "./guards/costly-requests.ts";
import type * as answers from "./openapi/answers.ts";
import { ownRoom } from "./own-room.ts";
import { forgetQuota, takeDaily } from "./quota.ts";
import {
  accept,
  authenticate,
  bodyIfAny,
  bodyOf,
  type Call,
  isOperator,
  NO_SUCH_ROOM,
  queryOf,
  roomIdOf,
} from "./request.ts";
import { existingRoom, roomChanged } from "./room-object.ts";
import { type ListCursor, listCursor, NewMute, NewRoom, RoomChanges, RoomListQuery } from "./schemas/rooms.ts";
import { SENDER } from "./schemas/sender.ts";

export const rooms = new Hono<{ Bindings: Env }>();

/** Mutes that one room may have. */
const MOST_MUTES = 500;

rooms.get("/", async (c) => {
  const { limit, cursor, q: search } = queryOf(c, RoomListQuery);
  if (search !== "") await spendScan(c);
  const found = await listRooms(c.env.DB, search, cursor, limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const next = found.length > limit && last ? listCursor(placeOf(last)) : null;
  return c.json({ rooms: page.map(publicRoom), next } satisfies z.output<typeof answers.RoomList>);
});

rooms.post("/", async (c) => {
  const { owner, limiter } = await authenticate(c);
  const { name, topic = "", listed = true, id: wished } = await bodyOf(c, NewRoom);
  const id = wished ?? newRoomId();
  const { at } = await takeDaily(c, limiter, "rooms");
  let made: DirectoryEntry | undefined;
  try {
    made = await insertRoom(c.env.DB, { id, name, topic, listed, createdBy: owner.id });
  } finally {
    if (!made) {
      await limiter.giveBackDaily("rooms", at);
      forgetQuota(c);
    }
  }
  if (!made) throw new Refused(fault("conflict", `The id ${id} is taken.`));
  roomChanged(id);
  return c.json(ownedRoom(made), 201, { location: `/api/rooms/${id}` });
});

rooms.get("/:id", async (c) => {
  const id = roomIdOf(c);
  const asOperator = isOperator(c);
  const isOpen = asOperator || c.req.header("authorization") === undefined;
  const owner = isOpen ? undefined : (await authenticate(c)).owner;
  const room = await existingRoom(c, id);
  const looked = accept(await repeatable(async () => await c.env.CHAT_ROOM.getByName(id).look(room)));
  const known = room ?? { ...looked.record, createdByHandle: null };
  const body = { ...publicRoom(known), ...roomNow(looked.state) };
  const isOwn = owner !== undefined && owner.id === known.createdBy;
  if (!isOwn && !asOperator) return c.json(body);
  return c.json({ ...body, ...ownersView(known), archive: looked.state.archive });
});

rooms.patch("/:id", async (c) => {
  const room = await ownRoom(c);
  const { name, topic, listed, guests, loopGuard, origins } = await bodyOf(c, RoomChanges);
  const change = { ...present({ name, topic, listed }), settings: present({ guests, loopGuard, origins }) };
  return c.json(ownedRoom(await changeRoom(c, room, () => change)));
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
    console.error("A room that is gone from D1 could not be told", { room: room.id, error });
    throw new Refused(fault("unavailable", "The room is deleted; its live part follows by itself within two minutes."));
  }
  return c.body(null, 204);
});

rooms.get("/:id/mutes", async (c) => {
  const room = await ownRoom(c);
  return c.json({ mutes: Object.entries(room.settings.mutes).map(([sender, until]) => ({ sender, until })) });
});

rooms.put("/:id/mutes/:sender", async (c) => {
  const room = await ownRoom(c);
  const sender = accept(parseSender(c.req.param("sender")));
  const { until = null } = await bodyIfAny(c, NewMute);
  await changeRoom(c, room, ({ settings }) => {
    const mutes = { ...standing(settings.mutes), [sender]: until };
    if (Object.keys(mutes).length > MOST_MUTES) {
      throw new Refused(fault("conflict", `A room has at most ${MOST_MUTES} mutes; lift one first.`));
    }
    return { settings: { mutes } };
  });
  return c.json({ sender, until });
});

rooms.delete("/:id/mutes/:sender", async (c) => {
  const room = await ownRoom(c);
  const sender = accept(parseSender(c.req.param("sender")));
  await changeRoom(c, room, ({ settings }) => {
    const { [sender]: _, ...mutes } = settings.mutes;
    return { settings: { mutes } };
  });
  return c.body(null, 204);
});

/** Changes `room` in D1 and tells its object, which tells everybody in it. */
async function changeRoom(
  c: Call,
  room: DirectoryEntry,
  change: (now: DirectoryEntry) => RoomChange,
): Promise<DirectoryEntry> {
  const changed = await updateRoom(c.env.DB, room, change);
  roomChanged(room.id);
  if (!changed) throw new Refused(NO_SUCH_ROOM);
  await repeatable(async () => await c.env.CHAT_ROOM.getByName(room.id).settle(changed));
  return changed;
}

/** The mutes that have not ended by themselves. */
function standing(mutes: RoomSettings["mutes"]): RoomSettings["mutes"] {
  const now = Date.now();
  return Object.fromEntries(Object.entries(mutes).filter(([, until]) => until === null || Date.parse(until) > now));
}

/** What everybody may see of a room. */
function publicRoom(room: DirectoryEntry): z.output<typeof answers.Room> {
  const { id, name, topic, createdByHandle, createdAt, lastSeq, lastMessageAt, settings } = room;
  const { guests, loopGuard } = settings;
  return { id, name, topic, createdBy: createdByHandle, createdAt, lastSeq, lastMessageAt, guests, loopGuard };
}

function ownersView({ listed, settings }: DirectoryEntry) {
  return { listed, origins: [...settings.origins] };
}

function ownedRoom(room: DirectoryEntry): z.output<typeof answers.OwnRoom> {
  return { ...publicRoom(room), ...ownersView(room) };
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

function parseSender(value: string): string | Fault {
  if (value.length <= 100 && SENDER.test(value)) return value;
  return fault("invalid", "sender must be as it stands under a message, URL-encoded.");
}
