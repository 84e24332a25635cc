/** The way from the Worker into a room: no name reaches a room object before D1 has said that there is such a room. */

import type { ChatRoom } from "../party/chat-room.ts";
import { type Fault, isFault } from "../party/protocol.ts";
import type { RoomRecord } from "../party/room-record.ts";
import { type DirectoryEntry, findRoom } from "./directory.ts";
import { Refused } from "./errors.ts";
import { accept, type Call, NO_SUCH_ROOM } from "./request.ts";

/** So long a room that was found is asked without asking D1 first, ms: it knows itself, or says that it does not. */
const FOUND_FOR = 60_000;
/** So many are remembered. */
const MOST_FOUND = 10_000;

/** Until when each room that was found lately is asked at once, ms since 1970. Oldest first. */
const found = new Map<string, number>();

/** A room object, as the Worker calls it. */
export type Room = DurableObjectStub<ChatRoom>;

/** Asks the room `id`; refuses with what it refuses. `ask` may be called twice: the first time without the room's row. */
export async function askRoom<Answer>(
  c: Call,
  id: string,
  ask: (room: Room, record: RoomRecord | undefined) => Promise<Answer>,
): Promise<Exclude<Answer, Fault>> {
  const room = c.env.CHAT_ROOM.getByName(id);
  if ((found.get(id) ?? 0) > Date.now()) {
    const answer = await ask(room, undefined);
    if (!isFault(answer) || !answer.needsRecord) return accept(answer);
  }
  return accept(await ask(room, await existingRoom(c, id)));
}

/** The room `id` in D1. Refuses when there is none; `undefined` when D1 does not answer and only the room can tell. */
export async function existingRoom(c: Call, id: string): Promise<DirectoryEntry | undefined> {
  let room: DirectoryEntry | undefined;
  try {
    room = await findRoom(c.env.DB, id);
  } catch (error) {
    console.error("D1 does not answer; the room is asked itself", { room: id, error });
    return undefined;
  }
  found.delete(id);
  if (!room) throw new Refused(NO_SUCH_ROOM);
  found.set(id, Date.now() + FOUND_FOR);
  const [oldest] = found.keys();
  if (found.size > MOST_FOUND && oldest !== undefined) found.delete(oldest);
  return room;
}
