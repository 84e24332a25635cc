/** Rooms: made, listed, changed and deleted. Who may do so is the key that made them. */

import { Hono } from "hono";
import { newRoomId } from "../party/identity/sender.ts";
import { cleanText, type Fault, fault, isRoomId, isVisible, LIMITS } from "../party/protocol.ts";
import { LONGEST_LOOP_GUARD, type RoomSettings } from "../party/room-record.ts";
import type { RoomState } from "../party/room-rpc.ts";
import {
  type DirectoryEntry,
  deleteRoom,
  findRoom,
  insertRoom,
  type ListCursor,
  listRooms,
  type RoomChange,
  updateRoom,
} from "./directory.ts";
import { Refused } from "./errors.ts";
import { forgetQuota, takeDaily } from "./quota.ts";
import { accept, authenticate, type Call, jsonBody, NO_SUCH_ROOM, numberQuery, roomIdOf } from "./request.ts";
import { existingRoom } from "./room.ts";

export const rooms = new Hono<{ Bindings: Env }>();

/** Rooms of one page of the list. */
const PAGE = { usual: 50, most: 100 };
/** Origins and mutes that one room may have. */
const MOST_ORIGINS = 20;
const MOST_MUTES = 500;

rooms.get("/", async (c) => {
  const limit = numberQuery(c, "limit", 1, PAGE.most, PAGE.usual);
  const search = cleanText(c.req.query("q") ?? "").slice(0, LIMITS.roomName);
  const cursorText = c.req.query("cursor");
  const cursor = cursorText === undefined ? undefined : accept(parseCursor(cursorText));
  const found = await listRooms(c.env.DB, search, cursor, limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return c.json({ rooms: page.map(publicRoom), next: found.length > limit && last ? listCursor(last) : null });
});

rooms.post("/", async (c) => {
  const { owner, limiter } = await authenticate(c);
  const body = await jsonBody(c);
  const name = accept(parseName(body.name));
  const topic = accept(parseTopic(body.topic ?? ""));
  const listed = accept(parseBoolean(body.listed ?? true, "listed"));
  const id = accept(parseId(body.id));
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
  return c.json(ownedRoom(made), 201, { location: `/api/rooms/${id}` });
});

rooms.get("/:id", async (c) => {
  const id = roomIdOf(c);
  const owner = c.req.header("authorization") === undefined ? undefined : (await authenticate(c)).owner;
  const room = await existingRoom(c, id);
  const looked = accept(await c.env.CHAT_ROOM.getByName(id).look(room));
  const known = room ?? { ...looked.record, createdByHandle: null };
  const body = { ...publicRoom(known), ...roomNow(looked.state) };
  if (owner === undefined || owner.id !== known.createdBy) return c.json(body);
  return c.json({ ...body, ...ownersView(known), archive: looked.state.archive });
});

rooms.patch("/:id", async (c) => {
  const room = await ownRoom(c);
  const body = await jsonBody(c);
  const change = accept(parseChange(body));
  return c.json(ownedRoom(await changeRoom(c, room.id, () => change)));
});

rooms.delete("/:id", async (c) => {
  const room = await ownRoom(c);
  const object = c.env.CHAT_ROOM.getByName(room.id);
  await object.prepareEnd();
  await deleteRoom(c.env.DB, room.id);
  await object.destroy();
  return c.body(null, 204);
});

rooms.get("/:id/mutes", async (c) => {
  const room = await ownRoom(c);
  return c.json({ mutes: Object.entries(room.settings.mutes).map(([sender, until]) => ({ sender, until })) });
});

rooms.put("/:id/mutes/:sender", async (c) => {
  const { id } = await ownRoom(c);
  const sender = accept(parseSender(c.req.param("sender")));
  const until = accept(parseUntil(c.req.header("content-type") === undefined ? undefined : (await jsonBody(c)).until));
  await changeRoom(c, id, ({ settings }) => {
    const mutes = { ...standing(settings.mutes), [sender]: until };
    if (Object.keys(mutes).length > MOST_MUTES) {
      throw new Refused(fault("conflict", `A room has at most ${MOST_MUTES} mutes; lift one first.`));
    }
    return { settings: { mutes } };
  });
  return c.json({ sender, until });
});

rooms.delete("/:id/mutes/:sender", async (c) => {
  const { id } = await ownRoom(c);
  const sender = accept(parseSender(c.req.param("sender")));
  await changeRoom(c, id, ({ settings }) => {
    const { [sender]: _, ...mutes } = settings.mutes;
    return { settings: { mutes } };
  });
  return c.body(null, 204);
});

/** The room in the path, which must be the caller's. */
async function ownRoom(c: Call): Promise<DirectoryEntry> {
  const id = roomIdOf(c);
  const { owner } = await authenticate(c);
  const room = await findRoom(c.env.DB, id);
  if (!room) throw new Refused(NO_SUCH_ROOM);
  if (room.createdBy === owner.id) return room;
  throw new Refused(fault("forbidden", "Only the key that made this room may do that."));
}

/** Changes a room in D1 and tells the room, which tells everybody in it. */
async function changeRoom(c: Call, id: string, change: (room: DirectoryEntry) => RoomChange): Promise<DirectoryEntry> {
  const room = await updateRoom(c.env.DB, id, change);
  if (!room) throw new Refused(NO_SUCH_ROOM);
  await c.env.CHAT_ROOM.getByName(id).settle(room);
  return room;
}

/** The mutes that have not ended by themselves. */
function standing(mutes: RoomSettings["mutes"]): RoomSettings["mutes"] {
  const now = Date.now();
  return Object.fromEntries(Object.entries(mutes).filter(([, until]) => until === null || Date.parse(until) > now));
}

/** What everybody may see of a room. */
function publicRoom(room: DirectoryEntry) {
  const { id, name, topic, createdByHandle, createdAt, lastSeq, lastMessageAt, settings } = room;
  const { guests, loopGuard } = settings;
  return { id, name, topic, createdBy: createdByHandle, createdAt, lastSeq, lastMessageAt, guests, loopGuard };
}

function ownersView({ listed, settings }: DirectoryEntry) {
  return { listed, origins: settings.origins };
}

const ownedRoom = (room: DirectoryEntry) => ({ ...publicRoom(room), ...ownersView(room) });

/** What the room itself knows better than its row, which is as far as the archive is. */
function roomNow({ head, lastMessageAt, presence, agentsPaused }: RoomState) {
  return { lastSeq: head, lastMessageAt, presence, agentsPaused };
}

function listCursor({ lastMessageAt, createdAt, id }: DirectoryEntry): string {
  return `${Date.parse(lastMessageAt ?? createdAt).toString(36)}.${id}`;
}

function parseCursor(text: string): ListCursor | Fault {
  const [time = "", id = ""] = text.split(".");
  const at = Number.parseInt(time, 36);
  if (/^[0-9a-z]{1,10}$/.test(time) && isRoomId(id) && at < 8.64e15) {
    return { activity: new Date(at).toISOString(), id };
  }
  return fault("invalid", "cursor must be the next of an earlier page.");
}

/** One line of text of at most `most` characters, as it is kept. */
function parseLine(value: unknown, name: string, empty: "may be empty" | "not empty", most: number): string | Fault {
  if (typeof value !== "string") return fault("invalid", `${name} must be a string.`);
  const line = cleanText(value).replace(/\s+/g, " ");
  const length = [...line].length;
  if (empty === "not empty" && !isVisible(line)) return fault("invalid", `${name} is empty.`);
  if (length > most) return fault("too_large", `${name} is longer than ${most} characters.`);
  return line;
}

const parseName = (value: unknown) => parseLine(value, "name", "not empty", LIMITS.roomName);
const parseTopic = (value: unknown) => parseLine(value, "topic", "may be empty", LIMITS.roomTopic);

function parseBoolean(value: unknown, name: string): boolean | Fault {
  return typeof value === "boolean" ? value : fault("invalid", `${name} must be true or false.`);
}

function parseId(value: unknown): string | Fault {
  if (value === undefined || value === null) return newRoomId();
  if (typeof value === "string" && isRoomId(value)) return value;
  return fault("invalid", "id must be 2 to 63 characters of a-z, 0-9 and -, without - at either end.");
}

function parseChange(body: Readonly<Record<string, unknown>>): RoomChange | Fault {
  const change: { -readonly [Key in keyof RoomChange]: RoomChange[Key] } = {};
  const settings: { -readonly [Key in keyof RoomSettings]?: RoomSettings[Key] } = {};
  const { name, topic, listed, guests, loopGuard, origins } = body;
  if (name !== undefined) change.name = accept(parseName(name));
  if (topic !== undefined) change.topic = accept(parseTopic(topic));
  if (listed !== undefined) change.listed = accept(parseBoolean(listed, "listed"));
  if (guests !== undefined) {
    if (guests !== "write" && guests !== "read") return fault("invalid", 'guests must be "write" or "read".');
    settings.guests = guests;
  }
  if (loopGuard !== undefined) {
    if (!Number.isInteger(loopGuard) || (loopGuard as number) < 0 || (loopGuard as number) > LONGEST_LOOP_GUARD) {
      return fault("invalid", `loopGuard must be a whole number from 0 to ${LONGEST_LOOP_GUARD}.`);
    }
    settings.loopGuard = loopGuard as number;
  }
  if (origins !== undefined) settings.origins = accept(parseOrigins(origins));
  return { ...change, settings };
}

function parseOrigins(value: unknown): string[] | Fault {
  const refusal = fault("invalid", `origins must be at most ${MOST_ORIGINS} origins such as https://example.com.`);
  if (!Array.isArray(value) || value.length > MOST_ORIGINS) return refusal;
  const origins = value.map((origin: unknown) => {
    if (typeof origin !== "string" || !URL.canParse(origin)) return undefined;
    const url = new URL(origin);
    return url.protocol.startsWith("http") && `${url.origin}/` === url.href ? url.origin : undefined;
  });
  if (origins.includes(undefined)) return refusal;
  return [...new Set(origins as string[])];
}

const SENDER = /^~?[a-z0-9]+(?:-[a-z0-9]+)*(?:\/[a-z0-9][a-z0-9-]{0,31})?$/;

function parseSender(value: string): string | Fault {
  if (value.length <= 100 && SENDER.test(value)) return value;
  return fault("invalid", "sender must be as it stands under a message, URL-encoded.");
}

function parseUntil(value: unknown): string | null | Fault {
  if (value === undefined || value === null) return null;
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) return fault("invalid", "until must be a time in ISO 8601, or null for good.");
  return new Date(at).toISOString();
}
