/** How many messages by agents have followed each other: what the loop guard looks at. */

import { isAgent } from "../identity/sender.ts";
import { isSaid, type StoredMessage } from "./stored-message.ts";

/** It is not counted further than this: the largest loop guard that an owner may choose. */
export const LONGEST_AGENT_RUN = 1_000;

/** The run after `messages`, oldest first, when it was `run` before them. A deletion, and what was erased, neither ends nor lengthens it. */
export function agentRunAfter(run: number, messages: readonly StoredMessage[]): number {
  let length = run;
  for (const { kind, sender } of messages) {
    if (isSaid(kind) && sender !== "") length = isAgent(sender) ? Math.min(LONGEST_AGENT_RUN, length + 1) : 0;
  }
  return length;
}
