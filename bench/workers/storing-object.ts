/**
 * The bare Durable Object with a log: one row in the object's own SQLite for each message, then the broadcast. The
 * runtime's output gate holds each broadcast until its row is on disk, so this is durable, one message at a time.
 */

import { DurableObject } from "cloudflare:workers";

interface StoringEnv {
  ROOM: DurableObjectNamespace;
}

export class Room extends DurableObject<StoringEnv> {
  constructor(ctx: DurableObjectState, env: StoringEnv) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY, message TEXT NOT NULL)");
  }

  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(_sender: WebSocket, message: string): void {
    this.ctx.storage.sql.exec("INSERT INTO messages (message) VALUES (?)", message);
    for (const socket of this.ctx.getWebSockets()) socket.send(message);
  }
}

export default {
  fetch(request: Request, env: StoringEnv): Promise<Response> {
    return env.ROOM.getByName(new URL(request.url).pathname).fetch(request);
  },
};
