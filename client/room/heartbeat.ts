/** Notices a peer that has died without a word (promise 8, seen from here). */

import { HEARTBEAT } from "../../party/protocol.ts";
import type { Clock } from "./clock.ts";

export interface HeartbeatDeps {
  readonly clock: Clock;
  /** Asks the peer for a sign of life. */
  ping(): void;
  /** It has given none for too long. */
  onDead(): void;
}

export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  #lastHeard = 0;
  #cancel = () => {};

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps;
  }

  /** A connection begins. It pings at once, too: the room sees a peer that has pinged go sooner. */
  start(): void {
    this.heard();
    this.#deps.ping();
    this.#beat();
  }

  /** The peer has said something. */
  heard(): void {
    this.#lastHeard = this.#deps.clock.now();
  }

  stop(): void {
    this.#cancel();
  }

  #beat(): void {
    const { clock, ping, onDead } = this.#deps;
    this.#cancel();
    this.#cancel = clock.after(HEARTBEAT.every, () => {
      if (clock.now() - this.#lastHeard >= HEARTBEAT.deadAfter) return onDead();
      ping();
      this.#beat();
    });
  }
}
