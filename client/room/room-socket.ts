/** A WebSocket that comes back by itself: partysocket's, with the manners that a room asks for. */

import ReconnectingWebSocket from "partysocket/ws";

/** The part of a reconnecting WebSocket that a client needs. */
export interface RoomSocket {
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number }) => void): void;
  send(data: string): unknown;
  close(code?: number, reason?: string): void;
  reconnect(code?: number, reason?: string): void;
}

/**
 * Opens a socket in any environment that has `WebSocket`: it asks `url` before each attempt, and tries again until
 * `isFinal(code)`.
 */
export function connect(url: () => string, isFinal: (code: number) => boolean): RoomSocket {
  return new ReconnectingWebSocket(url, undefined, {
    // A deploy drops every socket of a room at once; the spread keeps them from coming back all in one second.
    minReconnectionDelay: 500 + Math.random() * 2500,
    maxReconnectionDelay: 15_000,
    connectionTimeout: 10_000,
    // What waits is the outbox's business: a queue of the socket's own would go out before hello.
    maxEnqueuedMessages: 0,
    shouldReconnectOnClose: ({ code }) => !isFinal(code),
  }) as unknown as RoomSocket;
}
