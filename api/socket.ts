/** Sockets: the upgrade, at both addresses. The Worker checks the room and hands on what it knows; then it is out of it. */

import { Hono } from "hono";
import { nanoid } from "nanoid";
import { OTHER_WORKERS } from "../party/identity/key-directory.ts";
import { CLOSE, type Fault, fault, parseAgentName } from "../party/protocol.ts";
import { type Cursor, SOCKET_HEADER, type SocketRequest } from "../party/room-rpc.ts";
import { clientAddress } from "./address.ts";
import { closedSocket } from "./closed-socket.ts";
import { Refused } from "./errors.ts";
import { accept, type Call, NO_SUCH_ROOM, pageOrigin, presentedKey, roomIdOf, seqQuery } from "./request.ts";
import { askRoom } from "./room.ts";

export const socket = new Hono<{ Bindings: Env }>();

socket.get("/api/rooms/:id/ws", (c) => upgrade(c));
// Where partysocket goes by itself.
socket.get("/parties/chat-room/:id", (c) => upgrade(c));

async function upgrade(c: Call): Promise<Response> {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
    throw new Refused(fault("invalid", "This is a WebSocket's address: upgrade, or read it over /events."));
  }
  try {
    const cursor = cursorOf(c);
    const key = await presentedKey(c);
    const as = c.req.query("as");
    const hello = key && { ...key, ...(as !== undefined && { as: accept(parseAgentName(as)) }) };
    return await openSocket(c, roomIdOf(c), { cursor, hello });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { refusal } = error;
    if (refusal === NO_SUCH_ROOM) return closedSocket(refusal, CLOSE.notFound);
    if (refusal.fault === "unauthorized") return closedSocket(refusal, CLOSE.unauthorized);
    return closedSocket(refusal, refusal.fault === "invalid" ? CLOSE.badFrames : CLOSE.tryLater);
  }
}

/** Where a client wants to go on, from the query. An `after` alone trusts that the history is still the same. */
export function cursorOf(c: Call): Cursor | undefined {
  const after = seqQuery(c, "after", 0);
  // Longer than any epoch is as good as a wrong one.
  return after === undefined ? undefined : { after, epoch: c.req.query("epoch")?.slice(0, 64) };
}

/** Opens a socket to the room `id` for this caller. Nothing of the caller's request but what is named here reaches it. */
export async function openSocket(
  c: Call,
  id: string,
  wish: Pick<SocketRequest, "cursor" | "hello" | "uncounted">,
): Promise<Response> {
  const address = countedAs(clientAddress(c.req.raw.headers), wish.hello?.principal);
  const known = { address, origin: pageOrigin(c.req.raw.headers), ...wish };
  return askRoom(c, id, async (room, record): Promise<Response | Fault> => {
    const request: SocketRequest = { room: record, ...known };
    const headers = { upgrade: "websocket", [SOCKET_HEADER]: encodeURIComponent(JSON.stringify(request)) };
    // A short address of our own: the runtime keeps it with the socket. An id of ours: two sockets may not share one.
    const response = await room.fetch(`https://room/?_pk=${nanoid(8)}`, { headers });
    return response.webSocket ? response : response.json<Fault>();
  });
}

/**
 * What a socket is counted under. All agents on other people's Workers come from one address: there the key counts, which
 * has been looked up.
 */
function countedAs(address: string, principal: string | undefined): string {
  return address === OTHER_WORKERS && principal !== undefined ? principal : address;
}

/** The other end of a socket that the Worker opened for itself. */
export async function ownSocket(response: Response): Promise<WebSocket> {
  const { webSocket } = response;
  if (!webSocket) throw new Refused(fault("unavailable", "The room can't be reached at the moment.", 5));
  webSocket.accept();
  return webSocket;
}
