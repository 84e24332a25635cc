/** What a spy on the console has heard of the operator's log. */

import type { LogLine } from "../party/operator-log/operator-log.ts";

interface Spy {
  readonly mock: { readonly calls: readonly (readonly unknown[])[] };
}

/** The lines that went to `spies`, in each's order. Fails when one is no line of the log. */
export const linesOf = (...spies: readonly Spy[]): LogLine[] =>
  spies.flatMap(({ mock }) => mock.calls.map(([line]) => JSON.parse(String(line)) as LogLine));

/** The names of the events that went to `spies`. */
export const eventsOf = (...spies: readonly Spy[]): string[] => linesOf(...spies).map(({ event }) => event);
