/**
 * A bare Durable Object: the raw hibernation API, and every string that comes goes to every socket. It stores nothing,
 * parses nothing and knows nobody. What the platform can do when nothing is asked of it.
 */

import { DurableObject } from "cloudflare:workers";

interface BareEnv {
  ROOM: DurableObjectNamespace;
}

export class Room extends DurableObject<BareEnv> {
  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(_sender: WebSocket, message: string): void {
    for (const socket of this.ctx.getWebSockets()) socket.send(message);
  }
}

export default {
  fetch(request: Request, env: BareEnv): Promise<Response> {
    return env.ROOM.getByName(new URL(request.url).pathname).fetch(request);
  },
};
