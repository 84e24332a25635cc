/** What rooms themselves say of how they are. Each that is asked is a call to its object, so few are. */

import { withDeadline } from "../../party/limits/deadline.ts";
import { repeatable } from "../../party/object-call.ts";
import type { RoomGlance } from "../../party/room-rpc.ts";
import type { RoomFigures } from "../directory-figures.ts";

/** A room that does not answer within this time is passed over, ms. */
const PATIENCE = 5_000;

/** A room with its own word; `null` when it was not asked, has not answered, or was never opened. */
export type GlancedRoom = RoomFigures & { readonly now: Omit<RoomGlance, "createdAt"> | null };

/** Asks those of `rooms` in which something was said since `since`, ms since 1970. The others are not woken. */
export async function glanceAt(env: Env, rooms: readonly RoomFigures[], since: number): Promise<GlancedRoom[]> {
  return Promise.all(
    rooms.map(async (room) => {
      const { lastMessageAt } = room;
      const isActive = lastMessageAt !== null && Date.parse(lastMessageAt) >= since;
      return { ...room, now: isActive ? await glance(env, room) : null };
    }),
  );
}

async function glance(env: Env, { id, createdAt }: RoomFigures): Promise<GlancedRoom["now"]> {
  const ask = async () => await env.CHAT_ROOM.getByName(id).glance();
  const answer = repeatable(ask) as Promise<RoomGlance | undefined>;
  const seen = await withDeadline(answer, PATIENCE, "A room").catch(() => undefined);
  // Another room may have its id by now.
  if (seen?.createdAt !== createdAt) return null;
  const { createdAt: _, ...now } = seen;
  return now;
}
