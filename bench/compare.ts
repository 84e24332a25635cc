/** The same load on several systems, turn by turn: whatever else the machine does, it does to all of them. */

import { type Load, Loader, type Round } from "./load.ts";
import { type BenchOptions, figure, median, type Row } from "./outcome.ts";
import type { Running, System } from "./systems.ts";

/** A load with the name of its situation, and the systems that it is for. */
export interface Situation {
  readonly situation?: string;
  readonly load: Load;
  readonly systems: readonly System[];
}

/** Starts every system once, then measures all situations round by round. */
export async function compare(situations: readonly Situation[], options: BenchOptions): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const running = new Map<System, Running>();
  for (const system of new Set(situations.flatMap(({ systems }) => systems))) {
    options.progress(`starting ${system.name}`);
    running.set(system, stack.use(await system.start()));
  }
  const loader = stack.use(new Loader());
  const measured = situations.flatMap((each) =>
    each.systems.map((system) => ({ ...each, system, rounds: [] as Round[], failures: [] as string[] })),
  );
  for (let round = 1; round <= options.rounds; round++) {
    for (const { system, situation, load, rounds, failures } of measured) {
      options.progress(`round ${round} of ${options.rounds}: ${[system.name, situation].filter(Boolean).join(", ")}`);
      try {
        rounds.push(await loader.round(running.get(system) as Running, load));
      } catch (error) {
        failures.push(String(error));
      }
    }
  }
  return measured.map(({ system, situation, rounds, failures }) => toRow(system, situation, rounds, failures));
}

/** A system's rounds in one situation as a line of the table; `failures` are rounds that could not be measured. */
export function toRow(
  system: System,
  situation: string | undefined,
  rounds: readonly Round[],
  failures: readonly string[],
): Row {
  const delivery = rounds.flatMap((round) => round.delivery ?? []);
  const roundTrip = rounds.flatMap((round) => round.roundTrip ?? []);
  const transactions = rounds.flatMap((round) => round.transactions ?? []);
  return {
    system: system.name,
    ...(situation !== undefined && { situation }),
    figures: {
      "messages/s": figure(
        rounds.map(({ messages }) => messages),
        "/s",
      ),
      "deliveries/s": figure(
        rounds.map(({ deliveries }) => deliveries),
        "/s",
      ),
      "messages/frame": figure(
        rounds.map(({ messagesAFrame }) => messagesAFrame),
        "messages",
      ),
      processor: figure(
        rounds.map(({ processors, messages }) => (processors.room / messages) * 1e6),
        "µs",
      ),
      ...(delivery.length > 0 && {
        "delivery p50": figure(
          delivery.map(({ p50 }) => p50),
          "ms",
        ),
        "delivery p99": figure(
          delivery.map(({ p99 }) => p99),
          "ms",
        ),
      }),
      ...(roundTrip.length > 0 && {
        "round trip p50": figure(
          roundTrip.map(({ p50 }) => p50),
          "ms",
        ),
        "round trip p99": figure(
          roundTrip.map(({ p99 }) => p99),
          "ms",
        ),
      }),
      ...(transactions.length > 0 && { "D1 transactions/s": figure(transactions, "/s") }),
    },
    limits: rounds.map(({ limit }) => limit),
    processors: {
      room: median(rounds.map(({ processors }) => processors.room)),
      writers: median(rounds.map(({ processors }) => processors.writers)),
      audience: median(rounds.map(({ processors }) => processors.audience)),
      others: median(rounds.map(({ processors }) => processors.others)),
    },
    faults: [...failures, ...rounds.flatMap(({ faults }) => faults)],
  };
}
