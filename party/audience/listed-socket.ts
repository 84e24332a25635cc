/** The sockets of a room as the runtime lists them, when the room starts or wakes. */

import type { Socket } from "./socket-state.ts";

/** A socket as the runtime lists it when the room starts or wakes. */
export interface ListedSocket {
  readonly socket: Socket;
  /** What is attached to it. */
  readonly attached: unknown;
  /** Whether it can still be sent to. */
  readonly isOpen: boolean;
}

/** The part of the runtime's socket that is asked what is attached to it. */
type RuntimeSocket = WebSocket & { deserializeAttachment(): unknown };

/** All sockets that the runtime has of a room. partyserver lists, and wraps, only those that are open. */
export function* listSockets(open: Iterable<Socket>, all: readonly RuntimeSocket[]): Generator<ListedSocket> {
  for (const socket of open) yield { socket, attached: socket.state, isOpen: true };
  for (const socket of all) {
    if (socket.readyState === WebSocket.OPEN) continue;
    // As partyserver attaches a connection's state.
    const attachment = socket.deserializeAttachment() as { __user?: unknown } | null;
    yield { socket: socket as Socket, attached: attachment?.__user, isOpen: false };
  }
}
