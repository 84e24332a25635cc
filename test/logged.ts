/** What a spy on the console has heard of the operator's log. */

import { vi } from "vitest";
import type { LogLine } from "../party/operator-log/operator-log.ts";

interface Spy {
  readonly mock: { readonly calls: readonly (readonly unknown[])[] };
}

/** The lines that went to `spies`, in each's order. Fails when one is no line of the log. */
export const linesOf = (...spies: readonly Spy[]): LogLine[] =>
  spies.flatMap(({ mock }) => mock.calls.map(([line]) => JSON.parse(String(line)) as LogLine));

/** Does `work` while the log goes nowhere: what it then says is as it should be, and no news. */
export async function unlogged<T>(work: () => Promise<T>): Promise<T> {
  const logs = (["info", "warn", "error"] as const).map((level) => vi.spyOn(console, level).mockReturnValue());
  try {
    return await work();
  } finally {
    for (const log of logs) log.mockRestore();
  }
}

/** The names of the events that went to `spies`. */
export const eventsOf = (...spies: readonly Spy[]): string[] => linesOf(...spies).map(({ event }) => event);
