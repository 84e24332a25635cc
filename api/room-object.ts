/** The way from the Worker into a room. D1 must know the room first, because any name would make an object. */

import { waitUntil } from "cloudflare:workers";
import type { ChatRoom } from "../party/chat-room.ts";
import { ageOf } from "../party/clock.ts";
import { configurationOf } from "../party/configuration.ts";
import { repeatable } from "../party/object-call.ts";
import { logEvent } from "../party/operator-log/operator-log.ts";
import { type Fault, isFault } from "../party/protocol.ts";
import type { RoomRecord } from "../party/room-record.ts";
import { siteDirectory } from "../party/sites/site-directory.ts";
import { siteOfRoom } from "../party/sites/site-name.ts";
import { unmadeRoom } from "../party/sites/site-room.ts";
import { SiteTable } from "../party/sites/site-table.ts";
import { clientAddress } from "./address.ts";
import { type DirectoryEntry, findRoom } from "./directory.ts";
import { Refused } from "./errors.ts";
import { spendLookup } from "./guards/costly-requests.ts";
import { accept, type Call, NO_SUCH_ROOM, presentedToken } from "./request.ts";
import { requestIdOf } from "./request-log.ts";

/** For so long after D1 has told of a room, its object is asked directly, ms. It answers, or says that it needs its row. */
const FOUND_FOR = 60_000;
/** So many are remembered. */
const MOST_FOUND = 10_000;

/** A room that was found lately. */
interface Found {
  /** When D1 told of it, ms since 1970. */
  readonly at: number;
  /** How long its log was, by its row. */
  readonly lastSeq: number;
}

/** Oldest first. */
const found = new Map<string, Found>();

/** Rooms that D1 is being asked about, each once for all requests that wait for it. */
const asked = new Map<string, Promise<DirectoryEntry | undefined>>();

/** A request waits so long for a query that another request has begun, ms. Then it asks by itself. */
const SHARED_FOR = 1_000;

/** A room object, as the Worker calls it. */
export type Room = DurableObjectStub<ChatRoom>;

/**
 * Asks the room `id`; refuses with what it refuses. `ask` may be called several times: without the room's row, with it,
 * and again where the call has failed for a reason that passes. So it must be free to happen twice.
 */
export async function askRoom<Answer>(
  c: Call,
  id: string,
  ask: (room: Room, record: RoomRecord | undefined) => Promise<Answer>,
): Promise<Exclude<Answer, Fault>> {
  const call = (record: RoomRecord | undefined) => repeatable(() => ask(c.env.CHAT_ROOM.getByName(id), record));
  if (isKnown(id)) {
    const answer = await call(undefined);
    if (!isFault(answer) || !answer.needsRecord) return accept(answer);
  }
  return accept(await call(await roomOrUnmade(c, id)));
}

/** The same as `existingRoom`; or a site's room that is not made yet, for those who may have a token for it. */
async function roomOrUnmade(c: Call, id: string): Promise<RoomRecord | undefined> {
  try {
    return await existingRoom(c, id);
  } catch (error) {
    const unmade = error instanceof Refused && error.refusal === NO_SUCH_ROOM ? await findUnmade(c, id) : undefined;
    if (unmade) return unmade;
    throw error;
  }
}

/** A site's room that is not made yet. Over a socket its token comes later. */
async function findUnmade(c: Call, id: string): Promise<RoomRecord | undefined> {
  const name = siteOfRoom(id);
  const mayHaveToken = presentedToken(c) !== undefined || c.req.header("upgrade")?.toLowerCase() === "websocket";
  if (name === undefined || !mayHaveToken) return undefined;
  const site = await siteDirectory.find(
    name,
    clientAddress(c.req.raw.headers),
    new SiteTable(c.env.DB),
    requestIdOf(c),
  );
  if (!site || isFault(site)) return undefined;
  return unmadeRoom(id, site, Date.now(), configurationOf(c.env).keepDays);
}

/** The room `id` in D1. Refuses when there is none; `undefined` when D1 does not answer and only the room can tell. */
export async function existingRoom(c: Call, id: string): Promise<DirectoryEntry | undefined> {
  await spendLookup(c);
  let room: DirectoryEntry | undefined;
  try {
    room = await findRoomTogether(c.env.DB, id);
  } catch (error) {
    logEvent("database.away", { request: requestIdOf(c), room: id, error });
    return undefined;
  }
  found.delete(id);
  if (!room) throw new Refused(NO_SUCH_ROOM);
  found.set(id, { at: Date.now(), lastSeq: room.lastSeq });
  const [oldest] = found.keys();
  if (found.size > MOST_FOUND && oldest !== undefined) found.delete(oldest);
  return room;
}

/** How long the log of the room `id` was when D1 was last asked about it; `undefined` when that is not known. */
export const knownLength = (id: string): number | undefined => (isKnown(id) ? found.get(id)?.lastSeq : undefined);

/** The room `id` has just changed in D1: a query that was begun before must answer no later request. */
export function roomChanged(id: string): void {
  asked.delete(id);
}

const isKnown = (id: string): boolean => ageOf(found.get(id)?.at ?? Number.NEGATIVE_INFINITY, Date.now()) < FOUND_FOR;

/**
 * `findRoom`, asked once for all requests of this isolate that want the same room at the same time: when a room's people
 * come back after a deploy, a new isolate would otherwise ask D1 once for each of them.
 *
 * The runtime may end a query with the request that began it. So that request is kept alive for it, and the others wait
 * only for a moment before they ask by themselves.
 */
async function findRoomTogether(db: D1Database, id: string): Promise<DirectoryEntry | undefined> {
  const earlier = asked.get(id);
  if (earlier) {
    const room = await withinMoment(earlier);
    if (room !== "late") return room;
  }
  const query = findRoom(db, id).finally(() => {
    if (asked.get(id) === query) asked.delete(id);
  });
  asked.set(id, query);
  waitUntil(query.catch(() => undefined));
  return query;
}

async function withinMoment<T>(answer: Promise<T>): Promise<T | "late"> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), SHARED_FOR);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
