/** All lanes of a room: one for each author, made when something waits in it and let go when nothing does. */

import type { Participant } from "../identity/sender.ts";
import { type Fault, fault } from "../protocol.ts";
import type { Admitted, Entry } from "./entry.ts";
import { type Admission, Lane } from "./lane.ts";

/** Characters that may wait in all lanes of a room together: a room has 128 MB for everything. */
const LANES_TOGETHER = 16 * 1024 * 1024;

export interface LanesDeps {
  /** Asks the Limiter of `participant` whether `count` messages are in. Rejects when it can't be reached. */
  ask(participant: Participant, count: number): Promise<Admission | Fault>;
  /** Takes what a Limiter has admitted into the next batch, in order. */
  admit(admitted: readonly Admitted[]): void;
  /** Calls `run` once, `delay` ms from now, unless the returned function is called before. */
  schedule(delay: number, run: () => void): () => void;
}

export class Lanes {
  readonly #deps: LanesDeps;
  readonly #lanes = new Map<string, Lane>();
  /** That wait in all lanes together. */
  #characters = 0;

  constructor(deps: LanesDeps) {
    this.#deps = deps;
  }

  /** Lets an entry wait in its author's lane; why it may not, when too much waits. */
  add(entry: Entry): Fault | undefined {
    const { participant, message } = entry;
    const { length } = message.content;
    if (this.#characters + length > LANES_TOGETHER) {
      return fault("rate_limited", "Too many messages are waiting in this room; try again in a moment.", 1);
    }
    this.#characters += length;
    const lane = this.#lanes.get(participant.principal) ?? this.#open(participant);
    const refusal = lane.add(entry);
    if (refusal) this.#characters -= length;
    return refusal;
  }

  #open(participant: Participant): Lane {
    const { admit, ask, schedule } = this.#deps;
    const { principal } = participant;
    const lane: Lane = new Lane({
      ask: (count) => ask(participant, count),
      admit,
      schedule,
      left: (characters) => {
        this.#characters -= characters;
        if (lane.isEmpty) this.#lanes.delete(principal);
      },
    });
    this.#lanes.set(principal, lane);
    return lane;
  }
}
