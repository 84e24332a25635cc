/**
 * The room as one writes it first: partyserver, one D1 insert a message, then `broadcast`.
 */

import { type Connection, Server } from "partyserver";

interface NotesEnv {
  ROOM: DurableObjectNamespace;
  DB: D1Database;
}

export class Room extends Server<Env & NotesEnv> {
  static override options = { hibernate: true };

  override async onMessage(connection: Connection, text: string): Promise<void> {
    const { id, content } = JSON.parse(text) as { id: string; content: string };
    const message = { id, content, sender: connection.id, createdAt: new Date().toISOString() };
    await this.env.DB.prepare("INSERT INTO messages (id, room_id, sender, content, created_at) VALUES (?, ?, ?, ?, ?)")
      .bind(`${this.name}/${id}`, this.name, message.sender, content, message.createdAt)
      .run();
    this.broadcast(JSON.stringify(message));
  }
}

export default {
  async fetch(request: Request, env: NotesEnv): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/setup") {
      await env.DB.exec(
        "CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, room_id TEXT NOT NULL, sender TEXT NOT NULL, content TEXT NOT NULL, created_at TEXT NOT NULL)",
      );
      return new Response("ready");
    }
    return env.ROOM.getByName(pathname.slice(1)).fetch(request);
  },
};
