/** Upgrades, at both addresses. The Worker checks the room and hands the socket on; the room serves it from then on. */

import { Hono } from "hono";
import { nanoid } from "nanoid";
import { OTHER_WORKERS } from "../party/identity/key-directory.ts";
import { logEvent } from "../party/operator-log/operator-log.ts";
import { CLOSE, type Fault, fault } from "../party/protocol.ts";
import type { RoomRecord } from "../party/room-record.ts";
import { type Caller, type Cursor, SOCKET_HEADER, type SocketRequest } from "../party/room-rpc.ts";
import { clientAddress } from "./address.ts";
import { askAsReader, listenerOf } from "./caller.ts";
import { closedSocket } from "./closed-socket.ts";
import { Refused } from "./errors.ts";
import { spendJoin, spendScan } from "./guards/costly-requests.ts";
import {
  type Call,
  foreignOrigin,
  NO_SUCH_ROOM,
  presentedKey,
  presentedToken,
  publicOriginOf,
  queryOf,
  roomIdOf,
} from "./request.ts";
import { requestIdOf } from "./request-log.ts";
import { askRoom, knownLength, type Room } from "./room-object.ts";
import { AgentQuery, CursorQuery } from "./schemas/messages.ts";

export const socket = new Hono<{ Bindings: Env }>();

socket.get("/api/rooms/:id/ws", (c) => upgrade(c));
// Where partysocket goes by itself.
socket.get("/parties/chat-room/:id", (c) => upgrade(c));

async function upgrade(c: Call): Promise<Response> {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
    throw new Refused(c.req.header("sec-websocket-key") === undefined ? NO_UPGRADE : upgradeRemoved(c));
  }
  try {
    // Before anything is asked of D1, a Limiter or the room.
    await spendJoin(c);
    const cursor = cursorOf(c);
    const token = presentedToken(c);
    const key = token ? undefined : await presentedKey(c);
    // Without a key there is no agent whose name could be wrong.
    const hello = token ?? (key && { ...key, as: queryOf(c, AgentQuery).as });
    return await openSocket(c, roomIdOf(c), { cursor, hello, knowsErasures: knowsErasures(c) });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { refusal } = error;
    if (refusal === NO_SUCH_ROOM) return closedSocket(refusal, CLOSE.notFound);
    if (refusal.fault === "unauthorized") return closedSocket(refusal, CLOSE.unauthorized);
    return closedSocket(refusal, refusal.fault === "invalid" ? CLOSE.badFrames : CLOSE.tryLater);
  }
}

const NO_UPGRADE = fault("invalid", "This is a WebSocket's address: upgrade, or read it over /events.");

/** Proxies take `Upgrade` away unless they are told to pass it on, and nobody can enter a room then. */
const UPGRADE_REMOVED = fault(
  "invalid",
  "A proxy in front of this server has removed the Upgrade header: it has to pass on WebSockets.",
);

let hasTold = false;

/** Tells the operator, too, once for each isolate. */
function upgradeRemoved(c: Call): Fault {
  if (!hasTold) logEvent("proxy.removes_upgrade", { request: requestIdOf(c) });
  hasTold = true;
  return UPGRADE_REMOVED;
}

/** Where a client wants to go on, from the query. An `after` alone trusts that the history is still the same. */
export function cursorOf(c: Call): Cursor | undefined {
  const { after, epoch } = queryOf(c, CursorQuery);
  return after === undefined ? undefined : { after, epoch };
}

/** Whether a client says that it applies erasures. */
export const knowsErasures = (c: Call): true | undefined =>
  queryOf(c, CursorQuery).knows?.includes("erasure") || undefined;

/** A cursor that is so many messages behind makes the room read a long piece of its log. */
const FAR_BEHIND = 500;

/** Opens a socket to the room `id` for this caller. Of the caller's request only what is named here reaches the room. */
export async function openSocket(
  c: Call,
  id: string,
  wish: Pick<SocketRequest, "cursor" | "hello" | "knowsErasures">,
): Promise<Response> {
  const open = opening(c, id, wish);
  return askRoom(c, id, async (room, record) => await open(room, record, {}));
}

/**
 * Opens a socket that the Worker reads for this caller, who has to be known before where the room is its members', or
 * where they say as which agent they read.
 */
export async function openStream(
  c: Call,
  id: string,
  wish: Pick<SocketRequest, "cursor" | "uncounted" | "knowsErasures">,
  as?: string,
): Promise<Response> {
  // Before anything is asked of D1, a Limiter or the room.
  await spendJoin(c);
  const open = opening(c, id, wish);
  const ask = async (room: Room, record: RoomRecord | undefined, caller: Caller | undefined) =>
    await open(room, record, { stream: { caller } });
  return askAsReader(c, id, ask, { as, who: () => listenerOf(c, id, as) });
}

/** What opens the socket that is wished for. It may be called several times, and is paid for once. */
function opening(c: Call, id: string, wish: Pick<SocketRequest, "cursor" | "hello" | "uncounted" | "knowsErasures">) {
  const principal = wish.hello && "principal" in wish.hello ? wish.hello.principal : undefined;
  const address = countedAs(clientAddress(c.req.raw.headers), principal);
  const known = { address, origin: foreignOrigin(c.req.raw), audience: publicOriginOf(c), ...wish };
  let hasPaid = false;
  return async (
    room: Room,
    record: RoomRecord | undefined,
    how: Pick<SocketRequest, "stream">,
  ): Promise<Response | Fault> => {
    const length = record?.lastSeq ?? knownLength(id) ?? 0;
    if (wish.cursor && length - wish.cursor.after > FAR_BEHIND && !hasPaid) {
      await spendScan(c);
      hasPaid = true;
    }
    let header = headerOf({ room: record, ...known, ...how });
    if (record && !record.unmade && header.length > LONGEST_HEADER) {
      await room.settle(record);
      header = headerOf({ ...known, ...how });
    }
    const headers = { upgrade: "websocket", [SOCKET_HEADER]: header };
    // The runtime keeps this address with the socket, so it is short. The id is the server's, so that no two are equal.
    const response = await room.fetch(`https://room/?_pk=${nanoid(8)}`, { headers });
    return response.webSocket ? response : response.json<Fault>();
  };
}

/**
 * A row with long instructions and many mutes is too long for a header: then it goes in a call before, and the room that
 * knows itself needs no row.
 */
const LONGEST_HEADER = 16 * 1024;
const headerOf = (request: SocketRequest): string => encodeURIComponent(JSON.stringify(request));

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
