/** The newest messages of the room, for the context of a prompt, and how much of them the agent knows already. */

import type { Message, Seq } from "../../party/protocol.ts";
import { withChanges } from "../stay/with-changes.ts";

/** So many are remembered. */
export const REMEMBERED = 100;

export class RecentMessages {
  #messages: readonly Message[];
  /** The newest seq that was in the room when the agent was asked last: it knows of that, and of what it has said itself. */
  #told: Seq = 0;

  /** `earlier`: what was said last before the bridge began, oldest first. */
  constructor(earlier: readonly Message[]) {
    this.#messages = earlier;
  }

  /** Takes what is said in the room, which may change what was said before. */
  hear(messages: readonly Message[]): void {
    const last = this.#messages.at(-1)?.seq ?? 0;
    const fresh = messages.filter(({ seq }) => seq > last);
    this.#messages = [...withChanges(this.#messages, messages), ...fresh].slice(-REMEMBERED);
  }

  /** The room has begun a new history: its seqs are others. */
  forget(): void {
    this.#messages = [];
    this.#told = 0;
  }

  /** What a prompt is made of, which tells the agent all of it. An agent that is new knows nothing yet. */
  tell({ isNew }: { readonly isNew: boolean }): { readonly recent: readonly Message[]; readonly after: Seq } {
    const after = isNew ? 0 : this.#told;
    this.#told = this.#messages.at(-1)?.seq ?? 0;
    return { recent: this.#messages, after };
  }
}
