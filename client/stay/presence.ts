/** Who is in a room: what a `welcome` says, and each change to it. */

import type { PresenceChange } from "../../party/protocol.ts";

export interface Attendance {
  /** Senders with a live connection, sorted, each once. */
  readonly people: readonly string[];
  /** Connections without a name. */
  readonly spectators: number;
}

/** `presence` after `change`. The names stay sorted; without a change of names it is the same array. */
export function withChange({ people, spectators }: Attendance, change: PresenceChange): Attendance {
  const watching = change.spectators ?? spectators;
  if (!change.joined && !change.left) return { people, spectators: watching };
  const here = new Set(people);
  for (const sender of change.left ?? []) here.delete(sender);
  for (const sender of change.joined ?? []) here.add(sender);
  return { people: [...here].sort(), spectators: watching };
}
