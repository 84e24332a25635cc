/** A WebSocket that comes back by itself: partysocket's, with the manners that a room asks for. */

import ReconnectingWebSocket from "partysocket/ws";
import { FINAL_CLOSE_CODES } from "../../party/protocol.ts";

/** What a socket asks, and what it tells. */
export interface RoomSocketOptions {
  /** Where to, asked before each attempt. */
  url(): string;
  onopen(): void;
  onmessage(event: { readonly data: unknown }): void;
  /**
   * The connection is lost, or an attempt has failed; without the peer's word for it, `code` is 1000. What `close` and
   * `reconnect` end is not told.
   */
  onclose(event: { readonly code: number }): void;
}

/** The part of a reconnecting WebSocket that a client needs. */
export interface RoomSocket {
  /** Sends; drops it where there is no connection. */
  send(data: string): void;
  /** Ends the connection, or whatever is under way to one, and stays away. */
  close(): void;
  /** Ends the connection, if there is one, and connects at once, also after it was closed for good. */
  reconnect(): void;
}

/** Whether a client that was closed with `code` stays away. */
export const isFinal = (code: number): boolean => FINAL_CLOSE_CODES.includes(code);

/** Opens a socket in any environment that has `WebSocket`. It tries again until it is closed, or a close is final. */
export function connect({ url, onopen, onmessage, onclose }: RoomSocketOptions): RoomSocket {
  // A deploy drops every socket of a room at once; the spread keeps them from coming back all in one second.
  const firstDelay = 500 + Math.random() * 2500;
  /** No attempt yet since the beginning, or since `close` or `reconnect`: the next does not wait. */
  let anew = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopWaiting = () => {};
  // partysocket sits its own delays out, whatever happens. So it has none: it asks for the address before each attempt,
  // and the wait for the answer can be cut short.
  const address = async () => {
    if (!anew) {
      await new Promise<void>((resolve) => {
        stopWaiting = resolve;
        timer = setTimeout(resolve, Math.min(15_000, firstDelay * 1.3 ** (socket.retryCount - 1)));
      });
    }
    anew = false;
    return url();
  };
  const socket = new ReconnectingWebSocket(address, undefined, {
    minReconnectionDelay: 0,
    connectionTimeout: 10_000,
    // What waits is the outbox's business: a queue of the socket's own would go out before hello.
    maxEnqueuedMessages: 0,
    shouldReconnectOnClose: ({ code }) => !isFinal(code),
  });
  const end = (how: "close" | "reconnect") => {
    anew = true;
    socket[how]();
    clearTimeout(timer);
    stopWaiting();
  };
  // Not by addEventListener: in a browser partysocket's copies of its own close events have the code "close".
  // While `anew`, what closes is only what was ended here.
  socket.onopen = onopen;
  socket.onmessage = onmessage;
  socket.onclose = (event) => anew || onclose(event);
  return { send: (data) => socket.send(data), close: () => end("close"), reconnect: () => end("reconnect") };
}
