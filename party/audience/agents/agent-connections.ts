/**
 * Tells the room what agents have open: that one hears in another way, that its bridge is lost or has ended, that its request
 * has waited long enough. What the room makes of it is in `reachability/`.
 */

import type { Participant } from "../../identity/sender.ts";
import type { Hearing } from "../../protocol.ts";
import type { Peer } from "../peer.ts";
import { AgentSockets } from "./agent-sockets.ts";

export interface AgentEvents {
  /** What the agent `sender` has open has changed. */
  connectionChanged(sender: string): void;
  /** A bridge has lost its socket, and wants to be back within so many ms. */
  bridgeLost(participant: Participant, within: number): void;
  /** A bridge has said that it wakes the agent `sender` no more. */
  bridgeEnded(sender: string): void;
  /** A request of the agent `sender` that waited has ended. */
  waited(sender: string): void;
}

export class AgentConnections {
  readonly #events: AgentEvents;
  readonly #sockets = new AgentSockets();

  constructor(events: AgentEvents) {
    this.#events = events;
  }

  /** How the agent `sender` hears over what it has open; `undefined`: it has nothing open. */
  hearing(sender: string): Hearing | undefined {
    return this.#sockets.hearing(sender);
  }

  /** All agents that have something open. */
  all(): Iterable<string> {
    return this.#sockets.all();
  }

  /** Takes up a peer that was there before the room slept: nothing has changed by that. */
  takeUp(peer: Peer): void {
    this.#sockets.note(peer, peer.state);
  }

  /** Looks whether an agent has something open by this peer, or not any more. */
  note(peer: Peer): void {
    const { reader, uncounted, gone } = peer.state;
    for (const sender of this.#sockets.note(peer, peer.state)) {
      if (gone && uncounted && reader) this.#events.waited(sender);
      this.#events.connectionChanged(sender);
    }
  }

  /** The peer is lost, and may be a bridge that comes back. */
  lose({ state: { participant, wakes } }: Peer): void {
    if (participant && wakes !== undefined) this.#events.bridgeLost(participant, wakes);
  }

  /**
   * The peer is no bridge any more, where it was one. It may have been lost before, by another socket or for a while: that it
   * would be back holds no longer.
   */
  end({ state: { participant, wakes } }: Peer): void {
    if (participant && wakes !== undefined) this.#events.bridgeEnded(participant.sender);
  }
}
