/**
 * All lanes of a room: one for each author, made when something waits in it and let go when nothing does. An author of
 * whom the room holds a lease needs none: the message is admitted at once.
 */

import type { Author, Leases } from "../limits/leases.ts";
import type { Admission, Question } from "../limits/limiter.ts";
import { type Fault, fault, isFault } from "../protocol.ts";
import { type Admitted, costs, type Entry } from "./entry.ts";
import { Lane } from "./lane.ts";

/** Characters that may wait in all lanes of a room together: a room has 128 MB for everything. */
export const LANES_TOGETHER = 16 * 1024 * 1024;

export interface LanesDeps {
  /** The id of the room. */
  room(): string;
  now(): number;
  /** The places that the room may fill without a question. */
  readonly leases: Leases;
  /** Asks the author's Limiter. Rejects when it can't be reached. */
  ask(author: Author, question: Question): Promise<Admission | Fault>;
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

  /** Admits an entry, or lets it wait in its author's lane; why it may not, when too much waits. */
  add(entry: Entry): Fault | undefined {
    const { participant, message } = entry;
    const name = nameOf(participant);
    const lane = this.#lanes.get(name);
    if (!lane && this.#admitByLease(entry)) return undefined;
    const { length } = message.content;
    if (this.#characters + length > LANES_TOGETHER) {
      return fault("rate_limited", "Too many messages are waiting in this room; try again in a moment.", 1);
    }
    this.#characters += length;
    const refusal = (lane ?? this.#open(name, participant)).add(entry);
    if (refusal) this.#characters -= length;
    return refusal;
  }

  #admitByLease(entry: Entry): boolean {
    if (!costs(entry)) return false;
    const { now, leases, admit } = this.#deps;
    const leased = leases.take(entry.participant, 1, now());
    if (leased) admit([{ entry, quota: leased.quota }]);
    return leased !== undefined;
  }

  #open(name: string, author: Author): Lane {
    const { room, admit, schedule } = this.#deps;
    const lane: Lane = new Lane({
      room,
      ask: (count) => this.#ask(author, count),
      admit,
      schedule,
      left: (characters) => {
        this.#characters -= characters;
        if (lane.isEmpty) this.#lanes.delete(name);
      },
    });
    this.#lanes.set(name, lane);
    return lane;
  }

  async #ask(author: Author, count: number): Promise<Admission | Fault> {
    const { now, leases, ask } = this.#deps;
    const askedAt = now();
    const question = leases.ask(author, count, askedAt);
    const admission = await ask(author, question);
    if (!isFault(admission)) leases.learn(author, question, admission, askedAt);
    return admission;
  }
}

/** A person who is changing their key has two, and one of them may end: so each has a lane. */
const nameOf = ({ principal, keyHash }: Author): string => `${principal} ${keyHash ?? ""}`;
