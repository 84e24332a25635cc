/** Who is in a room: what a `welcome` says, and each change to it. */

import type { Hearing, PresenceChange } from "../../party/protocol.ts";

export interface Attendance {
  /** Senders with a live connection, sorted, each once. */
  readonly people: readonly string[];
  /** Connections without a name. */
  readonly spectators: number;
  /** How agents hear; one that is here and not in it is `live`. Absent: nothing is said of any. */
  readonly agents?: Readonly<Record<string, Hearing>> | undefined;
}

/** `presence` after `change`. The names stay sorted; without a change of names it is the same array. */
export function withChange(before: Attendance, change: PresenceChange): Attendance {
  const { people } = before;
  const spectators = change.spectators ?? before.spectators;
  const agents = change.agents ? known({ ...before.agents, ...change.agents }) : before.agents;
  if (!change.joined && !change.left) return { people, spectators, agents };
  const here = new Set(people);
  for (const sender of change.left ?? []) here.delete(sender);
  for (const sender of change.joined ?? []) here.add(sender);
  return { people: [...here].sort(), spectators, agents };
}

/** Those of whom there is something to say. */
const known = (agents: Readonly<Record<string, Hearing | null>>): Attendance["agents"] =>
  Object.fromEntries(Object.entries(agents).filter((entry): entry is [string, Hearing] => entry[1] !== null));
