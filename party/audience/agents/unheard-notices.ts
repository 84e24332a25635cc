/**
 * Who was told of which agents that they do not hear: each is told once of an agent, until that agent has been heard of again.
 * It is attached to sockets, so a sleep of the room repeats nothing.
 */

import type { Peer } from "../peer.ts";

/** A socket that was told of so many agents is told of the first again, when they are mentioned. */
const KEPT = 32;

export class UnheardNotices {
  readonly #told = new Set<Peer>();

  /** Takes up a peer that was there before the room slept. */
  takeUp(peer: Peer): void {
    if (peer.state.unheard) this.#told.add(peer);
  }

  /** Those of `agents` of which `peer` was not told yet, and is now. */
  take(peer: Peer, agents: readonly string[]): readonly string[] {
    const told = peer.state.unheard ?? [];
    const isNew = agents.filter((agent) => !told.includes(agent));
    if (isNew.length === 0) return isNew;
    peer.note({ unheard: [...told, ...isNew].slice(-KEPT) });
    this.#told.add(peer);
    return isNew;
  }

  /** The agent `sender` hears again: who was told otherwise is told again the next time. */
  hearsAgain(sender: string): void {
    for (const peer of this.#told) {
      const left = peer.state.unheard?.filter((agent) => agent !== sender) ?? [];
      if (left.length === peer.state.unheard?.length) continue;
      peer.note({ unheard: left.length > 0 ? left : undefined });
      if (left.length === 0) this.#told.delete(peer);
    }
  }

  /** The peer has gone. */
  end(peer: Peer): void {
    this.#told.delete(peer);
  }
}
