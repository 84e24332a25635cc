/** What a server on one machine asks of its Worker before it ends. No request from outside leads here. */

import { WorkerEntrypoint } from "cloudflare:workers";
import { occupiedRooms } from "../party/audience/occupied-rooms.ts";

export class Shutdown extends WorkerEntrypoint<Env> {
  /** Has every room place what waits for its place, and ask its clients to come back. Answers when all have gone. */
  async closeSockets(): Promise<void> {
    const rooms = [...occupiedRooms].map((name) => this.env.CHAT_ROOM.getByName(name));
    await Promise.allSettled(rooms.map(async (room) => await room.restart()));
  }
}
