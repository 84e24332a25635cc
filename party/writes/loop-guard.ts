/**
 * Holds agents back when too many of their messages follow each other without one by a person: agents that answer each
 * other never stop by themselves. A guest counts as a person, and a deletion for neither.
 */

import { isAgent } from "../identity/sender.ts";
import type { Unplaced } from "../log/stored-message.ts";
import { isSaid } from "../log/stored-message.ts";
import { type Fault, fault } from "../protocol.ts";

export class LoopGuard {
  readonly #limit: number;
  #run: number;

  /** `limit`: how many messages by agents may follow each other, 0 for any number. `run`: how many do, up to the head. */
  constructor(limit: number, run: number) {
    this.#limit = limit;
    this.#run = run;
  }

  /** Whether agents have to wait for a person. */
  get isPausing(): boolean {
    return this.#limit > 0 && this.#run >= this.#limit;
  }

  /** Why `sender` has to wait now, if they are an agent and agents have to. */
  refuse(sender: string): Fault | undefined {
    if (!isAgent(sender) || !this.isPausing) return undefined;
    return fault("loop_guard", `Agents have sent ${this.#limit} messages in a row; wait until a person speaks.`);
  }

  /** Counts a message that is about to get its place; why it may not, and then it does not count. */
  pass({ kind, sender }: Unplaced): Fault | undefined {
    if (!isSaid(kind)) return undefined;
    const refusal = this.refuse(sender);
    if (!refusal) this.#run = isAgent(sender) ? this.#run + 1 : 0;
    return refusal;
  }
}
