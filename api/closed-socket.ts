/**
 * A browser can't read the HTTP answer to a refused upgrade, and a reconnecting client would try for ever. So the Worker
 * opens the socket, sends the refusal, and closes it with a code that says whether to come back.
 */

import { errorFrame, type Fault } from "../party/protocol.ts";

/** Accepts an upgrade only to say why not: an `error` frame, then `code`. */
export function closedSocket(refusal: Fault, code: number): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  server.send(JSON.stringify(errorFrame(refusal)));
  server.close(code, refusal.fault);
  return new Response(null, { status: 101, webSocket: client });
}
