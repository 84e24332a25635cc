/** A WebSocket that comes back by itself: partysocket's, with the manners that a room asks for. */

import ReconnectingWebSocket from "partysocket/ws";
import { FINAL_CLOSE_CODES } from "../../party/protocol.ts";
import { backoff } from "./backoff.ts";

/** What a socket asks, and what it tells. */
export interface ReconnectingSocketOptions {
  /** Where to, asked before each attempt. */
  url(): string;
  onopen(): void;
  onmessage(event: { readonly data: unknown }): void;
  /**
   * The connection is lost, or an attempt has failed; without the peer's word for it, `code` is 1000. What `close`,
   * `retry` and `reconnect` end is not told.
   */
  onclose(event: { readonly code: number }): void;
  /** No socket can be made here: there is no `WebSocket`, or the browser refuses the address. It stays away. */
  onimpossible(error: Error): void;
}

/** The part of a reconnecting WebSocket that a connection to a room needs. */
export interface ReconnectingSocket {
  /** Sends; drops it where there is no connection. */
  send(data: string): void;
  /** Ends the connection, or whatever is under way to one, and stays away. */
  close(): void;
  /** Ends the connection and connects again after a wait, as if it had been lost. */
  retry(): void;
  /** Ends the connection, if there is one, and connects at once, also after it was closed for good. */
  reconnect(): void;
}

/** A connection that has lasted this long, ms, was a good one: the waits start over after it. */
const GOOD = 5_000;

/** Whether a client that was closed with `code` stays away. */
export const isFinal = (code: number): boolean => FINAL_CLOSE_CODES.includes(code);

/** Opens a socket in any environment that has `WebSocket`. It tries again until it is closed, or a close is final. */
export function openSocket(options: ReconnectingSocketOptions): ReconnectingSocket {
  /** The next attempt does not wait: it is the first, or was asked for. */
  let atOnce = true;
  /** What closes now was ended here. */
  let ended = false;
  let failures = 0;
  let openedAt: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopWaiting = () => {};

  // partysocket sits its own delays out, whatever happens. So it has none: it asks for the address before each attempt,
  // and the wait for the answer can be cut short.
  const address = async () => {
    if (openedAt !== undefined && performance.now() - openedAt >= GOOD) failures = 0;
    openedAt = undefined;
    if (!atOnce) {
      await new Promise<void>((resolve) => {
        stopWaiting = resolve;
        timer = setTimeout(resolve, backoff(failures++, Math.random()));
      });
    }
    atOnce = ended = false;
    return options.url();
  };

  // Called with `new`. partysocket tries again whatever was thrown; an address that is refused once is refused for ever.
  function Attempt(url: string): WebSocket {
    try {
      return new WebSocket(url);
    } catch (error) {
      socket.close();
      options.onimpossible(error as Error);
      throw error;
    }
  }

  const socket = new ReconnectingWebSocket(address, undefined, {
    WebSocket: Attempt,
    minReconnectionDelay: 0,
    connectionTimeout: 10_000,
    // What waits is the outbox's business: a queue of the socket's own would go out before hello.
    maxEnqueuedMessages: 0,
    shouldReconnectOnClose: ({ code }) => !isFinal(code),
  });
  // Not by addEventListener: in a browser partysocket's copies of its own close events have the code "close".
  socket.onopen = () => {
    openedAt = performance.now();
    options.onopen();
  };
  socket.onmessage = options.onmessage;
  socket.onclose = (event) => ended || options.onclose(event);

  const end = (how: "close" | "reconnect", cutsWaitShort: boolean) => {
    ended = true;
    atOnce = cutsWaitShort;
    if (cutsWaitShort) failures = 0;
    socket[how]();
    if (!cutsWaitShort) return;
    clearTimeout(timer);
    stopWaiting();
  };
  return {
    send: (data) => void socket.send(data),
    close: () => end("close", true),
    retry: () => end("reconnect", false),
    reconnect: () => end("reconnect", true),
  };
}
