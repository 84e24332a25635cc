/** What is said to somebody who mentions an agent that does not hear it. */

import type { Unheard } from "../protocol.ts";

/** Which agents did not hear a message, and that in words. */
export function unheardBy(agents: readonly string[]): Unheard {
  const names = agents.map((agent) => `@${agent}`);
  const last = names.pop();
  const isOne = names.length === 0;
  const who = isOne ? last : `${names.join(", ")} and ${last}`;
  return {
    agents: [...agents],
    message: `${who} ${isOne ? "is" : "are"} not listening here. ${isOne ? "It" : "They"} may read this later, or never.`,
  };
}
