/** One connected socket, with what the room knows of it: what is attached to it, and what it did lately. */

import { TokenBucket } from "../limits/token-bucket.ts";
import type { Seq } from "../protocol.ts";
import { FlowControl } from "./flow/flow-control.ts";
import type { Versions } from "./flow/welcomes.ts";
import { FrameQueue } from "./frame-queue.ts";
import type { Socket, SocketState } from "./socket-state.ts";

/** Errors that a client may cause at once, and how many a second are forgiven. */
const ERRORS_AT_ONCE = 100;
const ERRORS_PER_SECOND = 1;

export class Peer {
  readonly socket: Socket;
  readonly flow: FlowControl;
  readonly queue = new FrameQueue();
  /** It misses what the room tells: the seq of the last message that it has. `undefined` while it hears everything. */
  pausedAt: Seq | undefined;
  /** While it misses things: the state of presence, drafts and room that it has; `undefined` when that is unknown. */
  has: Versions | undefined;
  #state: SocketState;
  #errors: TokenBucket | undefined;

  constructor(socket: Socket, state: SocketState) {
    this.socket = socket;
    this.#state = state;
    this.flow = new FlowControl(state.paused);
    this.pausedAt = state.paused?.at;
  }

  get state(): SocketState {
    return this.#state;
  }

  /** Who counts for what it does: its Limiter's name, or its address until the room knows who it is. */
  get principal(): string {
    return this.#state.participant?.principal ?? `address:${this.#state.address}`;
  }

  /** Attaches a changed state to the socket. */
  note(change: Partial<SocketState>): void {
    this.#state = { ...this.#state, ...change };
    // partyserver gives no `setState` to a socket that was closing already when the room woke, and nothing reads it.
    if ("setState" in this.socket) this.socket.setState(this.#state);
  }

  /** Sends `text`. A socket that is just closing is counted out by its close event. */
  send(text: string): void {
    try {
      this.socket.send(text);
    } catch {
      // It has gone.
    }
  }

  /** Notes an error that the client has caused, at `now` in ms. Returns whether it may cause another one. */
  err(now: number): boolean {
    this.#errors ??= new TokenBucket(ERRORS_AT_ONCE, ERRORS_PER_SECOND, now);
    return this.#errors.spend(now);
  }
}
