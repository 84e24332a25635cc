/**
 * Which agents are connected, and how each hears over what it has open: a socket of its own (`live`), a socket of something
 * that wakes it (`wakes`), or a request that waits (`polls`). People are not counted here.
 */

import { isAgent } from "../../identity/sender.ts";
import type { Hearing } from "../../protocol.ts";
import { isCounted, type SocketState } from "../socket-state.ts";

/** Of several ways in which an agent hears, the one that is told: an agent with a socket of its own hears everything. */
const BEST_FIRST: readonly Hearing[] = ["live", "wakes", "polls"];

interface Connected {
  readonly sender: string;
  readonly hearing: Hearing;
}

export class AgentSockets {
  readonly #sockets = new Map<object, Connected>();
  /** How many sockets each agent has of each kind. */
  readonly #counts = new Map<string, Record<Hearing, number>>();

  /** Takes over what a socket is now. Returns the agents who may hear in another way since. Free to happen twice. */
  note(socket: object, state: SocketState): readonly string[] {
    const before = this.#sockets.get(socket);
    const now = connectedBy(state);
    if (before?.sender === now?.sender && before?.hearing === now?.hearing) return [];
    if (before) this.#count(before, -1);
    if (now) {
      this.#sockets.set(socket, now);
      this.#count(now, 1);
    } else this.#sockets.delete(socket);
    return [...new Set([before?.sender, now?.sender])].filter((sender) => sender !== undefined);
  }

  /** How the agent `sender` hears over what it has open; `undefined`: it has nothing open. */
  hearing(sender: string): Hearing | undefined {
    const counts = this.#counts.get(sender);
    return counts && BEST_FIRST.find((hearing) => counts[hearing] > 0);
  }

  /** All agents that have something open. */
  all(): Iterable<string> {
    return this.#counts.keys();
  }

  #count({ sender, hearing }: Connected, difference: 1 | -1): void {
    const counts = this.#counts.get(sender) ?? { live: 0, wakes: 0, polls: 0 };
    counts[hearing] += difference;
    if (BEST_FIRST.some((each) => counts[each] > 0)) this.#counts.set(sender, counts);
    else this.#counts.delete(sender);
  }
}

/** Which agent hears over a socket, and how. */
function connectedBy(state: SocketState): Connected | undefined {
  const { participant, reader, wakes, uncounted, gone } = state;
  if (participant) {
    if (!isAgent(participant.sender) || !isCounted(state)) return undefined;
    return { sender: participant.sender, hearing: wakes === undefined ? "live" : "wakes" };
  }
  if (!reader || gone || !isAgent(reader.sender)) return undefined;
  // A request that waits for one answer; otherwise an event stream.
  return { sender: reader.sender, hearing: uncounted ? "polls" : "live" };
}
